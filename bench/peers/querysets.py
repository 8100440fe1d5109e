"""The querysets that the Django peers share: needed columns only, and no query per row.

A page is cut from the ids alone, which the index holds, before rows are fetched and joined: with
OFFSET this takes the database half the work, and is what one does by hand once a list is slow.
"""

from typing import Any

from django.db.models import Prefetch, QuerySet

from bench.shop.models import Product, Variant

COLUMNS = ('name', 'slug', 'status', 'price', 'rating', 'released_on', 'created_at')


def one() -> QuerySet[Product]:
    """The columns of a single product."""
    return Product.objects.only('company_id', 'category_id', *COLUMNS)


def rows(ids: QuerySet[Any, Any]) -> QuerySet[Product]:
    """The products of a page of ids, newest first, with company and category joined."""
    found = Product.objects.filter(pk__in=ids).select_related('company', 'category')
    return found.only(*COLUMNS, 'company__name', 'category__name').order_by('-pk')


def variants() -> Prefetch:
    """The variants of a page, in order, in one query."""
    found = Variant.objects.only('product_id', 'sku', 'name', 'price', 'stock')
    return Prefetch('variants', found.order_by('position', 'id'))
