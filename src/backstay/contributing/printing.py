"""Plans as lines of ASCII, so that no text can give commands to the log of a workflow."""

import dataclasses
import json

from backstay.contributing.commands import Command
from backstay.contributing.replies import Text

#: Characters of one value that are shown.
SHOWN = 100


def line_of(place: str, command: Command) -> str:
    """Return one command as one line.

    >>> from backstay.contributing.commands import AddLabel
    >>> line_of('#7', AddLabel(issue=7, label='needs: goal'))
    '#7 AddLabel issue=7 label="needs: goal"'
    """
    facts = [
        f'{each.name}={_shown(getattr(command, each.name))}' for each in dataclasses.fields(command)
    ]
    return ' '.join([place, type(command).__name__, *facts])


def inert(text: str) -> str:
    """Return any text as one line of ASCII."""
    return text.encode('unicode_escape').decode('ascii')


def _shown(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Text):
        return value.template
    shown = json.dumps(str(value))
    return shown if len(shown) <= SHOWN else f'{shown[: SHOWN - 4]}..."'
