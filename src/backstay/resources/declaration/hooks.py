"""Hooks: plain functions for the rules of a write that a declaration cannot say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from backstay.caller import Caller

#: Takes the change (`backstay.resources.write.change.Change`) and who makes it.
Hook = Callable[[Any, Caller], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Functions of a resource's writes, each called once for every changed row, in their order.

    None of them may call anything outside the database: what leaves it is a task, enqueued in
    `after`, which runs once the transaction is committed.
    """

    #: Look at what was sent, and refuse it: `change.refuse(pointer, code, detail)`. It must not
    #: write. Every fault of every change is reported at once.
    validate: Sequence[Hook] = ()
    #: In the transaction, before the row is written: may set `change.values`.
    before: Sequence[Hook] = ()
    #: In the transaction, after the row and its children are written: may write other rows.
    after: Sequence[Hook] = ()
