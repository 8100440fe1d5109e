"""FastAPI over SQLAlchemy's ORM with response models: the way of FastAPI's own template.

Tuned: async sessions in autocommit mode that keep their objects, one statement for the page with
both joins, one for the variants, one for the count, and the page cut from ids before joining.
"""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, DateTime, ForeignKey, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    contains_eager,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.orm.interfaces import ORMOption

from bench.peers import selects
from bench.peers.fastapi import Asked
from bench.peers.links import neighbours

engine = selects.create_engine()
# A generic plan would read all variants for the keys that `selectinload` lists.
planning = selects.create_engine('auto')
sessions = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


class Row(DeclarativeBase):
    """A row of the shop."""

    type_annotation_map: ClassVar = {int: BigInteger, dt.datetime: DateTime(timezone=True)}
    id: Mapped[int] = mapped_column(primary_key=True)


class Company(Row):
    __tablename__ = 'shop_company'
    name: Mapped[str]


class Category(Row):
    __tablename__ = 'shop_category'
    name: Mapped[str]


class Variant(Row):
    __tablename__ = 'shop_variant'
    product_id: Mapped[int] = mapped_column(ForeignKey('shop_product.id'))
    sku: Mapped[str]
    name: Mapped[str]
    price: Mapped[Decimal]
    stock: Mapped[int]
    position: Mapped[int]


class Product(Row):
    __tablename__ = 'shop_product'
    company_id: Mapped[int] = mapped_column(ForeignKey('shop_company.id'))
    category_id: Mapped[int] = mapped_column(ForeignKey('shop_category.id'))
    name: Mapped[str]
    slug: Mapped[str]
    status: Mapped[str]
    price: Mapped[Decimal]
    rating: Mapped[float]
    released_on: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]
    company: Mapped[Company] = relationship()
    category: Mapped[Category] = relationship()
    variants: Mapped[list[Variant]] = relationship(order_by=(Variant.position, Variant.id))


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class NamedRead(Read):
    id: int
    name: str


class VariantRead(Read):
    id: int
    product_id: int
    sku: str
    name: str
    price: Decimal
    stock: int


class Brief(Read):
    id: int
    name: str
    slug: str
    status: str
    price: Decimal
    rating: float
    released_on: dt.date | None
    created_at: dt.datetime


class ProductRead(Brief):
    company_id: int
    category_id: int


class Listed(Brief):
    company: NamedRead
    category: NamedRead


class Nested(Listed):
    variants: list[VariantRead]


class Page(BaseModel):
    count: int
    next: str | None
    previous: str | None


class ListedPage(Page):
    results: list[Listed]


class NestedPage(Page):
    results: list[Nested]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()
    await planning.dispose()


application = FastAPI(lifespan=lifespan)


@application.get('/products/{number}/')
async def product(number: int) -> ProductRead:
    async with sessions() as session:
        found: Any = await session.get(Product, number)
    if found is None:
        raise HTTPException(404)
    return found


@application.get('/products/')
async def listing(request: Request, asked: Annotated[Asked, Query()]) -> ListedPage:
    async with sessions() as session:
        return await page(session, request, asked)


@application.get('/nested-products/')
async def nested(request: Request, asked: Annotated[Asked, Query()]) -> NestedPage:
    async with sessions(bind=planning) as session:
        return await page(session, request, asked, selectinload(Product.variants))


async def page(session: AsyncSession, request: Request, asked: Asked, *options: ORMOption) -> Any:
    """The envelope of a page, as its response model reads it."""
    count = await session.scalar(COUNT, {'status': asked.status}) or 0
    values = {'status': asked.status, 'limit': asked.limit, 'offset': asked.offset}
    rows = await session.scalars(ROWS[asked.ordering].options(*options), values)
    following, preceding = neighbours(str(request.url), count, asked.limit, asked.offset)
    return {'count': count, 'next': following, 'previous': preceding, 'results': rows.all()}


COUNT = select(func.count()).select_from(Product).where(Product.status == bindparam('status'))


def _rows(newest_first: bool) -> Select[tuple[Product]]:
    key = Product.id.desc() if newest_first else Product.id
    ids = selects.IDS.order_by(
        selects.product.c.id.desc() if newest_first else selects.product.c.id
    )
    cut = ids.subquery()
    return (
        select(Product)
        .join(cut, cut.c.id == Product.id)
        .join(Product.company)
        .join(Product.category)
        .options(contains_eager(Product.company), contains_eager(Product.category))
        .order_by(key)
    )


ROWS = {'-id': _rows(newest_first=True), 'id': _rows(newest_first=False)}
