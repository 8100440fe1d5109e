"""Grants that decide about rows: asked of the database, for any number of rows at once.

The highest grant to write that covers a row decides which of its members may be written, as the
highest grant to read decides which are shown. A new row, and a row that was changed, must also be
covered by what a grant lets its callers leave behind (`Grant.check`), as it is once written.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

from django.db import models
from django.db.models import Case, F, Q, Value, When

from backstay.caller import Standing
from backstay.engine.comparisons import is_in
from backstay.engine.slots import bind
from backstay.resources.declaration.conditions import Covered, depends_on, settle
from backstay.resources.declaration.grants import Grant, named
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.execute import fetch
from backstay.resources.kinds.registered import list_slot_of
from backstay.resources.plan import rights
from backstay.resources.write.change import Batch, Verb
from backstay.resources.write.members import writable, writable_relations

Right = Literal['create', 'write', 'delete']
_INTEGER = models.IntegerField()
#: The rows that a grant is asked about: those it covers, or those it may leave behind.
Side = Literal['rows', 'check']


def rights_of(verb: Verb) -> tuple[Right, ...]:
    """Return the rights of which a change needs one; an upsert may need either."""
    return _RIGHTS[verb]


_RIGHTS: dict[Verb, tuple[Right, ...]] = {
    'create': ('create',),
    'update': ('write',),
    'upsert': ('write', 'create'),
    'delete': ('delete',),
    'restore': ('delete',),
}


def grants(
    resource: type[Resource], standing: Standing, right: Right, side: Side = 'rows'
) -> tuple[Grant, ...]:
    """Return the grants that may decide about some row, the highest first."""
    return _grants(Readable(resource, standing), right, side)


@lru_cache(maxsize=4_096)
def _grants(readable: Readable, right: Right, side: Side) -> tuple[Grant, ...]:
    found = []
    for grant in reversed(readable.resource.grants):
        given = getattr(grant, right)
        if not (given and grant.who.includes(readable.standing)):
            continue
        covered = settle(_covered(readable.resource, grant, side), readable.standing)
        if covered is not False:
            found.append(grant)
        if covered is True:
            break
    return tuple(found)


def may(resource: type[Resource], standing: Standing, right: Right) -> bool:
    """Whether callers of the standing hold the right on any row."""
    return bool(grants(resource, standing, right, 'check' if right == 'create' else 'rows'))


def members(resource: type[Resource], grant: Grant, right: Right) -> frozenset[str]:
    """Return the members of bodies that a grant lets its callers give."""
    return _members(Readable(resource), resource.grants.index(grant), right)


@lru_cache(maxsize=4_096)
def _members(readable: Readable, position: int, right: Right) -> frozenset[str]:
    resource = readable.resource
    given = getattr(resource.grants[position], right)
    key = resource.options.model._meta.pk.attname
    columns = {name: each.attribute for name, each in writable(resource).items()}
    return frozenset(
        name
        for name in (*columns, *writable_relations(resource))
        # The key of a row never changes.
        if named(given, name) and not (right == 'write' and columns.get(name) == key)
    )


def all_members(resource: type[Resource], standing: Standing, right: Right) -> frozenset[str]:
    """Return the members that callers of the standing may give to some row."""
    side: Side = 'check' if right == 'create' else 'rows'
    every = (members(resource, grant, right) for grant in grants(resource, standing, right, side))
    return frozenset().union(*every)


def common_members(resource: type[Resource], standing: Standing, right: Right) -> frozenset[str]:
    """Return the members that callers of the standing may give to every row they may write."""
    side: Side = 'check' if right == 'create' else 'rows'
    applying = grants(resource, standing, right, side)
    every = [members(resource, grant, right) for grant in applying]
    return frozenset.intersection(*every) if every else frozenset()


def known_names(batch: Batch) -> frozenset[str]:
    """Return the names that the caller may know: of all they may read or write on some row."""
    resource = batch.resource
    readable = Readable(resource, batch.caller.standing())
    able = (all_members(resource, batch.standing, right) for right in GIVING)
    return frozenset(readable.names).union(*able)


#: The rights that let members be given.
GIVING: tuple[Right, ...] = ('create', 'write')


def all_names(resource: type[Resource], right: Right) -> frozenset[str]:
    """Return the members that some caller may give to some row."""
    if right == 'delete':
        return frozenset()
    given = (members(resource, grant, right) for grant in resource.grants if getattr(grant, right))
    return frozenset().union(*given)


def decide(
    batch: Batch, keys: Sequence[Any], right: Right, side: Side = 'rows'
) -> dict[Any, Grant]:
    """Return the grant that decides about each row, without rows that no grant covers."""
    applying = grants(batch.resource, batch.standing, right, side)
    if not applying or not keys:
        return {}
    readable = Readable(batch.resource, batch.standing)
    if settle(_covered(batch.resource, applying[0], side), readable.standing) is True:
        return dict.fromkeys(keys, applying[0])
    sql, parameters = _statement(readable, right, side, batch.using)
    chosen = fetch(batch.using, sql, bind(parameters, (), batch.facts(keys=list(keys))))
    key_of = batch.resource.options.model._meta.pk.to_python
    return {key_of(key): applying[at] for key, at in chosen if at >= 0}


def is_touched(resource: type[Resource], grant: Grant, written: Iterable[str]) -> bool:
    """Return whether a row may fail what the grant leaves behind once these are written."""
    covered = grant.leaves_behind(resource.options.model)
    return grant.check is not None or depends_on(covered, written)


def _covered(resource: type[Resource], grant: Grant, side: Side) -> Covered:
    model = resource.options.model
    return grant.leaves_behind(model) if side == 'check' else grant.covers(model)


@lru_cache(maxsize=1_024)
def _statement(
    readable: Readable, right: Right, side: Side, using: str
) -> tuple[str, tuple[Any, ...]]:
    """Return SQL that yields each bound key and the position of the grant that decides."""
    model = readable.resource.options.model
    applying = grants(readable.resource, readable.standing, right, side)
    cases = []
    for position, grant in enumerate(applying):
        covered = rights.cover_rows(readable, _covered(readable.resource, grant, side))
        if covered is not False:
            where = Q(pk__isnull=False) if covered is True else covered
            cases.append(When(where, then=Value(position, output_field=_INTEGER)))
    chosen = Case(*cases, default=Value(-1, output_field=_INTEGER), output_field=_INTEGER)
    rows = (
        model._base_manager.order_by()
        .filter(is_in(F('pk'), list_slot_of('keys', key_column(model))))
        .annotate(grant_=chosen)
        .values_list('pk', 'grant_')
    )
    sql, parameters = rows.query.get_compiler(using).as_sql()
    return sql, tuple(parameters)


def shows(batch: Batch, key: Any, name: str, *, deleted: bool = False) -> bool:
    """Return whether the caller may read a field or relation of the row with this key."""
    restoring = batch.standing if deleted else None
    readable = Readable(batch.resource, batch.caller.standing(), restoring)
    sql, parameters = _statement_of_shown(readable, name, batch.using)
    return bool(fetch(batch.using, sql, bind(parameters, (), batch.facts(keys=[key]))))


@lru_cache(maxsize=1_024)
def _statement_of_shown(readable: Readable, name: str, using: str) -> tuple[str, tuple[Any, ...]]:
    """Return SQL that yields those of the bound keys whose rows show a field or relation."""
    shown = rights.all_of([rights.visible(readable), rights.where_readable(readable, name)])
    rows = rights.rows_of(readable, shown).filter(
        is_in(F('pk'), list_slot_of('keys', key_column(readable.resource.options.model)))
    )
    sql, parameters = rows.values_list('pk').query.get_compiler(using).as_sql()
    return sql, tuple(parameters)


def key_column(model: type[models.Model]) -> models.Field:
    """Return the column of the primary key; for a child of another model, that model's."""
    column: models.Field = model._meta.pk
    while isinstance(column, models.ForeignKey):
        column = column.target_field
    return column
