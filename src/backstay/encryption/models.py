"""`DataKey`: a key that encrypts values, stored as a master key wrapped it."""

from uuid import uuid4

from django.db import models
from django.utils import timezone


class DataKey(models.Model):
    """One version of the key of one owner: a row, a tenant, or a blind index.

    The version with the highest number encrypts. A key that was destroyed stays as a row without
    its bytes, so that its owner gets no new one.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    #: What owns it: the label of a model, such as `clinic.patient`, and the key of a row.
    owner = models.CharField(max_length=190)
    owner_id = models.CharField(max_length=190)
    sequence = models.PositiveIntegerField(default=1)
    #: The name of the master key that wraps it.
    master = models.CharField(max_length=64)
    #: NULL once it was destroyed.
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=('owner', 'owner_id', 'sequence'), name='encryption_one_per_step'
            ),
        )
        indexes = (models.Index(fields=('master', 'id'), name='encryption_of_master'),)

    def __str__(self) -> str:
        return f'{self.owner} {self.owner_id} ({self.sequence})'
