"""The tables of the operations: the demo data of `backstay run`, and the calls of this minute."""

from django.db import models
from django.utils import timezone


class DemoLoad(models.Model):
    """A record that the demo data of a service was loaded, so that deleted data stays deleted."""

    service = models.CharField(max_length=100, unique=True)
    loaded_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.service


class CallCount(models.Model):
    """The calls of one name in one minute, in all processes of a site without Redis."""

    #: A hash, which shows neither addresses nor accounts.
    key = models.CharField(max_length=64, primary_key=True)
    #: Minutes since 1970.
    minute = models.IntegerField(db_index=True)
    calls = models.IntegerField()

    def __str__(self) -> str:
        return self.key
