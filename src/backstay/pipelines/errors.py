"""The one way in which a pipeline refuses."""


class RefusedError(Exception):
    """What is asked for may not be done; the text says why, and what to do instead."""
