"""FastAPI over SQLAlchemy Core, with bytes made by orjson.

A `Response` is returned directly, which skips the validation of answers: FastAPI's documented way
to answer fast.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import orjson
from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import Row

from bench.peers import selects
from bench.peers.links import neighbours

engine = selects.create_engine()


class Asked(BaseModel):
    status: str
    limit: int
    offset: int = 0
    ordering: Literal['id', '-id'] = 'id'


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


application = FastAPI(lifespan=lifespan)


@application.get('/products/{number}/')
async def product(number: int) -> Response:
    async with engine.connect() as connection:
        row = (await connection.execute(selects.ONE, {'number': number})).one_or_none()
    if row is None:
        raise HTTPException(404)
    keys = ('id', 'company_id', 'category_id', 'name', 'slug', 'status', 'price', 'rating')
    keys += ('released_on', 'created_at')
    return json(dict(zip(keys, row, strict=True)) | {'price': str(row.price)})


@application.get('/products/')
async def listing(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    async with engine.connect() as connection:
        count, rows = await selects.page(connection, **asked.model_dump())
    return page(request, asked, count, [listed(row) for row in rows])


@application.get('/nested-products/')
async def nested(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    async with engine.connect() as connection:
        count, rows = await selects.page(connection, **asked.model_dump())
        variants = await selects.variants(connection, [row[0] for row in rows])
    results = [listed(row) | {'variants': list(map(sold, variants[row[0]]))} for row in rows]
    return page(request, asked, count, results)


def listed(row: Row[Any]) -> dict[str, Any]:
    """A row of a page as JSON values."""
    number, name, slug, status, price, rating, released, created, *rest = row
    company, company_name, category, category_name = rest
    return {
        'id': number,
        'name': name,
        'slug': slug,
        'status': status,
        'price': str(price),
        'rating': rating,
        'released_on': released,
        'created_at': created,
        'company': {'id': company, 'name': company_name},
        'category': {'id': category, 'name': category_name},
    }


def sold(row: Row[Any]) -> dict[str, Any]:
    """A variant as JSON values."""
    number, product, sku, name, price, stock = row
    return {
        'id': number,
        'product_id': product,
        'sku': sku,
        'name': name,
        'price': str(price),
        'stock': stock,
    }


def page(request: Request, asked: Asked, count: int, results: list[dict[str, Any]]) -> Response:
    """The envelope of a page."""
    following, preceding = neighbours(str(request.url), count, asked.limit, asked.offset)
    return json({'count': count, 'next': following, 'previous': preceding, 'results': results})


def json(value: dict[str, Any]) -> Response:
    """A JSON answer with times that end in Z."""
    body = orjson.dumps(value, option=orjson.OPT_UTC_Z)
    return Response(body, media_type='application/json')
