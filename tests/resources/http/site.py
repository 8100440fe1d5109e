"""A site that serves the bookshop and the catalogue to anybody."""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny

from backstay.errors import handler400, handler403, handler404, handler500
from backstay.resources import Many, Resource, ResourceRouter, ResourceViewSet, view_set_of
from tests.bookshop import resources as bookshop
from tests.bookshop.resources import OPEN
from tests.catalogue import resources as catalogue
from tests.catalogue.models import Product
from tests.lending.models import Keyword

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']


class ShelfResource(Resource):
    """Something that has more rows below it than a page of it may read."""

    grants = OPEN

    class Meta:
        model = Product
        name = 'Shelf'
        fields = ('id', 'name')

    variants = Many(catalogue.ShownVariantResource, fan_out=600)


class PhraseResource(Resource):
    """Something that is found by a text with blanks."""

    grants = OPEN

    class Meta:
        model = Keyword
        name = 'Phrase'
        fields = ('id', 'word')
        lookup = 'word'


SERVED: dict[str, type[Resource]] = {
    'authors': bookshop.AuthorResource,
    'books': bookshop.BookResource,
    'cards': bookshop.CardResource,
    'countries': bookshop.CountryResource,
    'editions': bookshop.EditionResource,
    'publishers': bookshop.PublisherResource,
    'specimens': bookshop.SpecimenResource,
    'phrases': PhraseResource,
    'volumes': bookshop.VolumeResource,
    'categories': catalogue.CategoryResource,
    'products': catalogue.ProductResource,
    'shelves': ShelfResource,
    'variants': catalogue.VariantResource,
    'shown': catalogue.ShownProductResource,
}


def open_to_all(resource: type[Resource], **attributes: Any) -> type[ResourceViewSet]:
    """A view set that asks nobody who they are."""
    attributes = {'authentication_classes': (), 'permission_classes': (AllowAny,), **attributes}
    return view_set_of(resource, **attributes)


router = ResourceRouter()
for prefix, resource in SERVED.items():
    router.register(prefix, open_to_all(resource))

document = SpectacularJSONAPIView.as_view(patterns=[path('', include(router.urls))])

#: What the tests with generated requests call: every kind of value, of lookup and of relation.
FEW = ('books', 'countries', 'products', 'specimens')
few = ResourceRouter()
for prefix in FEW:
    few.register(prefix, open_to_all(SERVED[prefix]))
few_document = SpectacularJSONAPIView.as_view(patterns=[path('', include(few.urls))])

urlpatterns: list[URLPattern | URLResolver] = [
    path('openapi.json', document),
    path('few.json', few_document),
    *router.urls,
]
