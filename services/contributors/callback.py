"""The one page of signing in with GitHub that is ours: where GitHub sends people back to.

Everything else of it is headless, below `/auth/`.
"""

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.github.views import oauth2_callback
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path


def callback(request: HttpRequest) -> HttpResponseBase:
    """End a sign-in with GitHub; a site without a client of GitHub has no such address."""
    try:
        answer: HttpResponseBase = oauth2_callback(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return answer


urlpatterns = [path('github/login/callback/', callback, name='github_callback')]
