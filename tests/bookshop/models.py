"""Authors, publishers, books, editions, tags, reviews; and one model with every type of field."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from tests.bookshop.cents import CentsField


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Publisher(models.Model):
    name = models.CharField(max_length=80)
    country = models.ForeignKey(Country, models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    name = models.CharField(max_length=80)
    born = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Biography(models.Model):
    author = models.OneToOneField(Author, models.CASCADE, related_name='biography')
    text = models.TextField(blank=True)
    words = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f'of {self.author_id}'


class Tag(models.Model):
    label = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.label


class Book(models.Model):
    class Status(models.TextChoices):
        DRAFT = 'draft'
        ACTIVE = 'active'
        ARCHIVED = 'archived'

    title = models.CharField(max_length=5_000)
    slug = models.SlugField(max_length=120)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    pages = models.PositiveIntegerField(null=True, blank=True)
    rating = models.FloatField(null=True, blank=True)
    released_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    blurb = models.TextField(blank=True)
    metadata = models.JSONField(null=True, blank=True)
    labels = models.JSONField(null=True, blank=True)
    publisher = models.ForeignKey(Publisher, models.PROTECT, null=True, blank=True)
    authors: Any = models.ManyToManyField(Author, related_name='books')
    tags: Any = models.ManyToManyField(Tag, related_name='+')

    def __str__(self) -> str:
        return self.title


class Edition(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name='editions')
    isbn = models.CharField(max_length=20)
    position = models.IntegerField(default=0)
    stock = models.IntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.isbn


class Review(models.Model):
    edition = models.ForeignKey(Edition, models.CASCADE, related_name='reviews')
    stars = models.SmallIntegerField()
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f'{self.stars} stars'


class Bill(models.Model):
    """Columns that the database computes, when a row is made or whenever it changes."""

    price = models.DecimalField(max_digits=8, decimal_places=2)
    amount = models.IntegerField()
    day = models.DateField()
    fee = CentsField(null=True, blank=True)
    total = models.GeneratedField(
        expression=models.F('price') * models.F('amount'),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
    )
    half = models.GeneratedField(
        expression=models.F('amount') * 0.5,
        output_field=models.FloatField(),
        db_persist=True,
    )
    is_dear = models.GeneratedField(
        expression=models.Q(price__gte=10), output_field=models.BooleanField(), db_persist=True
    )
    same_day = models.GeneratedField(
        expression=models.F('day'), output_field=models.DateField(), db_persist=True
    )
    made_at = models.DateTimeField(db_default=Now())
    made_on = models.DateField(db_default=Now())

    def __str__(self) -> str:
        return f'bill {self.pk}'


class Specimen(models.Model):
    """Every type of field that Django's core has, once as required and once as nullable."""

    text = models.CharField(max_length=200, null=True)
    long_text = models.TextField(null=True)
    slug = models.SlugField(null=True)
    email = models.EmailField(null=True)
    url = models.URLField(null=True)
    choice = models.CharField(max_length=3, choices=[('a', 'A'), ('b', 'B')], null=True)
    small = models.SmallIntegerField(null=True)
    integer = models.IntegerField(null=True)
    big = models.BigIntegerField(null=True)
    positive = models.PositiveIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(null=True)
    real = models.FloatField(null=True)
    money = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    exact = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    truth = models.BooleanField(null=True)
    day = models.DateField(null=True)
    clock = models.TimeField(null=True)
    moment = models.DateTimeField(null=True)
    span = models.DurationField(null=True)
    uuid = models.UUIDField(null=True)
    ip = models.GenericIPAddressField(null=True)
    file = models.FileField(null=True)
    path = models.FilePathField(path='/', null=True)
    binary = models.BinaryField(null=True)
    document = models.JSONField(null=True)
    required_text = models.CharField(max_length=200)
    required_integer = models.IntegerField()
    required_real = models.FloatField()
    required_money = models.DecimalField(max_digits=12, decimal_places=2)
    required_truth = models.BooleanField()
    required_day = models.DateField()
    required_clock = models.TimeField()
    required_moment = models.DateTimeField()
    required_span = models.DurationField()
    required_uuid = models.UUIDField()
    required_document = models.JSONField()
    doubled = models.GeneratedField(
        expression=models.F('required_integer') * 2,
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    def __str__(self) -> str:
        return f'specimen {self.pk}'
