"""The template of a service, and the commands that write, update, check and extend one.

`copier` renders it (the extra `template`); git merges. Nothing here needs Django's settings.
"""


class TemplateError(Exception):
    """Why a command changed nothing, and what to do about it, for the person who typed it."""
