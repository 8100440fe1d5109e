"""Parameters: what a request asks, from its query string, its mask header and its body.

Stage: reading, the whole of it. It refuses everything malformed before any work is done, and knows
neither Django's request nor the database. Query string and body are first brought to one form; the
same question then makes the same `Query`, however it was spelled.

Names: `docs/reference/queries.md`; limits: rules M12 and F8.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, get_args

from backstay.errors import not_found
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import (
    FilterError,
    PageError,
    PageTooDeep,
    ParameterError,
    SortError,
)
from backstay.resources.kinds import ValueKind
from backstay.resources.query import json_text, mask
from backstay.resources.query.asked import Asked
from backstay.resources.query.cursor import binding, decrypt
from backstay.resources.query.filters import FilterReader, Tally, all_of, parse_filter
from backstay.resources.query.json_text import shown
from backstay.resources.query.lookups import parse_lookup
from backstay.resources.query.nodes import (
    AllRows,
    Condition,
    CountMode,
    CursorPage,
    Key,
    Mask,
    OffsetPage,
    OneRow,
    Page,
    Query,
    Shape,
)
from backstay.resources.query.order import parse_order
from backstay.resources.query.values import read

MAX_OFFSET = 10_000
#: Of `filter`, `sort` and `ordering` in a query string.
MAX_PARAMETER_BYTES = 4_096

_ONE = ('fields',)
_ROWS = (*_ONE, 'filter', 'sort', 'ordering')
_LIST = (*_ROWS, 'limit', 'offset', 'cursor', 'count')
#: Every parameter of lists: what a field of such a name cannot be compared by.
TAKEN = frozenset({*_LIST, 'format', 'include_deleted'})


def read_query(asked: Asked, *secret_keys: str) -> Query:
    """Read the query of a list. Raises a Problem for everything that is malformed.

    The members of the body of `POST <collection>/query` are called as the parameters are. Cursors
    are encrypted with the first of `secret_keys`, and read with any.
    """
    readable, given = asked.readable, _Given(asked, asked.body, _LIST)
    values: list[Any] = []
    where = given.where(readable, values)
    order = given.order(readable)
    page: Page
    if 'cursor' in given.members:
        bound = binding(readable, where, values, order, asked.caller.key)
        page = _cursor_page(given.members, readable, order, values, bound, secret_keys)
    else:
        page = _offset_page(given.members, readable, values)
    usual: CountMode = 'none' if 'cursor' in given.members else asked.resource.options.count
    count = given.members.get('count', usual)
    if count not in get_args(CountMode):
        listed = ', '.join(get_args(CountMode))
        raise PageError(f'Count should be one of {listed}: {shown(count)}')
    shape = Shape(
        mask=given.mask(),
        where=where,
        order=order,
        page=page,
        count=count,
        strict=asked.strict,
    )
    return Query(shape=shape, values=tuple(values))


def read_all(asked: Asked) -> Query:
    """Read the query of all rows (CSV): that of a list, without pages and count."""
    given = _Given(asked, asked.body, _ROWS)
    values: list[Any] = []
    shape = Shape(
        mask=given.mask(),
        where=given.where(asked.readable, values),
        order=given.order(asked.readable),
        page=AllRows(),
        strict=asked.strict,
    )
    return Query(shape=shape, values=tuple(values))


def read_one(asked: Asked) -> Query:
    """Read the query of the one object that the path names."""
    return Query(shape=read_shape(asked), values=(lookup_value(asked.lookup, asked.readable),))


def read_shape(asked: Asked) -> Shape:
    """Read the shape of a query of one object, whose only value is that of its lookup."""
    given = _Given(asked, None, _ONE)
    for name in given.lookups:
        raise ParameterError(f'Unknown parameter `{shown(name)}`. Known parameters: fields.')
    return Shape(mask=given.mask(), page=OneRow(lookup_slot=0), strict=asked.strict)


def lookup_value(text: str | None, readable: Readable) -> Any:
    """Return the value of the lookup field that a path names.

    A text that the field cannot hold names no row: it is the 404 of a row that is not there.
    """
    field = readable.fields.get(readable.resource.options.lookup)
    if field is not None and text is not None:
        with suppress(FilterError):
            return read(field, text)
    raise not_found()


class _Given:
    """Query string and body in one form: the members that are ours, and lookups on fields."""

    def __init__(self, asked: Asked, body: Any, known: Sequence[str]) -> None:
        self.known, self.header = known, asked.mask
        self.members: dict[str, Any] = {}
        self.lookups: dict[str, Any] = {}
        for name, given in asked.parameters.items():
            if len(given) != 1:
                raise _twice(name)
            (text,) = given
            if name not in known:
                self.lookups[name] = text
            elif name == 'filter':
                if _is_too_long(text):
                    raise FilterError('TooComplex', _TOO_LONG)
                if text:
                    self.members[name] = json_text.load_json(text)
            else:
                self.members[name] = _sort_of(text) if name in ('sort', 'ordering') else text
        if not isinstance(body, Mapping | None):
            raise ParameterError('The body should be an object, with members as the parameters.')
        for name, value in (body or {}).items():
            if name in self.members or name in self.lookups:
                raise _twice(name)
            (self.members if name in known else self.lookups)[name] = value

    def mask(self) -> Mask | None:
        """Return the mask of the header, or else of `fields`; None for the default."""
        fields = self.members.get('fields', '')
        if not isinstance(fields, str):
            raise ParameterError('`fields` should be a text.')
        for text in (self.header, fields):
            if text and not text.isspace():
                return mask.parse(text)
        return None

    def where(self, readable: Readable, values: list[Any]) -> Condition:
        """Return the filter and the lookups together."""
        tally = Tally()
        parts = []
        if 'filter' in self.members:
            parts.append(parse_filter(self.members['filter'], readable, values, tally))
        if self.lookups:
            reader = FilterReader(readable, values, tally)
            for name, value in self.lookups.items():
                parts.extend(parse_lookup(name, value, reader, self.known))
        return all_of(parts)

    def order(self, readable: Readable) -> tuple[Key, ...]:
        """Return the order of `sort` or `ordering`, which are one."""
        members = self.members
        if 'sort' in members and 'ordering' in members:
            raise ParameterError('`sort` and `ordering` are the same: give one of them.')
        return parse_order(members.get('sort', members.get('ordering', '')), readable)


def _sort_of(text: str) -> Any:
    """Return the sort_spec of a JSON text; anything else is the shorthand."""
    if text[:1] not in ('[', '{', '"'):
        return text
    if _is_too_long(text):
        raise SortError(_TOO_LONG, reason='TooComplex', pointer='')
    spec = json_text.load_json(text)
    if isinstance(spec, str):  # in JSON it is no shorthand
        raise SortError(
            f'Sort spec `{shown(spec)}` should be a dictionary.', reason='BadSortFormat', pointer=''
        )
    return spec


_TOO_LONG = f'The text is longer than {MAX_PARAMETER_BYTES} bytes, or nested too deeply to be read.'


def _is_too_long(text: str) -> bool:
    return (
        len(text) > MAX_PARAMETER_BYTES
        or len(text.encode(errors='surrogatepass')) > MAX_PARAMETER_BYTES
        or json_text.is_deeper_than(json_text.MAX_JSON_DEPTH, text)
    )


def _twice(name: str) -> ParameterError:
    return ParameterError(f'The parameter `{shown(name)}` is given twice.')


def _offset_page(members: Mapping[str, Any], readable: Readable, values: list[Any]) -> OffsetPage:
    """Return a page by position, which reads one row more to see whether there are more."""
    limit = _limit(members, readable)
    offset = _whole('Offset', members.get('offset', 0))
    if offset > MAX_OFFSET:
        raise PageTooDeep(f'Offset should be at most {MAX_OFFSET}: further on, follow `cursor`.')
    page = OffsetPage(
        limit_slot=len(values),
        offset_slot=len(values) + 1,
        is_last=offset + limit > MAX_OFFSET,
    )
    values += (limit + 1, offset)
    return page


def _cursor_page(
    members: Mapping[str, Any],
    readable: Readable,
    order: Iterable[Key],
    values: list[Any],
    bound: str,
    secret_keys: Sequence[str],
) -> CursorPage:
    """Return a page by cursor, which reads one row more to see whether there are more."""
    if 'offset' in members:
        raise PageError('`cursor` and `offset` exclude each other.')
    limit = _limit(members, readable)
    if limit == 0:
        raise PageError('Limit should be positive with a cursor: 0')
    limit_slot = len(values)
    values.append(limit + 1)
    cursor = members['cursor']
    if cursor is None or cursor == '':
        return CursorPage(limit_slot=limit_slot)
    if not isinstance(cursor, str):
        raise PageError('`cursor` should be a text.')
    boundary = decrypt(cursor, [_kind(key, readable) for key in order], bound, *secret_keys)
    slots: list[int | None] = []
    for key in boundary.keys:
        slots.append(None if key is None else len(values))
        if key is not None:
            values.append(key)
    return CursorPage(limit_slot=limit_slot, key_slots=tuple(slots), backwards=boundary.backwards)


def _kind(key: Key, readable: Readable) -> ValueKind:
    if key.relation:
        readable = readable.through(readable.relations[key.relation])
    field = readable.primary_key if key.field == 'pk' else readable.fields[key.field]
    return field.kind


def _limit(members: Mapping[str, Any], readable: Readable) -> int:
    options = readable.resource.options
    limit = _whole('Limit', members.get('limit', options.page_size))
    if limit > options.max_page_size:
        raise PageError(f'Limit should be at most {options.max_page_size}: {limit}')
    return limit


def _whole(name: str, raw: object) -> int:
    """Return a number of rows."""
    if type(raw) is str and len(raw) <= 18 and raw.isascii() and raw.removeprefix('-').isdigit():
        raw = int(raw)
    if type(raw) is not int:
        raise PageError(f'{name} should be an integer: {shown(raw)}')
    if raw < 0:
        raise PageError(f'{name} should not be negative: {shown(raw)}')
    return raw
