"""A site of the clinic, whose requests say by a word who makes them."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView

from backstay.errors import handler400, handler403, handler404, handler500
from backstay.resources import ResourceRouter, view_set_of
from tests.clinic.resources import SERVED
from tests.rights.site import AT_ITS_WORD, CallerAuthentication

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

router = ResourceRouter()
for prefix, resource in SERVED.items():
    router.register(prefix, view_set_of(resource, **AT_ITS_WORD))

_document = SpectacularJSONAPIView.as_view(
    patterns=[path('', include(router.urls))], authentication_classes=(CallerAuthentication,)
)
urlpatterns: list[URLPattern | URLResolver] = [path('document/', _document), *router.urls]
