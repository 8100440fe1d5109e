"""JSON written by the database as text: values, objects and lists, the same bytes on both engines.

Objects are concatenations of literal text and rendered values. That is the cheapest way found to
write JSON (bench/README.md), has no limit on the number of members, keeps their order, and leaves
every number as exact as it is stored.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Expression, Subquery
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine import engine_of
from backstay.engine.forms import Forms
from backstay.engine.pieces import Piece, Rendered, Sql
from backstay.engine.slots import TEXT

#: The element that ends a list which was cut at its cap; no row of a list is ever a string.
CUT_MARK = '\u001f'
_CUT_JSON = '"\\u001f"'


class JsonText(Expression):
    """Writes JSON as text and is never NULL. Subclasses say of which pieces it is made."""

    def __init__(self, *expressions: Combinable) -> None:
        super().__init__(output_field=TEXT)
        self.expressions: list[Any] = list(expressions)

    def get_source_expressions(self) -> list[Any]:
        return self.expressions

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.expressions = list(exprs)

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        """The pieces, in order."""
        raise NotImplementedError

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        pieces = _merged(self.pieces(compiler, connection))
        sql, params = engine_of(connection).concatenate(pieces)
        return sql, params


class JsonValue(JsonText):
    """One value, written in the form that its kind has on the engine."""

    def __init__(self, expression: Combinable, forms: Forms, *, nullable: bool = True) -> None:
        super().__init__(expression)
        self.forms = forms
        self.nullable = nullable

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        sql, params = compiler.compile(self.expressions[0])
        engine = engine_of(connection)
        for piece in engine.value(sql, self.forms[engine.name], nullable=self.nullable):
            yield (piece.sql, [*params] * piece.repeats) if isinstance(piece, Rendered) else piece


class JsonMembers(JsonText):
    """Members of an object, each behind a comma."""

    def __init__(self, members: Sequence[tuple[str, Combinable]]) -> None:
        super().__init__(*(value for _, value in members))
        self.keys: list[str | None] = [name for name, _ in members]

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        for key, value in zip(self.keys, self.expressions, strict=True):
            if key is not None:
                yield f',{json.dumps(key, ensure_ascii=False)}:'
            yield from _pieces_of(value, compiler, connection)


class JsonObject(JsonMembers):
    """An object, its members in the order given.

    What comes without a name is text of members, each behind a comma, or of none.
    """

    def __init__(self, members: Sequence[tuple[str, Combinable] | Combinable]) -> None:
        named = [each if isinstance(each, tuple) else (None, each) for each in members]
        JsonText.__init__(self, *(value for _, value in named))
        self.keys = [name for name, _ in named]

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        members = super().pieces(compiler, connection)
        yield '{'
        if self.keys and self.keys[0] is None:
            sql, params = engine_of(connection).concatenate(_merged(members))
            yield f'substr({sql}, 2)', params
        elif self.keys:
            yield str(next(members)).removeprefix(',')
            yield from members
        yield '}'


class JsonArray(JsonText):
    """An array of a fixed number of values."""

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        opening = '['
        for value in self.expressions:
            yield opening
            yield from _pieces_of(value, compiler, connection)
            opening = ','
        yield ']' if self.expressions else '[]'


class JsonUrl(JsonText):
    """An absolute URL: an origin, and a path whose braces were split off around its values.

    The values are never NULL and need no escaping: JSON without its quotes, or text as it is.
    """

    def __init__(
        self, origin: Combinable, literals: Sequence[str], values: Sequence[Combinable]
    ) -> None:
        super().__init__(origin, *values)
        self.literals = [json.dumps(each, ensure_ascii=False)[1:-1] for each in literals]

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        origin, *values = self.expressions
        yield '"'
        yield compiler.compile(origin)
        yield self.literals[0]
        for value, literal in zip(values, self.literals[1:], strict=True):
            if isinstance(value, JsonValue):
                yield from (each for each in value.pieces(compiler, connection) if each != '"')
            else:
                yield compiler.compile(value)
            yield literal
        yield '"'


class Unless(JsonText):
    """JSON where the condition expression is not NULL, else `null` (or SQL's NULL)."""

    def __init__(
        self, present: Combinable, value: Combinable, *, otherwise: str = "'null'"
    ) -> None:
        super().__init__(present, value)
        self.otherwise = otherwise

    def pieces(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Iterator[Piece]:
        present, present_params = compiler.compile(self.expressions[0])
        value, value_params = compiler.compile(self.expressions[1])
        yield (
            f'CASE WHEN {present} IS NULL THEN {self.otherwise} ELSE {value} END',
            [*present_params, *value_params],
        )


class JsonRows(Subquery):
    """The rows of a subquery, whose one column is JSON, as a list cut at `cap`.

    The subquery yields one row more than `cap` where there are more; the list then ends with
    `CUT_MARK`, for whoever hands it out to remove.
    """

    def __init__(self, rows: models.QuerySet[Any], cap: int) -> None:
        super().__init__(rows, output_field=TEXT)
        self.cap = cap

    def as_sql(  # type: ignore[override] # Django itself calls it without a template
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> Sql:
        rows, params = self.query.as_sql(compiler, connection)
        rows = rows[1:-1]  # a subquery comes in parentheses
        joined = engine_of(connection).join_rows('json_')
        end = f"CASE WHEN COUNT(*) > {self.cap} THEN ',{_CUT_JSON}]' ELSE ']' END"
        sql, _ = engine_of(connection).concatenate(['[', (joined, ()), (end, ())])
        return f'(SELECT {sql} FROM ({rows}) "r")', params


def _pieces_of(
    value: Any, compiler: SQLCompiler, connection: BaseDatabaseWrapper
) -> Iterator[Piece]:
    """The pieces of nested JSON, so that one concatenation holds them all."""
    if isinstance(value, JsonText) and not isinstance(value, Unless):
        yield from value.pieces(compiler, connection)
    else:
        yield compiler.compile(value)


def _merged(pieces: Iterator[Piece]) -> list[Piece]:
    """The pieces with neighbouring literals joined."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged
