"""Workflows ask who has signed, and nobody else may."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from services.contributors.checking import AUTHORS
from services.contributors.models import Agreement, Contributor
from services.contributors.tests.issuer import Issuer

Make = Callable[..., Contributor]


def ask(body: Any, token: str = '', client: Client | None = None) -> Any:
    """The answer to a question."""
    headers = {'Authorization': f'Bearer {token}'} if token else {}
    return (client or Client(raise_request_exception=False)).post(
        '/contributors/check/',
        body if isinstance(body, str) else json.dumps(body),
        content_type='application/json',
        headers=headers,
    )


def about(*authors: Any, **more: Any) -> dict[str, Any]:
    """A question."""
    return {'authors': list(authors), **more}


def test_a_workflow_learns_who_has_signed_and_why_not(
    issuer: Issuer, agreement: Agreement, contributor: Make
) -> None:
    contributor('ann', 1, agreement)
    contributor('ben', 2, Agreement.objects.get(major=0))
    contributor('cem', 3)
    people = ({'id': 1}, {'id': 2}, {'id': 3}, {'id': 4}, {'address': ' ANN@Example.com'})

    answer = ask(about(*people), issuer.token())

    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        'version': '1.2.0',
        'authors': [
            {'id': 1, 'has_signed': True, 'reason': None},
            {'id': 2, 'has_signed': False, 'reason': 'old_agreement_signatures'},
            {'id': 3, 'has_signed': False, 'reason': 'no_agreement_signatures'},
            {'id': 4, 'has_signed': False, 'reason': 'no_agreement_signatures'},
            {'address': 'ANN@Example.com', 'has_signed': True, 'reason': None},
        ],
    }


@pytest.mark.parametrize(('anew', 'has_signed'), [('major', True), ('minor', False)])
def test_what_asks_to_sign_anew_is_the_matter_of_who_asks(
    issuer: Issuer, agreement: Agreement, contributor: Make, anew: str, has_signed: bool
) -> None:
    contributor('ann', 1, agreement)
    Agreement.objects.create(major=1, minor=3, patch=0, link='https://acme.example/1.3')

    answer = ask(about({'id': 1}, sign_anew=anew), issuer.token())

    assert answer.json()['authors'][0]['has_signed'] is has_signed


def test_it_costs_the_same_for_one_and_for_many(
    issuer: Issuer, agreement: Agreement, contributor: Make, django_assert_num_queries: Any
) -> None:
    for number in range(1, 6):
        contributor(f'a{number}', number, agreement)
    token = issuer.token()

    for count in (1, 5):
        with django_assert_num_queries(5):
            ask(about(*({'id': number} for number in range(1, count + 1))), token)


class TestNobodyElse:
    """P40: owner and workflow are required; strangers cannot ask who has signed."""

    def test_a_guest(self, agreement: Agreement) -> None:
        assert ask(about({'id': 1})).status_code == 401

    @pytest.mark.parametrize('level', [1, 5])
    def test_an_account(
        self, agreement: Agreement, contributor: Make, client_of: Any, level: int
    ) -> None:
        account = contributor('ann', 1, level=level).account

        assert ask(about({'id': 1}), client=client_of(account)).status_code == 403

    @pytest.mark.parametrize(
        'claims',
        [
            {'repository_owner_id': '43'},
            {'job_workflow_ref': 'octo/evil/.github/workflows/deploy.yaml@refs/heads/main'},
            {'aud': 'somebody-else'},
        ],
    )
    def test_another_workflow(
        self, issuer: Issuer, agreement: Agreement, claims: dict[str, str]
    ) -> None:
        assert ask(about({'id': 1}), issuer.token(**claims)).status_code == 401

    def test_a_workflow_reads_nothing_else(
        self, issuer: Issuer, agreement: Agreement, contributor: Make
    ) -> None:
        contributor('ann', 1, agreement)
        headers = {'Authorization': f'Bearer {issuer.token()}'}

        for path in ('people', 'signatures'):
            answer = Client().get(f'/contributors/{path}/', headers=headers)
            assert answer.status_code == 403, path


@pytest.mark.parametrize(
    'body',
    [
        '{',
        '[]',
        {},
        about(),
        about({}),
        about({'id': 'x'}),
        about({'id': 0}),
        about({'id': 2**70}),
        about({'address': 'x' * 300}),
        about({'address': '\x00'}),
        about({'address': None}),
        about({'id': 1}, sign_anew='never'),
        about(*({'id': number} for number in range(1, AUTHORS + 2))),
    ],
)
def test_a_bad_question_is_refused(issuer: Issuer, agreement: Agreement, body: Any) -> None:
    answer = ask(body, issuer.token())

    assert answer.status_code in {400, 422}, answer.content
    assert answer.json()['code']


def test_without_an_agreement_there_is_nothing_to_ask(issuer: Issuer, db: None) -> None:
    answer = ask(about({'id': 1}), issuer.token())

    assert (answer.status_code, answer.json()['code']) == (409, 'no-agreement')
