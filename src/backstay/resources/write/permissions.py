"""Permissions: callers that may write, the grant that decides about a row, and its `check`."""

from collections.abc import Iterable, Sequence

from rest_framework.exceptions import NotAuthenticated

from backstay.errors import Problem, escape_pointer
from backstay.resources.declaration.grants import Grant
from backstay.resources.query.asked import Asked
from backstay.resources.write import granting
from backstay.resources.write.bodies import refuse_missing
from backstay.resources.write.change import Batch, Change, Verb
from backstay.resources.write.granting import Right
from backstay.resources.write.integrity import refuse_lost_references
from backstay.resources.write.members import required


def refuse_strangers(asked: Asked, verbs: Iterable[Verb]) -> None:
    """Reject callers that hold, for one of the verbs, none of its rights on any row."""
    for verb in verbs:
        refuse_without(asked, granting.rights_of(verb))


def refuse_without(asked: Asked, rights: Iterable[Right]) -> None:
    """Reject callers that hold none of these rights on any row (401 for guests, else 403)."""
    standing = asked.caller.standing(writing=True)
    if any(granting.may(asked.resource, standing, right) for right in rights):
        return
    if asked.caller.kind == 'guest':
        raise NotAuthenticated
    raise not_permitted('The caller may not do this.')


def choose_grants(batch: Batch) -> None:
    """Find the grant that decides about each row; refuse rows that have none (403)."""
    _choose_grants(batch, list(batch.open('update')), 'write')
    _choose_grants(batch, list(batch.open('delete', 'restore')), 'delete')
    if not granting.may(batch.resource, batch.standing, 'create'):
        for change in batch.open('create'):
            change.problem = not_permitted()


def _choose_grants(batch: Batch, changes: Sequence[Change], right: Right) -> None:
    keys = [change.row.pk for change in changes if change.row is not None]
    chosen = granting.decide(batch, keys, right)
    for change in changes:
        change.grant = chosen.get(change.row.pk) if change.row is not None else None
        if change.grant is None:
            change.problem = not_permitted()


def not_permitted(detail: str = 'The caller may not do this with this row.') -> Problem:
    """Return a 403 for a row that the caller may see and may not write."""
    return Problem(detail, code='not-permitted')


def check_left_behind(batch: Batch) -> None:
    """Refuse written rows that no grant lets the caller leave behind as they are now."""
    written: tuple[tuple[Verb, Right], ...] = (
        ('create', 'create'),
        ('update', 'write'),
        ('restore', 'delete'),
    )
    for verb, right in written:
        changes = [
            change
            for change in batch.open(verb)
            if change.verb != 'update'
            or change.grant is None
            or granting.is_touched(batch.resource, change.grant, change.values)
        ]
        keys = [change.row.pk for change in changes if change.row is not None]
        decided = granting.decide(batch, keys, right, 'check')
        if len(decided) < len(changes):
            refuse_lost_references(batch.using)
        for change in changes:
            grant = decided.get(change.row.pk) if change.row is not None else None
            if grant is None:
                change.problem = not_permitted(
                    'The row would lie outside of what the caller may write.'
                )
            elif verb == 'create':
                _refuse_members(batch, change, grant)


def _refuse_members(batch: Batch, change: Change, grant: Grant) -> None:
    """Refuse members that the grant covering a new row withholds; demand those it needs."""
    change.grant = grant
    allowed = granting.members(batch.resource, grant, 'create')
    for name in change.body:
        if name not in allowed:
            pointer = f'/{escape_pointer(name)}'
            change.refuse(pointer, 'field-not-writable', f'`{name}` may not be written here.')
    refuse_missing(change, required(batch.resource, allowed))
