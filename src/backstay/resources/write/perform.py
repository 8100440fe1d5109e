"""A write, from its changes to committed rows: the passes, and the transaction around them.

    find_rows -> choose_grants -> check_versions -> read_bodies -> look_up_references
    -> plan_children -> call_validators -> refuse_duplicates          nothing is written so far
    -> hooks before -> rows -> children -> links -> what is left behind -> hooks after -> journal

All of it happens in one transaction. Nothing outside the database is called in it.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

from backstay.errors import Fault, Problem, refused
from backstay.resources.declaration.grants import Grant
from backstay.resources.write import granting, reading, storing
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.children import (
    plan_children,
    refuse_too_many,
    take_up_faults,
    write_links,
)
from backstay.resources.write.finding import find_rows
from backstay.resources.write.integrity import problem_of, refuse_lost_references
from backstay.resources.write.journaling import write_journal
from backstay.resources.write.members import required
from backstay.resources.write.uniqueness import refuse_duplicates
from backstay.resources.write.waiting import busy, is_in_the_way, is_worth_a_try

Answer = TypeVar('Answer')
Pass = Callable[[Batch], None]

#: What is found out before anything is written, in this order.
PREPARE: tuple[Pass, ...] = (
    find_rows,
    reading.choose_grants,
    reading.check_versions,
    reading.read_bodies,
    reading.look_up_references,
    plan_children,
    reading.call_validators,
    refuse_duplicates,
)
#: Times that a write is begun again after others were in its way.
_TRIES = 3


def perform(batch: Batch, *, atomic: bool, then: Callable[[Batch], Answer]) -> Answer:
    """Write all changes of the batch, or all that can be, and what `then` makes of it.

    `then` runs in the same transaction, so that it reads what was written. With `atomic`, one
    change that is refused refuses all: raises a Problem. Without, the refused ones are left out,
    and say why. Raises Problem 503 `busy` where the database stays locked.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic(using=batch.using):
                _perform(batch, atomic)
                return then(batch)
        except IntegrityError as error:  # of a constraint that is checked at the end
            raise problem_of(error, batch, None) from None
        except OperationalError as error:
            if not is_in_the_way(error):
                raise
            if not tries_left or not is_worth_a_try(error):
                raise busy() from None
            batch.begin_again()
    raise busy()


def _perform(batch: Batch, atomic: bool) -> None:
    """Write the batch; where the database refuses, again with its reasons known beforehand."""
    if _try(batch, atomic) is None:
        return
    batch.begin_again()
    batch.careful = True
    error = _try(batch, atomic)
    if error is None:
        return
    if not atomic:
        _one_by_one(batch)
        return
    raise problem_of(error, batch, batch.changes[0] if len(batch.changes) == 1 else None)


def _try(batch: Batch, atomic: bool) -> IntegrityError | None:
    """Write what is not refused; what the database says against it, and then nothing is written.

    Raises the Problem of a change that was refused, where one refuses all.
    """
    prepare(batch)
    if atomic:
        _refuse(batch)
    tried = list(batch.open())
    try:
        with transaction.atomic(using=batch.using):
            apply(batch)
            if any(change.is_refused for change in tried):
                raise _Refused
    except IntegrityError as error:
        return error
    except _Refused:
        if atomic:
            _refuse(batch)
        _one_by_one(batch)
    return None


class _Refused(Exception):
    """Some change was refused while it was written."""


def _one_by_one(batch: Batch) -> None:
    """Write each change by itself, as some of them cannot be written and which is not known."""
    done = []
    for change in batch.changes:
        again = change.anew()
        done.append(again)
        alone = Batch(
            resource=batch.resource,
            caller=batch.caller,
            changes=[again],
            using=batch.using,
            origin=batch.origin,
        )
        try:
            with transaction.atomic(using=batch.using):
                prepare(alone)
                _refuse(alone)
                apply(alone)
                _refuse(alone)
        except (IntegrityError, Problem) as error:
            again.problem = _problem(error, alone, again)
    batch.changes = done


def prepare(batch: Batch) -> None:
    """Find out everything that can be known before anything is written, of children too."""
    for step in PREPARE:
        step(batch)
    for below in batch.children.values():
        prepare(below)
    take_up_faults(batch)
    if batch.depth == 0:
        refuse_too_many(batch)


def apply(batch: Batch) -> None:
    """Write it: what is deleted first, since it may stand in the way of what is new."""
    for change in batch.open():
        reading.call(batch, change, batch.resource.hooks.before)
    storing.delete_rows(batch)
    storing.update_rows(batch)
    storing.restore_rows(batch)
    storing.create_rows(batch)
    for below in batch.children.values():
        _leave_out_refused(below)
        apply(below)
    take_up_faults(batch)
    write_links(batch)
    storing.touch_rows(batch)
    check_left_behind(batch)
    for change in batch.open():
        reading.call(batch, change, batch.resource.hooks.after)
    write_journal(batch)


def check_left_behind(batch: Batch) -> None:
    """Refuse rows that, as they are now, no grant lets the caller have written."""
    for verb, right in (('create', 'create'), ('update', 'write'), ('restore', 'delete')):
        changes = [change for change in batch.open(verb) if _is_to_be_checked(batch, change)]  # type: ignore[arg-type]
        keys = [change.row.pk for change in changes if change.row is not None]
        decided = granting.decide(batch, keys, right, 'check')  # type: ignore[arg-type]
        if len(decided) < len(changes):
            refuse_lost_references(batch.using)
        for change in changes:
            grant = decided.get(change.row.pk) if change.row is not None else None
            if grant is None:
                change.problem = reading.not_permitted(
                    'The row would lie outside of what the caller may write.'
                )
            elif verb == 'create':
                _refuse_members(batch, change, grant)


def _is_to_be_checked(batch: Batch, change: Change) -> bool:
    if change.verb != 'update' or change.grant is None:
        return True
    return granting.is_touched(batch.resource, change.grant, change.values)


def _refuse_members(batch: Batch, change: Change, grant: Grant) -> None:
    """What the grant that covers the new row does not let be given, and what it asks for."""
    change.grant = grant
    allowed = granting.members(batch.resource, grant, 'create')
    for name in change.body:
        if name not in allowed:
            change.refuse(f'/{name}', 'field-not-writable', f'`{name}` may not be written here.')
    reading.refuse_missing(change, required(batch.resource, allowed))


def _leave_out_refused(batch: Batch) -> None:
    """Children whose parents are refused are not written."""
    batch.changes = [
        change for change in batch.changes if change.parent is None or not change.parent.is_refused
    ]


#: What may be said of many rows as of one.
_OF_MANY = (403, 409, 412)


def _refuse(batch: Batch) -> None:
    """Raise what the refused changes say; of many rows together, with a pointer to each."""
    told = [(change, problem) for change in batch.changes if (problem := change.refusal())]
    if not told:
        return
    if not batch.many:
        raise told[0][1]
    faults = [fault for change, problem in told for fault in _faults(change, problem)]
    statuses = {problem.answer_status for _, problem in told}
    codes = {problem.answer_code for _, problem in told}
    status = statuses.pop() if len(statuses) == 1 else 422
    raise refused(
        faults,
        status=status if status in _OF_MANY else 422,
        code=codes.pop() if len(codes) == 1 else 'bulk-refused',
    )


def _faults(change: Change, problem: Problem) -> Sequence[Fault]:
    pointer = change.key_pointer or change.pointer
    own = Fault(pointer=pointer, code=problem.answer_code, detail=problem.detail)
    return problem.errors or (own,)


def _problem(error: Exception, batch: Batch, change: Change | None) -> Problem:
    if isinstance(error, IntegrityError):
        return problem_of(error, batch, change)
    if isinstance(error, Problem):
        return error
    raise error
