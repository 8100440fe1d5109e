"""Bodies: which members may be given, and what values they stand for.

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


def read_bodies(batch: Batch) -> None:
    """Take the values of the members; report those that are unknown, forbidden, missing, wrong."""
    columns = writable(batch.resource)
    may_create = granting.all_members(batch.resource, batch.standing, 'create')
    known = granting.known_names(batch)
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
        seen = _seen_attributes(batch, change, columns)
        change.values = {
            name: value
            for name, value in change.values.items()
            if name not in seen or _differs(stored[name], change.before.get(name), value)
        }


def _seen_attributes(
    batch: Batch, change: Change, columns: Mapping[str, Writable]
) -> frozenset[str]:
    """Attributes that the caller reads on the row for certain.

    Any other is written even where it stays as it is: a version that did not rise would tell a
    caller who may not read the value that it was guessed (rule L11).
    """
    deciding = []
    for grant in Readable(batch.resource, batch.caller.standing()).grants:
        deciding.append(grant)
        if grant is change.grant:  # it covers the row, so that no lower one decides
            break
    return frozenset(
        member.attribute
        for name, member in columns.items()
        if all(grant.reads(name) for grant in deciding)
    )


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


def refuse_without_address(batch: Batch) -> None:
    """Refuse new values of the lookup field that would make no address of their row."""
    name = batch.resource.options.lookup
    field = batch.resource.fields()[name]
    for change in batch.open('create', 'update'):
        value = change.values.get(field.attname, getattr(change.row, field.attname, None))
        is_new = value != change.before.get(field.attname)
        if is_new and isinstance(value, str) and ('/' in value or value in _NO_ADDRESS):
            is_known = name in granting.known_names(batch)
            change.refuse(
                f'/{escape_pointer(name)}' if is_known else '',
                'no-address',
                f'`{shown(value)}` makes no address of the row.',
            )


#: Texts in a path that lead elsewhere: clients resolve dots (RFC 3986 section 5.2.4), and a
#: collection has these endpoints of its own.
_NO_ADDRESS = frozenset({'', '.', '..', 'query', 'bulk'})


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
