"""`SecurityEvent`: one thing that happened to an account, a secret, or rows that somebody read."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class EventOutcome(models.TextChoices):
    """Whether what was tried happened."""

    DONE = 'done'
    REFUSED = 'refused'


class SecurityEvent(models.Model):
    """One line of the audit, never edited. It holds no secret and no part of one."""

    at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    #: One of `backstay.audit.actions.ACTIONS`.
    action = models.CharField(max_length=30)
    outcome = models.CharField(max_length=7, choices=EventOutcome, default=EventOutcome.DONE)
    #: Whom it is about; empty where no account has the name that was tried.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name='+'
    )
    #: Who did it: `Caller.key`, which stays, and the name at that time.
    actor = models.CharField(max_length=300)
    actor_name = models.CharField(max_length=300, blank=True)
    #: From where: the client's address as far as it can be trusted, and what it calls itself.
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    #: A short hash that is the same for all lines of a session.
    session = models.CharField(max_length=16, blank=True)
    #: The resource that was read, by name.
    resource = models.CharField(max_length=100, blank=True)
    #: What the action alone does not tell, such as the prefix of a key.
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ('-pk',)
        indexes = (
            models.Index(fields=('account', 'id'), name='audit_of_account'),
            models.Index(fields=('action', 'id'), name='audit_of_action'),
        )

    def __str__(self) -> str:
        return f'{self.action} {self.outcome} ({self.actor})'
