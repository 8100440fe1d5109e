"""A site of the resources with rights, whose requests say by a word who makes them."""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from backstay.caller import Caller
from backstay.docs import docs_urls
from backstay.errors import handler400, handler403, handler404, handler500
from backstay.identity.callers import Machine
from backstay.resources import ResourceRouter, view_set_of
from tests.rights.callers import CALLERS
from tests.rights.resources import SERVED

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

#: Callers that a test made, by the word in `Authorization: Caller <word>`.
MADE: dict[str, Caller] = {}


class CallerAuthentication(BaseAuthentication):
    """Takes every request at its word."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        word = request.META.get('HTTP_AUTHORIZATION', '').removeprefix('Caller ')
        caller = MADE.get(word) or CALLERS.get(word or 'guest')
        if caller is None or caller.kind == 'guest':
            return None
        return Machine(caller), None

    def authenticate_header(self, _request: Request) -> str:
        return 'Caller'


class CallerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document describes it."""

    target_class = CallerAuthentication
    name = 'caller'

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {'type': 'apiKey', 'in': 'header', 'name': 'Authorization'}


AT_ITS_WORD: dict[str, Any] = {
    'authentication_classes': (CallerAuthentication,),
    'permission_classes': (AllowAny,),
}

router = ResourceRouter()
for prefix, resource in SERVED.items():
    router.register(prefix, view_set_of(resource, **AT_ITS_WORD))

document = SpectacularJSONAPIView.as_view(
    patterns=[path('', include(router.urls))], authentication_classes=(CallerAuthentication,)
)

urlpatterns: list[URLPattern | URLResolver] = [
    path('openapi.json', document, name='openapi'),
    *docs_urls(),
    *router.urls,
]
