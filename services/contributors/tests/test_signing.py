"""People sign, and see what is theirs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from backstay.identity.models import Account
from services.contributors.models import Address, Agreement, Contributor, Signature

Make = Callable[..., Contributor]
SIGN = '/contributors/sign/'


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type='application/json')


def test_signing_twice_is_signing_once(
    agreement: Agreement, contributor: Make, client_of: Any
) -> None:
    client = client_of(contributor('ann', 1).account)

    first = post(client, SIGN, {'version': '1.2.0'})
    again = post(client, SIGN, {'version': '1.2.0'})

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()['version'] == '1.2.0'
    assert Signature.objects.count() == 1


def test_only_the_newest_version_is_signed(
    agreement: Agreement, contributor: Make, client_of: Any
) -> None:
    client = client_of(contributor('ann', 1).account)

    for version in ('0.9.0', '9.9.9'):
        answer = post(client, SIGN, {'version': version})
        assert (answer.status_code, answer.json()['code']) == (409, 'version-outdated')
        assert '1.2.0' in answer.json()['detail']
    assert not Signature.objects.exists()


def test_who_has_not_shown_a_github_account_cannot_sign(
    agreement: Agreement, client_of: Any, db: None
) -> None:
    stranger = Account.objects.create_user('eve@example.com')
    Contributor.objects.create(github_id=5, login='gone')  # an account that nobody has

    answer = post(client_of(stranger), SIGN, {'version': '1.2.0'})

    assert (answer.status_code, answer.json()['code']) == (403, 'github-needed')
    assert post(client_of(None), SIGN, {'version': '1.2.0'}).status_code == 401


@pytest.mark.parametrize('body', [{}, {'version': '1.2'}, {'version': 12}, {'version': ['1.2.0']}])
def test_what_is_no_version_is_refused(
    agreement: Agreement, contributor: Make, client_of: Any, body: Any
) -> None:
    answer = post(client_of(contributor('ann', 1).account), SIGN, body)

    assert answer.status_code in {400, 422, 409}
    assert not Signature.objects.exists()


class TestRights:
    def test_everybody_reads_the_texts(self, agreement: Agreement, client_of: Any) -> None:
        answer = client_of(None).get('/contributors/agreements/')

        assert [each['version'] for each in answer.json()['results']] == ['1.2.0', '0.9.0']

    def test_people_see_themselves_alone(
        self, agreement: Agreement, contributor: Make, client_of: Any
    ) -> None:
        ann, _ben = contributor('ann', 1, agreement), contributor('ben', 2, agreement)
        client = client_of(ann.account)
        mask = '?fields=login,addresses{address},signatures{agreement{version}}'

        (shown,) = client.get(f'/contributors/people/{mask}').json()['results']
        (signature,) = client.get('/contributors/signatures/').json()['results']

        assert shown == {
            'login': 'ann',
            'addresses': [{'address': 'ann@example.com'}],
            'signatures': [{'agreement': {'version': '1.2.0'}}],
        }
        assert signature['contributor_id'] == ann.pk

    def test_guests_see_nobody(self, contributor: Make, client_of: Any) -> None:
        contributor('ann', 1)

        for path in ('people', 'signatures'):
            assert client_of(None).get(f'/contributors/{path}/').status_code == 401

    @pytest.mark.parametrize(('level', 'seen'), [(3, 1), (4, 3), (5, 3)])
    def test_keepers_see_all(
        self, contributor: Make, client_of: Any, level: int, seen: int
    ) -> None:
        contributor('ann', 1)
        contributor('ben', 2)
        keeper = contributor('kim', 3, level=level)

        answer = client_of(keeper.account).get('/contributors/people/')

        assert answer.json()['count'] == seen

    @pytest.mark.parametrize(('level', 'status'), [(1, 403), (3, 403), (4, 201)])
    def test_keepers_publish_versions(
        self, contributor: Make, client_of: Any, level: int, status: int
    ) -> None:
        body = {'major': 2, 'minor': 0, 'patch': 0, 'link': 'https://acme.example/2'}

        answer = post(
            client_of(contributor('kim', 3, level=level).account),
            '/contributors/agreements/',
            body,
        )

        assert answer.status_code == status, answer.content
        assert Agreement.objects.count() == int(status == 201)

    def test_nobody_writes_a_signature_or_a_contributor(
        self, agreement: Agreement, contributor: Make, client_of: Any
    ) -> None:
        keeper = contributor('kim', 3, level=5)
        client = client_of(keeper.account)

        for path, body in (
            ('signatures', {'contributor_id': keeper.pk, 'agreement_id': agreement.pk}),
            ('people', {'github_id': 9, 'login': 'x'}),
        ):
            assert post(client, f'/contributors/{path}/', body).status_code in {403, 405}
        assert not Signature.objects.exists()


class TestTheDatabase:
    def test_keeps_an_address_for_one_contributor(self, contributor: Make) -> None:
        contributor('ann', 1)
        ben = contributor('ben', 2)

        with pytest.raises(IntegrityError), transaction.atomic():
            Address.objects.create(contributor=ben, address='ann@example.com')
        with pytest.raises(IntegrityError), transaction.atomic():
            Address.objects.create(contributor=ben, address='Ben@Example.com')

    def test_keeps_what_was_signed_when_the_account_goes(
        self, agreement: Agreement, contributor: Make
    ) -> None:
        ann = contributor('ann', 1, agreement)

        assert ann.account
        ann.account.delete()

        assert Signature.objects.get().contributor.account is None
