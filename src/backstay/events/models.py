"""What is stored of events: who is to be told, and how far that has come."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from backstay.events.addresses import validate_url
from backstay.events.declaration import EVERY
from backstay.events.secrets import unseal, validate_secret
from backstay.journal.models import Entry

#: What targets of webhooks begin with; those of functions are dotted paths.
_WEBHOOK = 'webhook:'


def every_type() -> list[str]:
    """What a webhook is told of that names no types."""
    return [EVERY]


def validate_types(types: Any) -> None:
    """Refuse what is no list of types."""
    fits = isinstance(types, list) and 0 < len(types) <= 100
    if not fits or not all(isinstance(each, str) and 0 < len(each) <= 160 for each in types):
        raise ValidationError('Give a list of types of events, or ["*"].', code='types-invalid')


class Webhook(models.Model):
    """An address that events are posted to, with the rights of its owner."""

    name = models.CharField(max_length=120, blank=True)
    url = models.CharField(max_length=2000, validators=[validate_url])
    #: Encrypted, see `backstay.events.secrets`.
    secret = models.CharField(max_length=300, blank=True, validators=[validate_secret])
    #: The secret before it, which signs too until a moment: the receiver has time to learn the new.
    former_secret = models.CharField(max_length=300, blank=True, editable=False, db_default='')
    former_until = models.DateTimeField(null=True, blank=True, editable=False)
    types = models.JSONField(default=every_type, validators=[validate_types])
    #: Whose rows it is told of; empty for everybody's.
    tenant = models.CharField(max_length=190, blank=True)
    #: Nothing is posted that this account may not read at that moment.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name='+')
    active = models.BooleanField(default=True)
    #: Deliveries in a row that were given up.
    failures = models.PositiveIntegerField(default=0, editable=False)
    #: When it was switched off for its failures.
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ('-pk',)

    def __str__(self) -> str:
        return self.name or f'webhook {self.pk}'

    @property
    def is_on(self) -> bool:
        """Whether anything is posted there."""
        return self.active and self.deleted_at is None

    def signing_secrets(self, now: datetime) -> list[str]:
        """The secrets that sign at a moment. Raises InvalidToken; see `unseal`."""
        overlaps = self.former_until is not None and now < self.former_until
        return [unseal(self.secret), *([unseal(self.former_secret)] if overlaps else ())]

    @property
    def target(self) -> str:
        """How deliveries name it."""
        return target_of(self.pk)


def target_of(webhook_id: int) -> str:
    """How deliveries name a webhook."""
    return f'{_WEBHOOK}{webhook_id}'


class State(models.TextChoices):
    """How far a delivery has come."""

    QUEUED = 'queued'
    DONE = 'done'
    #: Given up after its last try; it stays until somebody delivers it again.
    DEAD = 'dead'
    #: The owner of the webhook may not read it, or there was nothing left to read.
    WITHHELD = 'withheld'


#: Why an event is withheld where its owner may not read it.
HIDDEN = 'hidden'
#: Deliveries after which the owner of a webhook knows of an object, or must not hear of it again.
SAYS_WHAT_IS_KNOWN = Q(delivered_at__isnull=False) | Q(state=State.WITHHELD, error=HIDDEN)


class Delivery(models.Model):
    """One event that is posted to one webhook, or given to one function.

    Those of one object to one target have ids in the order of its changes, and only the first
    queued one of them is due; the next one becomes due when it has come to its end.
    """

    #: Where it goes: `webhook:7`, or the path of a function.
    target = models.CharField(max_length=200)
    webhook = models.ForeignKey(
        Webhook, models.CASCADE, null=True, blank=True, related_name='deliveries'
    )
    entry = models.ForeignKey(Entry, models.CASCADE, related_name='+')
    type = models.CharField(max_length=160)
    #: What it is about: the kind of thing and its key, such as `catalog.item:5`.
    subject = models.CharField(max_length=400)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: When it is tried next; null while it waits for an earlier one of its object, and at its end.
    next_at = models.DateTimeField(null=True, blank=True)
    #: Of the last try: HTTP's status, why it failed in one word, how long it took, what came back.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=100, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    response = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    #: When the receiver had it, the last time.
    delivered_at = models.DateTimeField(null=True, blank=True)
    #: Its number among what the target was sent of the object, without a gap; of one that was
    #: withheld, the last number before it. Null until it is tried.
    sequence = models.PositiveBigIntegerField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ('-pk',)
        verbose_name_plural = 'deliveries'
        indexes = (
            # Whether `next_at` is null decides, and not `state`: SQLite cannot match a bound value
            # with the condition of an index.
            models.Index(
                fields=('target', 'next_at', 'id'),
                condition=Q(next_at__isnull=False),
                name='events_due',
            ),
            models.Index(fields=('target', 'subject', 'id'), name='events_told'),
            models.Index(fields=('state', 'created_at'), name='events_old'),
        )
        constraints = (
            models.UniqueConstraint(
                fields=('target', 'subject'),
                condition=Q(next_at__isnull=False),
                name='events_one_due',
            ),
        )

    def __str__(self) -> str:
        return f'{self.type} to {self.target}'

    @classmethod
    def heads(cls, target: str = '') -> 'models.QuerySet[Delivery]':
        """Return what may be tried next: the first queued delivery of each object.

        An index holds these alone, so the cost does not grow with what waits behind them.
        """
        heads = cls.objects.filter(next_at__isnull=False)
        return (heads.filter(target=target) if target else heads).order_by('next_at', 'pk')

    def last_sequence(self) -> int:
        """Return the number of the last delivery of the object to the target before this one.

        Deliveries of before there were such numbers told that of the entry.
        """
        same = Delivery.objects.filter(target=self.target, subject=self.subject, pk__lt=self.pk)
        sent = same.filter(Q(sequence__isnull=False) | Q(delivered_at__isnull=False))
        numbers = sent.order_by('-pk').values_list(Coalesce('sequence', 'entry__sequence'))
        return next(iter(numbers[:1]), (0,))[0]

    def let_next_one_lead(self) -> None:
        """Let the next queued delivery of the object be due, unless one of them is already."""
        same = Delivery.objects.filter(target=self.target, subject=self.subject)
        later = same.filter(state=State.QUEUED, pk__gt=self.pk).order_by('pk').values('pk')
        Delivery.objects.filter(
            ~Exists(same.filter(next_at__isnull=False)), pk__in=later[:1]
        ).update(next_at=F('created_at'))
