"""Backstay: resources on the shop's models, served by its own view sets and nothing else."""

from typing import Any

from backstay.resources import ALL, Grant, Many, One, Resource, ResourceRouter, anyone
from bench.shop.models import Category, Company, Product, Variant

OPEN = (Grant(anyone, read=ALL),)


class CompanyResource(Resource):
    class Meta:
        model = Company
        fields = ('id', 'name')

    grants = OPEN


class CategoryResource(Resource):
    class Meta:
        model = Category
        fields = ('id', 'name')

    grants = OPEN


class VariantResource(Resource):
    class Meta:
        model = Variant
        fields = ('id', 'product_id', 'sku', 'name', 'price', 'stock', 'position')
        default_mask = '{id,product_id,sku,name,price,stock}'
        ordering = ('position', 'id')

    grants = OPEN


class ProductResource(Resource):
    class Meta:
        model = Product
        fields = (
            'id',
            'company_id',
            'category_id',
            'name',
            'slug',
            'status',
            'price',
            'rating',
            'released_on',
            'created_at',
        )

    company = One(CompanyResource)
    category = One(CategoryResource)
    variants = Many(VariantResource, fan_out=3)

    grants = OPEN


router: Any = ResourceRouter()
router.register('products', ProductResource)
router.register('nested-products', ProductResource, 'nested-product')

urlpatterns = router.urls
