"""Who must have a second factor, and what an account may do that has none: add one.

The sign-in API below `/auth/browser/` and `/auth/app/` is left open to it, because it adds factors;
all else is refused, by whichever way the account comes. API keys are no accounts: a program cannot
type a code, and a new key needs a session, which needs the factor.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.authentication import SessionAuthentication

from backstay.errors import problem_response
from backstay.identity.ladder import level_of
from backstay.identity.problems import SecondFactorRequired


def lacks_factor(account: Any) -> bool:
    """Whether the account must have a second factor and has none.

    One statement if it must; none otherwise.
    """
    is_staff = account.is_staff or account.is_superuser
    demanded = any(
        is_staff if kind == 'staff' else level_of(account) >= int(kind)
        for kind in settings.BACKSTAY.second_factor
    )
    return demanded and not Authenticator.objects.filter(user_id=account.pk).exists()


def with_factor(account: Any) -> Any:
    """Return the account. Raises SecondFactorRequired for one that must add a factor first."""
    if lacks_factor(account):
        raise SecondFactorRequired
    return account


def refusal_of(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a browser whose account must add a factor first; None otherwise.

    Who it is, is asked for views alone that would ask by the cookie themselves.
    """
    found = request.resolver_match
    if found is None or not settings.BACKSTAY.second_factor:
        return None
    names = found.app_names
    is_open = 'headless' in names or found.view_name == 'admin:logout'
    if is_open or settings.SESSION_COOKIE_NAME not in request.COOKIES or not _asks(found.func):
        return None
    user: Any = request.user
    if not user.is_authenticated or not lacks_factor(user):
        return None
    if 'admin' in names and 'text/html' in request.headers.get('Accept', ''):
        front = settings.BACKSTAY.frontend_url
        return render(request, 'identity/factor_required.html', {'front': front}, status=403)
    return problem_response(request, SecondFactorRequired())


def _asks(view: Any) -> bool:
    """Return whether a view may ask whose cookie it is: not probes, nor APIs without sessions."""
    if view.__module__.startswith('backstay.operations.'):
        return False
    classes = getattr(getattr(view, 'cls', None), 'authentication_classes', None)
    return classes is None or any(issubclass(each, SessionAuthentication) for each in classes)
