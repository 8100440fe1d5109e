"""The Django app of the events."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    """Webhooks, and what each of them is to be told."""

    name = 'backstay.events'
    label = 'events'
    verbose_name = 'Events'
    default_auto_field = 'django.db.models.BigAutoField'

    def ready(self) -> None:
        from backstay.audit.recording import told_by
        from backstay.events.personal_data import WEBHOOKS
        from backstay.events.relaying import is_told, relay_soon
        from backstay.events.secrets import rotate_secrets
        from backstay.identity.personal_data import hold_personal_data
        from backstay.journal.recording import on_pending
        from backstay.secret_keys import rotations

        if relay_soon not in on_pending:
            on_pending.append(relay_soon)
            told_by.append(is_told)
        hold_personal_data('events', WEBHOOKS)
        rotations['secrets of webhooks'] = rotate_secrets
        autodiscover_modules('subscribers')
