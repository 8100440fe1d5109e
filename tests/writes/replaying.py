"""Replaying the journal: what it says that the rows are, beside what they are."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.db import models

from backstay.journal.models import Entry
from backstay.journal.recording import _Encoder
from backstay.resources.write.deletion import resource_of
from backstay.resources.write.journaling import snapshot
from tests.lending import resources as _resources  # noqa: F401 declares them
from tests.lending.models import Branch, Cover, Item, Keyword, Loan, Mark, Note, Stamp

TOLD = (Branch, Cover, Item, Keyword, Loan, Mark, Note, Stamp)


def differences(*kinds: type[models.Model]) -> list[str]:
    """Where the journal, replayed, and the rows that it tells of are not the same.

    Rows that no entry tells of, which a test has put there itself, are left out.
    """
    return [each for model in kinds or TOLD for each in _differences(model)]


def _differences(model: type[models.Model]) -> Iterator[str]:
    label = model._meta.label_lower
    resource = resource_of(model)
    assert resource is not None
    rows = {str(row.pk): row for row in model._base_manager.all()}
    for key, told in replayed(label).items():
        row = rows.get(key)
        if (row is None) != (told is None):
            yield f'{label} {key}: {"gone" if row is None else "there"}'
        elif row is not None and told is not None:
            now = json.loads(json.dumps(snapshot(resource, row), cls=_Encoder))
            wrong = [name for name in now if now[name] != told[name]]
            if wrong:
                yield f'{label} {key}: {", ".join(wrong)}'


def replayed(label: str) -> dict[str, dict[str, Any] | None]:
    """Each object of a kind as its entries say that it is; None where they say that it is gone.

    Only the changed fields of an entry are taken over, so that one that is left out is noticed.
    """
    state: dict[str, dict[str, Any] | None] = {}
    entries = Entry.objects.filter(aggregate=label).order_by('id')
    for key, verb, before, after in entries.values_list('object_id', 'verb', 'before', 'after'):
        known = state.get(key)
        if known is None or after is None or verb == 'create':
            state[key] = after
        else:
            changed = {name: after[name] for name in before or {}}
            # What the database makes of other columns is in no body.
            state[key] = known | changed | {n: after[n] for n in ('double_pages',) if n in after}
    return state


def assert_gapless() -> None:
    """The entries of each object are numbered 1, 2, 3 … in the order in which they came."""
    entries = Entry.objects.order_by('aggregate', 'object_id', 'id')
    numbered = entries.values_list('aggregate', 'object_id', 'sequence')
    for _, steps in groupby(numbered, key=lambda step: step[:2]):
        sequences = [sequence for *_, sequence in steps]
        assert sequences == list(range(1, len(sequences) + 1)), sequences
