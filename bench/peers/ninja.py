"""django-ninja: schemas read from model instances, orjson for the bytes."""

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

import orjson
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI, Query, Schema
from ninja.renderers import BaseRenderer

from bench.peers import querysets
from bench.peers.links import neighbours
from bench.shop.models import Product


class OrjsonRenderer(BaseRenderer):
    """JSON with times that end in Z."""

    media_type = 'application/json'

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class Named(Schema):
    id: int
    name: str


class VariantOut(Schema):
    id: int
    product_id: int
    sku: str
    name: str
    price: Decimal
    stock: int


class Described(Schema):
    id: int
    name: str
    slug: str
    status: str
    price: Decimal
    rating: float
    released_on: dt.date | None
    created_at: dt.datetime


class ProductOut(Described):
    company_id: int
    category_id: int


class Listed(Described):
    company: Named
    category: Named


class Nested(Listed):
    variants: list[VariantOut]


class Page(Schema):
    count: int
    next: str | None
    previous: str | None
    results: list[Listed]


class NestedPage(Page):
    results: list[Nested]


class Asked(Schema):
    status: str
    limit: int
    offset: int = 0
    ordering: Literal['id', '-id'] = 'id'


api = NinjaAPI(renderer=OrjsonRenderer(), docs_url=None, openapi_url=None)


@api.get('/products/{number}/', response=ProductOut)
def product(request: HttpRequest, number: int) -> Product:
    return querysets.one().get(pk=number)


@api.get('/products/', response=Page)
def listing(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    return page(request, asked)


@api.get('/nested-products/', response=NestedPage)
def nested(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    return page(request, asked, querysets.variants())


def page(request: HttpRequest, asked: Asked, *prefetch: Any) -> dict[str, Any]:
    """The envelope of a page."""
    found = Product.objects.filter(status=asked.status)
    count = found.count()
    ordered = found.order_by('-pk' if asked.ordering == '-id' else 'pk')
    ids = ordered.values('pk')[asked.offset : asked.offset + asked.limit]
    url = request.build_absolute_uri()
    following, preceding = neighbours(url, count, asked.limit, asked.offset)
    return {
        'count': count,
        'next': following,
        'previous': preceding,
        'results': list(querysets.rows(ids).prefetch_related(*prefetch)),
    }


urlpatterns = [path('', api.urls)]
