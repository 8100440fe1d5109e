"""The pytest plugin: whatever pytest runs is ENV=test unless the caller says otherwise.

Importing is enough for that: pytest loads plugins before pytest-django reads the settings.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from backstay.testing import Api, Who

os.environ.setdefault('ENV', 'test')


def pytest_configure(config: pytest.Config) -> None:
    """The marker with which a test tells that it asks no database."""
    config.addinivalue_line(
        'markers', 'engine_free: asks no database; a run on both engines runs it once'
    )


@pytest.fixture
def api(db: None) -> 'Api':  # noqa: ARG001 the fixture is what is wanted
    """A client of the site whose verbs check; it asks as a guest."""
    from backstay.testing import Api

    return Api()


@pytest.fixture
def as_caller(db: None) -> 'Callable[..., Api]':  # noqa: ARG001
    """The same for another: `as_caller(account)`, or `as_caller(scopes=[('companies', 7, 2)])`."""
    from backstay.testing import Api, caller

    def ask_as(who: 'Who' = None, /, **said: Any) -> 'Api':
        return Api(caller(**said) if said else who)

    return ask_as
