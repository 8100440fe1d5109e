"""The three reads that are compared, as the paths that clients ask for, and the answer to each.

An answer is worked out in Python from the rows of `bench.data`, so it does not depend on any
contender.
"""

import datetime as dt
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bench import data

LIMIT = 50
#: First pages are asked for more often than deep ones.
OFFSETS = (0, 50, 100, 200, 500, 1000, 2000, 5000)
IDS = tuple(random.Random(1).sample(range(1, data.PRODUCTS + 1), 512))
BRIEF = ('id', 'name', 'slug', 'status', 'price', 'rating', 'released_on', 'created_at')
#: The columns of Product.
COLUMNS = ('id', 'company_id', 'category_id', *BRIEF[1:5], 'cost_price', *BRIEF[5:])

FIELDS = {
    'products': ','.join((*BRIEF, 'company', 'category')),
    'nested-products': ','.join((*BRIEF, 'company', 'category', 'variants')),
}

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of request."""

    #: The key of its statement and of its results.
    name: str
    #: Its heading in the report.
    title: str
    #: Asked for in this order, again and again.
    paths: tuple[str, ...]
    #: The parsed body that a path must be answered with.
    answer: Callable[[str], Json]


def page_paths(place: str) -> tuple[str, ...]:
    """One path for each offset; `fields` is read by Backstay, whose lists have masks."""
    query = f'status=active&limit={LIMIT}&offset={{}}&ordering=-id&fields={FIELDS[place]}'
    return tuple(f'/{place}/?{query.format(offset)}' for offset in OFFSETS)


@cache
def products() -> dict[int, dict[str, Json]]:
    """Every product by its id, as JSON values."""
    rows = (data.product(number) for number in range(1, data.PRODUCTS + 1))
    return {row[0]: dict(zip(COLUMNS, map(json_value, row), strict=True)) for row in rows}


def json_value(value: Any) -> Json:
    """A value as DRF's fields write it."""
    match value:
        case dt.datetime():
            return value.isoformat().replace('+00:00', 'Z')
        case dt.date():
            return value.isoformat()
        case Decimal():
            return f'{value:.2f}'
    return value


def one_product(path: str) -> Json:
    """The answer to `/products/{id}/`."""
    found = products()[int(path.split('/')[2])]
    return {name: value for name, value in found.items() if name != 'cost_price'}


def a_page(path: str, row: Callable[[dict[str, Json]], Json]) -> Json:
    """The answer to a list: links are compared by path and query, see `comparable`."""
    place, _, query = path.partition('?')
    offset = int(dict(parse_qsl(query))['offset'])
    found = [p for p in reversed(products().values()) if p['status'] == 'active']

    def link(start: int) -> str:
        return f'{place}?{query.replace(f"offset={offset}", f"offset={start}")}'

    return {
        'count': len(found),
        'next': link(offset + LIMIT) if offset + LIMIT < len(found) else None,
        'previous': link(offset - LIMIT) if offset > 0 else None,
        'results': [row(product) for product in found[offset : offset + LIMIT]],
    }


def brief(product: dict[str, Json]) -> Json:
    """A result of the list, with its company and its category."""
    company, category = product['company_id'], product['category_id']
    return {name: product[name] for name in BRIEF} | {
        'company': dict(zip(('id', 'name'), data.named(company, 'Company'), strict=True)),
        'category': dict(zip(('id', 'name'), data.named(category, 'Category'), strict=True)),
    }


def with_variants(product: dict[str, Json]) -> Json:
    """A result of the nested list."""
    first = (product['id'] - 1) * data.VARIANTS_EACH + 1
    names = ('id', 'product_id', 'sku', 'name', 'price', 'stock')
    rows = [data.variant(number) for number in range(first, first + data.VARIANTS_EACH)]
    rows.sort(key=lambda row: (row[-1], row[0]))
    lines = (zip(names, map(json_value, row[:-1]), strict=True) for row in rows)
    return brief(product) | {'variants': [dict(line) for line in lines]}


def comparable(body: bytes) -> Json:
    """A parsed body whose links are reduced to path and query values.

    DRF leaves `offset=0` out of a link, which means the same.
    """
    parsed = json.loads(body)
    for name in ('next', 'previous'):
        if parsed.get(name):
            parts = urlsplit(parsed[name])
            parsed[name] = [parts.path, {'offset': '0'} | dict(parse_qsl(parts.query))]
    return parsed


def difference(wanted: Json, found: Json, place: str = 'body') -> str | None:
    """Where two parsed bodies first differ, or None."""
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        pairs = ((f'{place}.{key}', wanted[key], found[key]) for key in wanted)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        both = zip(wanted, found, strict=True)
        pairs = ((f'{place}[{at}]', *pair) for at, pair in enumerate(both))
    elif wanted == found:
        return None
    else:
        return f'{place}: expected {str(wanted)[:200]}, found {str(found)[:200]}'
    return next(filter(None, (difference(a, b, where) for where, a, b in pairs)), None)


CASES = (
    Case(
        name='object',
        title='one object',
        paths=tuple(f'/products/{number}/' for number in IDS),
        answer=one_product,
    ),
    Case(
        name='list',
        title='50 rows, two joins, exact count',
        paths=page_paths('products'),
        answer=lambda path: a_page(path, brief),
    ),
    Case(
        name='nested',
        title='50 rows, two joins, exact count, nested variants',
        paths=page_paths('nested-products'),
        answer=lambda path: a_page(path, with_variants),
    ),
)
