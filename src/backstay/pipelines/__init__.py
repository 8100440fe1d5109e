"""The steps of the reusable pipelines, as programs that run anywhere.

The workflows in `.github/workflows/` check out, ask for rights and call `python -m
backstay.pipelines`; they decide nothing. A service calls them by `make pipeline ARGS=...`, so that
the behaviour of a pipeline comes with the version of the package that the service has locked.
Nothing here needs Django, settings, or a package beside the standard library.
"""

#: The version of `…/backend.yaml@v1`: raised when an input is removed, or a new one is required.
CONTRACT = 1
