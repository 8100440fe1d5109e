"""What a seeding remembers: the chunks that it wrote, each in the transaction of its rows."""

from django.db import models


class SeededChunk(models.Model):
    """One chunk of the rows of one model, written."""

    model = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64)
    #: What the rows were made with; another seeding is not mixed into them.
    size = models.CharField(max_length=40)
    seed = models.BigIntegerField()
    until = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=('model', 'number'), name='seeding_one_chunk_once'),
        )

    def __str__(self) -> str:
        return f'{self.model} {self.number}'
