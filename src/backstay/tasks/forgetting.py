"""Deleting rows that are over, for the periodic tasks that do."""

import time
from typing import Any

from django.db.models import QuerySet

#: Rows of one step, which is one transaction.
_STEP = 500
#: Seconds between two steps, in which SQLite's other writers have their turn.
_PAUSE = 0.02


def forget(over: QuerySet[Any], *, in_order: bool = False) -> int:
    """Delete rows that are over in small steps, and return the number deleted.

    A row that is found and then renewed by somebody else stays. `in_order` goes through the table
    once by its keys, for conditions that no index serves, and of rows that nobody renews.
    """
    from backstay.tasks.metrics import FORGOTTEN

    rows, count = (over.order_by('pk') if in_order else over.order_by()), 0
    left = rows
    while keys := list(left.values_list('pk', flat=True)[:_STEP]):
        again = over.model._default_manager if in_order else over
        count += again.filter(pk__in=keys).delete()[0]
        left = rows.filter(pk__gt=keys[-1]) if in_order else rows
        time.sleep(_PAUSE)
    FORGOTTEN.labels(over.model._meta.label_lower).inc(count)
    return count
