"""A site with more of Django REST Framework: sessions, permissions, throttles, pages."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.throttling import SimpleRateThrottle

from backstay.errors import handler400, handler403, handler404, handler500
from backstay.resources import ResourceRouter, view_set_of
from tests.bookshop.resources import BookResource, CountryResource
from tests.catalogue.resources import ProductResource

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']


class TwiceADay(SimpleRateThrottle):
    """Two requests, whoever asks."""

    rate = '2/day'

    def get_cache_key(self, _request: object, _view: object) -> str:
        return 'tests.resources.http'


router = ResourceRouter()
router.register(
    'products',
    view_set_of(
        ProductResource,
        authentication_classes=(SessionAuthentication,),
        permission_classes=(IsAuthenticated,),
    ),
)
router.register(
    'countries',
    view_set_of(
        CountryResource,
        authentication_classes=(),
        permission_classes=(),
        throttle_classes=(TwiceADay,),
    ),
)
router.register(
    'pages',
    view_set_of(
        BookResource,
        authentication_classes=(),
        permission_classes=(),
        renderer_classes=(JSONRenderer, BrowsableAPIRenderer),
    ),
)

urlpatterns = router.urls
