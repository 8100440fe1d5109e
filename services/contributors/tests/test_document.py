"""The endpoints of the resources answer generated requests as the document says, never with 5xx.

Whether a request is refused is not asserted: a mask or a filter may fit its grammar and still name
what is not there.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backstay.site.wsgi import application
from tests.described import each_operation

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
document = schemathesis.openapi.from_wsgi('/contributors/openapi.json', application)


@pytest.fixture(autouse=True)
def _one_connection(db: None) -> Iterator[None]:
    """Requests to the WSGI application use the test's connection, as Django's client has it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@each_operation(document)
@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)
def test_every_answer_is_one_that_the_document_describes(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)


def test_the_document_has_the_texts_and_nothing_of_people_for_guests() -> None:
    paths = set(document.raw_schema['paths'])

    assert '/contributors/agreements/' in paths
    assert not any('/people/' in path or '/signatures/' in path for path in paths)
