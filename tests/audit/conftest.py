"""What the tests of the audit share."""

import pytest
from django.core.cache import cache

from backstay.identity.passwords import verified_passwords


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Nothing of allauth's counters and of remembered credentials outlives a test."""
    cache.clear()
    verified_passwords.clear()
