"""What a task is called with, and what it gives back: JSON text, the same on both engines."""

import json
from typing import Any

#: Bytes that the arguments of one call may have.
LARGEST = 64 * 1024


class ArgumentsError(ValueError):
    """A task was called with something that cannot wait in the queue; nothing was enqueued."""


def dump(value: Any) -> str:
    """The value as JSON text, from which `json.loads` makes the same value again.

    Raises ArgumentsError for anything else: what a task gets must not depend on whether it waited.
    """
    try:
        text = json.dumps(value, allow_nan=False, separators=(',', ':'))
        same = bool(json.loads(text) == value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentsError(f'not JSON: {error}') from None
    if not same:
        raise ArgumentsError('not JSON: lists instead of tuples, and text as keys, please')
    return text


def dump_call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The arguments of one call of the task `name`; ArgumentsError also when they are too large."""
    try:
        text = dump([list(args), kwargs])
    except ArgumentsError as error:
        raise ArgumentsError(f'{name}: its arguments are {error}') from None
    if len(text) > LARGEST:
        raise ArgumentsError(
            f'{name}: its arguments are {len(text)} bytes of JSON, more than {LARGEST}; '
            'store them, and give the key of the row'
        )
    return text


def load_call(text: str) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that `dump_call` wrote."""
    args, kwargs = json.loads(text)
    return args, kwargs
