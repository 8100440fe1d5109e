"""Webhooks and deliveries in the admin: to look at, to switch off, to deliver again.

Neither is written here: a webhook is told what its owner may read, so its owner makes it, and is
shown its secret, over the API.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest

from backstay.events.delivering import deliver, redeliver
from backstay.events.models import Delivery, Webhook
from backstay.resources.admin.pages import ShortPaginator


class _ReadOnly(admin.ModelAdmin):
    """Pages that show, and change nothing but by actions."""

    show_full_result_count = False
    paginator = ShortPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 Django's
        """They are made elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only by actions on the list."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """They go by themselves, or over the API."""
        return False

    def _record(self, request: HttpRequest, changed: list[Any], message: str) -> None:
        """Note in the admin's own history who did it."""
        if changed:
            who: Any = request.user.pk
            LogEntry.objects.log_actions(who, changed, CHANGE, change_message=message)
        self.message_user(request, f'{len(changed)} changed.')


@admin.register(Webhook)
class WebhookAdmin(_ReadOnly):
    """Every webhook, without its secret."""

    list_display = ('id', 'name', 'url', 'owner', 'tenant', 'active', 'failures', 'disabled_at')
    list_filter = ('active', 'disabled_at', 'created_at')
    list_select_related = ('owner',)
    search_fields = ('name', 'url', 'tenant', 'owner__username')
    search_help_text = 'By name, URL, tenant or user name of the owner'
    fields = (
        'name',
        'url',
        'types',
        'tenant',
        'owner',
        'active',
        'failures',
        'disabled_at',
        'created_at',
        'deleted_at',
    )
    actions = ('switch_on', 'switch_off')

    @admin.action(description='Switch the selected webhooks on', permissions=('change',))
    def switch_on(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        """What was queued is delivered."""
        changed = list(webhooks.filter(active=False))
        webhooks.model.objects.filter(pk__in=[each.pk for each in changed]).update(
            active=True, failures=0, disabled_at=None
        )
        for each in changed:
            deliver.using(key=each.target).enqueue(each.target)
        self._record(request, changed, 'Switched on.')

    @admin.action(description='Switch the selected webhooks off', permissions=('change',))
    def switch_off(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        """What is queued waits."""
        changed = list(webhooks.filter(active=True))
        webhooks.model.objects.filter(pk__in=[each.pk for each in changed]).update(active=False)
        self._record(request, changed, 'Switched off.')


@admin.register(Delivery)
class DeliveryAdmin(_ReadOnly):
    """The log, with what waits and what was given up."""

    list_display = (
        'id',
        'type',
        'target',
        'subject',
        'state',
        'attempts',
        'next_at',
        'status',
        'error',
        'created_at',
    )
    list_filter = ('state', 'created_at')
    search_fields = ('target', 'type', 'subject', 'error')
    search_help_text = 'By target, type, subject or error'
    actions = ('redeliver',)

    @admin.action(description='Deliver the selected deliveries again', permissions=('change',))
    def redeliver(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """What was delivered or given up is queued anew with all its tries; the rest stays."""
        self._record(request, redeliver(deliveries), 'Queued anew.')
