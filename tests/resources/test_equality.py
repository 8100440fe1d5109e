"""Compiled answers equal what Django REST Framework and Python make of the ORM's objects.

hypothesis draws rows, and to each data set several questions: masks, filters, orders, pages. Shown
values must be those of a `ModelSerializer`, float for float and key for key; which rows are shown,
and in which order, must be what `oracle` finds in Python.

1 200 questions are asked of each engine, and 100 000 by `make prove`.

Differences between engines that are allowed, because a column does not keep what was stored: JSON
on PostgreSQL is jsonb, which normalises numbers and reorders keys; text there holds no NUL;
decimals on SQLite keep 15 digits.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from backstay.resources import Resource
from tests.bookshop.resources import SpecimenResource
from tests.proofs import record_proof, size
from tests.resources import oracle, questions, shop
from tests.resources.asking import ask
from tests.resources.serializers import exactly, serialized

#: Data sets of each test; a set costs more than a question, so many are asked of one.
_DATA_SETS, _QUESTIONS = size(30, 2_500), 20

#: Questions by test.
asked: Counter[str] = Counter()

_per_data_set = settings(
    max_examples=_DATA_SETS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db
@_per_data_set
@given(data=st.data())
def test_answers_about_related_rows_equal_those_of_serializers(
    data: st.DataObject, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        data.draw(shop.shops())
        rows = {resource: shop.read(resource) for resource in shop.SHOP}
        for _ in range(_QUESTIONS):
            resource = data.draw(st.sampled_from(shop.SHOP))
            _ask_and_compare(data, resource, rows[resource])
        transaction.set_rollback(True)
    _count(request)


@pytest.mark.django_db
@_per_data_set
@given(data=st.data())
def test_answers_about_every_type_of_value_equal_those_of_serializers(
    data: st.DataObject, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        data.draw(shop.specimens())
        rows = shop.read(SpecimenResource)
        for _ in range(_QUESTIONS):
            _ask_and_compare(data, SpecimenResource, rows)
        transaction.set_rollback(True)
    _count(request)


def _count(request: pytest.FixtureRequest) -> None:
    asked[request.node.name] += _QUESTIONS
    record_proof(request, f'{asked[request.node.name]} questions')


def _ask_and_compare(data: st.DataObject, resource: type[Resource], rows: Sequence[Any]) -> None:
    question = data.draw(questions.questions(resource, rows))
    note(f'{resource.__name__}: {question}')
    answer = ask(
        resource,
        question.mask_text,
        filter=question.filter_spec,
        sort=question.sort_spec,
        limit=question.limit,
        offset=question.offset,
        count=question.count,
    )
    found = [row for row in rows if oracle.passes(question.trees, row, resource)]
    keys = question.keys or oracle.declared_keys(resource.options.ordering)
    page = oracle.in_order(found, keys, resource)[question.offset :][: question.limit]
    expected, cut = serialized(resource, page, question.mask)
    assert answer.count == (None if question.count == 'none' else len(found))
    assert exactly(f'[{",".join(answer.texts)}]') == exactly(expected)
    assert sorted(answer.truncated) == sorted(cut)
