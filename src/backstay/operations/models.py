"""The table of `backstay run`: which demo data has been loaded."""

from django.db import models
from django.utils import timezone


class DemoLoad(models.Model):
    """A record that the demo data of a service was loaded, so that deleted data stays deleted."""

    service = models.CharField(max_length=100, unique=True)
    loaded_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.service
