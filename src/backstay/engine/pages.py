"""Pages: the keys of their rows are found first, and the shown values after that.

The rows of a page are those whose primary key a subquery yields, cut by LIMIT and OFFSET. It can be
answered from an index, and joins, nested rows and JSON are made for the rows of the page alone;
PostgreSQL would otherwise make them for every row that OFFSET skips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Expression, Func, OrderBy
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.query import Query

from backstay.engine import engine_of
from backstay.engine.pieces import Sql
from backstay.engine.slots import NUMBER, TRUTH, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The order of the rows, and the words with their slots that cut a page out of them."""

    order: Sequence[OrderBy] = ()
    #: LIMIT and OFFSET; empty for every row.
    bounds: Sequence[tuple[str, Slot]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The number of rows; counting stops at `most`."""

    rows: models.QuerySet[Any]
    most: int | None = None
    #: A condition on bound values alone, and rows that are as many where it holds.
    shortcut: tuple[models.Q, models.QuerySet[Any]] | None = None


class NotCounted(Enum):
    """The mark of pages whose answer has no number of rows."""

    NOT_COUNTED = 'not counted'

    def __repr__(self) -> str:
        return self.name


NOT_COUNTED: Final = NotCounted.NOT_COUNTED
Counting = Count | NotCounted


def select_all(
    rows: models.QuerySet[Any],
    cut: Cut,
    columns: Mapping[str, Combinable],
    connection: BaseDatabaseWrapper,
) -> Sql:
    """Return SQL that selects `columns` of every row, in the order of the cut."""
    return _compiled(_selecting(rows, columns, cut.order), connection)


def select_page(
    rows: models.QuerySet[Any],
    cut: Cut,
    columns: Mapping[str, Combinable],
    count: Counting,
    connection: BaseDatabaseWrapper,
) -> Sql:
    """Return SQL that selects `columns` of the rows of the page, in its order.

    A count is the last column, in one row of NULLs if the page is empty; it is read from the same
    snapshot.
    """
    model = rows.model
    on_page = _page_condition(rows, cut, connection)
    if count is NOT_COUNTED:
        every = model._base_manager.order_by().filter(_OnPage(*on_page))
        return _compiled(_selecting(every, columns, cut.order), connection)
    columns = {**columns, 'count_': _CountColumn()}
    query = _selecting(model._base_manager.order_by(), columns)
    # Resolved here and not when compiled, so that every join of the query is known.
    query.add_ordering(*(each.resolve_expression(query) for each in cut.order))
    query.alias_map[query.get_initial_alias()] = _CountedPage(
        model._meta.db_table, _count(count, connection), on_page
    )
    # The row that carries the count of an empty page has nothing to join with. Django's own
    # `promote_joins` would leave out what a foreign key that is never NULL leads to.
    for alias, table in query.alias_map.items():
        if isinstance(table, Join):
            query.alias_map[alias] = table.promote()
    return _compiled(query, connection)


class _OnPage(Expression):
    """Whether a row is on the page."""

    conditional = True

    def __init__(self, sql: str, params: Sequence[Any]) -> None:
        super().__init__(output_field=TRUTH)
        self.sql = sql
        self.params = params

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        return self.sql, self.params


class _CountedPage(BaseTable):
    """The base table's place in the FROM clause: the count, and the rows of the page beside it."""

    def __init__(self, table: str, count: Sql, on_page: Sql) -> None:
        super().__init__(table, table)
        self.count = count
        self.on_page = on_page

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        (count, count_params), (on_page, page_params) = self.count, self.on_page
        table = connection.ops.quote_name(self.table_name)
        return (
            f'({count}) "n" LEFT JOIN {table} ON ({on_page})',
            [*count_params, *page_params],
        )


class _CountColumn(Func):
    """The count that stands beside the page in the FROM clause."""

    template = '"n"."count_"'
    output_field = NUMBER


class _CountAll(Func):
    """COUNT(*) of all rows: not an aggregate to the ORM, which would group by something."""

    template = 'COUNT(*)'
    output_field = NUMBER


def _selecting(
    rows: models.QuerySet[Any],
    columns: Mapping[str, Combinable],
    order: Sequence[OrderBy] = (),
) -> Query:
    """Return a query for these columns alone.

    Their names end in an underscore, which Django allows no field: none can hide a field.
    """
    query = rows.order_by().query.clone()
    query.clear_select_clause()
    for name, column in columns.items():
        query.add_annotation(column, name)
    query.add_ordering(*order)
    return query


def _compiled(query: Query, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
    sql, params = query.get_compiler(connection=connection).as_sql()
    return sql, list(params)


def _page_condition(rows: models.QuerySet[Any], cut: Cut, connection: BaseDatabaseWrapper) -> Sql:
    """Return the condition that holds for the rows of the page alone."""
    query = _selecting(rows, {'pk_': models.F('pk')}, cut.order)
    compiler = query.get_compiler(connection=connection)
    page, params = _compiled(query, connection)
    for word, slot in cut.bounds:
        bound, bound_params = compiler.compile(slot)
        page += f' {word} {bound}'
        params += bound_params
    options = rows.model._meta
    quote = connection.ops.quote_name
    pk = f'{quote(options.db_table)}.{quote(options.pk.column)}'
    return engine_of(connection).is_one_of(pk, page), params


def _count(count: Count, connection: BaseDatabaseWrapper) -> Sql:
    sql, params = _counted(count.rows, count.most, connection)
    if count.shortcut is None:
        return sql, params
    condition, rows = count.shortcut
    query = rows.query.clone()
    resolved = models.ExpressionWrapper(condition, TRUTH).resolve_expression(query)
    when, when_params = query.get_compiler(connection=connection).compile(resolved)
    short, short_params = _counted(rows, count.most, connection)
    # Neither engine runs the subquery of the branch that is not taken.
    sql = f'SELECT CASE WHEN {when} THEN ({short}) ELSE ({sql}) END AS "count_"'
    return sql, [*when_params, *short_params, *params]


def _counted(
    rows: models.QuerySet[Any], most: int | None, connection: BaseDatabaseWrapper
) -> tuple[str, list[Any]]:
    one = _CountAll() if most is None else models.Value(1)
    sql, params = _compiled(_selecting(rows, {'count_': one}), connection)
    if most is not None:
        sql = f'SELECT COUNT(*) AS "count_" FROM ({sql} LIMIT {most + 1}) "c"'
    return sql, params
