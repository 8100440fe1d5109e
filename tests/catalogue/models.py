"""Products with all that either section of the contract gives them."""

from django.db import models


class Category(models.Model):
    """Of 5.7, and of the many-to-many of 4.7."""

    parent_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """`category` belongs to 5.7, `categories` to 4.7; `cost` is in no shape."""

    class Status(models.TextChoices):
        DRAFT = 'draft'
        ACTIVE = 'active'
        ARCHIVED = 'archived'

    company_id = models.BigIntegerField(default=1)
    type_id = models.BigIntegerField(default=3)
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=10, choices=Status)
    description = models.TextField(null=True)  # noqa: DJ001 the contract's cases have nulls
    labels = models.JSONField(null=True)
    metadata = models.JSONField(null=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    cost = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    released_on = models.DateField(null=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, related_name='+')
    categories = models.ManyToManyField(Category, related_name='products')

    def __str__(self) -> str:
        return self.name


class Seo(models.Model):
    """What search engines are told about a product."""

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True)
    title = models.CharField(max_length=100)
    description = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.title


class Variant(models.Model):
    """What of a product can be bought: `weight` belongs to 4.7, `qty` to 5.7."""

    product = models.ForeignKey(Product, models.CASCADE, related_name='variants')
    sku = models.CharField(max_length=64)
    weight = models.IntegerField(null=True)
    qty = models.IntegerField(null=True)

    def __str__(self) -> str:
        return self.sku


class Price(models.Model):
    """What a variant costs in a currency."""

    variant = models.ForeignKey(Variant, models.CASCADE, related_name='prices')
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        return f'{self.amount} {self.currency}'


class Gauge(models.Model):
    """One column of every kind of value that a filter may name."""

    class Colour(models.TextChoices):
        RED = 'red'
        BLUE = 'blue'

    text = models.CharField(max_length=100)
    note = models.TextField()
    colour = models.CharField(max_length=10, choices=Colour, blank=True)
    tiny = models.SmallIntegerField()
    whole = models.IntegerField()
    count = models.PositiveIntegerField()
    big = models.BigIntegerField()
    real = models.FloatField()
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    yes = models.BooleanField()
    day = models.DateField()
    clock = models.TimeField()
    moment = models.DateTimeField()
    span = models.DurationField()
    uid = models.UUIDField()
    address = models.GenericIPAddressField()
    address_v4 = models.GenericIPAddressField(unpack_ipv4=True)
    blob = models.BinaryField()
    document = models.JSONField()
    tags = models.JSONField()
    seo = models.ForeignKey(Seo, models.CASCADE)
    parent = models.ForeignKey('self', models.CASCADE, null=True, related_name='children')
    left = models.ForeignKey(Product, models.CASCADE, related_name='+')
    right = models.ForeignKey(Product, models.CASCADE, related_name='+')

    def __str__(self) -> str:
        return self.text
