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

#: The passes that run before anything is written, in this order.
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
    """Write and answer a request, once for each Idempotency-Key: the only entry to writes.

    With `many` the answer is a list of results, even for one row. With `atomic`, the Problem of one
    refused row is raised and nothing is written. Without, refused rows are left out, and the answer
    says why. Raises Problem 503 `busy` while others hold the rows.
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
                        if atomic:
                            batch.refuse()
                    else:
                        prepare(batch, atomic=atomic)
                        apply(batch, atomic=atomic)
                    answer = answer_of(batch)
                    claim.store(answer)
                return answer
            except (*REFUSALS, OperationalError, Unsettled) as error:
                tries = tries.after(error, batch)


def prepare(batch: Batch, *, atomic: bool) -> None:
    """Run every pass that needs nothing written yet, for the batch and its children."""
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

    If one is refused only now, raises its Problem, or Unsettled if changes may fail by themselves.
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
    """Write a batch, deletions first, since deleted rows may stand in the way of new ones."""
    for change in batch.open():
        bodies.call(batch, change, batch.resource.hooks.before)
    if batch.resource.hooks.before:  # which may have set what an engine cannot refuse by itself
        refuse_duplicates(batch)
    storing.delete_rows(batch)
    storing.update_rows(batch)
    storing.restore_rows(batch)
    storing.create_rows(batch)
    bodies.refuse_without_address(batch)
    for below in batch.children.values():
        below.changes = [
            change for change in below.changes if not (change.parent and change.parent.is_refused)
        ]
        _apply(below)
    take_up_faults(batch)
    write_links(batch)
    storing.touch_rows(batch)
    check_left_behind(batch)
    for change in batch.open():
        bodies.call(batch, change, batch.resource.hooks.after)
    write_journal(batch)


def _write_one_by_one(batch: Batch) -> None:
    """Write each change by itself, since some cannot be written and it is not known which.

    Changes that are refused beside the others, such as a second one of a row, stay refused.
    """
    prepare(batch, atomic=False)
    changes = []
    for planned in batch.changes:
        change = planned if planned.is_refused else Change(asked=planned.asked)
        changes.append(change)
        if change.is_refused:
            continue
        alone = Batch(asked=batch.asked, resource=batch.resource, changes=[change], careful=True)
        try:
            with transaction.atomic(using=batch.using):
                prepare(alone, atomic=True)
                apply(alone, atomic=True)
        except REFUSALS as error:
            change.problem = problem_of(error, alone, change)
        except Problem as problem:
            change.problem = problem
    batch.changes = changes
