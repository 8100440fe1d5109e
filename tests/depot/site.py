"""A site of the depot, whose requests say by a word who makes them."""

from django.urls import URLPattern, URLResolver

from backstay.docs import docs_urls
from backstay.errors import handler400, handler403, handler404, handler500
from backstay.resources import ResourceRouter, view_set_of
from tests.depot.resources import SERVED
from tests.rights.site import AT_ITS_WORD

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

router = ResourceRouter()
for prefix, resource in SERVED.items():
    router.register(prefix, view_set_of(resource, **AT_ITS_WORD))

urlpatterns: list[URLPattern | URLResolver] = [*docs_urls(), *router.urls]
