"""Reads a request's body from its bytes, and refuses what FastAPI refuses, in its words.

pydantic-core's parser takes half the time of Python's, which FastAPI uses. What it accepts, both
read alike; what it refuses, Python's decides on. This stage knows no Django. It raises Refused for
a body that FastAPI answers with 422 or 400, and Crowded for one that would take too much memory.
"""

import json
from email.message import Message
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, FailFast, PositiveInt, TypeAdapter, ValidationError
from pydantic_core import from_json

from backstay.errors import safe_json

#: Arrays and objects that a body may hold; it needs two arrays in one object. An empty array is
#: 3 bytes of a body and 80 of memory.
MAX_CONTAINERS = 10_000
#: A list is reported up to the thousand items among which it reaches so many faults.
MAX_FAULTS = 1_000
#: In the report on a body of more bytes than this, long inputs are null.
MAX_REPEATED = 1024 * 1024
_SLICE = 1_000
_LONG_TEXT = 1_000


class TwoLists(BaseModel):
    """Two lists of positive integers, and the sum to look for."""

    list_a: Annotated[list[PositiveInt], FailFast()]
    list_b: Annotated[list[PositiveInt], FailFast()]
    target: PositiveInt


class _EveryFault(TwoLists):
    """The same, but it reports all faults, each of which costs some hundred bytes."""

    list_a: list[PositiveInt]
    list_b: list[PositiveInt]


_numbers = TypeAdapter(list[PositiveInt])


class Crowded(Exception):
    """The body holds more than MAX_CONTAINERS arrays and objects."""


class Refused(Exception):
    """A body that FastAPI refuses: with 422 and a list of faults, or with 400 and a text."""

    def __init__(self, status: int, detail: str | list[dict[str, Any]]) -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail

    def body(self) -> bytes:
        """The JSON of FastAPI's answer, also where FastAPI cannot write it."""
        try:
            return _as_json({'detail': self.detail})
        except RecursionError:  # nested as deeply as can be read, but not written
            faults = [] if isinstance(self.detail, str) else self.detail
            return _as_json({'detail': [{**fault, 'input': None} for fault in faults]})


def read_lists(body: bytes, content_type: str) -> TwoLists:
    """The lists in a request's body. Raises Refused or Crowded."""
    if not body:
        raise Refused(422, [_fault('missing', ('body',), 'Field required', None)])
    value = _parse(body) if _is_json(content_type) else body.decode(errors='replace')
    try:
        return validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
    faults = [{**fault, 'loc': ('body', *fault['loc'])} for fault in found]
    if len(body) > MAX_REPEATED:
        faults = [{**fault, 'input': _if_short(fault['input'])} for fault in faults]
    raise Refused(422, faults)


def validate(value: object) -> TwoLists:
    """The lists in what JSON was read into. Raises ValidationError, with MAX_FAULTS or a few more
    faults of each list.
    """
    match value:
        case {'list_a': list_a, 'list_b': list_b, 'target': target} if (
            _are_right(list_a) and _are_right(list_b) and _are_right([target])
        ):
            return TwoLists.model_construct(list_a=list_a, list_b=list_b, target=target)
    try:
        return TwoLists.model_validate(value, from_attributes=True)
    except ValidationError:
        if not isinstance(value, dict):
            raise
    cut = {name: _beginning(value[name]) for name in ('list_a', 'list_b') if name in value}
    return _EveryFault.model_validate(value | cut)


def _are_right(items: object) -> bool:
    """Whether pydantic would take all items and change none but True, which is 1 to Python.

    Only integers have an integer for their sum. This takes a third of pydantic's time and no
    second list; pydantic decides whenever it says no.
    """
    try:
        return isinstance(items, list) and type(sum(items)) is int and min(items, default=1) > 0
    except (TypeError, OverflowError):  # something that is no number; a float beside 10^400
        return False


def _beginning(items: object) -> object:
    """A list up to the slice in which it reaches MAX_FAULTS."""
    if not isinstance(items, list):
        return items
    faults = 0
    for start in range(0, len(items), _SLICE):
        try:
            _numbers.validate_python(items[start : start + _SLICE])
        except ValidationError as error:
            faults += error.error_count()
        if faults >= MAX_FAULTS:
            return items[: start + _SLICE]
    return items


def _parse(body: bytes) -> object:
    if body.count(b'[') + body.count(b'{') > MAX_CONTAINERS:
        raise Crowded
    try:
        return from_json(body)
    except ValueError:
        return _parse_in_python(body)


def _parse_in_python(body: bytes) -> object:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        fault = _fault('json_invalid', ('body', error.pos), 'JSON decode error', {})
        raise Refused(422, [{**fault, 'ctx': {'error': error.msg}}]) from None
    except (ValueError, RecursionError):  # not UTF-8; more than 4300 digits; nested too deeply
        raise Refused(400, 'There was an error parsing the body') from None


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    """Whether FastAPI parses a body of this type; any other it takes for a text."""
    message = Message()
    message['content-type'] = content_type or 'text/plain'
    subtype = message.get_content_subtype()
    is_json = subtype == 'json' or subtype.endswith('+json')
    return is_json and message.get_content_maintype() == 'application'


def _fault(kind: str, loc: tuple[str | int, ...], msg: str, value: object) -> dict[str, Any]:
    return {'type': kind, 'loc': loc, 'msg': msg, 'input': value}


def _if_short(value: object) -> object:
    is_long = isinstance(value, list | dict) or (isinstance(value, str) and len(value) > _LONG_TEXT)
    return None if is_long else value


def _as_json(value: object) -> bytes:
    """JSON as FastAPI writes it, without what is no JSON (NaN is null, as in JavaScript)."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    except ValueError:  # NaN, Infinity
        return _as_json(json.loads(json.dumps(value), parse_constant=lambda _: None))
    return safe_json(text)
