"""Softly deleted rows: shown to those who may restore them, and no live row with them (rule R9)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db.models import Q

from backstay.caller import Caller, Held
from backstay.resources import ALL, Grant, Resource, Scope, anyone
from backstay.resources.query.asked import Asked
from backstay.resources.reading import read
from tests.bookshop.models import Book, Publisher
from tests.rights.asking import objects, query_of

pytestmark = pytest.mark.django_db
OURS = Scope('publishers', 1)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def holding(*, read_only: bool) -> Caller:
    """Somebody who holds the first publisher."""
    held = Held(over='publishers', id=1, level=2, read_only=read_only)
    return Caller(kind='account', account_id=2, scopes=(held,))


@pytest.mark.parametrize(
    ('rows', 'read_only', 'live', 'deleted'),
    [
        (Q(publisher_id__in=OURS), False, {1}, {1}),
        (Q(publisher_id__in=OURS), True, {1}, set()),
        (~Q(publisher_id__in=OURS), False, {2}, {2}),
        # Who writes without the scope would be outside of it everywhere; to read, they hold it.
        (~Q(publisher_id__in=OURS), True, {2}, {1, 2}),
        (~Q(publisher_id__in=OURS, status='active'), True, {2}, {1, 2}),
    ],
)
def test_scopes_to_read_decide_about_live_rows(
    rows: Q, read_only: bool, live: set[int], deleted: set[int], declare: Any
) -> None:
    class KeptResource(Resource):
        """Books; a day of release stands for one of deletion."""

        class Meta:
            model = Book
            name = 'Kept'
            fields = ('id', 'publisher_id')
            soft_delete = 'released_on'

        grants = (Grant(anyone, read=ALL, delete=True, rows=rows),)

    for key in (1, 2):
        Publisher.objects.create(id=key, name=f'{key}')
        for at, day in enumerate((None, date(2026, 1, 1))):
            Book.objects.create(
                id=10 * key + at, created_at=MOMENT, publisher_id=key, released_on=day
            )
    caller = holding(read_only=read_only)

    def shown(*, deleted: bool) -> set[int]:
        asked = Asked(resource=KeptResource, caller=caller, deleted=deleted)
        return {each['id'] for each in objects(read(asked, query_of(KeptResource, caller, '{id}')))}

    assert shown(deleted=False) == {10 * key for key in live}
    assert shown(deleted=True) == {10 * key for key in live} | {10 * key + 1 for key in deleted}
