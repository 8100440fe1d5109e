"""A write tells nothing of a value that its caller may write and not read (rule L11)."""

from collections.abc import Iterator

import pytest

from backstay.resources import Grant, Resource, signed_in
from backstay.testing import Api, caller
from tests.cabinet.models import Case
from tests.cabinet.resources import served_as

pytestmark = pytest.mark.django_db
HIDDEN = {'price': '2.50', 'count': 7, 'details': {'a': 1}, 'is_open': True, 'opens': '08:00:00'}


def declare() -> dict[str, type[Resource]]:
    class LockedResource(Resource):
        class Meta:
            model = Case
            name = 'Locked'
            fields = ('id', 'name', 'version', *HIDDEN)
            version = 'version'

        grants = (Grant(signed_in, read=('id', 'name', 'version'), write=('name', *HIDDEN)),)

    return {'locked': LockedResource}


@pytest.fixture
def row() -> Iterator[Case]:
    with served_as(declare):
        yield Case.objects.create(name='x', code='x', version=1, **HIDDEN)


@pytest.mark.parametrize('name', HIDDEN)
def test_a_guess_of_a_value_that_is_not_read_is_answered_like_any_other(
    row: Case, name: str
) -> None:
    api = Api(caller())
    guessed = api.request('PATCH', f'/locked/{row.pk}/', {name: HIDDEN[name]}).json()

    assert guessed['version'] == 2


def test_what_is_read_and_stays_as_it_is_writes_nothing(row: Case) -> None:
    assert (
        Api(caller()).request('PATCH', f'/locked/{row.pk}/', {'name': 'x'}).json()['version'] == 1
    )
