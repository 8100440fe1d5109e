"""The record of a seeding: each written chunk, stored in the transaction of its rows."""

from django.db import models


class SeededChunk(models.Model):
    """One written chunk of the rows of one model."""

    model = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64)
    #: The arguments that the rows were made with; another seeding is not mixed in.
    size = models.CharField(max_length=40)
    seed = models.BigIntegerField()
    until = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=('model', 'number'), name='seeding_one_chunk_once'),
        )

    def __str__(self) -> str:
        return f'{self.model} {self.number}'
