"""Litestar over SQLAlchemy Core, with answers declared and encoded as msgspec structs."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Literal

import msgspec
from litestar import Litestar, Request, get
from litestar.exceptions import NotFoundException
from sqlalchemy import Row

from bench.peers import selects
from bench.peers.links import neighbours

Ordering = Literal['id', '-id']

engine = selects.create_engine()


class Named(msgspec.Struct, gc=False):
    id: int
    name: str


class Variant(msgspec.Struct, gc=False):
    id: int
    product_id: int
    sku: str
    name: str
    price: Decimal
    stock: int


class Described(msgspec.Struct):
    id: int
    name: str
    slug: str
    status: str
    price: Decimal
    rating: float
    released_on: dt.date | None
    created_at: dt.datetime


class Product(msgspec.Struct):
    id: int
    company_id: int
    category_id: int
    name: str
    slug: str
    status: str
    price: Decimal
    rating: float
    released_on: dt.date | None
    created_at: dt.datetime


class Listed(Described):
    company: Named
    category: Named


class Nested(Listed):
    variants: list[Variant]


class Page(msgspec.Struct):
    count: int
    next: str | None
    previous: str | None
    results: list[Listed]


class NestedPage(msgspec.Struct):
    count: int
    next: str | None
    previous: str | None
    results: list[Nested]


@get('/products/{number:int}/')
async def product(number: int) -> Product:
    async with engine.connect() as connection:
        row = (await connection.execute(selects.ONE, {'number': number})).one_or_none()
    if row is None:
        raise NotFoundException
    return Product(*row)


@get('/products/')
async def listing(
    request: Request[Any, Any, Any], status: str, limit: int, offset: int, ordering: Ordering
) -> Page:
    async with engine.connect() as connection:
        count, rows = await selects.page(
            connection, status=status, limit=limit, offset=offset, ordering=ordering
        )
    links = neighbours(asked_url(request), count, limit, offset)
    return Page(count, *links, [Listed(*described(row)) for row in rows])


@get('/nested-products/')
async def nested(
    request: Request[Any, Any, Any], status: str, limit: int, offset: int, ordering: Ordering
) -> NestedPage:
    async with engine.connect() as connection:
        count, rows = await selects.page(
            connection, status=status, limit=limit, offset=offset, ordering=ordering
        )
        variants = await selects.variants(connection, [row[0] for row in rows])
    links = neighbours(asked_url(request), count, limit, offset)
    results = [
        Nested(*described(row), [Variant(*found) for found in variants[row[0]]]) for row in rows
    ]
    return NestedPage(count, *links, results)


def asked_url(request: Request[Any, Any, Any]) -> str:
    """The URL as it was asked for; `request.url` has lost the slash at the end of its path."""
    path = request.scope['raw_path'].decode()
    return f'http://{request.headers["host"]}{path}?{request.scope["query_string"].decode()}'


def described(row: Row[Any]) -> tuple[Any, ...]:
    """A row of a page with its joined names as structs."""
    return *row[:8], Named(*row[8:10]), Named(*row[10:12])


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    yield
    await engine.dispose()


application = Litestar(
    [product, listing, nested], lifespan=[lifespan], openapi_config=None, logging_config=None
)
