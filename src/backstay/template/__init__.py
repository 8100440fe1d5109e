"""The template of a service, and the commands that write, update, check and extend one.

`copier` renders it (the extra `template`), and git merges. Nothing here needs Django's settings.
"""


class TemplateError(Exception):
    """The reason why a command changed nothing, and the remedy, for the person who typed it."""
