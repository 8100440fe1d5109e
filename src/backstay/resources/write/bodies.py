"""Bodies: the members that may be given, and the values that they stand for.

Every fault of every body is found before anything is written.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from backstay.encryption import EncryptionError, Unsealed
from backstay.errors import Problem, escape_pointer
from backstay.resources.declaration.fields import Many
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Relation
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
    """Take the values of members; refuse unknown, forbidden, missing and wrong ones."""
    columns, relations = writable(batch.resource), writable_relations(batch.resource)
    may_create = granting.all_members(batch.resource, batch.standing, 'create')
    known = granting.known_names(batch)
    # Members that only some grants allow are demanded by the grant that covers the new row.
    common = granting.common_members(batch.resource, batch.standing, 'create')
    needed = required(batch.resource, common)
    for change in batch.open('create', 'update'):
        if not isinstance(change.body, Mapping):
            change.refuse('', 'invalid', 'An object is required.')
            continue
        allowed = may_create
        if change.grant is not None:
            allowed = granting.members(batch.resource, change.grant, 'write')
        _read_members(change, columns, relations, allowed, known)
        if change.verb == 'create':
            refuse_missing(change, needed)
        if change.meaning == 'replace':
            refuse_missing(change, required(batch.resource, allowed))
            for name, member in columns.items():  # members that were left out get their defaults
                if name in allowed and name not in change.body and not member.is_required:
                    change.values[member.attribute] = member.column.get_default()
        if change.verb == 'update':
            _drop_unchanged(batch, change, columns)


def _read_members(
    change: Change,
    columns: Mapping[str, Writable],
    relations: Mapping[str, Relation],
    allowed: frozenset[str],
    known: frozenset[str],
) -> None:
    for name, raw in change.body.items():
        member = columns.get(name)
        if name not in allowed or _is_to_parent(change, member):
            code = 'field-not-writable' if name in known else 'unknown-field'
            says = 'may not be written here' if name in known else 'is not known'
            change.refuse(_pointer_to(name), code, f'`{shown(name)}` {says}.')
        elif member is not None:
            is_merged = member.field.kind is JSON and change.meaning == 'patch'
            given = merged(change.before.get(member.attribute), raw) if is_merged else raw
            value, faults = member.clean(given)
            if not faults:
                change.values[member.attribute] = value
            for fault in faults:
                change.refuse(_pointer_to(name) + fault.pointer, fault.code, fault.detail)
        elif isinstance(relations[name].declared, Many):
            if isinstance(raw, list):
                change.related[name] = raw
            else:
                change.refuse(_pointer_to(name), 'invalid', 'A list is required.')
        elif raw is None or isinstance(raw, dict):
            change.related[name] = raw
        else:
            change.refuse(_pointer_to(name), 'invalid', 'An object or null is required.')


def _drop_unchanged(batch: Batch, change: Change, columns: Mapping[str, Writable]) -> None:
    """Drop values that the row has already, of attributes that the caller certainly reads on it.

    Other values are written even if they stay the same: a version that did not rise would tell a
    caller who may not read the value that they guessed it (rule L11).
    """
    deciding = []
    for grant in Readable(batch.resource, batch.caller.standing()).grants:
        deciding.append(grant)
        if grant is change.grant:  # it covers the row, so that no lower one decides
            break
    for name, member in columns.items():
        attribute = member.attribute
        if attribute in change.values and all(grant.reads(name) for grant in deciding):
            old, new = change.before.get(attribute), change.values[attribute]
            if isinstance(new, Unsealed):
                old, new = _revealed(change, attribute), new.text
            if not _differs(member.column, old, new):
                del change.values[attribute]


def _revealed(change: Change, attribute: str) -> Any:
    """Return the text of an encrypted column before the change; None where nothing can be read."""
    row: Any = change.row
    try:
        return getattr(row, columns_of(type(row))[attribute].name)
    except EncryptionError:
        return None


def _is_to_parent(change: Change, member: Writable | None) -> bool:
    """Whether a member names the parent of a child, which its place in the body names already."""
    return member is not None and member.attribute == change.parent_attribute


def _pointer_to(name: str) -> str:
    return f'/{escape_pointer(name)}'


def merged(target: Any, patch: Any) -> Any:
    """Return the result of a JSON Merge Patch (RFC 7396).

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
    """Add a fault for each member that a whole object needs and lacks."""
    for member in needed:
        name = member.name
        is_given = name in change.body or member.attribute in change.values
        if not (is_given or _is_to_parent(change, member)):
            change.refuse(_pointer_to(name), 'required', f'`{name}` is required.')


def _differs(column: models.Field, old: Any, value: Any) -> bool:
    if isinstance(column, models.JSONField):
        # To Python 1, 1.0 and true are equal.
        return json.dumps(old, sort_keys=True) != json.dumps(value, sort_keys=True)
    if isinstance(old, memoryview):
        old = bytes(old)
    return bool(old != value)


def refuse_without_address(batch: Batch) -> None:
    """Refuse new values of the lookup field with which their row would have no address."""
    name = batch.resource.options.lookup
    field = batch.resource.fields()[name]
    for change in batch.open('create', 'update'):
        value = change.values.get(field.attname, getattr(change.row, field.attname, None))
        is_new = value != change.before.get(field.attname)
        if is_new and isinstance(value, str) and ('/' in value or value in _NO_ADDRESS):
            is_known = name in granting.known_names(batch)
            change.refuse(
                _pointer_to(name) if is_known else '',
                'no-address',
                f'`{shown(value)}` makes no address of the row.',
            )


#: Texts in a path that lead elsewhere: clients resolve dots (RFC 3986 section 5.2.4), and
#: collections have endpoints with the other names.
_NO_ADDRESS = frozenset({'', '.', '..', 'query', 'bulk'})


def call_validators(batch: Batch) -> None:
    """Call the validators that the resource declares."""
    for change in batch.open():
        call(batch, change, batch.resource.hooks.validate)


def call(batch: Batch, change: Change, hooks: Any) -> None:
    """Call hooks with one change, which is refused with the problem that a hook raises."""
    try:
        for hook in hooks:
            hook(change, batch.caller)
    except Problem as problem:
        change.problem = problem
