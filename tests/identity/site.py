"""A site with open and closed views, a resource with grants, and everything under `/auth/`."""

from typing import Any

from django.contrib import admin
from django.db.models import DecimalField, F, Q, Value
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, URLResolver, path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import backstay.site.urls  # noqa: F401 it gives resources their pages, once, before ours are listed
from backstay.caller import Held
from backstay.errors import handler400, handler403, handler404, handler500
from backstay.identity.authentication import BasicAuthentication, SessionAuthentication
from backstay.identity.callers import caller_of
from backstay.identity.models import Account
from backstay.identity.throttles import AddressThrottle, CallerThrottle, SiteThrottle
from backstay.identity.urls import identity_urls
from backstay.resources import (
    ALL,
    CallerValue,
    Computed,
    Grant,
    One,
    Parent,
    Resource,
    ResourceRouter,
    Scope,
    level_somewhere,
    signed_in,
    view_set_of,
)
from backstay.services import Service
from tests.catalogue.models import Category, Product

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']


def scopes_of(account_id: Any) -> Any:
    """An account holds level 2 over each of its groups."""
    held = Account.groups.through.objects.filter(account_id=account_id).order_by('group_id')
    return held.values_list(Value('groups'), 'group_id', Value(2), Value(False))


def scopes_by_name(account_id: Any) -> tuple[Held, ...]:
    """What only Python can tell."""
    return (Held(over='moods', id=f'mood-{account_id}', level=1),)


#: A service that says what accounts hold.
SHOP = Service(name='shop', title='Shop', apps=(), urls={}, scopes='tests.identity.site.scopes_of')


@api_view()
@permission_classes([AllowAny])
def open_view(request: Request) -> Response:
    """Who asks, guests too."""
    return _who(request)


@api_view(['GET', 'POST'])
@permission_classes([IsAuthenticated])
def closed_view(request: Request) -> Response:
    """Who asks, guests not."""
    return _who(request)


def _who(request: Request) -> Response:
    caller = caller_of(request)
    return Response({'kind': caller.kind, 'name': caller.name, 'key': caller.key})


async def awaited_view(request: HttpRequest) -> JsonResponse:
    """Who asks, of a view that waits for the answer."""
    user = await request.auser()
    return JsonResponse({'name': user.get_username()})


class ForbiddingView(APIView):
    """A view whose first way of signing in has no challenge, so that it answers 403."""

    authentication_classes = (SessionAuthentication, BasicAuthentication)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        """Who asks."""
        return Response({'name': caller_of(request).name})


class CountedView(APIView):
    """So many calls of each caller."""

    permission_classes = (AllowAny,)
    throttle_classes = (CallerThrottle,)

    def get(self, _: Request) -> Response:
        """Nothing."""
        return Response({})


class CountedHereView(CountedView):
    """So many calls from each address, and so many of each caller."""

    throttle_classes = (AddressThrottle, CallerThrottle)


class OrdinaryView(CountedView):
    """What a view is limited by that names nothing itself."""

    throttle_classes = (SiteThrottle,)


class StaffProductResource(Resource):
    """Products for level 2 by group, for level 5 all of them; nothing for guests."""

    class Meta:
        model = Product
        name = 'StaffProduct'
        fields = ('id', 'name')

    grants = (
        Grant(signed_in, read=('id', 'name'), rows=Q(name=CallerValue('name'))),
        Grant(level_somewhere(2), read=('id', 'name'), rows=Q(id__in=Scope('groups', level=2))),
    )


class ManagersProductResource(Resource):
    """Products for level 3 and up."""

    class Meta:
        model = Product
        name = 'ManagersProduct'
        fields = ('id', 'name')

    grants = (Grant(level_somewhere(3), read=('id', 'name'), write=('name',), delete=True),)


class ShelfResource(Resource):
    """Categories, for whoever holds level 2 over something."""

    class Meta:
        model = Category
        name = 'ReservedShelf'
        fields = ('id', 'name')

    grants = (Grant(level_somewhere(2), read=ALL),)


class ShelvedProductResource(Resource):
    """Products by group: a low grant for some groups, and one for whoever holds all of them."""

    class Meta:
        model = Product
        name = 'ShelvedProduct'
        fields = ('id', 'name', 'slug', 'price')

    category = One(ShelfResource)
    parent = Parent(ShelfResource, source='category')
    double_price = Computed(F('price') * 2, DecimalField(max_digits=12, decimal_places=2))

    grants = (
        Grant(
            signed_in,
            read=('id', 'name', 'category', 'parent'),
            rows=Q(id__in=Scope('groups', level=1)),
        ),
        Grant(
            level_somewhere(2),
            read=ALL,
            write=('name', 'slug'),
            create=ALL,
            delete=True,
            rows=Q(id__in=Scope('groups', level=2)),
        ),
        Grant(signed_in, write=('price',), rows=~Q(id__in=Scope('groups', level=1))),
    )


router = ResourceRouter()
router.register('products', view_set_of(StaffProductResource, permission_classes=(AllowAny,)))
router.register('managed', view_set_of(ManagersProductResource, permission_classes=(AllowAny,)))

urlpatterns: list[URLPattern | URLResolver] = [
    path('open', open_view),
    path('closed', closed_view),
    path('awaited', awaited_view),
    path('forbidding', ForbiddingView.as_view()),
    path('counted', CountedView.as_view()),
    path('ordinary', OrdinaryView.as_view()),
    path('counted-here', CountedHereView.as_view()),
    path('admin/', admin.site.urls),
    *identity_urls(),
    *router.urls,
]
