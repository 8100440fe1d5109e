"""What the events hold about an account: its webhooks, which go with it."""

from collections.abc import Mapping
from typing import Any

from backstay.events.models import Webhook
from backstay.identity.personal_data import PersonalData, Rows


def export(account_id: Any) -> Mapping[str, Rows]:
    """Return the webhooks of an account, without their secrets."""
    told = ('name', 'url', 'types', 'tenant', 'active', 'created_at', 'deleted_at')
    return {'webhooks': Webhook.objects.filter(owner_id=account_id).values(*told)}


def erase(account_id: Any) -> None:
    """Delete them with their deliveries."""
    Webhook.objects.filter(owner_id=account_id).delete()


WEBHOOKS = PersonalData(export=export, erase=erase)
