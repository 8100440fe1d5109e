"""Everything under `/events/`: webhooks, their deliveries, and the journal."""

from django.urls import URLPattern, URLResolver, include, path

from backstay.audit.resources import SecurityEventResource
from backstay.events.views import DeliveryViewSet, WebhookViewSet
from backstay.journal.resources import AuditResource
from backstay.resources.http.router import ResourceRouter


def events_urls() -> list[URLPattern | URLResolver]:
    """The resources of events, each of which tells who may use it."""
    router = ResourceRouter()
    router.register('webhooks', WebhookViewSet)
    router.register('deliveries', DeliveryViewSet)
    router.register('audit', AuditResource)
    router.register('security', SecurityEventResource)
    return [path('events/', include(router.urls))]
