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
        from backstay.events.relaying import relay_soon
        from backstay.journal.recording import on_pending

        if relay_soon not in on_pending:
            on_pending.append(relay_soon)
        autodiscover_modules('subscribers')
