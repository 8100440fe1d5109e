"""What `backstay run` remembers."""

from django.db import models
from django.utils import timezone


class DemoLoad(models.Model):
    """The demo data of one service, loaded; whoever deletes it in the site keeps it deleted."""

    service = models.CharField(max_length=100, unique=True)
    loaded_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.service
