"""Retention: deletes old entries of the journal that say nothing which a later one does not."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from backstay.journal.models import Entry


def old_entries(until: datetime) -> QuerySet[Entry]:
    """Return the entries before a moment that may be deleted.

    The last entry of each object stays: its `after` is the whole object, from which the later ones
    go on. Of an object that is gone everything may be deleted, the earlier entries first. Entries
    that have yet to be told as events stay.
    """
    first = Entry.objects.filter(at__gte=until).order_by('pk').values_list('pk', flat=True).first()
    old = Entry.objects.filter(at__lt=until, pending=False)
    if first is not None:  # so that a walk by the keys ends there
        old = old.filter(pk__lt=first)
    is_gone = Q(after__isnull=True) & ~Exists(_of_same_object(sequence__lt=OuterRef('sequence')))
    return old.filter(Exists(_of_same_object(sequence__gt=OuterRef('sequence'))) | is_gone)


def _of_same_object(**rest: Any) -> QuerySet[Entry]:
    same = {name: OuterRef(name) for name in ('aggregate', 'object_id')}
    return Entry.objects.filter(**same, **rest)
