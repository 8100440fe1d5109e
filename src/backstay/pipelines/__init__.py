"""What the reusable pipelines do, as programs that run anywhere: `python -m backstay.pipelines`.

The workflows below `.github/workflows/` check out, ask for rights and call these; they decide
nothing. A service calls them by `make pipeline ARGS=...`, so that a pipeline's behaviour comes with
the version of the package that the service has locked. Nothing here needs Django, settings, or a
package beside the standard library.
"""

#: What `…/backend.yaml@v1` promises: raised when an input goes away, or a new one is required.
CONTRACT = 1
