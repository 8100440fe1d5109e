"""Branches with items, which have a cover, notes with marks, and keywords."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Branch(models.Model):
    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Keyword(models.Model):
    word = models.CharField(max_length=40, unique=True)
    is_secret = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.word


class Item(models.Model):
    """Versioned, deleted softly, with values that the database makes."""

    class Status(models.TextChoices):
        DRAFT = 'draft'
        OPEN = 'open'
        LOST = 'lost'

    branch = models.ForeignKey(Branch, models.CASCADE)
    code = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=80)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    details = models.JSONField(null=True, blank=True)
    cost = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    secret = models.CharField(max_length=40, blank=True)
    keywords: Any = models.ManyToManyField(Keyword, related_name='items')
    version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    double_pages = models.GeneratedField(
        expression=F('pages') * 2, output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0),
                name='item_price_not_negative',
                violation_error_message='A price is not negative.',
            ),
        )

    def __str__(self) -> str:
        return self.code


class Cover(models.Model):
    item = models.OneToOneField(Item, models.CASCADE, related_name='cover')
    colour = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.colour


class Note(models.Model):
    item = models.ForeignKey(Item, models.CASCADE, related_name='notes')
    text = models.CharField(max_length=80)
    position = models.PositiveIntegerField(default=0)
    is_hidden = models.BooleanField(default=False)

    class Meta:
        unique_together = (('item', 'position'),)

    def __str__(self) -> str:
        return self.text


class Mark(models.Model):
    note = models.ForeignKey(Note, models.CASCADE, related_name='marks')
    sign = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.sign


class Loan(models.Model):
    """What keeps an item from being deleted, and has neither version nor soft delete."""

    item = models.ForeignKey(Item, models.PROTECT, related_name='loans')
    reader = models.CharField(max_length=40)
    lent_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.reader


class Stamp(models.Model):
    """A plain row, of which many are written at once; its key is given by clients."""

    code = models.CharField(max_length=20, primary_key=True)
    label = models.CharField(max_length=80)
    amount = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    printed_on = models.DateField(null=True)

    def __str__(self) -> str:
        return self.code
