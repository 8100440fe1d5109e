"""How PostgreSQL writes each kind of value as JSON text, concatenates, and joins rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models

from backstay.engine.pieces import Piece, Rendered, Written
from backstay.resources.declaration.kinds import Kind

#: CONCAT takes at most 100 arguments (FUNC_MAX_ARGS).
_MOST_ARGUMENTS = 100

_CLOCK = "replace(to_char({x}, 'HH24:MI:SS.US'), '.000000', '')"
_MOMENT = (
    "replace(to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '.000000', '')"
)
_DAYS = 'floor(extract(epoch FROM {x}) / 86400)'
_DURATION = f"CASE WHEN {_DAYS} <> 0 THEN {_DAYS}::bigint || ' ' ELSE '' END || " + _CLOCK.format(
    x=f'make_interval(secs => (extract(epoch FROM {{x}}) - {_DAYS} * 86400)::float8)'
)
#: DRF rounds half to even, PostgreSQL away from zero.
_ROUNDED = (
    'round({{x}}, {places}) - CASE WHEN abs(mod({{x}} * 1e{places}, 2)) = 0.5'
    ' THEN sign({{x}}) * 1e-{places} ELSE 0 END'
)
_FLOAT = "CASE WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN 'null' ELSE {x}::text END"

#: SQL of a value that is not NULL, `{x}` standing for it; and whether it goes between quotes.
_TEMPLATES: dict[Kind, tuple[str, bool]] = {
    Kind.TEXT: ('to_json({x})', False),
    Kind.LONG_TEXT: ('to_json({x})', False),
    Kind.CHOICE: ('to_json({x})', False),
    Kind.FILE: ("to_json(NULLIF({x}, ''))", False),
    Kind.INTEGER: ('{x}', False),
    Kind.FLOAT: (_FLOAT, False),
    Kind.DECIMAL: ('{x}', True),
    Kind.BOOLEAN: ('{x}::text', False),
    Kind.DATE: ('{x}', True),
    Kind.TIME: (_CLOCK.format(x='{x}::interval'), True),
    Kind.DATETIME: (_MOMENT, True),
    Kind.DURATION: (_DURATION, True),
    Kind.UUID: ('{x}', True),
    Kind.IP: ('host({x})', True),
    Kind.BINARY: (r"translate(encode({x}, 'base64'), E'\n', '')", True),
    Kind.JSON: ('{x}', False),
}
#: Kinds of elements that `array_to_json` writes as we do.
_PLAIN_ELEMENTS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE, Kind.INTEGER, Kind.BOOLEAN})


def value(sql: str, of: Written) -> Iterator[str | Rendered]:
    """The pieces that write one value."""
    if of.kind is Kind.ARRAY:
        template, quoted = _array(of), False
    else:
        template, quoted = _TEMPLATES[of.kind]
    if of.kind is Kind.DECIMAL and not of.is_column:
        template = f'({_ROUNDED.format(places=_places(of.model_field))})'
    if of.is_key and of.kind is Kind.FLOAT:
        template, quoted = '{x}', True
    if of.is_key and of.kind is Kind.DECIMAL:
        template = '{x}'
    repeats = template.count('{x}')
    text = template.replace('{x}', sql)
    if not (of.nullable or of.kind is Kind.FILE):
        yield from ('"', Rendered(text, repeats), '"') if quoted else (Rendered(text, repeats),)
        return
    text = f"'\"' || {text} || '\"'" if quoted else f'({text})::text'
    yield Rendered(f"COALESCE({text}, 'null')", repeats)


def concatenate(pieces: Sequence[Piece]) -> tuple[str, list[Any]]:
    """One text of all pieces. CONCAT appends to one buffer, where `||` copies at every step."""
    arguments = [_argument(piece) for piece in pieces]
    params = [parameter for _, own in arguments for parameter in own]
    texts = [sql for sql, _ in arguments]
    while len(texts) > 1:
        texts = [
            _concat(texts[start : start + _MOST_ARGUMENTS])
            for start in range(0, len(texts), _MOST_ARGUMENTS)
        ]
    return texts[0], params


def join_rows(column: str) -> str:
    """The aggregate that joins rows with commas, in the order in which they come."""
    return f"string_agg({column}, ',')"


def _concat(texts: Sequence[str]) -> str:
    return f'CONCAT({", ".join(texts)})'


def _argument(piece: Piece) -> tuple[str, Sequence[Any]]:
    if not isinstance(piece, str):
        return piece
    literal = piece.replace("'", "''").replace('%', '%%')
    # A literal with a backslash would depend on standard_conforming_strings.
    return (f"E'{literal}'".replace('\\', '\\\\') if '\\' in literal else f"'{literal}'"), ()


def _places(field: models.Field) -> int:
    return getattr(field, 'decimal_places', 0) or 0


def _array(of: Written) -> str:
    base = getattr(of.model_field, 'base_field', None)
    if base is None:
        return '{x}'  # a JSON field that holds an array
    if of.element in _PLAIN_ELEMENTS:
        return 'array_to_json({x})'
    template, quoted = _TEMPLATES[of.element or Kind.TEXT]
    element = template.replace('{x}', 'e')
    text = f"'\"' || {element} || '\"'" if quoted else f'({element})::text'
    rows = f"string_agg(COALESCE({text}, 'null'), ',' ORDER BY i)"
    listed = (
        f"(SELECT '[' || COALESCE({rows}, '') || ']' FROM unnest({{x}}) WITH ORDINALITY u(e, i))"
    )
    return f'CASE WHEN {{x}} IS NOT NULL THEN {listed} END'
