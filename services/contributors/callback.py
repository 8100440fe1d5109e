"""The one page of signing in with GitHub that is ours: where GitHub sends people back to.

Everything else of it is headless, below `/auth/`.
"""

from allauth.socialaccount.providers.github.views import oauth2_callback
from django.urls import path

urlpatterns = [path('github/login/callback/', oauth2_callback, name='github_callback')]
