"""Lookups of Django that compare moments on SQLite, whichever way each of them is spelled.

SQLite stores moments and times of day as texts. Django writes six decimals of a second, or none
where all are zero, and SQLite's own `Now()` three: texts that differ, and sort unlike the moments.
A moment with fewer decimals sorts before one with more, and no other moment between the two. So
what is compared with is given its least spelling and its most, and the column is left as it is,
which an index finds too.

They are Django's own lookups by their names, for every query of the site: what a grant, a computed
value or a service asks of a moment has one answer on both engines.
"""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine.comparisons import SPELLED, written
from backstay.engine.pieces import Sql
from backstay.engine.slots import EndSlot, Slot

#: The most decimals; a date is the start of its day.
_MOST = (
    "CASE WHEN instr({x}, '.') > 0 THEN substr({x} || '000000', 1, instr({x}, '.') + 6)"
    " WHEN length({x}) = 10 THEN {x} || ' 00:00:00.000000' ELSE {x} || '.000000' END"
)
_LEAST = f"rtrim(rtrim({_MOST}, '0'), '.')"


def compare_moments() -> None:
    """Have every query of the process compare moments with these lookups."""
    for column in (models.DateTimeField, models.TimeField):
        for lookup in (_Exact, _Greater, _NotLess, _Less, _NotGreater, _In, _Range):
            column.register_lookup(lookup)


class _Compares(lookups.BuiltinLookup):
    """A comparison by one of SQL's operators."""

    operator = '='

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        column = self.process_lhs(compiler, connection)
        return written(SPELLED[self.operator], (column, *self._ends(compiler, connection)))

    def _ends(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[Sql, Sql]:
        """Return the least and the most spelling of what is compared with."""
        if isinstance(self.rhs, Slot):
            least, most = (compiler.compile(EndSlot(self.rhs, end)) for end in (0, 1))
            return least, most
        right, params = self.process_rhs(compiler, connection)
        if self.rhs_is_direct_value():
            whole, _, fraction = str(params[0]).partition('.')
            longest = f'{whole}.{fraction:0<6}'
            return (right, (longest.rstrip('0').rstrip('.'),)), (right, (longest,))
        # What is the same for every row, such as the present, is worked out once and not for each.
        is_same = not getattr(self.rhs, 'contains_column_references', True)
        once = '(SELECT {x})' if is_same else '{x}'
        return (
            (once.format(x=_LEAST.format(x=right)), [*params] * _LEAST.count('{x}')),
            (once.format(x=_MOST.format(x=right)), [*params] * _MOST.count('{x}')),
        )


class _Exact(_Compares, lookups.Exact):
    operator = '='


class _Greater(_Compares, lookups.GreaterThan):
    operator = '>'


class _NotLess(_Compares, lookups.GreaterThanOrEqual):
    operator = '>='


class _Less(_Compares, lookups.LessThan):
    operator = '<'


class _NotGreater(_Compares, lookups.LessThanOrEqual):
    operator = '<='


class _In(lookups.In):
    """Equal to one of several moments, or of those that a subquery yields."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        if not self.rhs_is_direct_value():
            left, left_params = self.process_lhs(compiler, connection)
            rows, params = self.process_rhs(compiler, connection)
            most = f'(WITH found(x) AS {rows} SELECT {_MOST.format(x="x")} FROM found)'
            repeated = [*left_params] * _MOST.count('{x}')
            return f'{_MOST.format(x=left)} IN {most}', [*repeated, *params]
        self.process_rhs(compiler, connection)  # which finds out that there is none
        values = (value for value in self.rhs if value is not None)
        return _joined('OR', [_Exact(self.lhs, value) for value in values], compiler)


class _Range(lookups.Range):
    """Between two moments, both of which it includes."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        first, last = self.rhs
        both = [_NotLess(self.lhs, first), _NotGreater(self.lhs, last)]
        return _joined('AND', both, compiler)


def _joined(word: str, comparisons: list[Any], compiler: SQLCompiler) -> Sql:
    compiled = [compiler.compile(each) for each in comparisons]
    params = [parameter for _, own in compiled for parameter in own]
    return '(' + f' {word} '.join(sql for sql, _ in compiled) + ')', params
