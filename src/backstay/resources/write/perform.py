"""The write, as one line: claim the key, try, open the transaction, prepare, apply, answer, store.

    find_rows -> choose_grants -> check_versions -> read_bodies -> look_up_references
    -> plan_children -> call_validators -> refuse_duplicates          nothing is written so far
    -> hooks before -> rows -> children -> links -> what is left behind -> hooks after -> journal

All of it happens in one transaction. Nothing outside the database is called in it.
"""

from collections.abc import Callable, Sequence

from django.db import OperationalError, transaction

from backstay.errors import Problem
from backstay.resources.query.asked import Asked
from backstay.resources.write import bodies, storing
from backstay.resources.write.answering import (
    Answer,
    answer_again,
    answer_of,
    refuse_impossible,
)
from backstay.resources.write.change import Batch, Change, Intent
from backstay.resources.write.children import (
    plan_children,
    refuse_too_large,
    refuse_too_many,
    take_up_faults,
    write_links,
)
from backstay.resources.write.finding import find_rows
from backstay.resources.write.idempotency import claim_key
from backstay.resources.write.integrity import REFUSALS, check_deferred, problem_of
from backstay.resources.write.journaling import write_journal
from backstay.resources.write.permissions import (
    check_left_behind,
    choose_grants,
    refuse_strangers,
)
from backstay.resources.write.references import look_up_references, refuse_doomed_references
from backstay.resources.write.tries import Tries, Unsettled
from backstay.resources.write.uniqueness import refuse_duplicates
from backstay.resources.write.versions import check_versions

Pass = Callable[[Batch], None]

#: What is found out before anything is written, in this order.
PREPARE: tuple[Pass, ...] = (
    find_rows,
    choose_grants,
    check_versions,
    bodies.read_bodies,
    bodies.refuse_without_address,
    look_up_references,
    plan_children,
    bodies.call_validators,
    refuse_duplicates,
)


def write(
    asked: Asked,
    intents: Sequence[Intent],
    *,
    many: bool = False,
    atomic: bool = True,
    needs_key: bool = False,
) -> Answer:
    """Write what is asked, once for each Idempotency-Key, and answer it: the one door of writes.

    `many` says that the request is about many rows, even of one, and is answered by results. With
    `atomic`, one row that is refused refuses all: raises its Problem. Without, refused rows
    are left out, and the answer says why. Raises Problem 503 `busy` while others hold the rows.
    """
    refuse_strangers(asked, {intent.verb for intent in intents})
    refuse_impossible(asked, many=many)
    refuse_too_large(asked.resource, [intent.body for intent in intents])
    claim = claim_key(asked, needed=needs_key)
    if claim.answer is not None:
        return answer_again(asked, intents, claim.answer)
    tries = Tries(atomic=atomic)
    with claim:
        while True:
            batch = Batch(
                asked=asked,
                resource=asked.resource,
                changes=[Change(asked=intent) for intent in intents],
                many=many,
                careful=tries.careful,
            )
            try:
                with transaction.atomic(using=asked.using):
                    if tries.one_by_one:
                        _write_one_by_one(batch)
                    else:
                        prepare(batch, atomic=atomic)
                        apply(batch, atomic=atomic)
                    answer = answer_of(batch)
                    claim.store(answer)
                return answer
            except (*REFUSALS, OperationalError, Unsettled) as error:
                tries = tries.after(error, batch)


def prepare(batch: Batch, *, atomic: bool) -> None:
    """Find out everything that can be known before anything is written, of children too."""
    _prepare(batch)
    refuse_doomed_references(batch)
    _take_up_faults(batch)
    refuse_too_many(batch)
    if atomic:
        batch.refuse()


def _prepare(batch: Batch) -> None:
    for step in PREPARE:
        step(batch)
    for below in batch.children.values():
        _prepare(below)


def _take_up_faults(batch: Batch) -> None:
    for below in batch.children.values():
        _take_up_faults(below)
    take_up_faults(batch)


def apply(batch: Batch, *, atomic: bool) -> None:
    """Write the changes that are not refused.

    Raises, where one is refused only now, its Problem; or, unless all hang together, Unsettled.
    """
    tried = list(batch.open())
    try:
        _apply(batch)
        if batch.careful:
            check_deferred(batch)
    except Problem:
        if atomic:
            raise
        raise Unsettled from None
    if any(change.is_refused for change in tried):
        if atomic:
            batch.refuse()
        raise Unsettled


def _apply(batch: Batch) -> None:
    """Write a batch: what is deleted first, since it may stand in the way of what is new."""
    for change in batch.open():
        bodies.call(batch, change, batch.resource.hooks.before)
    storing.delete_rows(batch)
    storing.update_rows(batch)
    storing.restore_rows(batch)
    storing.create_rows(batch)
    bodies.refuse_without_address(batch)
    for below in batch.children.values():
        _leave_out_refused(below)
        _apply(below)
    take_up_faults(batch)
    write_links(batch)
    storing.touch_rows(batch)
    check_left_behind(batch)
    for change in batch.open():
        bodies.call(batch, change, batch.resource.hooks.after)
    write_journal(batch)


def _leave_out_refused(batch: Batch) -> None:
    """Children whose parents are refused are not written."""
    batch.changes = [
        change for change in batch.changes if change.parent is None or not change.parent.is_refused
    ]


def _write_one_by_one(batch: Batch) -> None:
    """Write each change by itself, as some of them cannot be written and which is not known.

    What is refused beside the others, such as a second change of one row, stays refused.
    """
    prepare(batch, atomic=False)
    batch.changes = [
        change if change.is_refused else _write_alone(batch, change.asked)
        for change in batch.changes
    ]


def _write_alone(batch: Batch, intent: Intent) -> Change:
    change = Change(asked=intent)
    alone = Batch(asked=batch.asked, resource=batch.resource, changes=[change], careful=True)
    try:
        with transaction.atomic(using=batch.using):
            prepare(alone, atomic=True)
            apply(alone, atomic=True)
    except REFUSALS as error:
        change.problem = problem_of(error, alone, change)
    except Problem as problem:
        change.problem = problem
    return change
