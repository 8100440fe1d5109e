"""JSON from clients: read strictly, and shown back briefly in the texts of errors.

Stage: the first thing that touches a filter, a sort or a body. It refuses what cannot be read (400
`malformed-json`) and knows nothing of what the JSON means.

RFC 8259 leaves open what happens to duplicate names, to numbers beyond any type and to half of a
surrogate pair. All three are refused here, so that nothing behind this has to think of them.
"""

import json
import re
import reprlib
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from backstay.errors import Problem

#: The media type of changes to an object (RFC 7396).
MERGE_PATCH = 'application/merge-patch+json'
#: Lists and objects inside one another: more than any filter that is accepted needs.
MAX_JSON_DEPTH = 64
#: Characters of one number: more than any column holds.
_MAX_NUMBER_DIGITS = 1_000
#: A string, whether or not it is closed, or a bracket. Possessive, so that nothing is read twice.
_STRUCTURE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def load_json(text: str | bytes, *, max_depth: int = MAX_JSON_DEPTH) -> Any:
    """Return the value of a JSON text: numbers with a fraction or exponent as exact Decimals.

    Raises Problem 400 `malformed-json` for text that is not UTF-8, is not JSON, nests too deeply,
    names a member twice, or holds NaN, Infinity, endless numbers or lone surrogates.

    >>> load_json('{"price": 12.50}')
    {'price': Decimal('12.50')}
    """
    if isinstance(text, bytes):
        try:
            text = text.decode('utf-8-sig')  # RFC 8259 section 8.1 lets a mark of order be ignored
        except UnicodeDecodeError:
            raise _malformed('it is not UTF-8') from None
    if is_deeper_than(max_depth, text):
        raise _malformed(f'lists and objects nest at most {max_depth} deep')
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f'line {error.lineno}, column {error.colno}'
        raise _malformed(f'{error.msg.lower()} at {place}') from None
    if '\\u' in text or not text.isascii():
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise _malformed('it holds half of a surrogate pair') from None
    return value


def is_deeper_than(most: int, text: str) -> bool:
    """Return whether brackets outside strings nest deeper than this, without recursion.

    >>> is_deeper_than(2, '[["[[["]]')
    False
    """
    if text.count('[') + text.count('{') <= most:
        return False
    depth = 0
    for token in _STRUCTURE.finditer(text):
        match token[0]:
            case '[' | '{':
                depth += 1
                if depth > most:
                    return True
            case ']' | '}':
                depth -= 1
    return False


def shown(value: object) -> str:
    """Return a value that a client sent, short and printable, for the text of an error.

    >>> shown('x' * 100)
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
    """
    match value:
        case str():
            text = value
        case None | bool() | Decimal() | float():
            text = str(value)
        case int():
            text = str(value) if value.bit_length() < 256 else 'a huge number'
        case list() | tuple() | dict():
            text = _REPR.repr(value)
        case _:
            text = type(value).__name__
    brief = text if len(text) <= 64 else f'{text[:64]}…'
    return brief if brief.isascii() else brief.encode('utf-8', 'backslashreplace').decode()


_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxlist, _REPR.maxdict = 2, 3, 3


def _malformed(detail: str) -> Problem:
    return Problem(f'The JSON cannot be read: {detail}.', code='malformed-json')


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise _malformed(f'the member `{shown(twice)}` is there twice')
    return members


def _integer(digits: str) -> int:
    if len(digits) > _MAX_NUMBER_DIGITS:
        raise _malformed(f'a number has more than {_MAX_NUMBER_DIGITS} digits')
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits) > _MAX_NUMBER_DIGITS:
        raise _malformed(f'a number has more than {_MAX_NUMBER_DIGITS} digits')
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise _malformed('the exponent of a number is too large') from None


def _refuse_constant(name: str) -> NoReturn:
    raise _malformed(f'{name} is not a number')


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_refuse_constant,
)
