"""Every operation of the OpenAPI document, called with generated requests by schemathesis.

The requests are the same in every run. What is asserted: no answer of 5xx, every answer is one
that the document describes (its status, content type, headers and body), requests as described
are accepted, and requests that break the description are refused.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from backstay.site.wsgi import application
from tests.described import each_operation
from tests.proofs import size

# Nobody can make up a token that undoes something: tests.identity calls that operation. Known
# issues of a repository that is not stored are a 400, and no document tells which are. Masks and
# filters of resources may fit their grammar and name nothing: their service's tests call those.
site = (
    schemathesis.openapi.from_wsgi('/docs.json', application)
    .exclude(path=['/auth/email/undo', '/v1/issues/{repository}/'])
    .exclude(path_regex='^/contributors/(agreements|people|signatures)/')
)

repeatable = settings(
    max_examples=size(15, 60),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.django_db
@each_operation(site, on_one_engine=True)
@repeatable
def test_every_answer_is_one_that_the_document_describes(case: schemathesis.Case) -> None:
    case.call_and_validate()


def test_the_document_has_operations() -> None:
    assert site.statistic.operations.selected == len(list(site.get_all_operations())) > 0
