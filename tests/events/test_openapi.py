"""Everything under `/events/`, called as its description says, by an account of level 4."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from backstay.identity.models import Account
from backstay.site.wsgi import application
from tests.identity.signing_in import App, account_with_password, bearer

load_all_checks()
#: URLs and secrets obey rules that no description can tell.
NOT_ASKED = CHECKS.get_by_names(['positive_data_acceptance', 'ignored_auth'])

repeatable = settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def token(db: None, settings: Any) -> Iterator[str]:
    """An access token of the account, in a transaction that lasts as long as the test."""
    settings.ROOT_URLCONF = 'backstay.site.urls'
    account_with_password('ann@example.com', level=4)
    token = App().sign_in('ann@example.com')['access_token']
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield token
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def document(token: str) -> Any:
    """What the account may read of the document."""
    site = schemathesis.openapi.from_wsgi('/docs.json', application, headers=bearer(token))
    return site.include(path_regex='^/events/')


def test_every_answer_is_one_that_the_document_describes(document: Any, token: str) -> None:
    for operation in document.get_all_operations():

        @repeatable
        @given(operation.ok().as_strategy())
        def call(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=bearer(token), excluded_checks=NOT_ASKED)

        call()


def test_the_document_names_the_endpoints_to_who_may_use_them(document: Any) -> None:
    paths = {operation.ok().path for operation in document.get_all_operations()}
    assert {
        '/events/webhooks/',
        '/events/webhooks/{id}/',
        '/events/deliveries/',
        '/events/deliveries/{id}/redeliver/',
        '/events/audit/',
    } <= paths
    assert '/events/webhooks/bulk/' not in paths


def test_guests_are_told_of_none(db: None, settings: Any) -> None:
    settings.ROOT_URLCONF = 'backstay.site.urls'
    assert Account.objects.count() == 0
    site = schemathesis.openapi.from_wsgi('/docs.json', application)
    assert not [each for each in site.raw_schema['paths'] if each.startswith('/events/')]
