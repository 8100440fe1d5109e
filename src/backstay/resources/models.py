"""What the resources remember beside their rows: requests that must have an effect only once."""

from django.db import models


class IdempotencyKey(models.Model):
    """One request with an Idempotency-Key: under way, or done with its answer."""

    #: SHA-256 of caller, method, path and key.
    id = models.CharField(max_length=64, primary_key=True)
    #: SHA-256 of the body in canonical form.
    body = models.CharField(max_length=64)
    #: Of the attempt that is under way, which has until then; another may take over after.
    attempt = models.CharField(max_length=32)
    leased_until = models.DateTimeField()
    #: When it is forgotten.
    expires_at = models.DateTimeField(db_index=True)
    #: None while under way.
    status = models.PositiveSmallIntegerField(null=True)
    #: The results of a request about many rows, or the problem of one that was refused.
    text = models.BinaryField(null=True)
    #: The lookup value of the one object.
    lookup = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.id
