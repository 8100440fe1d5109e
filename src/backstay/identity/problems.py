"""What can be wrong with who asks.

Django REST Framework's exceptions, so that a view with its own handler can show them, each with the
code of the problem document that Backstay's handler makes of it.

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
    └── LevelTooLow              403 level-too-low
    Problem, because plain Django views raise it too
    ├── SignInThrottled          429 login-throttled
    ├── UndoExpired              410 expired
    └── EmailTaken               409 email-taken
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

from backstay.errors import Problem, problem_from

#: What a 401 outside of Django REST Framework asks for.
CHALLENGE = 'Bearer realm="backstay"'


class TokenInvalid(AuthenticationFailed):
    """It is none of ours, or it has been replaced."""

    default_code = 'token-invalid'
    default_detail = 'The token is not valid.'


class TokenExpired(AuthenticationFailed):
    """It was ours."""

    default_code = 'token-expired'
    default_detail = 'The token has expired.'


class SessionRevoked(AuthenticationFailed):
    """The session behind the token has been ended."""

    default_code = 'session-revoked'
    default_detail = 'The session has been ended; sign in again.'


class CredentialsInvalid(AuthenticationFailed):
    """Wrong password or unknown name: which, nobody is told."""

    default_code = 'credentials-invalid'
    default_detail = 'The user name or the password is wrong.'


class SecondFactorNeeded(AuthenticationFailed):
    """The password is right, and not enough."""

    default_code = 'totp-required'
    default_detail = 'The account has a second factor: sign in at /auth/ and use a token.'


class AccountBlocked(PermissionDenied):
    """The credentials are right; the account may not be used."""

    default_code = 'account-blocked'
    default_detail = 'The account is blocked or closed.'


class EmailUnverified(PermissionDenied):
    """The credentials are right; whose the e-mail address is, nobody knows yet."""

    default_code = 'email-unverified'
    default_detail = 'The e-mail address of the account is not verified.'


class AddressNotAllowed(PermissionDenied):
    """The key may be used from other networks only."""

    default_code = 'ip-not-allowed'
    default_detail = 'The key may not be used from this address.'


class LevelTooLow(PermissionDenied):
    """Nothing of the resource is for callers of this level."""

    default_code = 'level-too-low'
    default_detail = 'The caller may not do this.'


class SignInThrottled(Problem):
    """Too many attempts; `Retry-After` says when one counts again."""

    code = 'login-throttled'

    def __init__(self, seconds: int) -> None:
        super().__init__(
            'Too many attempts; try again later.', headers={'Retry-After': str(seconds)}
        )


class UndoExpired(Problem):
    """What undoes a change of the address has been used, is too old, or is none of ours."""

    code = 'expired'


class EmailTaken(Problem):
    """The address belongs to another account by now."""

    code = 'email-taken'


@contextmanager
def answered_as_problems() -> Iterator[None]:
    """In a plain Django view: exceptions of Django REST Framework become the problems they mean."""
    try:
        yield
    except APIException as error:
        problem = problem_from(error)
        if problem is None:
            raise
        if problem.answer_status == 401:
            problem.headers['WWW-Authenticate'] = CHALLENGE
        raise problem from None
