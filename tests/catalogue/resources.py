"""The resources of the contract's cases, and one with a field of every kind."""

from django.db import models
from django.db.models import F

from backstay.resources import Array, Computed, Many, One, Parent, Resource
from tests.bookshop.resources import OPEN
from tests.catalogue.models import Category, Gauge, Price, Product, Seo, Variant


class ProductResource(Resource):
    """The product of the filter cases."""

    grants = OPEN

    class Meta:
        model = Product
        fields = ('id', 'name', 'price', 'status', 'category_id', 'released_on', 'metadata')
        ordering = ('id',)

    labels = Array()
    double_price = Computed(
        F('price') * 2, models.DecimalField(max_digits=12, decimal_places=2, null=True)
    )
    category = One('CategoryResource')
    variants = Many('VariantResource')


class CategoryResource(Resource):
    grants = OPEN

    class Meta:
        model = Category
        fields = ('id', 'name')


class VariantResource(Resource):
    grants = OPEN

    class Meta:
        model = Variant
        fields = ('id', 'product_id', 'sku', 'qty')

    product = Parent('ProductResource')
    prices = Many('PriceResource')


class PriceResource(Resource):
    grants = OPEN

    class Meta:
        model = Price
        fields = ('id', 'variant_id', 'currency', 'amount')


class ShownProductResource(Resource):
    """The product of the mask cases."""

    grants = OPEN

    class Meta:
        model = Product
        name = 'ShownProduct'
        fields = (
            'id',
            'company_id',
            'type_id',
            'name',
            'slug',
            'status',
            'description',
            'labels',
            'metadata',
        )
        default_mask = '{id,company_id,type_id,name,status,seo}'

    labels = Array()
    seo = One('SeoResource')
    variants = Many('ShownVariantResource')
    categories = Many('ShownCategoryResource')


class SeoResource(Resource):
    grants = OPEN

    class Meta:
        model = Seo
        fields = ('product_id', 'title', 'description')
        default_mask = '{product_id,title}'
        lookup = 'product_id'


class ShownVariantResource(Resource):
    grants = OPEN

    class Meta:
        model = Variant
        name = 'ShownVariant'
        fields = ('id', 'product_id', 'sku', 'weight')
        default_mask = '{id,product_id,sku}'
        ordering = ('id',)

    prices = Many('ShownPriceResource')


class ShownPriceResource(Resource):
    grants = OPEN

    class Meta:
        model = Price
        name = 'ShownPrice'
        fields = ('id', 'variant_id', 'currency', 'amount')
        ordering = ('id',)


class ShownCategoryResource(Resource):
    grants = OPEN

    class Meta:
        model = Category
        name = 'ShownCategory'
        fields = ('id', 'parent_id', 'name', 'path')
        default_mask = '{id,name}'


class GaugeResource(Resource):
    """A field of every kind, two relations to one resource, and one to its own like."""

    grants = OPEN

    class Meta:
        model = Gauge
        fields = (
            'id',
            'text',
            'note',
            'colour',
            'tiny',
            'whole',
            'count',
            'big',
            'real',
            'amount',
            'yes',
            'day',
            'clock',
            'moment',
            'span',
            'uid',
            'address',
            'address_v4',
            'blob',
            'document',
            'seo_id',
            'left_id',
            'right_id',
        )
        ordering = ('-moment', 'text')
        count = 'none'
        page_size = 10
        max_page_size = 50

    tags = Array()
    seo = One('SeoResource')
    children = Many('ChildGaugeResource')
    left = One('ProductResource')
    right = One('ProductResource')


class ChildGaugeResource(Resource):
    """A gauge below another one. Filters call it as they call its parent: `Gauge`."""

    grants = OPEN

    class Meta:
        model = Gauge
        fields = ('id', 'parent_id', 'text')
