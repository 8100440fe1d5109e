"""`python -m bench.writes`: a thousand new products in one request.

Ours is the whole request: JSON in, rights, validation, references looked up, rows, journal, JSON
out. Beside it Django REST Framework's `ListSerializer(many=True)`, from the same JSON to its saved
rows, and Django's `bulk_create` alone, of rows that are already in Python: of the products, and of
the products and as many journal entries, which is what ours writes. Time of the
process, which on SQLite is the database too, and the wall time on PostgreSQL; each is rolled back,
so that none pays for a commit.
"""

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bench import database
from bench.stages import set_up

ROUNDS = 9
ROWS = 1_000
HOST = {'Host': 'localhost'}
CREATED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def members(at: int) -> dict[str, Any]:
    """One product, as a client sends it."""
    return {
        'company_id': at % 50 + 1,
        'category_id': at % 20 + 1,
        'name': f'New product {at}',
        'slug': f'new-product-{at}',
        'status': 'draft',
        'price': '12.50',
        'rating': 4.5,
        'released_on': '2026-01-02',
        'created_at': CREATED_AT.isoformat(),
    }


def cases() -> dict[str, Callable[[], None]]:
    """What is compared, by name."""
    from django.test import RequestFactory
    from rest_framework import serializers

    from backstay.journal.models import Entry
    from backstay.resources import ALL, Grant, One, Resource, anyone, view_set_of
    from bench.peers import backstay
    from bench.shop.models import Product

    class WrittenResource(Resource):
        class Meta:
            model = Product
            fields = backstay.ProductResource.Meta.fields
            require_idempotency_key = ()

        company = One(backstay.CompanyResource)
        category = One(backstay.CategoryResource)
        grants = (Grant(anyone, read=ALL, create=ALL),)

    class ProductSerializer(serializers.ModelSerializer):
        class Meta:
            model = Product
            fields = tuple(name.removesuffix('_id') for name in WrittenResource.Meta.fields)

    body = json.dumps([members(at) for at in range(ROWS)])
    for_drf = json.dumps(
        [
            {name.removesuffix('_id'): value for name, value in members(at).items()}
            for at in range(ROWS)
        ]
    )
    view = view_set_of(WrittenResource).as_view({'post': 'bulk'})

    def ours() -> None:
        answer = view(RequestFactory().post('/', body, 'application/json', headers=HOST))
        if answer.status_code != 200:
            raise SystemExit(answer.content)

    def drf() -> None:
        serializer = ProductSerializer(data=json.loads(for_drf), many=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()

    def products() -> list[Product]:
        typed = {
            'price': Decimal('12.50'),
            'released_on': date(2026, 1, 2),
            'created_at': CREATED_AT,
        }
        return [Product(**{**members(at), **typed}) for at in range(ROWS)]

    def alone() -> None:
        Product.objects.bulk_create(products())

    def with_entries() -> None:
        alone()
        Entry.objects.bulk_create(
            [
                Entry(
                    actor='guest:guest',
                    verb='create',
                    aggregate='shop.product',
                    resource='Product',
                    object_id=f'new-{at}',
                    sequence=1,
                    after=members(at),
                    pending=True,
                )
                for at in range(ROWS)
            ]
        )

    return {
        'Backstay, the whole request': ours,
        'DRF, ListSerializer(many=True)': drf,
        'bulk_create of the products alone': alone,
        'bulk_create of the products and of as many journal entries': with_entries,
    }


def prepare() -> None:
    """The journal's table, which the shop's data does not need, and the next key of a product."""
    from django.core.management.color import no_style
    from django.db import connection

    from backstay.journal.models import Entry
    from bench.shop.models import Product

    with connection.cursor() as cursor:  # the products were given their keys
        for statement in connection.ops.sequence_reset_sql(no_style(), [Product]):
            cursor.execute(statement)
    if Entry._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Entry)


def main() -> None:
    """Measure in turn, check, print."""
    set_up()
    prepare()
    from django.db import transaction

    from bench.shop.models import Product

    clock = time.process_time if database.engine() == 'sqlite' else time.perf_counter
    before = Product.objects.count()
    compared = cases()
    taken: dict[str, list[float]] = {}
    for at in range(ROUNDS + 1):
        for name, work in compared.items():
            with transaction.atomic():
                start = clock()
                work()
                elapsed = clock() - start
                if Product.objects.count() != before + ROWS:
                    raise SystemExit(f'{name} did not write {ROWS} products')
                transaction.set_rollback(True)
            if at:  # the first compiles
                taken.setdefault(name, []).append(elapsed * 1e3)
    ours = statistics.median(next(iter(taken.values())))
    print(f'| {ROWS} new rows on {database.engine()} | ms | this ÷ ours |\n|---|--:|--:|')
    for name, each in taken.items():
        median = statistics.median(each)
        print(f'| {name} | {median:.1f} | {median / ours:.2f} |')


if __name__ == '__main__':
    main()
