"""Requests that schemathesis makes from the OpenAPI document.

The requests are the same in every run. What is asserted: no answer of 5xx, and every answer is one
that the document describes. Whether a request is refused is not: a mask or a filter may fit its
grammar and still name what is not there.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from backstay.site.wsgi import application
from tests.described import each_operation
from tests.resources.http.rows import store_books, store_products
from tests.resources.http.site import FEW

CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)


with override_settings(ROOT_URLCONF='tests.resources.http.site'):
    site = schemathesis.openapi.from_wsgi('/few.json', application)


@pytest.fixture(autouse=True)
def _rows(db: None) -> Iterator[None]:
    """Rows, in a transaction that the end of a request does not close the connection of."""
    store_books(3)
    store_products()
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@each_operation(site)
@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)
def test_every_answer_is_one_that_the_document_describes(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)


def test_every_kind_of_operation_is_called() -> None:
    assert site.statistic.operations.total == 3 * len(FEW)
