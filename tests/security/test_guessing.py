"""Secrets that the site makes: how much chance is in each, and that none comes twice."""

import base64
import math
from collections.abc import Callable

import pytest
from allauth.account import app_settings as allauth_account
from allauth.account.adapter import get_adapter
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret

from backstay.events.secrets import new_secret
from backstay.identity import email_changes
from backstay.identity.keys import new_key
from backstay.identity.models import Account
from backstay.identity.session_store import AppSessionStore, SessionStore
from backstay.identity.tokens import start_pair

MADE = 200


def bits_of(text: str) -> float:
    """The most chance that a text of this length can hold, by the letters that are in it."""
    kinds = ((str.islower, 26), (str.isupper, 26), (str.isdigit, 10), (lambda c: c in '-_+/', 2))
    letters = sum(size for is_kind, size in kinds if any(map(is_kind, text)))
    return len(text) * math.log2(letters)


@pytest.fixture
def account(db: None) -> Account:
    """Somebody without a password."""
    return Account.objects.create_user('ann@example.com', level=3)


def access_token(account: Account) -> str:
    """What a program calls with, behind its prefix and the part that finds it."""
    return start_pair(account, 'session').access[4 + 22 :]


def refresh_token(account: Account) -> str:
    """What brings the next pair, without the seal at its end."""
    return start_pair(account, 'session').refresh[4 + 22 : -32]


def api_key(account: Account) -> str:
    """The secret part of a key."""
    return new_key(account, 'key')[1].partition('.')[2]


def undo(account: Account) -> str:
    """What undoes a change of address."""
    return email_changes.remember_change(account, 'old@example.com').removeprefix('ceu_')


def session(_: Account) -> str:
    """What a browser's cookie holds."""
    return SessionStore()._get_new_session_key()


def app_session(_: Account) -> str:
    """What an app shows, behind its prefix and the moment."""
    return AppSessionStore()._get_new_session_key()[4 + 8 :]


def webhook_secret(_: Account) -> str:
    """What events are signed with."""
    return new_secret().removeprefix('whsec_').rstrip('=')


@pytest.mark.parametrize(
    'make', [access_token, refresh_token, api_key, undo, session, app_session, webhook_secret]
)
def test_a_token_has_128_bits_and_never_comes_twice(
    make: Callable[[Account], str], account: Account
) -> None:
    made = [make(account) for _ in range(MADE)]

    assert len({*made}) == MADE
    assert min(map(bits_of, made)) >= 128
    # No place of it stands still.
    assert all(len({*letters}) > 5 for letters in zip(*made, strict=False))


class TestCodes:
    def test_that_are_mailed_have_20_bits(self) -> None:
        codes = [get_adapter().generate_password_reset_code() for _ in range(MADE)]
        letters = {letter for code in codes for letter in code if letter != '-'}
        length = len(codes[0].replace('-', ''))

        assert len({*codes}) == MADE
        assert length * math.log2(len(letters)) >= 20

    def test_that_are_mailed_last_ten_minutes(self) -> None:
        assert allauth_account.PASSWORD_RESET_BY_CODE_TIMEOUT <= 600
        assert allauth_account.EMAIL_VERIFICATION_BY_CODE_TIMEOUT <= 600

    def test_that_recover_have_20_bits(self, account: Account) -> None:
        codes = RecoveryCodes.activate(account).get_unused_codes()

        assert len({*codes}) == 10
        assert all(len(code) * math.log2(10) >= 20 for code in codes)

    def test_of_an_authenticator_come_of_160_random_bits(self) -> None:
        made = {generate_totp_secret() for _ in range(MADE)}

        assert len(made) == MADE
        assert all(len(base64.b32decode(each)) == 20 for each in made)
