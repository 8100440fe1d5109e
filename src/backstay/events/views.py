"""Webhooks and deliveries over HTTP: the resources, and what they add to reads and writes."""

import json
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from backstay.errors import Problem, not_found
from backstay.events.delivering import redeliver
from backstay.events.models import Delivery, Webhook
from backstay.events.resources import DeliveryResource, WebhookResource
from backstay.events.secrets import unseal
from backstay.identity.callers import caller_of
from backstay.journal.recording import Step, record
from backstay.resources.http.view_set import ResourceViewSet
from backstay.resources.openapi.auto_schema import ResourceSchema
from backstay.resources.query.parameters import read_one
from backstay.resources.reading import read


class WebhookSchema(ResourceSchema):
    """Tells of the secret in the answer to a creation."""

    def get_response_serializers(self) -> Any:
        """The answers; that to a creation has one more member."""
        responses = super().get_response_serializers()
        if self.view.action != 'create':  # type: ignore[attr-defined] # it is a view set
            return responses
        secret = {'type': 'string', 'description': 'It is shown here, and never again.'}
        made = {'type': 'object', 'properties': {'secret': secret}, 'required': ['secret']}
        says = 'The webhook, as the mask shows it, and its secret.'
        return {**responses, (201, 'application/json'): OpenApiResponse(made, says)}


class WebhookViewSet(ResourceViewSet):
    """Webhooks, one at a time: the secret of each is shown when it is made, and never again."""

    resource = WebhookResource
    schema = WebhookSchema()
    bulk = bulk_patch = bulk_delete = None

    def finalize_response(  # type: ignore[override] # ours are Django's
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Add the secret of a new webhook, also where the answer is given a second time."""
        answer: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        if self.action == 'create' and answer.status_code == 201:
            key = answer['Location'].rstrip('/').rpartition('/')[2]
            stored = Webhook.objects.values_list('secret', flat=True).get(pk=key)
            shown = json.loads(answer.content) | {'secret': unseal(stored)}  # type: ignore[attr-defined]
            answer.content = json.dumps(shown)  # type: ignore[attr-defined]
            answer['Cache-Control'] = 'no-store'
        return answer


class DeliverySchema(ResourceSchema):
    """Tells of delivering again to who may see deliveries."""

    def get_operation(self, *route: Any) -> dict[str, Any] | None:
        """The operation; None for who may not call it."""
        view: Any = self.view
        return super().get_operation(*route) if view.readable(view.request).grants else None


class DeliveryViewSet(ResourceViewSet):
    """The log of deliveries, out of which one can be delivered again."""

    resource = DeliveryResource
    schema = DeliverySchema()

    @extend_schema(
        request=None,
        responses={202: OpenApiResponse(None, 'It is queued.')},
        summary='Delivery: deliver it again',
    )
    @action(detail=True, methods=['post'])
    def redeliver(self, request: Request, **path: Any) -> HttpResponseBase:
        """Queue what was delivered or given up anew, with all its tries."""
        key = self._seen(request, path)
        with transaction.atomic():
            if not redeliver(Delivery.objects.filter(pk=key)):
                raise Problem(
                    'Only what was delivered or given up can be delivered again.',
                    code='not-delivered-yet',
                )
            options = DeliveryResource.options
            step = Step(
                verb='redeliver',
                aggregate=options.model._meta.label_lower,
                resource=options.name,
                object_id=str(key),
            )
            record(caller_of(request), [step])
        return HttpResponse(status=202)

    def _seen(self, request: Request, path: dict[str, Any]) -> int:
        """The key of the delivery that is named, if the caller may see it; otherwise 404."""
        asked = self.asked(request, path[self.lookup_url_kwarg])
        query = read_one(asked)
        if not read(asked, query).objects:
            raise not_found()
        return int(query.values[0])
