"""What the database refused: told as what was refused before, were it not for a race."""

import re
from typing import Any

from django.db import IntegrityError, connections, models

from backstay.errors import Problem
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.deletion import in_use
from backstay.resources.write.uniqueness import duplicate

_UNIQUE = ('23505', '23P01')
_REFERENCE = '23503'
_MISSING = '23502'
_CHECK = '23514'
#: What SQLite calls the same.
_SQLITE = {
    'SQLITE_CONSTRAINT_UNIQUE': '23505',
    'SQLITE_CONSTRAINT_PRIMARYKEY': '23505',
    'SQLITE_CONSTRAINT_FOREIGNKEY': '23503',
    'SQLITE_CONSTRAINT_NOTNULL': '23502',
    'SQLITE_CONSTRAINT_CHECK': '23514',
}


def problem_of(error: IntegrityError, batch: Batch, change: Change | None) -> Problem:
    """The problem that a violated constraint is; of one change where it is known which."""
    cause: Any = error.__cause__
    state = getattr(cause, 'sqlstate', None) or _SQLITE.get(
        getattr(cause, 'sqlite_errorname', ''), ''
    )
    name = _constraint(cause)
    if state in _UNIQUE:
        detail = 'Another row has the same value.'
        if change is None:
            return Problem(detail, status=409, code='duplicate')
        return duplicate(batch, change, _columns(batch, cause, name), detail)
    if state == _CHECK:
        return Problem(_says(batch, name), status=422, code='validation-failed')
    if state == _MISSING:
        return Problem('A value is required.', status=422, code='validation-failed')
    if state == _REFERENCE and any(each.verb == 'delete' for each in batch.changes):
        return in_use()
    return Problem('What this refers to was changed at the same time.', status=409, code='conflict')


def refuse_lost_references(using: str) -> None:
    """Raise the IntegrityError that the commit would, if others deleted what a new row refers to.

    Such a row is covered by no grant that asks about what it refers to, which is no lack of rights.
    """
    connection = connections[using]
    if connection.features.has_select_for_update:  # else nobody else writes meanwhile
        connection.check_constraints()


def _constraint(cause: Any) -> str:
    named = getattr(getattr(cause, 'diag', None), 'constraint_name', None)
    if named:
        return str(named)
    found = re.search(r"constraint failed: (?:index )?'?([\w.]+)", str(cause))
    return found[1] if found else ''


def _says(batch: Batch, name: str) -> str:
    """What the constraint itself says about its violation."""
    for constraint in batch.resource.options.model._meta.constraints:
        if constraint.name == name:
            return str(constraint.get_violation_error_message())
    return 'The values do not fit together.'


def _columns(batch: Batch, cause: Any, name: str) -> list[str]:
    """The attributes that were to be unique together, as far as the database tells."""
    model = batch.resource.options.model
    by_column = {column.column: column.attname for column in model._meta.concrete_fields}
    detail = getattr(getattr(cause, 'diag', None), 'message_detail', '') or ''
    if found := re.search(r'\(([^)]*)\)=', detail):
        columns = [each.strip().strip('"') for each in found[1].split(',')]
    else:
        columns = re.findall(rf'{re.escape(model._meta.db_table)}\.(\w+)', str(cause))
    if not columns:
        columns = _of_constraint(model, name)
    return [by_column[each] for each in columns if each in by_column]


def _of_constraint(model: type[models.Model], name: str) -> list[str]:
    for constraint in model._meta.constraints:
        if constraint.name == name and isinstance(constraint, models.UniqueConstraint):
            columns = {column.name: column.column for column in model._meta.concrete_fields}
            return [str(columns[each]) for each in constraint.fields]
    return []
