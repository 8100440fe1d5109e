"""Reading bodies: which members may be given, and what values they stand for.

Every fault of every body is found before anything is written.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import models

from backstay.errors import Problem, escape_pointer
from backstay.resources.declaration.fields import Many
from backstay.resources.declaration.readable import Readable
from backstay.resources.kinds import JSON
from backstay.resources.query.json_text import shown
from backstay.resources.write import granting
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.members import (
    Writable,
    columns_of,
    required,
    writable,
    writable_relations,
)


def choose_grants(batch: Batch) -> None:
    """Find the grant that decides about each row; refuse where there is none (403)."""
    _choose_grants(batch, list(batch.open('update')), 'write')
    _choose_grants(batch, list(batch.open('delete', 'restore')), 'delete')
    if not granting.may(batch.resource, batch.standing, 'create'):
        for change in batch.open('create'):
            change.problem = not_permitted()


def _choose_grants(batch: Batch, changes: Sequence[Change], right: granting.Right) -> None:
    keys = [change.row.pk for change in changes if change.row is not None]
    chosen = granting.decide(batch, keys, right)
    for change in changes:
        change.grant = chosen.get(change.row.pk) if change.row is not None else None
        if change.grant is None:
            change.problem = not_permitted()


def not_permitted(detail: str = 'The caller may not do this with this row.') -> Problem:
    """403, where the caller may see a row and may not write it."""
    return Problem(detail, status=403, code='not-permitted')


def check_versions(batch: Batch) -> None:
    """Refuse what was meant for another version than there is (RFC 9110 section 13.1.1)."""
    options = batch.resource.options
    for change in batch.open('update', 'delete', 'restore'):
        if change.parent is not None or change.row is None:
            continue
        version = getattr(change.row, options.version) if options.version else None
        if change.if_match:
            matches = any(_is_meant(batch, version, tag) for tag in change.if_match)
        elif options.require_if_match:
            change.problem = Problem(
                'Say which version is meant: If-Match with the ETag of the object.',
                status=428,
                code='precondition-required',
            )
            continue
        else:
            continue
        if not matches:
            change.problem = problem = Problem(
                'The object has changed since it was read.', status=412, code='version-mismatch'
            )
            deleted = change.verb == 'restore'
            if version is not None and granting.shows(
                batch, change.row.pk, options.version, deleted=deleted
            ):
                problem.members['current_version'] = version


def _is_meant(batch: Batch, version: int | None, tag: str) -> bool:
    """Whether an ETag means the object as it is: its version does, or all that is shown of it."""
    said, _, _ = tag.partition('-')
    if version is not None and said.isascii() and said.isdigit():
        return (said.lstrip('0') or '0') == str(version)  # its digits may be endless
    return tag == '*' or (batch.etag is not None and batch.etag() == tag)


def read_bodies(batch: Batch) -> None:
    """Take the values of the members; report those that are unknown, forbidden, missing, wrong."""
    readable = Readable(batch.resource, batch.caller.standing())
    columns = writable(batch.resource)
    may_create = granting.all_members(batch.resource, batch.standing, 'create')
    may_write = granting.all_members(batch.resource, batch.standing, 'write')
    known = may_create | may_write | frozenset(readable.names)
    # What only some of the grants let be given, the grant that covers the new row asks for.
    common = granting.common_members(batch.resource, batch.standing, 'create')
    needed = required(batch.resource, common)
    for change in batch.open('create', 'update'):
        if not isinstance(change.body, Mapping):
            change.refuse('', 'invalid', 'An object is required.')
            continue
        allowed = may_create
        if change.grant is not None:
            allowed = granting.members(batch.resource, change.grant, 'write')
        _read_body(batch, change, columns, allowed, known)
        if change.verb == 'create':
            refuse_missing(change, needed)


def _read_body(
    batch: Batch,
    change: Change,
    columns: Mapping[str, Writable],
    allowed: frozenset[str],
    known: frozenset[str],
) -> None:
    for name, raw in change.body.items():
        if name not in allowed or _is_to_parent(change, columns.get(name)):
            pointer = '/' + escape_pointer(name)
            code = 'field-not-writable' if name in known else 'unknown-field'
            says = 'may not be written here' if name in known else 'is not known'
            change.refuse(pointer, code, f'`{shown(name)}` {says}.')
        elif name in columns:
            _read_value(change, columns[name], raw)
        else:
            _read_relation(batch, change, name, raw)
    if change.meaning == 'replace':
        refuse_missing(change, required(batch.resource, allowed))
        _fill(change, columns, allowed)
    if change.verb == 'update':
        stored = columns_of(batch.resource.options.model)
        change.values = {
            name: value
            for name, value in change.values.items()
            if _differs(stored[name], change.before.get(name), value)
        }


def _is_to_parent(change: Change, member: Writable | None) -> bool:
    """Whether a member says whose child this is, which the place of its body says already."""
    return member is not None and member.attribute == change.parent_attribute


def _read_value(change: Change, member: Writable, raw: Any) -> None:
    if member.field.kind is JSON and change.meaning == 'patch':
        raw = merged(change.before.get(member.attribute), raw)
    value, faults = member.clean(raw)
    if not faults:
        change.values[member.attribute] = value
    for fault in faults:
        pointer = f'/{escape_pointer(member.name)}{fault.pointer}'
        change.refuse(pointer, fault.code, fault.detail)


def merged(target: Any, patch: Any) -> Any:
    """The result of a JSON Merge Patch (RFC 7396).

    >>> merged({'a': 1, 'b': 2}, {'b': None, 'c': {'d': None, 'e': 3}})
    {'a': 1, 'c': {'e': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def refuse_missing(change: Change, needed: Sequence[Writable]) -> None:
    """Find fault with a whole object that lacks what it needs."""
    for member in needed:
        name = member.name
        is_given = name in change.body or member.attribute in change.values
        if not (is_given or _is_to_parent(change, member)):
            change.refuse(f'/{escape_pointer(name)}', 'required', f'`{name}` is required.')


def _fill(change: Change, columns: Mapping[str, Writable], names: Collection[str]) -> None:
    """What members become that were left out of a whole object that replaces another."""
    for name, member in columns.items():
        if name in names and name not in change.body and not member.is_required:
            change.values[member.attribute] = member.column.get_default()


def _differs(column: models.Field, old: Any, value: Any) -> bool:
    if isinstance(column, models.JSONField):
        # To Python 1, 1.0 and true are equal.
        return json.dumps(old, sort_keys=True) != json.dumps(value, sort_keys=True)
    if isinstance(old, memoryview):
        old = bytes(old)
    return bool(old != value)


def _read_relation(batch: Batch, change: Change, name: str, raw: Any) -> None:
    relation = writable_relations(batch.resource)[name]
    wanted = list if isinstance(relation.declared, Many) else dict
    pointer = '/' + escape_pointer(name)
    if isinstance(raw, wanted) or (raw is None and wanted is dict):
        change.related[name] = raw
    else:
        what = 'A list' if wanted is list else 'An object or null'
        change.refuse(pointer, 'invalid', f'{what} is required.')


def look_up_references(batch: Batch) -> None:
    """Refuse references to rows that are not there, or that the caller may not see, alike."""
    from backstay.resources.write.finding import seen_values

    for member in writable(batch.resource).values():
        relation, attribute = member.reference, member.attribute
        if relation is None:
            continue
        changes = [
            change
            for change in batch.open('create', 'update')
            if member.name in change.body and change.values.get(attribute) is not None
        ]
        if not changes:
            continue
        wanted = list({change.values[attribute]: 0 for change in changes})
        readable = Readable(relation.target, batch.caller.standing())
        there = seen_values(batch, readable, relation.back, wanted)
        for change in changes:
            if change.values[attribute] not in there:
                change.refuse(
                    f'/{escape_pointer(member.name)}', 'reference-not-found', NO_SUCH_REFERENCE
                )


NO_SUCH_REFERENCE = 'There is no such row.'


def call_validators(batch: Batch) -> None:
    """Ask the resource's own rules."""
    for change in batch.open():
        call(batch, change, batch.resource.hooks.validate)


def call(batch: Batch, change: Change, hooks: Any) -> None:
    """Call hooks with one change; a problem that one raises is why the change is refused."""
    try:
        for hook in hooks:
            hook(change, batch.caller)
    except Problem as problem:
        change.problem = problem


def is_set(column: models.Field, value: Any) -> bool:
    """Whether a column that takes no NULL has something to store."""
    return column.null or value is not None or column.generated
