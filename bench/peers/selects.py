"""The SQLAlchemy statements of FastAPI and Litestar: Core rows of needed columns, no ORM objects.

Autocommit and no reset on return, so that a read costs one round trip; asyncpg prepares each
statement once. The page of ids is cut before anything is joined, as in `querysets`.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Numeric,
    Row,
    Select,
    String,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bench import database

schema = MetaData()


def table(title: str, /, **columns: Any) -> Table:
    """A table of the shop; each has an id."""
    rest = (Column(key, kind) for key, kind in columns.items())
    return Table(f'shop_{title}', schema, Column('id', BigInteger, primary_key=True), *rest)


company = table('company', name=String)
category = table('category', name=String)
product = table(
    'product', company_id=BigInteger, category_id=BigInteger, name=String, slug=String,
    status=String, price=Numeric, rating=Double, released_on=Date,
    created_at=DateTime(timezone=True),
)  # fmt: skip
variant = table(
    'variant', product_id=BigInteger, sku=String, name=String, price=Numeric, stock=Integer,
    position=Integer,
)  # fmt: skip

ONE = select(product).where(product.c.id == bindparam('number'))
COUNT = select(func.count()).select_from(product).where(product.c.status == bindparam('status'))
IDS = (
    select(product.c.id)
    .where(product.c.status == bindparam('status'))
    .limit(bindparam('limit'))
    .offset(bindparam('offset'))
)


def rows(newest_first: bool) -> Select[Any]:
    """A page with company and category joined, in the order of its ids."""
    key = product.c.id.desc() if newest_first else product.c.id
    ids = IDS.order_by(key).subquery()
    columns = [c for c in product.c if not c.name.endswith('_id')]
    named = (company.c.id, company.c.name, category.c.id, category.c.name)
    joined = product.join(ids, ids.c.id == product.c.id).join(
        company, company.c.id == product.c.company_id
    )
    return (
        select(*columns, *named)
        .select_from(joined.join(category, category.c.id == product.c.category_id))
        .order_by(key)
    )


ROWS = {'-id': rows(newest_first=True), 'id': rows(newest_first=False)}
VARIANTS = (
    select(*(column for column in variant.c if column.name != 'position'))
    .where(variant.c.product_id == func.any(bindparam('ids')))
    .order_by(variant.c.product_id, variant.c.position, variant.c.id)
)


def create_engine(plans: str = 'force_generic_plan') -> AsyncEngine:
    """The pool of one process."""
    return create_async_engine(
        database.url().replace('postgres://', 'postgresql+asyncpg://', 1),
        pool_size=database.pool_size(),
        max_overflow=0,
        pool_reset_on_return=None,
        isolation_level='AUTOCOMMIT',
        connect_args={'server_settings': {'plan_cache_mode': plans}},
    )


async def page(
    connection: AsyncConnection, *, status: str, limit: int, offset: int, ordering: str
) -> tuple[int, list[Row[Any]]]:
    """The count and the rows of a page."""
    count = (await connection.execute(COUNT, {'status': status})).scalar_one()
    values = {'status': status, 'limit': limit, 'offset': offset}
    return count, list((await connection.execute(ROWS[ordering], values)).all())


async def variants(connection: AsyncConnection, ids: list[int]) -> dict[int, list[Row[Any]]]:
    """The variants of each product."""
    found: dict[int, list[Row[Any]]] = {number: [] for number in ids}
    for row in await connection.execute(VARIANTS, {'ids': ids}):
        found[row.product_id].append(row)
    return found
