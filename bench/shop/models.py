"""The shop: two small tables, 100 000 products, and three variants for each product."""

from django.db import models


class Company(models.Model):
    """Who sells a product."""

    name = models.CharField(max_length=200)

    class Meta:
        app_label = 'shop'


class Category(models.Model):
    """Where a product is found."""

    name = models.CharField(max_length=200)

    class Meta:
        app_label = 'shop'


class Status(models.TextChoices):
    """Lists ask for the active products."""

    ACTIVE = 'active'
    DRAFT = 'draft'
    ARCHIVED = 'archived'


class Product(models.Model):
    """One row for each type of value that needs care in JSON: decimal, float, date, time, null."""

    company = models.ForeignKey(Company, models.PROTECT, related_name='products')
    category = models.ForeignKey(Category, models.PROTECT, related_name='products')
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status.choices, db_index=True)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    cost_price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    rating = models.FloatField()
    released_on = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = 'shop'
        indexes = (models.Index(fields=('status', 'id'), name='product_status_id'),)


class Variant(models.Model):
    """What is sold of a product; `position`, then `id`, is their order."""

    product = models.ForeignKey(Product, models.CASCADE, related_name='variants')
    sku = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    stock = models.IntegerField()
    position = models.IntegerField()

    class Meta:
        app_label = 'shop'
