"""The comparisons of filters as ORM expressions, meaning the same on both engines."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Expression
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine import engine_of
from backstay.engine.pieces import Sql
from backstay.engine.slots import TEXT, TRUTH, EndSlot, JsonSlot, ListSlot, PatternSlot, Slot


class Comparison(Expression):
    """SQL of several expressions, `{0}`, `{1}` ... standing for them; true, false or unknown."""

    conditional = True

    def __init__(self, template: str, *expressions: Combinable, sqlite: str = '') -> None:
        super().__init__(output_field=TRUTH)
        self.template = template
        self.sqlite_template = sqlite or template
        self.expressions: list[Any] = list(expressions)

    def get_source_expressions(self) -> list[Any]:
        return self.expressions

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.expressions = list(exprs)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        return self._write(self.template, compiler)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        return self._write(self.sqlite_template, compiler)

    def _write(self, template: str, compiler: SQLCompiler) -> Sql:
        return written(template, [compiler.compile(each) for each in self.expressions])


def written(template: str, compiled: Sequence[Sql]) -> Sql:
    """Return SQL in which `{0}`, `{1}` ... stand for compiled expressions, with its parameters."""
    positions = [int(part[0]) for part in template.split('{')[1:]]
    params = [parameter for at in positions for parameter in compiled[at][1]]
    return template.format(*(sql for sql, _ in compiled)), params


class Bytewise(Comparison):
    """Text in the order of its bytes, which is SQLite's; PostgreSQL's depends on the database."""

    conditional = False

    def __init__(self, text: Combinable) -> None:
        super().__init__('{0} COLLATE "C"', text, sqlite='{0}')
        self.output_field = TEXT


#: Comparisons with the least spelling of a value, `{1}`, and with the most, `{2}`.
SPELLED = {
    '=': '{0} BETWEEN {1} AND {2}',
    '<>': '{0} NOT BETWEEN {1} AND {2}',
    '<': '{0} < {1}',
    '<=': '{0} <= {2}',
    '>': '{0} > {2}',
    '>=': '{0} >= {1}',
}


def compare(left: Combinable, operator: str, right: Combinable) -> Comparison:
    """Return `left operator right`, where the operator is one of SQL's.

    SQLite stores moments as text, and not all in the same spelling: an equal one lies between the
    least spelling and the most, which an index finds too.
    """
    template = f'{{0}} {operator} {{1}}'
    if isinstance(right, Slot) and right.is_spelled:
        ends = EndSlot(right, 0), EndSlot(right, 1)
        return Comparison(template, left, *ends, sqlite=SPELLED[operator])
    return Comparison(template, left, right)


class Normal(Expression):
    """A value that the database computes, in the one form in which such values are compared."""

    def __init__(self, value: Combinable, forms: Mapping[str, str], field: models.Field) -> None:
        """`forms` has the SQL by engine, `{x}` standing for the value."""
        super().__init__(output_field=field)
        self.forms = forms
        self.value: Any = value

    def get_source_expressions(self) -> list[Any]:
        return [self.value]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.value,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        sql, params = compiler.compile(self.value)
        form = self.forms.get(engine_of(connection).name, '{x}')
        return form.replace('{x}', sql), params


def is_null(value: Combinable, *, negated: bool = False) -> Comparison:
    """Whether there is no value (or, negated, whether there is one)."""
    return Comparison('{0} IS NOT NULL' if negated else '{0} IS NULL', value)


def is_not_true(condition: Combinable) -> Comparison:
    """Whether a condition is false or unknown."""
    return Comparison('({0}) IS NOT TRUE', condition)


def nowhere() -> Comparison:
    """What holds for no row."""
    return Comparison('1 = 0')


def is_in(value: Combinable, among: ListSlot) -> Comparison:
    """Whether the value is one of a bound list."""
    return Comparison('{0} = ANY({1})', value, among, sqlite='{0} IN {1}')


def is_like(text: Combinable, pattern: PatternSlot) -> Comparison:
    """Whether the text matches a pattern, heeding case."""
    return Comparison('{0} LIKE {1}', text, pattern, sqlite='{0} GLOB {1}')


def is_ilike(text: Combinable, pattern: Combinable) -> Comparison:
    """Whether the text matches a pattern in any case."""
    return Comparison('{0} ILIKE {1}', text, pattern, sqlite='backstay_ilike({0}, {1})')


def has_element(array: Combinable, element: Slot) -> Comparison:
    """Whether a PostgreSQL array holds an element."""
    return Comparison('{1} = ANY({0})', array, element)


def json_has_element(array: Combinable, element: JsonSlot) -> Comparison:
    """Whether a JSON array holds a scalar; false of other JSON, unknown where there is none."""
    found = (
        "EXISTS (SELECT 1 FROM json_each({0}) WHERE value = json_extract({1}, '$')"
        " AND type NOT IN ('object', 'array')"
        " AND (type IN ('true', 'false')) = (json_type({1}) IN ('true', 'false')))"
    )
    return Comparison(
        "({0} @> {1} AND jsonb_typeof({0}) = 'array')",
        array,
        element,
        sqlite=f"CASE WHEN {{0}} IS NOT NULL THEN json_type({{0}}) = 'array' AND {found} END",
    )


def json_member_equals(document: Combinable, member: Combinable, value: JsonSlot) -> Comparison:
    """Whether a member of a JSON object equals a scalar; unknown where there is none, or null."""
    equal = (
        "json_extract({0}, {1}) = json_extract({2}, '$')"
        " AND (json_type({0}, {1}) IN ('true', 'false')) = (json_type({2}) IN ('true', 'false'))"
    )
    return Comparison(f'{_MEMBER} = {{2}}', document, member, value, sqlite=_by_type(f'({equal})'))


def json_member_is_in(document: Combinable, member: Combinable, values: JsonSlot) -> Comparison:
    """Whether a member of a JSON object equals a scalar of a JSON array."""
    listed = (
        'EXISTS (SELECT 1 FROM json_each({2}) e WHERE e.value = json_extract({0}, {1})'
        " AND (e.type IN ('true', 'false')) = (json_type({0}, {1}) IN ('true', 'false')))"
    )
    return Comparison(
        f'{_MEMBER} = ANY(ARRAY(SELECT jsonb_array_elements({{2}})))',
        document,
        member,
        values,
        sqlite=_by_type(listed, otherwise='CASE WHEN json_array_length({2}) = 0 THEN 0 END'),
    )


def json_member_is_null(document: Combinable, member: Combinable) -> Comparison:
    """Whether a JSON object has no such member, or null there."""
    return Comparison(
        "COALESCE({0} -> {1}, 'null') = 'null'",
        document,
        member,
        sqlite='json_extract({0}, {1}) IS NULL',
    )


#: A member of a JSON object on PostgreSQL; NULL where it is not there, or null.
_MEMBER = "NULLIF({0} -> {1}, 'null'::jsonb)"


def _by_type(scalar: str, otherwise: str = 'NULL') -> str:
    """On SQLite: a comparison of a member that is a scalar; an object or array equals none."""
    return (
        "CASE WHEN json_type({0}, {1}) IN ('object', 'array') THEN 0"
        f" WHEN json_type({{0}}, {{1}}) <> 'null' THEN {scalar} ELSE {otherwise} END"
    )


class MemberName(Expression):
    """The name of a JSON member as each engine takes it: a key, or a path."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=TEXT)
        self.name = name

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Sql:
        return '%s::text', (self.name,)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        # Compared as it is written in the document, where Django escapes what is not ASCII.
        return '%s', (f'$.{json.dumps(self.name)}',)
