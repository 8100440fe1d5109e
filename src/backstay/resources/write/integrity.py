"""Refusals of the database, reported like those that are found before the write."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Any

from django.apps import apps
from django.db import DataError, IntegrityError, connections, models, transaction
from django.db.models import F

from backstay.errors import Fault, Problem
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.deletion import in_use, relations_to
from backstay.resources.write.members import columns_of, parent_links
from backstay.resources.write.uniqueness import SAME_VALUE, duplicate, faults_of

#: Exceptions of a database, or of Django for it, about values that it does not accept.
REFUSALS = (IntegrityError, DataError, OverflowError, InvalidOperation)

_UNIQUE = ('23505', '23P01')
_REFERENCE = '23503'
_MISSING = '23502'
_CHECK = '23514'
#: The names of SQLite for these states.
_SQLITE = {
    'SQLITE_CONSTRAINT_UNIQUE': '23505',
    'SQLITE_CONSTRAINT_PRIMARYKEY': '23505',
    'SQLITE_CONSTRAINT_FOREIGNKEY': '23503',
    'SQLITE_CONSTRAINT_NOTNULL': '23502',
    'SQLITE_CONSTRAINT_CHECK': '23514',
}


@contextmanager
def one_row(batch: Batch, change: Change) -> Iterator[None]:
    """Write one row of a careful batch; what the database refuses, refuses only this change."""
    try:
        with transaction.atomic(using=batch.using):
            yield
    except REFUSALS as error:
        change.problem = problem_of(error, batch, change)


def problem_of(error: Exception, batch: Batch, change: Change | None) -> Problem:
    """Return the problem of a violated constraint, which names its row where that is found."""
    if not isinstance(error, IntegrityError):
        detail = 'A value is out of range, or one that is computed from these.'
        pointer = change.pointer if change is not None else ''
        fault = Fault(pointer=pointer, code='invalid', detail=detail)
        return Problem(detail, status=422, code='validation-failed', errors=[fault])
    violation = _Violation.of(error)
    if change is None or batch.children:
        batch, change = _place(batch, violation)
    problem = _problem_of(violation, batch, change)
    # Of a request for one row the address names it.
    pointer = (change.asked.key_pointer or change.pointer) if change is not None else ''
    if pointer and not problem.errors:
        fault = Fault(pointer=pointer, code=problem.answer_code, detail=problem.detail)
        problem.errors = (fault,)
    return problem


def _problem_of(violation: '_Violation', batch: Batch, change: Change | None) -> Problem:
    if violation.state in _UNIQUE:
        if change is None:
            return Problem(SAME_VALUE, status=409, code='duplicate')
        constraint = violation.constraint(batch.resource.options.model)
        attributes = violation.attributes(batch.resource.options.model)
        return duplicate(batch, change, attributes, SAME_VALUE, constraint)
    if violation.state == _CHECK:
        return _check_failed(violation, batch, change)
    if violation.state == _MISSING:
        return Problem('A value is required.', status=422, code='validation-failed')
    if violation.state == _REFERENCE:
        deleting = batch.changes if change is None else [change]
        if any(each.verb == 'delete' for each in deleting):
            return in_use()
    detail = 'What this refers to was changed at the same time.'
    faults: list[Fault] = []
    if change is not None:
        attributes = violation.attributes(batch.resource.options.model)
        faults = faults_of(batch, change, attributes, 'conflict', detail)
    return Problem(detail, status=409, code='conflict', errors=faults)


def refuse_lost_references(using: str) -> None:
    """Raise the IntegrityError of the commit if others deleted a row that a new row refers to.

    No grant that asks about the deleted row covers the new one, and yet rights are not lacking.
    """
    connection = connections[using]
    if connection.features.has_select_for_update:  # else nobody else writes meanwhile
        connection.check_constraints()


def check_deferred(batch: Batch) -> None:
    """Raise the IntegrityError of deferred constraints now, and not at the commit."""
    connection = connections[batch.using]
    tables = {each._meta.db_table for each in _models(batch)}
    connection.check_constraints(table_names=sorted(tables))


def _models(batch: Batch) -> Iterator[type[models.Model]]:
    """Yield the models whose rows may have been left with a reference to nothing.

    Rows that go with a deleted one leave references too, and so on.
    """
    for each in batch.tree():
        model = each.resource.options.model
        yield from (model, *model._meta.all_parents)
        if any(change.verb == 'delete' for change in each.changes):
            seen = {model}
            waiting = [model]
            while waiting:
                referring = {one.related_model for one in relations_to(waiting.pop())} - seen
                seen |= referring
                waiting += referring
            yield from seen


def _check_failed(violation: '_Violation', batch: Batch, change: Change | None) -> Problem:
    model = batch.resource.options.model
    constraint = violation.constraint(model)
    detail = 'The values do not fit together.'
    if constraint is not None:
        detail = str(constraint.get_violation_error_message())
    faults: list[Fault] = []
    if change is not None:
        attributes = violation.attributes(model)
        faults = faults_of(batch, change, attributes, 'invalid', detail, constraint)
        faults = faults or [Fault(pointer=change.pointer, code='invalid', detail=detail)]
    return Problem(detail, status=422, code='validation-failed', errors=faults)


#: The words of Django about a row of SQLite that refers to nothing.
_DANGLING = re.compile(
    r"foreign key: ([\w$]+)\.([\w$]+) contains a value '(.*)' that does not have a corresponding "
    r'value in ([\w$]+)\.([\w$]+)\.'
)


def _are_references(table: str, columns: Sequence[str]) -> bool:
    """Return whether the columns of a table are those of a foreign key in it."""
    return any(
        column.column in columns and column.is_relation
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table == table
        for column in model._meta.local_concrete_fields
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Violation:
    """The report of a database about a violated constraint."""

    #: PostgreSQL's SQLSTATE for it.
    state: str
    #: Names of the constraint, the table and its columns, as far as they are told.
    name: str
    table: str
    columns: tuple[str, ...]
    #: The values of the columns as text, joined by commas.
    values: str
    #: Of a reference to nothing: the columns, and the table if it is told, that have no such row.
    referred: tuple[str, ...] = ()
    referred_table: str = ''

    @classmethod
    def of(cls, error: IntegrityError) -> '_Violation':
        cause: Any = error.__cause__
        state = getattr(cause, 'sqlstate', None)
        state = state or _SQLITE.get(getattr(cause, 'sqlite_errorname', ''), '')
        diagnosis = getattr(cause, 'diag', None)
        text = getattr(diagnosis, 'message_detail', None) or str(cause if cause else error)
        if dangling := cause is None and _DANGLING.search(text):  # Django's own look at SQLite
            table, column, value, referred_table, referred = dangling.groups()
            return cls(
                state=_REFERENCE,
                name='',
                table=table,
                columns=(column,),
                values=value,
                referred=(referred,),
                referred_table=referred_table,
            )
        key = re.search(r'\((.*?)\)=\((.*?)\)', text)
        found = re.findall(r'([\w$]+)\.([\w$]+)', text) if diagnosis is None else []
        named = re.search(r"constraint failed: (?:index )?'?([\w.]+)", text)
        table = getattr(diagnosis, 'table_name', None) or next((t for t, _ in found), '')
        columns = tuple(re.findall(r'\w+', key[1])) if key else tuple(c for _, c in found)
        # PostgreSQL names the table that refers, and the columns either there or at the other end.
        is_referred = state == _REFERENCE and not _are_references(table, columns)
        return cls(
            state=state,
            name=getattr(diagnosis, 'constraint_name', None) or (named[1] if named else ''),
            table=table,
            columns=columns,
            values=key[2] if key else '',
            referred=columns if is_referred else (),
        )

    def is_about(self, model: type[models.Model], change: Change, using: str) -> bool:
        """Return whether it was a change of this row of the model that violated it."""
        tables = {each._meta.db_table for each in (model, *model._meta.all_parents)}
        if self.state == _REFERENCE and change.verb == 'delete':
            by_column = {each.column: each.attname for each in model._meta.concrete_fields}
            is_there = not self.referred_table or self.referred_table in tables
            attributes = [by_column.get(each, '') for each in self.referred if is_there]
        elif self.table in tables and not (self.referred and not self.referred_table):
            attributes = self.attributes(model)
        else:
            return False
        if not attributes or '' in attributes or change.row is None:
            return False
        columns, connection = columns_of(model), connections[using]
        values = (
            columns[name].get_db_prep_value(getattr(change.row, name), connection)
            for name in attributes
        )
        return ', '.join(map(str, values)) == self.values

    def constraint(self, model: type[models.Model]) -> models.BaseConstraint | None:
        """Find the violated constraint of the model, of which SQLite names only the columns."""
        declared = [
            each for part in (model, *model._meta.all_parents) for each in part._meta.constraints
        ]
        for each in declared:
            if each.name == self.name:
                return each
        if not self.table:
            return None
        columns = {column.name: column.column for column in model._meta.concrete_fields}
        for each in declared:
            names = each.fields if isinstance(each, models.UniqueConstraint) else ()
            if names and tuple(columns[name] for name in names) == self.columns:
                return each
        return None

    def attributes(self, model: type[models.Model]) -> list[str]:
        """Return the attributes of the model whose values violated the constraint."""
        if constraint := self.constraint(model):
            return _attributes(model, constraint)
        by_column = {column.column: column.attname for column in model._meta.concrete_fields}
        if self.table and self.table != model._meta.db_table:
            # The key of the row that a child shares with its parent.
            links = parent_links(model)
            by_column |= {link.target_field.column: link.attname for link in links}
        return [by_column[each] for each in self.columns if each in by_column]


def _attributes(model: type[models.Model], constraint: models.BaseConstraint) -> list[str]:
    """Return the attributes that a constraint compares, or else those of its condition."""
    meta: Any = model
    names: list[str] = [*getattr(constraint, 'fields', ())]
    expressions: Sequence[Any] = getattr(constraint, 'expressions', ()) or ()
    if not names and not expressions:
        expressions = [getattr(constraint, 'condition', None)]
    for expression in expressions:
        part = expression[0] if isinstance(expression, list | tuple) else expression
        part = F(part) if isinstance(part, str) else part
        names += [path[0] for path in meta._get_expr_references(part)]
    columns = {each.name: each.attname for each in model._meta.concrete_fields}
    columns |= {each.attname: each.attname for each in model._meta.concrete_fields}
    return [columns[name] for name in dict.fromkeys(names) if name in columns]


def _place(batch: Batch, violation: _Violation) -> tuple[Batch, Change | None]:
    """Return the batch of a violation that was found at the end, and its change if it is known."""
    for each in batch.tree():
        for change in each.open():
            if violation.is_about(each.resource.options.model, change, batch.using):
                return each, change
    about = (
        each
        for each in batch.tree()
        if each.resource.options.model._meta.db_table == violation.table
    )
    own = next(about, batch)
    return own, own.changes[0] if len(own.changes) == 1 else None
