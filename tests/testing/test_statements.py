"""Counting statements."""

import pytest
from django.db import connection, transaction

from backstay.testing import Api, caller, statements
from tests.lending.models import Branch

pytestmark = pytest.mark.django_db


def test_as_many_as_were_said_pass_and_borders_do_not_count() -> None:
    with statements(2), transaction.atomic():
        Branch.objects.count()
        Branch.objects.create(name='North')
    with statements(0):
        pass


@pytest.mark.parametrize('count', [0, 2])
def test_more_or_fewer_fail_and_are_shown(count: int) -> None:
    with (
        pytest.raises(
            AssertionError, match=rf'{count} statements were expected, 1 were made:\n1\. SELECT'
        ),
        statements(count),
    ):
        connection.cursor().execute('SELECT 1')


def test_a_failure_inside_is_not_hidden() -> None:
    with pytest.raises(KeyError), statements(3):
        raise KeyError


@pytest.mark.urls('tests.lending.site')
def test_a_read_is_one(api: Api) -> None:
    api.list('/items/')  # the first read of a connection sets its time limit
    with statements(1):
        api.list('/items/')
    staff = Api(caller(scopes=[('branches', 1, 3)]))
    with statements(1):
        staff.list('/items/', [], count='exact')
