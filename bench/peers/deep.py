"""Resources of `bench.stages`: three levels deep, and a table of more than a million rows."""

from typing import Any

from django.db import models

from backstay.resources import Many, One, Resource
from bench.peers.backstay import OPEN, CategoryResource
from bench.shop.models import Company, Product, Variant


class VariantOfProduct(Resource):
    class Meta:
        model = Variant
        fields = ('id', 'product_id', 'sku', 'price', 'stock')

    grants = OPEN


class ProductOfCompany(Resource):
    class Meta:
        model = Product
        fields = ('id', 'company_id', 'name', 'price')

    category = One(CategoryResource)
    variants = Many(VariantOfProduct, fan_out=3)

    grants = OPEN


class CompanyResource(Resource):
    class Meta:
        model = Company
        fields = ('id', 'name')

    products = Many(ProductOfCompany, fan_out=10)

    grants = OPEN


class Event(models.Model):
    """Something that happened; several happen in the same second."""

    happened_at = models.DateTimeField()
    text = models.CharField(max_length=80)

    class Meta:
        app_label = 'shop'
        managed = False
        db_table = 'shop_event'


class EventResource(Resource):
    class Meta:
        model = Event
        fields = ('id', 'happened_at', 'text')

    grants = OPEN


def fill_events(connection: Any, rows: int) -> None:
    """Make the table of events, unless it is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('shop_event') IS NOT NULL")
        if cursor.fetchone()[0]:
            return
        cursor.execute(
            'CREATE TABLE shop_event (id bigint PRIMARY KEY, happened_at timestamptz NOT NULL, '
            'text varchar(80) NOT NULL)'
        )
        cursor.execute(
            "INSERT INTO shop_event SELECT i, timestamptz '2026-01-01' + (i / 3) * interval '1 s', "
            "'event ' || i FROM generate_series(1, %s) i",
            [rows],
        )
        cursor.execute('CREATE INDEX shop_event_order ON shop_event (happened_at, id)')
        cursor.execute('ANALYZE shop_event')
