"""Shelves, and rows that refer to them in every way that a deletion has consequences for."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower


class Shelf(models.Model):
    name = models.CharField(max_length=40)
    below = models.ForeignKey('self', models.SET_NULL, null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


def fallback() -> Any:
    """The shelf that takes what has none."""
    return Shelf.objects.get_or_create(name='fallback')[0].pk


class Crate(models.Model):
    """Refers to shelves by every rule of Django that keeps the row."""

    nulled = models.ForeignKey(Shelf, models.SET_NULL, null=True, blank=True, related_name='+')
    defaulted = models.ForeignKey(
        Shelf, models.SET_DEFAULT, null=True, blank=True, default=fallback, related_name='+'
    )
    set_to = models.ForeignKey(Shelf, models.SET(fallback), null=True, blank=True, related_name='+')
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f'crate {self.pk}'


class Pallet(models.Model):
    """No resource stands for it, and it goes with its shelf."""

    shelf = models.ForeignKey(Shelf, models.CASCADE)

    def __str__(self) -> str:
        return f'pallet {self.pk}'


class Load(models.Model):
    """Stays when the pallet between it and the shelf goes."""

    pallet = models.ForeignKey(Pallet, models.SET_NULL, null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f'load {self.pk}'


class Label(models.Model):
    """Goes with its shelf, or with its crate."""

    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f'label {self.pk}'


class Mark(models.Model):
    """Goes with its label."""

    label = models.ForeignKey(Label, models.CASCADE)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f'mark {self.pk}'


class Ticket(models.Model):
    """The database deletes it with its shelf; Django is told to do nothing."""

    shelf = models.ForeignKey(Shelf, models.DO_NOTHING)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        managed = False
        db_table = 'depot_ticket'

    def __str__(self) -> str:
        return f'ticket {self.pk}'


class Stub(models.Model):
    """The database deletes it with its ticket."""

    ticket = models.ForeignKey(Ticket, models.DO_NOTHING)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        managed = False
        db_table = 'depot_stub'

    def __str__(self) -> str:
        return f'stub {self.pk}'


class Receipt(models.Model):
    """The database sets its shelf to NULL."""

    shelf = models.ForeignKey(Shelf, models.DO_NOTHING, null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        managed = False
        db_table = 'depot_receipt'

    def __str__(self) -> str:
        return f'receipt {self.pk}'


class Keeper(models.Model):
    """Nobody is told of it: a hook refers to it."""

    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class Badge(models.Model):
    """Goes with its keeper."""

    keeper = models.ForeignKey(Keeper, models.CASCADE, related_name='+')

    def __str__(self) -> str:
        return f'badge {self.pk}'


class Oath(models.Model):
    """No resource stands for it, and no relation leads to it; it keeps what it refers to."""

    protected = models.ForeignKey(Keeper, models.PROTECT, null=True, blank=True, related_name='+')
    restricted = models.ForeignKey(Keeper, models.RESTRICT, null=True, blank=True, related_name='+')
    referred = models.ForeignKey(Keeper, models.DO_NOTHING, null=True, blank=True, related_name='+')
    badge = models.ForeignKey(Badge, models.DO_NOTHING, null=True, blank=True, related_name='+')

    def __str__(self) -> str:
        return f'oath {self.pk}'


class Place(models.Model):
    """A row under every kind of constraint; its own words and codes stand in some of them."""

    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name='places')
    name = models.CharField(max_length=40)
    position = models.PositiveIntegerField()
    is_live = models.BooleanField(default=False)
    label = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 NULL is left out
    serial = models.IntegerField(null=True, blank=True)
    rank = models.IntegerField(null=True, blank=True)
    low = models.IntegerField(default=0)
    high = models.IntegerField(default=10)
    keeper = models.ForeignKey(Keeper, models.DO_NOTHING, null=True, blank=True)

    class Meta:
        unique_together = (('shelf', 'position'),)
        constraints = (
            models.UniqueConstraint(
                fields=('shelf', 'name'),
                condition=Q(is_live=True),
                name='place_one_live_of_a_name',
                violation_error_message='A live place of this name is there.',
                violation_error_code='name_taken',
            ),
            models.UniqueConstraint(Lower('label'), name='place_label_in_any_case'),
            models.UniqueConstraint(
                fields=('rank',), name='place_rank', deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                condition=Q(high__gte=F('low')),
                name='place_high_over_low',
                violation_error_message='The upper end lies below the lower one.',
                violation_error_code='range_reversed',
            ),
        )

    def __str__(self) -> str:
        return self.name


class Serial(models.Model):
    """Takes each number once, and NULL once."""

    number = models.IntegerField(null=True, blank=True)
    word = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=('number',), name='serial_once', nulls_distinct=False),
        )

    def __str__(self) -> str:
        return f'serial {self.number}'


class Article(models.Model):
    """Unique on its shelf among those that are not deleted."""

    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name='articles')
    sku = models.CharField(max_length=40)
    title = models.CharField(max_length=40, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=('shelf', 'sku'),
                condition=Q(deleted_at__isnull=True),
                name='article_one_of_a_sku',
            ),
        )

    def __str__(self) -> str:
        return self.sku


class Building(models.Model):
    name = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class Warehouse(Building):
    host = models.OneToOneField(Building, models.CASCADE, parent_link=True, primary_key=True)
    gates = models.IntegerField(default=1)


class Garage(Building):
    """Has a version of its own."""

    host = models.OneToOneField(Building, models.CASCADE, parent_link=True, primary_key=True)
    colour = models.CharField(max_length=20)
    edition = models.PositiveIntegerField(default=1)


class Annex(models.Model):
    """Is deleted softly, with what is a part of it."""

    name = models.CharField(max_length=40)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Hut(Annex):
    host = models.OneToOneField(Annex, models.CASCADE, parent_link=True, primary_key=True)


class Lot(models.Model):
    """Whose total the database makes, and which may be too large for it."""

    quantity = models.BigIntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    total = models.GeneratedField(
        expression=models.ExpressionWrapper(
            F('quantity') * F('price'), models.DecimalField(max_digits=12, decimal_places=2)
        ),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
    )

    def __str__(self) -> str:
        return f'lot {self.pk}'
