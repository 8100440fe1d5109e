"""`Entry`: one change of one row, which is its audit entry and its event in one."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Entry(models.Model):
    """One change, never edited afterwards but for `pending`.

    The entries of one object are numbered from 1 without a gap, in the order of their commits: the
    row is locked while its entry is written.
    """

    at = models.DateTimeField(default=timezone.now, editable=False)
    #: Of the request, or of the task.
    request_id = models.CharField(max_length=64, blank=True)
    #: Who did it: `Caller.key`, which stays, and the name at that time.
    actor = models.CharField(max_length=300)
    actor_name = models.CharField(max_length=300, blank=True)
    #: `create`, `update`, `delete`, `restore`, or what a service calls its own.
    verb = models.CharField(max_length=50)
    #: What kind of thing it is about: the label of the model, such as `catalog.product`.
    aggregate = models.CharField(max_length=190)
    #: The resource through which it was written, by name.
    resource = models.CharField(max_length=100)
    #: The primary key, as text.
    object_id = models.CharField(max_length=190)
    sequence = models.PositiveBigIntegerField()
    #: Whose row it is, where the resource says which field tells that.
    tenant = models.CharField(max_length=190, blank=True)
    #: The changed fields as they were; null for a new row.
    before = models.JSONField(null=True)
    #: All fields as they are now; null for a deleted row.
    after = models.JSONField(null=True)
    #: Whether it has yet to be told as an event.
    pending = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = 'entries'
        constraints = (
            models.UniqueConstraint(
                fields=('aggregate', 'object_id', 'sequence'), name='journal_one_per_step'
            ),
        )
        indexes = (
            models.Index(fields=('id',), condition=Q(pending=True), name='journal_pending'),
            models.Index(
                fields=('tenant', 'id'), condition=~Q(tenant=''), name='journal_of_tenant'
            ),
            models.Index(fields=('actor', 'id'), name='journal_of_actor'),
        )

    def __str__(self) -> str:
        return f'{self.verb} {self.resource} {self.object_id} ({self.sequence})'
