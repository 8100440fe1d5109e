"""Requests that schemathesis makes from what each role is told of the API, sent in that role.

The document is what staff sees under `/docs.json?as=<role>`. The requests are the same in every
run. What is asserted: no answer of 5xx, and every answer is one that the role's document describes.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import schemathesis
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings
from django.urls import include, path
from hypothesis import HealthCheck, Phase, settings
from rest_framework.test import APIRequestFactory, force_authenticate

from backstay.docs import JsonDocumentView, caller_in
from backstay.resources import ResourceRouter, view_set_of
from backstay.site.wsgi import application
from tests.described import each_operation
from tests.resources.http.test_generated_requests import CHECKS
from tests.rights.callers import CALLERS
from tests.rights.resources import SERVED
from tests.rights.site import AT_ITS_WORD
from tests.rights.world import make_world

#: What guests may not read at all; every kind of field; lists in lists; one row behind the other.
FEW = ('opinions', 'works', 'imprints', 'verdicts')
#: A caller of each role, whose standing is the role's.
CALLER_OF = {'guest': 'guest', 'account': 'customer', 'level:3': 'manager', 'level:4': 'owner'}


def documents() -> dict[str, dict[str, Any]]:
    """What each role is told; no database is asked."""
    staff = get_user_model()(username='staff', is_staff=True)
    router = ResourceRouter()
    for prefix in FEW:
        router.register(prefix, view_set_of(SERVED[prefix], **AT_ITS_WORD))
    view = JsonDocumentView.as_view(patterns=[path('', include(router.urls))])
    found = {}
    for role in CALLER_OF:
        request = APIRequestFactory().get('/docs.json', {'as': role})
        force_authenticate(request, staff)
        found[role] = json.loads(view(request).content)
    return found


def served(document: dict[str, Any]) -> Any:
    """The operations of a document, called in this process."""
    loaded = schemathesis.openapi.from_dict(document)
    loaded.app = application
    # Its hundreds of cases for each operation are sent to open resources already.
    loaded.config.phases.coverage.enabled = False
    return loaded


with override_settings(ROOT_URLCONF='tests.rights.site'):
    guest, account, manager, owner = map(served, documents().values())

repeatable = settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture(autouse=True)
def _rows(db: None) -> Iterator[None]:
    """Rows, in a transaction that the end of a request does not close the connection of."""
    make_world(Random(3)).store()
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    with override_settings(ROOT_URLCONF='tests.rights.site'):
        yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def call(case: schemathesis.Case, role: str) -> None:
    """Send it in the role, and check the answer."""
    headers = {'Authorization': f'Caller {CALLER_OF[role]}'}
    case.call_and_validate(headers=headers, checks=CHECKS)


@each_operation(guest)
@repeatable
def test_every_answer_to_a_guest_is_as_described(case: schemathesis.Case) -> None:
    call(case, 'guest')


@each_operation(account)
@repeatable
def test_every_answer_to_a_customer_is_as_described(case: schemathesis.Case) -> None:
    call(case, 'account')


@each_operation(manager)
@repeatable
def test_every_answer_to_a_manager_is_as_described(case: schemathesis.Case) -> None:
    call(case, 'level:3')


@each_operation(owner)
@repeatable
def test_every_answer_to_an_owner_is_as_described(case: schemathesis.Case) -> None:
    call(case, 'level:4')


def test_each_caller_stands_where_the_role_does() -> None:
    for role, word in CALLER_OF.items():
        # Callers hold their level over things, a role holds it itself: no grant here asks which.
        held, described = CALLERS[word].standing(), caller_in(role).standing()
        assert replace(held, own_level=0) == replace(described, own_level=0)


def test_every_read_that_a_role_may_make_is_made() -> None:
    assert guest.statistic.operations.total == 3 * (len(FEW) - 1)
    for each in (account, manager, owner):
        assert each.statistic.operations.total == 3 * len(FEW)
