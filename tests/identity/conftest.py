"""What the tests of identity share."""

import pytest
from django.core.cache import cache

from backstay.identity.models import Account
from backstay.identity.passwords import verified_passwords
from tests.identity.signing_in import account_with_password
from tests.identity.site import SHOP


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Nothing of allauth's counters and of remembered credentials outlives a test."""
    cache.clear()
    verified_passwords.clear()


@pytest.fixture
def site(settings: pytest.FixtureRequest) -> None:
    """The site of `tests.identity.site`, where accounts hold their groups."""
    settings.ROOT_URLCONF = 'tests.identity.site'  # type: ignore[attr-defined]
    settings.BACKSTAY_SERVICES = (SHOP,)  # type: ignore[attr-defined]


@pytest.fixture
def ann(db: None) -> Account:
    """Somebody with a password and a verified address."""
    return account_with_password('ann@example.com', name='Ann')
