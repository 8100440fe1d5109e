"""Contributors, an agreement, callers of every kind, and a GitHub to sign in with."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from backstay.identity import pipelines
from backstay.identity.models import Account
from services.contributors.models import Address, Agreement, Contributor, Signature
from services.contributors.tests.issuer import Issuer


@pytest.fixture
def agreement(db: None) -> Agreement:
    """The newest version, 1.2.0, after an earlier one."""
    Agreement.objects.create(major=0, minor=9, patch=0, link='https://acme.example/0.9')
    return Agreement.objects.create(major=1, minor=2, patch=0, link='https://acme.example/1.2')


@pytest.fixture
def contributor(db: None) -> Callable[..., Contributor]:
    """Makes contributors with an account, addresses and signatures."""

    def make(login: str, github_id: int, *signed: Agreement, level: int = 1) -> Contributor:
        account = Account.objects.create_user(f'{login}@example.com', level=level)
        made = Contributor.objects.create(account=account, github_id=github_id, login=login)
        Address.objects.create(contributor=made, address=f'{login}@example.com')
        for each in signed:
            Signature.objects.create(contributor=made, agreement=each)
        return made

    return make


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """A client that is signed in as an account; as a guest for None."""

    def make(account: Any) -> Client:
        client = Client(raise_request_exception=False)
        if account is not None:
            client.force_login(account)
        return client

    return make


@pytest.fixture(scope='module')
def _issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.end()


@pytest.fixture
def issuer(_issuer: Issuer, settings: Any) -> Iterator[Issuer]:
    """GitHub's issuer of tokens, and a site that takes them of one owner and one workflow."""
    settings.BACKSTAY = settings.BACKSTAY.model_copy(
        update={
            'pipeline_audience': 'https://api.example.com',
            'pipeline_owners': ('42',),
            'pipeline_workflows': ('octo/shop/.github/workflows/deploy.yaml@refs/heads/*',),
        }
    )
    settings.BACKSTAY_PIPELINE_ISSUER = _issuer.address
    pipelines._keys_of.cache_clear()
    yield _issuer
    pipelines._keys_of.cache_clear()
