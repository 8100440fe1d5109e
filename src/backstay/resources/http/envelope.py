"""The envelope of a list: `count`, `next`, `previous`, `results`, around the rows' own bytes."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus

from django.http import HttpRequest

from backstay.resources.execute import Rows
from backstay.resources.plan.counts import MAX_COUNTED_ROWS
from backstay.resources.query.cursor import encrypt
from backstay.resources.query.nodes import CursorPage, OffsetPage, Query

#: What RFC 3986 allows in a query beside letters and digits.
_IN_QUERIES = "-._~!$&'()*+,;=:@/?%"
_URI = re.compile(f'[A-Za-z0-9{re.escape(_IN_QUERIES)}]*')
#: Parameters that lead to another page.
PAGE = frozenset({'limit', 'offset', 'cursor'})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What the cursors of an answer are bound to, and the key that seals them."""

    binding: str
    key: str


def envelope(request: HttpRequest, query: Query, rows: Rows, seal: Seal | None) -> bytes:
    """Return the body of a list. Its `truncated` has pointers to nested lists that were cut."""
    page = query.shape.page
    if isinstance(page, CursorPage) and seal is not None:
        objects, previous, following = _by_cursor(query, page, rows, seal)
    else:
        objects, previous, following = _by_offset(query, page, rows, seal)
    head: dict[str, Any] = {} if rows.count is None else {'count': rows.count}
    if query.shape.count == 'estimate' and (rows.count or 0) > MAX_COUNTED_ROWS:
        head['count_is_estimate'] = True
    head |= {'next': _url(request, following), 'previous': _url(request, previous)}
    opening = json.dumps(head, separators=(',', ':'))[:-1].encode()
    ending = b']}'
    shown, backwards = len(objects), isinstance(page, CursorPage) and page.backwards
    pointers = [
        f'/results/{shown - 1 - index if backwards else index}{pointer}'
        for index, pointer in rows.truncated
        if index < shown
    ]
    if pointers:
        ending = b'],"truncated":' + json.dumps(pointers).encode() + b'}'
    return b''.join((opening, b',"results":[', b','.join(objects), ending))


#: The parameters of another page, as in a query string; None if there is no such page.
_Link = str | None


def _by_offset(
    query: Query, page: Any, rows: Rows, seal: Seal | None
) -> tuple[list[bytes], _Link, _Link]:
    """Return the objects of the page and its links; one more row was read to see if others follow.

    A cursor leads to a page that lies too deep for an offset. Raises PageError if neither can lead
    there: a list that ended without a link would be taken for complete.
    """
    if not isinstance(page, OffsetPage):
        return rows.objects, None, None
    limit = query.values[page.limit_slot] - 1
    offset = query.values[page.offset_slot]
    following = previous = None
    if len(rows.objects) > limit > 0 and not page.is_last:
        following = f'limit={limit}&offset={offset + limit}'
    elif len(rows.objects) > limit > 0 and seal is not None:
        following = _cursor(rows.keys[limit - 1 : limit], limit, seal, backwards=False)
    if offset > 0 and limit > 0:
        previous = f'limit={limit}&offset={max(offset - limit, 0)}'
    return rows.objects[:limit], previous, following


def _by_cursor(
    query: Query, page: CursorPage, rows: Rows, seal: Seal
) -> tuple[list[bytes], _Link, _Link]:
    limit = query.values[page.limit_slot] - 1
    more = len(rows.objects) > limit
    objects, keys = rows.objects[:limit], rows.keys[:limit]
    if page.backwards:
        objects, keys = objects[::-1], keys[::-1]
    # There is certainly a page behind the boundary: the one that the cursor came from.
    after = bool(page.key_slots) if page.backwards else more
    before = more if page.backwards else bool(page.key_slots)
    return (
        objects,
        _cursor(keys[:1], limit, seal, backwards=True) if before else None,
        _cursor(keys[-1:], limit, seal, backwards=False) if after else None,
    )


def _cursor(keys: list[bytes], limit: int, seal: Seal, *, backwards: bool) -> _Link:
    if not keys:
        return None
    # The alphabet of a cursor stands in a URL as it is.
    cursor = encrypt(json.loads(keys[0]), backwards, seal.binding, seal.key)
    return f'limit={limit}&cursor={cursor}'


def _url(request: HttpRequest, link: _Link) -> str | None:
    """Return the address of the request with its parameters changed to those of another page.

    The query string is not decoded and encoded again: that took as long as parsing the whole query.
    """
    if link is None:
        return None
    asked = request.META.get('QUERY_STRING', '')
    if not _URI.fullmatch(asked):
        asked = quote(asked.encode('latin-1'), safe=_IN_QUERIES)  # as which WSGI reads bytes
    kept = [
        part
        for part in asked.split('&')
        if part and unquote_plus(part.partition('=')[0]) not in PAGE
    ]
    origin = f'{request.scheme}://{request.get_host()}'
    return f'{origin}{quote(request.path)}?{"&".join((*kept, link))}'
