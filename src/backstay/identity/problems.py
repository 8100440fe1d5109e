"""Errors about the caller of a request.

They are Django REST Framework's exceptions, so that a view with its own handler can show them, each
with the code of the problem document that Backstay's handler makes of it.

    AuthenticationFailed
    ├── TokenInvalid             401 token-invalid
    ├── TokenExpired             401 token-expired
    ├── SessionRevoked           401 session-revoked
    ├── CredentialsInvalid       401 credentials-invalid
    └── SecondFactorNeeded       401 totp-required
    PermissionDenied
    ├── AccountBlocked           403 account-blocked
    ├── EmailUnverified          403 email-unverified
    ├── AddressNotAllowed        403 ip-not-allowed
    ├── LevelTooLow              403 level-too-low
    └── SignInTooOld             403 sign-in-too-old
    Problem, because plain Django views raise it too
    ├── SignInThrottled          429 login-throttled
    ├── UndoExpired              410 expired
    ├── EmailTaken               409 email-taken
    └── SecondFactorRequired     403 second-factor-required
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

from backstay.errors import Problem, problem_from

#: The challenge of a 401 outside of Django REST Framework.
CHALLENGE = 'Bearer realm="backstay"'


class TokenInvalid(AuthenticationFailed):
    """The token is unknown, or it has been replaced."""

    default_code = 'token-invalid'
    default_detail = 'The token is not valid.'


class TokenExpired(AuthenticationFailed):
    """The token was valid once."""

    default_code = 'token-expired'
    default_detail = 'The token has expired.'


class SessionRevoked(AuthenticationFailed):
    """The session behind the token has been ended."""

    default_code = 'session-revoked'
    default_detail = 'The session has been ended; sign in again.'


class CredentialsInvalid(AuthenticationFailed):
    """The password is wrong or the name unknown; the answer does not say which."""

    default_code = 'credentials-invalid'
    default_detail = 'The user name or the password is wrong.'


class SecondFactorNeeded(AuthenticationFailed):
    """The password is right, but the account also needs a second factor."""

    default_code = 'totp-required'
    default_detail = 'The account has a second factor: sign in at /auth/ and use a token.'


class AccountBlocked(PermissionDenied):
    """The credentials are right; the account may not be used."""

    default_code = 'account-blocked'
    default_detail = 'The account is blocked or closed.'


class EmailUnverified(PermissionDenied):
    """The credentials are right, but the e-mail address has not been verified."""

    default_code = 'email-unverified'
    default_detail = 'The e-mail address of the account is not verified.'


class AddressNotAllowed(PermissionDenied):
    """The key may only be used from other networks."""

    default_code = 'ip-not-allowed'
    default_detail = 'The key may not be used from this address.'


class LevelTooLow(PermissionDenied):
    """The resource allows callers of this level nothing."""

    default_code = 'level-too-low'
    default_detail = 'The caller may not do this.'


class SignInTooOld(PermissionDenied):
    """The session's person has to show again who they are."""

    default_code = 'sign-in-too-old'
    default_detail = 'Sign in again, or give the password or a code once more, and repeat this.'


class SignInThrottled(Problem):
    """There were too many attempts; `Retry-After` says when the next may come."""

    code = 'login-throttled'

    def __init__(self, seconds: int) -> None:
        super().__init__(
            'Too many attempts; try again later.', headers={'Retry-After': str(seconds)}
        )


class SecondFactorRequired(Problem):
    """The account must have a second factor, and may do nothing before it has added one."""

    code = 'second-factor-required'

    def __init__(self) -> None:
        super().__init__('The account must have a second factor: add one at /auth/.')


class UndoExpired(Problem):
    """The link that undoes a change of address is used, too old, or unknown."""

    code = 'expired'


class EmailTaken(Problem):
    """The address has been taken by another account in the meantime."""

    code = 'email-taken'


@contextmanager
def answered_as_problems() -> Iterator[None]:
    """Turn exceptions of Django REST Framework into problems inside a plain Django view."""
    try:
        yield
    except APIException as error:
        problem = problem_from(error)
        if problem is None:
            raise
        if problem.answer_status == 401:
            problem.headers['WWW-Authenticate'] = CHALLENGE
        raise problem from None
