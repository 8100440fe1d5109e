"""The whole site with every service, and the resources of the tests beside it."""

from django.urls import URLPattern, URLResolver, include, path

from backstay.docs import JsonDocumentView
from backstay.errors import handler400, handler403, handler404, handler500
from backstay.resources import ResourceRouter
from backstay.site.urls import urlpatterns as site_patterns
from tests.lending.site import router as lending
from tests.resources.http.site import router as open_to_all
from tests.rights.site import CallerAuthentication
from tests.rights.site import router as rights

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

#: What the prefixes of the tests' resources serve; their requests say by a word who makes them.
WORDED: dict[str, ResourceRouter] = {'rights/': rights, 'lending/': lending, 'open/': open_to_all}


def _described(router: ResourceRouter) -> list[URLPattern]:
    document = JsonDocumentView.as_view(
        patterns=[path('', include(router.urls))], authentication_classes=(CallerAuthentication,)
    )
    return [path('openapi.json', document), *router.urls]


urlpatterns: list[URLPattern | URLResolver] = [
    *(path(prefix, include(_described(router))) for prefix, router in WORDED.items()),
    *site_patterns,
]
