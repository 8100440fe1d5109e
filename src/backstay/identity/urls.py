"""Everything under `/auth/`: the platform's endpoints, and allauth's headless API."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from backstay.identity.own_account import EraseView, OwnDataView
from backstay.identity.sessions import SessionViewSet
from backstay.identity.views import KeyViewSet, MeView, UndoEmailView


def identity_urls() -> list[URLPattern | URLResolver]:
    """Return the addresses for signing in, for the caller's own account, and for keys.

    https://docs.allauth.org/en/latest/headless/openapi-specification/
    """
    router = SimpleRouter(use_regex_path=False)
    router.register('keys', KeyViewSet, basename='key')
    router.register('sessions', SessionViewSet, basename='session')
    return [
        path('auth/me', MeView.as_view(), name='me'),
        path('auth/me/data', OwnDataView.as_view(), name='own-data'),
        path('auth/me/erase', EraseView.as_view(), name='erase'),
        path('auth/email/undo', UndoEmailView.as_view(), name='undo-email'),
        path('auth/', include(router.urls)),
        path('auth/', include('allauth.headless.urls')),
    ]
