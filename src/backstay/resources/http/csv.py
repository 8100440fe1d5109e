"""Lists as CSV (RFC 4180), one row after the other, in constant memory.

Text is always quoted, NULL is empty and unquoted, and a text that a
spreadsheet would take for a formula is disarmed by an apostrophe.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rest_framework.renderers import BaseRenderer

from backstay.resources.plan.objects import lists
from backstay.resources.plan.stages import Selection, ShowMany, ShowOne

_LINES_PER_CHUNK = 500
#: A row as JSON, with pointers to its lists that were cut.
Row = tuple[bytes, Sequence[str]]
#: The end of an export that failed after it had begun.
BROKEN_OFF = b'"This export is not complete: the database failed, or took longer than it may.'
#: What a spreadsheet takes for the start of a formula; the last four are the full-width forms.
_FORMULA_STARTS = frozenset('=+-@\t\r\n\uff1d\uff0b\uff0d\uff20')
#: What is skipped before that: blanks, and characters without width.
_BLANKS = ' \u00a0\u00ad\u180e\u3000\ufeff' + ''.join(map(chr, (*range(0x2000, 0x2010), 0x202F)))
_BLANKS += ''.join(map(chr, range(0x205F, 0x2070)))


class CsvRenderer(BaseRenderer):
    """Makes `Accept: text/csv` and `?format=csv` negotiable; the view writes the lines itself."""

    media_type = 'text/csv'
    format = 'csv'


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a cell's value lies in a row, and whether it is text; all else is never touched."""

    path: tuple[str, ...]
    is_text: bool


def csv_lines(selection: Selection, rows: Iterable[Row]) -> Iterator[bytes]:
    """The header, then a line for each row, several lines at a time.

    Rows come with JSON pointers to their lists that were cut. Where lists are shown, the last
    column has them.
    """
    columns = list(_columns(selection))
    has_lists = any(lists(selection, 1))
    names = ['.'.join(column.path) for column in columns] + ['truncated'] * has_lists
    yield (','.join(map(_quoted, names)) + '\r\n').encode()
    rows = iter(rows)
    while chunk := (yield from _chunk(rows)):
        lines = []
        for row, cut in chunk:
            cells = _cells(json.loads(row), columns)
            if has_lists:
                cells.append(cell(cut or None, is_text=True))
            lines.append(','.join(cells) + '\r\n')
        yield ''.join(lines).encode()


def _chunk(rows: Iterator[Row]) -> Generator[bytes, None, list[Row]]:
    """Return the next rows. Where the database fails, say so in a way that no reader overlooks.

    A server may end an answer whose iterator raises as if it were whole; so a cell is begun that
    nothing ends, which is no CSV (RFC 4180, section 2).
    """
    try:
        return list(islice(rows, _LINES_PER_CHUNK))
    except Exception:
        yield BROKEN_OFF
        raise


def cell(value: Any, *, is_text: bool) -> str:
    """One value as CSV writes it. Decimals and dates are JSON strings, but not text."""
    match value:
        case None:
            return ''
        case bool():
            return 'true' if value else 'false'
        case str():
            return _quoted(disarm(value)) if is_text else value
        case int() | float():
            return repr(value)
    return _quoted(json.dumps(value, ensure_ascii=False))


def disarm(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula."""
    start = text.lstrip(_BLANKS)[:1]
    return f"'{text}" if start in _FORMULA_STARTS and start else text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _columns(selection: Selection, path: tuple[str, ...] = ()) -> Iterator[_Column]:
    """A column for each value; of a to-one relation, for each of its values."""
    for name, member in selection.members:
        if isinstance(member, ShowOne):
            yield from _columns(member.selection, (*path, name))
        else:
            is_text = isinstance(member, ShowMany) or member.field.kind.is_text
            yield _Column((*path, name), is_text)


def _cells(row: Mapping[str, Any], columns: Sequence[_Column]) -> list[str]:
    return [cell(_at(row, column.path), is_text=column.is_text) for column in columns]


def _at(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        if row is None:
            return None
        row = row.get(name)
    return row
