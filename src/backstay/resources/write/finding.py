"""Rows of a batch: found among those that the caller may see, and locked until it ends."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models import F

from backstay.engine.comparisons import is_in
from backstay.engine.slots import bind
from backstay.errors import Fault, not_found
from backstay.resources.declaration.readable import Readable
from backstay.resources.execute import fetch
from backstay.resources.kinds.registered import list_slot_of
from backstay.resources.plan import rights
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.members import columns_of, tables_of


def find_rows(batch: Batch) -> None:
    """Lock the rows of the changes; find out whether the row of an upsert exists."""
    asked = [change for change in batch.open() if change.verb != 'create' and change.row is None]
    alike: dict[_Way, list[Change]] = {}
    for change in asked:
        way = (tuple(sorted(change.asked.key)), change.verb == 'restore')
        alike.setdefault(way, []).append(change)
    keys: dict[_Way, list[Any]] = {}
    for (attributes, deleted), changes in alike.items():
        restoring = batch.standing if deleted else None
        readable = Readable(batch.resource, batch.caller.standing(), restoring)
        wanted = {name: list({each.asked.key[name]: 0 for each in changes}) for name in attributes}
        keys[attributes, deleted] = seen(batch, readable, attributes, wanted)
    every = [*dict.fromkeys(key for found in keys.values() for key in found)]
    rows = lock(batch, every, for_good=any(change.verb == 'delete' for change in asked))
    for way, changes in alike.items():
        seen_ones = set(keys[way])
        _give_rows(batch, changes, way, [row for row in rows if row.pk in seen_ones])
    _refuse_second_ones(batch)


#: The way in which changes name their rows: the attributes, and whether among deleted rows.
_Way = tuple[tuple[str, ...], bool]


def _give_rows(
    batch: Batch, changes: Sequence[Change], way: _Way, rows: Sequence[models.Model]
) -> None:
    """Give each change its row; let an upsert create its row or, if there is one, update it."""
    attributes, deleted = way
    fields = batch.resource.fields()
    found = {tuple(getattr(row, name) for name in attributes): row for row in rows}
    for change in changes:
        row = found.get(tuple(change.asked.key[name] for name in attributes))
        if row is not None and is_deleted(batch, row) is not deleted:  # while it was waited for
            row = None
        if row is not None:
            take(change, row)
        elif change.verb != 'upsert':
            change.problem = not_found()
        if change.verb != 'upsert':
            continue
        names = batch.resource.options.natural_key
        key = {name: change.asked.key[fields[name].attname] for name in names}
        if change.row is None:
            change.verb = change.meaning = 'create'
            change.body = {**key, **change.body}
        else:  # whose key stays
            change.verb, change.meaning = 'update', 'patch'
            change.body = {
                name: raw
                for name, raw in change.body.items()
                if name not in key or raw != key[name]
            }


def is_deleted(batch: Batch, row: models.Model) -> bool:
    """Whether a row was deleted softly."""
    attribute = batch.resource.options.soft_delete
    return bool(attribute) and getattr(row, attribute) is not None


def take(change: Change, row: models.Model) -> None:
    """Make this the row of the change."""
    change.row = row
    change.before = {name: getattr(row, name) for name in columns_of(type(row))}


def seen(
    batch: Batch, readable: Readable, attributes: tuple[str, ...], wanted: Mapping[str, Any]
) -> list[Any]:
    """Return the primary keys of the rows with wanted values that the caller may see."""
    sql, parameters = _statement(readable, attributes, ('pk',), batch.using)
    facts = batch.facts(**{f'wanted:{name}': values for name, values in wanted.items()})
    rows = fetch(batch.using, sql, bind(parameters, (), facts))
    key_of = readable.resource.options.model._meta.pk.to_python
    return [key_of(key) for (key,) in rows]


def seen_values(batch: Batch, readable: Readable, attribute: str, wanted: list[Any]) -> set[Any]:
    """Return those of the values that some row has which the caller may see."""
    sql, parameters = _statement(readable, (attribute,), (attribute,), batch.using)
    facts = batch.facts(**{f'wanted:{attribute}': wanted})
    rows = fetch(batch.using, sql, bind(parameters, (), facts))
    value_of = columns_of(readable.resource.options.model)[attribute].to_python
    return {value_of(value) for (value,) in rows}


def lock(batch: Batch, keys: Sequence[Any], *, for_good: bool) -> Sequence[models.Model]:
    """Return the rows with these keys, locked in the order of their keys to avoid deadlocks."""
    if not keys:
        return ()
    rows = batch.resource.options.model._base_manager.using(batch.using).filter(pk__in=keys)
    locked = rows.select_for_update(of=tables_of(rows.model), no_key=not for_good)
    return list(locked.order_by('pk'))


def _refuse_second_ones(batch: Batch) -> None:
    first: dict[Any, Change] = {}
    for change in batch.open():
        if change.row is None:
            continue
        other = first.setdefault(change.row.pk, change)
        if other is not change:
            detail = f'Operation {other.asked.index} targets the same row.'
            place = change.asked.key_pointer
            change.faults.append(Fault(pointer=place, code='row-twice', detail=detail))


@lru_cache(maxsize=1_024)
def _statement(
    readable: Readable, attributes: tuple[str, ...], selected: tuple[str, ...], using: str
) -> tuple[str, tuple[Any, ...]]:
    """Return SQL for the visible rows whose attributes are among bound values."""
    columns = columns_of(readable.resource.options.model)
    rows = rights.rows(readable)
    for name in attributes:
        slot = list_slot_of(f'wanted:{name}', columns[name])
        rows = rows.filter(is_in(F(name), slot))
    sql, parameters = rows.values_list(*selected).query.get_compiler(using).as_sql()
    return sql, tuple(parameters)
