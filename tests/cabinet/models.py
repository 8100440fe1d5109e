"""Tables that have the same columns, one of each kind, so that a wrong path finds a value."""

from typing import Any

from django.db import models
from django.db.models import F


class Piece(models.Model):
    """One column of each kind."""

    class Status(models.TextChoices):
        OPEN = 'open'
        SHUT = 'shut'
        LOST = 'lost'

    owner = models.IntegerField(null=True)
    name = models.CharField(max_length=40)
    notes = models.TextField(blank=True)
    code = models.SlugField(max_length=40)
    mail = models.EmailField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    count = models.IntegerField(null=True)
    grade = models.PositiveSmallIntegerField(default=0)
    ratio = models.FloatField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    is_open = models.BooleanField(null=True)
    day = models.DateField(null=True)
    opens = models.TimeField(null=True)
    closes = models.TimeField(null=True)
    begins = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)
    span = models.DurationField(null=True)
    token = models.UUIDField(null=True)
    address = models.GenericIPAddressField(null=True)
    blob = models.BinaryField(null=True)
    plan = models.FileField(null=True)
    details = models.JSONField(null=True)
    labels = models.JSONField(null=True)
    doubled = models.GeneratedField(
        expression=F('grade') * 2, output_field=models.IntegerField(), db_persist=True
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f'{type(self).__name__} {self.pk}'


class Room(Piece):
    """What scopes are over."""


class Keyword(Piece):
    """Linked to cases, many to many."""


class Case(Piece):
    """Versioned, and deleted softly."""

    room = models.ForeignKey(Room, models.CASCADE, related_name='cases', null=True)
    keywords: Any = models.ManyToManyField(Keyword, related_name='cases')
    version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True)


class Seal(Piece):
    """At most one on a case."""

    case = models.OneToOneField(Case, models.CASCADE, related_name='seal')


class Slip(Piece):
    """Any number in a case; its codes are told apart there."""

    case = models.ForeignKey(Case, models.CASCADE, related_name='slips')
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (models.UniqueConstraint(fields=('case', 'code'), name='slip_code'),)
