"""Masks: the `X-Fields` text as a tree of names, and what the tree leaves of plain data.

Stage: reading. It refuses what is not a mask (`MaskParseError`) or is larger than is read
(`MaskTooLarge`), and knows no resource: whether a name exists is decided by the plan.

Meaning and limits: rules M1 to M13, after flask-restx 1.3.2.
"""

import re
from functools import lru_cache
from typing import Any

from backstay.resources.errors import MaskParseError, MaskTooLarge
from backstay.resources.query.nodes import Mask

MAX_MASK_BYTES = 4_096
MAX_MASK_NAMES = 256
#: Braces inside one another, those around the whole mask not counted.
MAX_MASK_DEPTH = 8

#: Whatever is neither a name nor a sign only separates names.
_TOKEN = re.compile(r'[{},]|[\w:\-*]+')
_SIGNS = frozenset('{},')

#: A level of the tree while it is being read: None for a name without braces of its own.
_Level = dict[str, '_Level | None']


@lru_cache(maxsize=1_024)
def parse(text: str) -> Mask:
    """Return the mask that a text spells. Raises MaskParseError and MaskTooLarge.

    >>> str(parse('id; variants{sku, prices{*}}'))
    '{id,variants{sku,prices{*}}}'
    """
    if len(text) > MAX_MASK_BYTES or len(text.encode(errors='surrogatepass')) > MAX_MASK_BYTES:
        raise MaskTooLarge(f'Mask error: a mask has at most {MAX_MASK_BYTES} bytes')
    root: _Level = {}
    level, above, previous, names = root, list[_Level](), '', 0
    for word in _TOKEN.findall(_inside(text)):
        if word == '{':
            if previous not in level:
                raise _unexpected('opening bracket')
            if len(above) == MAX_MASK_DEPTH:
                raise MaskTooLarge(f'Mask error: a mask nests at most {MAX_MASK_DEPTH} deep')
            above.append(level)
            level[previous] = level = {}
        elif word == '}':
            if not above:
                raise _unexpected('closing bracket')
            level = above.pop()
        elif word == ',':
            if previous in ('', ',', '{'):
                raise _unexpected('comma')
        else:
            level[word] = None
            names += 1
        previous = word
    if above:
        raise _missing_bracket()
    if names > MAX_MASK_NAMES:
        raise MaskTooLarge(f'Mask error: a mask has at most {MAX_MASK_NAMES} names')
    return _frozen(root)


def apply(data: Any, mask: Mask, *, skip: bool = True) -> Any:
    """Return what a mask leaves of plain data: keys in the mask's order, then those of `*`.

    Names that an object lacks are left out; with `skip=False` they are null. A scalar is returned
    as it is, also where the mask goes deeper.

    >>> apply({'id': 1, 'pet': {'name': 'Rex', 'age': 3}}, parse('pet{name},nope'))
    {'pet': {'name': 'Rex'}}
    """
    made: list[Any] = [None]
    # Data may nest deeper than the stack, so what is left to do is kept in a list.
    todo: list[tuple[Any, Mask, Any, Any]] = [(data, mask, made, 0)]
    while todo:
        value, below, into, place = todo.pop()
        if isinstance(value, list):
            into[place] = [None] * len(value)
            todo.extend((each, below, into[place], at) for at, each in enumerate(value))
        elif isinstance(value, dict):
            into[place] = {}
            todo.extend(_members(value, below, into[place], skip=skip))
        else:
            into[place] = value
    return made[0]


def _inside(text: str) -> str:
    """Return the text between the outer braces, if any. Newlines vanish before anything else."""
    text = text.replace('\n', '').strip()
    if not text.startswith('{'):
        return text
    if not text.endswith('}'):
        raise _missing_bracket()
    return text[1:-1]


def _frozen(level: _Level) -> Mask:
    return Mask(
        tuple((name, None if below is None else _frozen(below)) for name, below in level.items())
    )


def _members(
    value: dict[str, Any], mask: Mask, into: dict[str, Any], *, skip: bool
) -> list[tuple[Any, Mask, Any, Any]]:
    """Put the members that the mask names into `into`; return those that it goes deeper into."""
    deeper = []
    for name, below in mask.entries:
        if name == '*':
            continue
        found = value.get(name)
        if found is None and skip and (below is not None or name not in value):
            continue
        into[name] = found
        if below is not None and found is not None:
            deeper.append((found, below, into, name))
    if any(name == '*' for name, _ in mask.entries):
        into.update((name, each) for name, each in value.items() if name not in into)
    return deeper


def _unexpected(what: str) -> MaskParseError:
    return MaskParseError(f'Mask parse error: Unexpected {what}')


def _missing_bracket() -> MaskParseError:
    return MaskParseError('Mask parse error: Missing closing bracket')
