"""What the tests of code review share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from backstay.identity.passwords import verified_passwords
from services.codereview.tests import data


@pytest.fixture
def _one_connection(db: None) -> Iterator[None]:
    """Requests to the WSGI application use the test's connection, as Django's client has it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """Limits and verified passwords are those of one test."""
    cache.clear()
    verified_passwords.clear()


@pytest.fixture
def bot(db: None) -> data.Bot:
    """The publishing bot, with its account."""
    data.bot_account()
    return data.Bot()


@pytest.fixture
def guest(db: None) -> data.Bot:
    """Somebody without credentials."""
    return data.Bot(None)
