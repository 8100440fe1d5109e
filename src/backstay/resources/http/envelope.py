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
    """The body of a list. Nested lists that were cut are named in `truncated`."""
    page = query.shape.page
    if isinstance(page, CursorPage) and seal is not None:
        objects, previous, following = _by_cursor(query, page, rows, seal)
    else:
        objects, previous, following = _by_offset(query, page, rows, seal)
    head = _count(query, rows) | {
        'next': _url(request, following),
        'previous': _url(request, previous),
    }
    opening = json.dumps(head, separators=(',', ':'))[:-1].encode()
    ending = b']}'
    if pointers := _truncated(page, rows, len(objects)):
        ending = b'],"truncated":' + json.dumps(pointers).encode() + b'}'
    return b''.join((opening, b',"results":[', b','.join(objects), ending))


#: The parameters of another page as a query string has them; None where there is none.
_Link = str | None


def _count(query: Query, rows: Rows) -> dict[str, Any]:
    if rows.count is None:
        return {}
    if query.shape.count == 'estimate' and rows.count > MAX_COUNTED_ROWS:
        return {'count': rows.count, 'count_is_estimate': True}
    return {'count': rows.count}


def _truncated(page: Any, rows: Rows, shown: int) -> list[str]:
    """Pointers to the lists that were cut, in the objects that the page shows."""
    backwards = isinstance(page, CursorPage) and page.backwards
    return [
        f'/results/{shown - 1 - index if backwards else index}{pointer}'
        for index, pointer in rows.truncated
        if index < shown
    ]


def _by_offset(
    query: Query, page: Any, rows: Rows, seal: Seal | None
) -> tuple[list[bytes], _Link, _Link]:
    """One row more than the page was read, which says whether another page follows.

    Where that lies too deep for an offset, a cursor leads there. Raises PageError where neither
    can: a list that ended without a link would be taken for complete.
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
    # Behind the boundary there is a page for certain: the one that the cursor came from.
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
    """The address of the request, leading to another page; all else that it asked stays as it is.

    The query string is not decoded and written anew: that took as long as parsing the whole query.
    """
    if link is None:
        return None
    asked = request.META.get('QUERY_STRING', '')
    if not _URI.fullmatch(asked):
        asked = quote(asked.encode('latin-1'), safe=_IN_QUERIES)  # as which WSGI reads bytes
    kept = [part for part in asked.split('&') if part and _name(part) not in PAGE]
    origin = f'{request.scheme}://{request.get_host()}'
    return f'{origin}{quote(request.path)}?{"&".join((*kept, link))}'


def _name(part: str) -> str:
    return unquote_plus(part.partition('=')[0])
