"""A site where publishers are read under the eyes of the audit, and books are not."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from backstay.errors import handler400, handler403, handler404, handler500
from backstay.events.urls import events_urls
from backstay.identity.urls import identity_urls
from backstay.resources import (
    ALL,
    Grant,
    Many,
    One,
    Resource,
    ResourceRouter,
    anyone,
    signed_in,
    view_set_of,
)
from backstay.resources.admin.registering import admin_of
from backstay.site import urls as site_urls
from tests.bookshop.models import Book, Country, Publisher

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']


class WatchedPublisherResource(Resource):
    """Publishers, of whom the audit knows who read them."""

    class Meta:
        model = Publisher
        name = 'WatchedPublisher'
        fields = ('id', 'name', 'country_id')
        default_mask = '{id,name,country_id}'
        audited_reads = True

    grants = (
        Grant(anyone, read=ALL),
        Grant(signed_in, read=ALL, write=('name',), create=('name',)),
    )


class WatchedBookResource(Resource):
    """Books, which anybody may read without a trace, but for what they tell of publishers."""

    class Meta:
        model = Book
        name = 'WatchedBook'
        fields = ('id', 'title', 'publisher_id')
        default_mask = '{id,title}'

    grants = (Grant(anyone, read=ALL),)

    publisher = One(WatchedPublisherResource)


class WatchedCountryResource(Resource):
    """Countries, with the publishers in them."""

    class Meta:
        model = Country
        name = 'WatchedCountry'
        fields = ('code', 'name')
        lookup = 'code'
        ordering = ('code',)

    grants = (Grant(anyone, read=ALL),)

    publishers = Many(WatchedPublisherResource, source='publisher')


router = ResourceRouter()
router.register('countries', view_set_of(WatchedCountryResource))
router.register('publishers', view_set_of(WatchedPublisherResource))
router.register('books', view_set_of(WatchedBookResource))

#: It has given resources their pages, once, before ours are listed.
assert site_urls.urlpatterns

pages = admin.AdminSite(name='watched')
pages.register(Publisher, admin_of(WatchedPublisherResource))
pages.register(Book, admin_of(WatchedBookResource))

urlpatterns: list[URLPattern | URLResolver] = [
    path('admin/', admin.site.urls),
    path('watched/', pages.urls),
    *identity_urls(),
    *events_urls(),
    *router.urls,
]
