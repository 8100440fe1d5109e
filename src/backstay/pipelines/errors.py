"""The error by which a step of a pipeline refuses to run."""


class RefusedError(Exception):
    """A step that may not run; the text says why, and what to do instead."""
