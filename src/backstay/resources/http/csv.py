"""Lists as CSV (RFC 4180), one row after the other, in constant memory.

Text is always quoted, NULL is empty and unquoted, and a text that a
spreadsheet would take for a formula is disarmed by an apostrophe.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
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
#: Characters that start a formula in spreadsheets; the last four are the full-width forms.
_FORMULA_STARTS = frozenset('=+-@\t\r\n\uff1d\uff0b\uff0d\uff20')
#: Characters that spreadsheets skip before that: blanks, and characters without width.
_BLANKS = ' \u00a0\u00ad\u180e\u3000\ufeff' + ''.join(map(chr, (*range(0x2000, 0x2010), 0x202F)))
_BLANKS += ''.join(map(chr, range(0x205F, 0x2070)))


class CsvRenderer(BaseRenderer):
    """Makes `Accept: text/csv` and `?format=csv` negotiable; the view writes the lines itself."""

    media_type = 'text/csv'
    format = 'csv'


@dataclass(frozen=True, slots=True)
class _Column:
    """The place of a cell's value in a row, and whether it is text; other values stay as is."""

    path: tuple[str, ...]
    is_text: bool


def csv_lines(selection: Selection, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the header and then a line for each row, several lines at a time.

    Rows come with JSON pointers to their lists that were cut, which are in the last column if the
    selection has lists.
    """
    columns = list(_columns(selection))
    has_lists = any(lists(selection, 1))
    names = ['.'.join(column.path) for column in columns] + ['truncated'] * has_lists
    yield (','.join(map(_quoted, names)) + '\r\n').encode()
    rows = iter(rows)
    while chunk := (yield from _chunk(rows)):
        lines = []
        for row, cut in chunk:
            value = json.loads(row)
            cells = [cell(_at(value, each.path), is_text=each.is_text) for each in columns]
            if has_lists:
                cells.append(cell(cut or None, is_text=True))
            lines.append(','.join(cells) + '\r\n')
        yield ''.join(lines).encode()


def _chunk(rows: Iterator[Row]) -> Generator[bytes, None, list[Row]]:
    """Return the next rows. If the database fails, say so in a way that no reader overlooks.

    A server may end an answer whose iterator raises as if it were complete; so a cell is begun that
    nothing ends, which is no CSV (RFC 4180, section 2).
    """
    try:
        return list(islice(rows, _LINES_PER_CHUNK))
    except Exception:
        yield BROKEN_OFF
        raise


def cell(value: Any, *, is_text: bool) -> str:
    """Return one value as CSV writes it. Decimals and dates are JSON strings, but not text."""
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
    """Return the text, with an apostrophe before it if a spreadsheet would run it."""
    start = text.lstrip(_BLANKS)[:1]
    return f"'{text}" if start in _FORMULA_STARTS and start else text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _columns(selection: Selection, path: tuple[str, ...] = ()) -> Iterator[_Column]:
    """Yield a column for each value, and for each value of a to-one relation."""
    for name, member in selection.members:
        if isinstance(member, ShowOne):
            yield from _columns(member.selection, (*path, name))
        else:
            is_text = isinstance(member, ShowMany) or member.field.kind.is_text
            yield _Column((*path, name), is_text)


def _at(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        if row is None:
            return None
        row = row.get(name)
    return row
