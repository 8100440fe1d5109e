"""Children that are written with their parent, and the links of many-to-many relations.

A list of children is complete: a child with its key is changed, a child without one is created, and
a child that the caller may see and left out is deleted. The grants of the child's own resource
apply. Links are given as the keys of the rows that they lead to.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models

from backstay.caller import Standing
from backstay.errors import Fault, Problem, escape_pointer
from backstay.resources.declaration.fields import Many
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.errors import FilterError
from backstay.resources.query.json_text import shown
from backstay.resources.query.values import read
from backstay.resources.write import granting
from backstay.resources.write.change import Batch, Change, Intent
from backstay.resources.write.finding import is_deleted, lock, seen, seen_values, take
from backstay.resources.write.members import columns_of, through_of, writable_relations
from backstay.resources.write.references import NO_SUCH_REFERENCE

#: Relations between the resource of a request and the children that it may write.
MAX_CHILD_DEPTH = 3
#: Rows that one request may write, children included.
MAX_WRITTEN_ROWS = 1_000


def plan_children(batch: Batch) -> None:
    """Plan the changes of the children that the bodies give."""
    for name, relation in writable_relations(batch.resource).items():
        changes = [change for change in batch.open() if name in change.related]
        if not changes:
            continue
        if relation.many_to_many:
            _plan_links(batch, changes, name, relation)
        elif batch.depth >= MAX_CHILD_DEPTH:
            for change in changes:
                detail = f'Children are written at most {MAX_CHILD_DEPTH} relations deep.'
                change.refuse(f'/{escape_pointer(name)}', 'too-deep', detail)
        else:
            children = [
                child
                for change, there in _with_children(batch, changes, relation)
                for child in _changes(change, name, relation, there, whole=_is_whole(batch, name))
            ]
            batch.children[name] = batch.below(name, relation.target, children)


def take_up_faults(batch: Batch) -> None:
    """Refuse each change whose child is refused, with the faults of the child."""
    for below in batch.children.values():
        for child in below.changes:
            parent = child.parent
            if parent is None or not child.is_refused:
                continue
            if child.problem is not None and not child.faults:
                told = child.problem
                faults = told.errors or (
                    Fault(pointer=child.pointer, code=told.answer_code, detail=told.detail),
                )
                parent.faults.extend(faults)
            parent.faults.extend(child.faults)


def refuse_too_many(batch: Batch) -> None:
    """Refuse a request that would write too many rows."""
    if (rows := sum(len(each.changes) for each in batch.tree())) > MAX_WRITTEN_ROWS:
        raise _too_many(rows)


def refuse_too_large(resource: type[Resource], bodies: Sequence[Any]) -> None:
    """Refuse bodies that name too many rows, before their values are read."""
    if (rows := sum(_rows_in(resource, body, 0) for body in bodies)) > MAX_WRITTEN_ROWS:
        raise _too_many(rows)


def _rows_in(resource: type[Resource], body: Any, depth: int) -> int:
    """Count the rows that a body names: its own, and those of the children in it."""
    rows = 1
    if isinstance(body, Mapping) and depth < MAX_CHILD_DEPTH:
        for name, relation in writable_relations(resource).items():
            given = body.get(name)
            if isinstance(given, list) and not relation.many_to_many:
                rows += sum(_rows_in(relation.target, each, depth + 1) for each in given)
    return rows


def _too_many(rows: int) -> Problem:
    return Problem(
        f'One request writes at most {MAX_WRITTEN_ROWS} rows; this would write {rows}.',
        code='too-many-rows',
        limit=MAX_WRITTEN_ROWS,
    )


def list_paths(
    resource: type[Resource], standing: Standing, above: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield the relations whose lists the caller may give, dotted, such as `notes.marks`."""
    given = [granting.all_members(resource, standing, right) for right in granting.GIVING]
    for name, relation in writable_relations(resource).items():
        if isinstance(relation.declared, Many) and any(name in names for names in given):
            path = (*above, name)
            yield '.'.join(path)
            if not relation.many_to_many and len(path) < MAX_CHILD_DEPTH:
                yield from list_paths(relation.target, standing, path)


def _is_whole(batch: Batch, name: str) -> bool:
    """Whether the client says that its lists of a relation are complete."""
    return '.'.join((*batch.path, name)) in batch.asked.whole_lists


def list_cut(pointer: str, name: str) -> Problem:
    """Return a 409 for a list that leaves out rows that the client may never have seen."""
    detail = (
        f'More rows are there than an answer shows; name `{name}` in `whole_lists` to mean all.'
    )
    fault = Fault(pointer=pointer, code='list-cut', detail=detail)
    return Problem(detail, code='list-cut', errors=[fault])


def _with_children(
    batch: Batch, changes: Sequence[Change], relation: Relation
) -> list[tuple[Change, list[models.Model]]]:
    """Return each change with the children of its row that the caller may see, locked."""
    parents = {
        getattr(change.row, relation.local): change for change in changes if change.row is not None
    }
    found: dict[Any, list[models.Model]] = {key: [] for key in parents}
    if parents:
        readable = Readable(relation.target, batch.caller.standing())
        inner = Batch(asked=batch.asked, resource=relation.target, changes=())
        keys = seen(inner, readable, (relation.back,), {relation.back: list(parents)})
        for row in lock(inner, keys, for_good=True):
            parent = getattr(row, relation.back)
            if parent in found and not is_deleted(inner, row):  # while it was waited for
                found[parent].append(row)
    return [
        (change, found[getattr(change.row, relation.local)] if change.row is not None else [])
        for change in changes
    ]


def _changes(
    parent: Change, name: str, relation: Relation, there: Sequence[models.Model], *, whole: bool
) -> list[Change]:
    """Return the changes that turn the existing children into those of the body."""
    given = parent.related[name]
    pointer = f'{parent.pointer}/{escape_pointer(name)}'
    if not isinstance(relation.declared, Many):
        if not there:
            return [] if given is None else [_child(parent, relation, 'create', pointer, given)]
        verb = 'delete' if given is None else 'update'
        return [_child(parent, relation, verb, pointer, given or {}, there[0])]
    key = relation.target.options.lookup
    field = relation.target.fields()[key]
    column = columns_of(relation.target.options.model)[field.attname]
    left = {getattr(row, field.attname): row for row in there}
    changes = []
    for at, body in enumerate(given):
        place = f'{pointer}/{at}'
        if not isinstance(body, Mapping):
            parent.refuse(place.removeprefix(parent.pointer), 'invalid', 'An object is required.')
        elif key in body and (row := left.pop(_key_of(field, body[key]), None)) is not None:
            members = {each: value for each, value in body.items() if each != key}
            changes.append(_child(parent, relation, 'update', place, members, row))
        elif key not in body or not isinstance(column, models.AutoField):  # clients give the key
            changes.append(_child(parent, relation, 'create', place, body))
        else:
            fault = f'{place}/{escape_pointer(key)}'.removeprefix(parent.pointer)
            parent.refuse(fault, 'reference-not-found', NO_SUCH_REFERENCE)
    if left and len(there) > relation.declared.cap and not whole:
        parent.problem = list_cut(pointer, name)
    gone = [_child(parent, relation, 'delete', pointer, {}, row) for row in left.values()]
    return [*gone, *changes]


def _key_of(field: Field, raw: Any) -> Any:
    """Return the key that a body gives, as rows hold it; None if no row can hold it."""
    try:
        return read(field, raw) if _can_be_key(raw) else None
    except FilterError:
        return None


def _can_be_key(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _child(
    parent: Change,
    relation: Relation,
    verb: Any,
    pointer: str,
    body: Mapping[str, Any],
    row: models.Model | None = None,
) -> Change:
    intent = Intent(
        verb=verb,
        index=parent.asked.index,
        pointer=pointer,
        key_pointer=pointer,
        body=body,
        meaning='create' if verb == 'create' else 'patch',
    )
    child = Change(
        asked=intent,
        parent=parent,
        parent_attribute=relation.back,
        parent_local=relation.local,
    )
    if row is not None:
        take(child, row)
    return child


# Links of many-to-many relations.


def _plan_links(batch: Batch, changes: Sequence[Change], name: str, relation: Relation) -> None:
    """Look up the targets of new links among the rows that the caller may see."""
    column = relation.target.options.model._meta.pk
    wanted: dict[Any, None] = {}
    for change in changes:
        change.links[name] = keys = []
        for at, raw in enumerate(change.related[name]):
            try:
                key = column.to_python(raw) if _can_be_key(raw) else None
            except Exception:  # noqa: BLE001 whatever a column says to what it cannot hold
                key = None
            if key is None or (isinstance(key, int) and not -(2**63) <= key < 2**63):
                place = f'/{escape_pointer(name)}/{at}'
                change.refuse(place, 'invalid', f'`{shown(raw)}` is no key.')
            elif key not in keys:
                keys.append(key)
                wanted[key] = None
    readable = Readable(relation.target, batch.caller.standing())
    there = seen_values(batch, readable, column.attname, list(wanted)) if wanted else set()
    for change in changes:
        for at, raw in enumerate(change.related[name]):
            if not change.is_refused and column.to_python(raw) not in there:
                place = f'/{escape_pointer(name)}/{at}'
                change.refuse(place, 'reference-not-found', NO_SUCH_REFERENCE)


def write_links(batch: Batch) -> None:
    """Link and unlink rows; links to rows that the caller may not see stay as they are."""
    for name, relation in writable_relations(batch.resource).items():
        changes = [change for change in batch.open() if name in change.links]
        if relation.many_to_many and changes:
            _write_links(batch, changes, name, relation)


def _write_links(batch: Batch, changes: Sequence[Change], name: str, relation: Relation) -> None:
    through, here, there = through_of(batch.resource, relation)
    table = through._base_manager.using(batch.using)
    by_key = {change.row.pk: change for change in changes if change.row is not None}
    linked: dict[Any, list[Any]] = {key: [] for key in by_key}
    for key, other in table.filter(**{f'{here}__in': list(by_key)}).values_list(here, there):
        linked[key].append(other)
    others = {other for keys in linked.values() for other in keys}
    readable = Readable(relation.target, batch.caller.standing())
    column = relation.target.options.model._meta.pk.attname
    visible = seen_values(batch, readable, column, list(others)) if others else set()
    new = []
    for key, change in by_key.items():
        wanted = change.links[name]
        gone = [other for other in linked[key] if other in visible and other not in wanted]
        added = [other for other in wanted if other not in linked[key]]
        cap = relation.declared.cap  # type: ignore[union-attr]  # a Many
        if gone and len(visible.intersection(linked[key])) > cap and not _is_whole(batch, name):
            change.problem = list_cut(f'{change.pointer}/{escape_pointer(name)}', name)
            continue
        if gone:
            table.filter(**{here: key, f'{there}__in': gone}).delete()
        new += [through(**{here: key, there: other}) for other in added]
        if gone or added:
            kept = [other for other in linked[key] if other not in gone]
            change.relinked[name] = (sorted(linked[key]), sorted([*kept, *added]))
    table.bulk_create(new, ignore_conflicts=True)
