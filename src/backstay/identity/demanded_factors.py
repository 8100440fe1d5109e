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

    Views of Django REST Framework refuse by themselves when they ask who it is; probes never do.
    """
    found = request.resolver_match
    if found is None or not settings.BACKSTAY.second_factor:
        return None
    names = found.app_names
    is_open = 'headless' in names or found.view_name == 'admin:logout'
    asks_nobody = found.func.__module__.startswith('backstay.operations.')
    if is_open or asks_nobody or hasattr(found.func, 'cls'):
        return None
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    user: Any = request.user
    if not user.is_authenticated or not lacks_factor(user):
        return None
    if 'admin' in names and 'text/html' in request.headers.get('Accept', ''):
        front = settings.BACKSTAY.frontend_url
        return render(request, 'identity/factor_required.html', {'front': front}, status=403)
    return problem_response(request, SecondFactorRequired())
