"""The authentication classes of the API, for Django REST Framework.

Each works on any view. Invalid credentials are rejected even where guests are welcome: a client
that believes itself signed in must not be taken for a guest. No credentials give a 401 where the
view's first class has a challenge, which all but the session have, and a 403 otherwise.
"""

import base64
from typing import Any

from rest_framework import authentication
from rest_framework.request import Request

from backstay.audit import record
from backstay.errors import csrf_failed
from backstay.identity.callers import Machine
from backstay.identity.demanded_factors import with_factor
from backstay.identity.keys import PREFIX, caller_of_key
from backstay.identity.loading import account_called
from backstay.identity.passwords import verified_account, verified_passwords
from backstay.identity.pipelines import caller_of_pipeline, looks_like_pipeline
from backstay.identity.problems import (
    AccountBlocked,
    CredentialsInvalid,
    EmailUnverified,
    SecondFactorNeeded,
    TokenInvalid,
)
from backstay.identity.tokens import account_of_access_token

_REALM = 'realm="backstay"'


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer` with an access token, an API key, or a token of GitHub Actions."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        """Return the account or machine, and the kind of its credentials."""
        refuse_other_schemes(request)
        token = _credentials_of(request, 'bearer')
        if token is None:
            return None
        if token.startswith('cat_'):
            return with_factor(account_of_access_token(token, request._request)), 'token'
        if token.startswith('cak_'):
            return Machine(caller_of_key(token, request._request)), 'key'
        if looks_like_pipeline(token):
            return Machine(caller_of_pipeline(token, request._request)), 'pipeline'
        raise TokenInvalid

    def authenticate_header(self, _request: Request) -> str:
        """Return the challenge of a 401."""
        return f'Bearer {_REALM}'


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """The header `X-Api-Key`."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        """Return the machine, and the kind of its credentials."""
        key = request.META.get('HTTP_X_API_KEY')
        if key is None:
            return None
        return Machine(caller_of_key(key, request._request)), 'key'

    def authenticate_header(self, _request: Request) -> str:
        """Return the challenge of a 401; keys may be sent as bearer tokens."""
        return f'Bearer {_REALM}'


class BasicAuthentication(authentication.BaseAuthentication):
    """`Authorization: Basic` (RFC 7617), of accounts without a second factor, or with an API key.

    Programs that can be given a name and a password alone send a key as the password; their name
    is theirs to choose.
    """

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        """Return the account or machine: one statement, and at most one hash a minute."""
        given = _credentials_of(request, 'basic')
        if given is None:
            return None
        try:
            text = base64.b64decode(given, validate=True).decode()
        except ValueError:  # of base64, or of UTF-8
            raise CredentialsInvalid('The credentials cannot be read.') from None
        name, _, password = text.partition(':')
        if password.startswith(PREFIX):
            return Machine(caller_of_key(password, request._request)), 'key'
        if not name or not password or '\x00' in text:
            raise CredentialsInvalid
        account = account_called(name)
        if account is None or not verified_passwords.knows(account, password):
            account = verified_account(request._request, name, password, by_program=True)
            if account is None:
                raise CredentialsInvalid
            verified_passwords.remember(account, password)
            record('sign-in', account_id=account.pk, how='basic')
        if not account.is_active:
            raise AccountBlocked
        if account.has_second_factor:
            raise SecondFactorNeeded
        if account.is_unverified:
            raise EmailUnverified
        return with_factor(account), 'password'

    def authenticate_header(self, _request: Request) -> str:
        """Return the challenge of a 401."""
        return f'Basic {_REALM}, charset="UTF-8"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie, with Django's protection against forged requests."""

    def enforce_csrf(self, request: Any) -> None:
        """Reject a request that another site's page may have sent."""
        check = authentication.CSRFCheck(_nothing)
        check.process_request(request)
        if check.process_view(request, _nothing, (), {}):
            raise csrf_failed()


def _nothing(_request: Any) -> Any:
    """Stand in for the view that the check would call next."""


def refuse_other_schemes(request: Request) -> None:
    """Raise CredentialsInvalid for an `Authorization` that none of the classes reads."""
    given = request.META.get('HTTP_AUTHORIZATION', '').strip()
    if given and given.partition(' ')[0].lower() not in ('bearer', 'basic'):
        raise CredentialsInvalid('`Authorization` is either Bearer or Basic here.')


def _credentials_of(request: Request, scheme: str) -> str | None:
    """Return the credentials of `Authorization`; None without the header or for another scheme."""
    given, _, credentials = request.META.get('HTTP_AUTHORIZATION', '').partition(' ')
    return credentials.strip() if given.lower() == scheme else None
