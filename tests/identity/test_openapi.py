"""The endpoints under `/auth/` that are ours, called as their description says."""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from backstay.identity.models import Account
from backstay.site.wsgi import application
from tests.described import each_operation
from tests.identity.signing_in import App, bearer
from tests.proofs import size

site = schemathesis.openapi.from_wsgi('/docs.json', application).include(path_regex='^/auth/')

#: What a key may do depends on its creator, which no description can tell; and who tries wrong
#: passwords again and again is answered 429, not 401.
NOT_ASKED = CHECKS.get_by_names(['positive_data_acceptance', 'ignored_auth'])

repeatable = settings(
    max_examples=size(12, 40),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def token(ann: Account) -> Iterator[str]:
    """An access token of Ann's, in a transaction that lasts as long as the test.

    Requests that do not come from Django's own client would end it.
    """
    token = App().sign_in(ann.email)['access_token']
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield token
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.django_db
@each_operation(site)
@repeatable
def test_every_answer_to_an_account_is_one_that_the_document_describes(
    case: schemathesis.Case, token: str
) -> None:
    case.call_and_validate(headers=bearer(token), excluded_checks=NOT_ASKED)


def test_the_document_has_our_endpoints_and_says_where_the_others_are() -> None:
    assert {operation.ok().path for operation in site.get_all_operations()} == {
        '/auth/email/undo',
        '/auth/me',
        '/auth/me/data',
        '/auth/me/erase',
        '/auth/sessions/',
        '/auth/sessions/{id}/',
        '/auth/sessions/end-all/',
        '/auth/sessions/end-others/',
        '/auth/keys/',
        '/auth/keys/{id}/',
        '/auth/keys/{id}/rotate/',
    }
    assert site.raw_schema['externalDocs']['url'] == '/auth/openapi.json'
    # Beside those that services bring.
    assert {'basic', 'bearer', 'key', 'session'} <= site.raw_schema['components'][
        'securitySchemes'
    ].keys()
