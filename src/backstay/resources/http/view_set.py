"""The view set of a resource: Django REST Framework around compiled statements.

Authentication, permissions, throttles, negotiation and error handling are DRF's; between them the
JSON goes from the database to the response as bytes.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db import connections
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from backstay.errors import not_found
from backstay.identity.callers import caller_of
from backstay.identity.problems import LevelTooLow
from backstay.negotiation import Negotiation
from backstay.resources.conf import mask_header, statement_timeout
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import ParameterError
from backstay.resources.execute import Rows, run, stream
from backstay.resources.http import answers, writes
from backstay.resources.http.answers import Clock
from backstay.resources.http.csv import CsvRenderer, csv_lines
from backstay.resources.http.envelope import PAGE, Seal, envelope
from backstay.resources.plan.cache import plans
from backstay.resources.plan.plan import Plan
from backstay.resources.query.cursor import binding_of
from backstay.resources.query.nodes import Query
from backstay.resources.query.parameters import read_all, read_one, read_query

#: Parameter that asks for softly deleted rows.
DELETED = 'include_deleted'
#: RFC 7240: names and tokens in any case, the value with or without quotes.
_STRICT = re.compile(r'(?:^|,)\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)', re.IGNORECASE)


class ResourceViewSet(ViewSet):
    """Lists, objects, queries and writes of one resource. A subclass may add whatever DRF allows.

    It has those writes that some grant of the resource allows somebody (see
    `backstay.resources.http.writes`); a subclass may have its own instead. There is no object in
    Python, so `has_object_permission` is never asked: who may do what with which rows belongs to
    the resource.
    """

    resource: ClassVar[type[Resource]]
    content_negotiation_class = Negotiation
    #: The grants decide who may read; a subclass may ask for more.
    permission_classes = (AllowAny,)
    lookup_value_regex = '[^/]+'
    #: Name of the path's parameter: that of the resource's lookup field.
    lookup_url_kwarg: ClassVar[str] = 'id'
    #: Database that is read.
    using: ClassVar[str] = 'default'

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if 'resource' in vars(cls):
            cls.lookup_url_kwarg = cls.resource.options.lookup
            for name, write in writes.actions(cls.resource).items():
                if not hasattr(cls, name):
                    setattr(cls, name, write)

    @property
    def is_write(self) -> bool:
        """Whether the action is the resource's own write, not one that replaces it."""
        own = writes.actions(self.resource).get(self.action or '')
        return own is not None and getattr(type(self), self.action) is own

    def get_renderers(self) -> list[BaseRenderer]:
        """The site's renderers, and CSV for lists."""
        renderers: list[BaseRenderer] = super().get_renderers()
        # None is the action of a method that does not exist, which is no matter of formats.
        return [*renderers, CsvRenderer()] if self.action in ('list', 'query', None) else renderers

    def list(self, request: Request, **_path: str) -> HttpResponseBase:
        """A page of the collection: masked, filtered, in order."""
        return self._answer_list(request, None)

    @action(detail=False, methods=['post'], url_path='query')
    def query(self, request: Request, **_path: str) -> HttpResponseBase:
        """A page of the collection; what is asked comes as a body.

        `next` and `previous` lead on when the same body is posted there.
        """
        body = answers.json_object(request)
        # A link to another page overrules the page that the body asks for.
        is_linked = not PAGE.isdisjoint(request._request.GET)
        page = PAGE if is_linked else ()
        kept = {name: value for name, value in body.items() if name not in page}
        return self._answer_list(request, kept)

    def retrieve(self, request: Request, **path: str) -> HttpResponseBase:
        """One object."""
        clock = Clock()
        readable = self._granted(request)
        asked = self.asked(request)
        query = read_one(readable, path[self.lookup_url_kwarg], **asked)
        rows = self._run(request, readable, query, clock)
        if not rows.objects:
            raise not_found()
        (text,) = rows.objects
        etag = answers.etag_of(text, rows.version)
        return answers.respond(request, text, clock, answers.of_object(rows, asked), etag)

    def readable(self, request: Request) -> Readable:
        """The resource as the caller of the request may read it."""
        deleted = bool(self.resource.options.soft_delete) and _asks_for_deleted(request)
        caller = caller_of(request)
        restoring = caller.standing(writing=True) if deleted else None
        return Readable(self.resource, caller.standing(), restoring)

    def _granted(self, request: Request) -> Readable:
        """The same; refused when the caller may read nothing of it at all."""
        readable = self.readable(request)
        if readable.grants:
            return readable
        raise NotAuthenticated if caller_of(request).kind == 'guest' else LevelTooLow

    def _answer_list(self, request: Request, body: Mapping[str, Any] | None) -> HttpResponseBase:
        clock = Clock()
        readable = self._granted(request)
        asked = self.asked(request)
        if isinstance(request.accepted_renderer, CsvRenderer):
            return self._answer_csv(request, readable, asked | {'body': body}, clock)
        caller_key = caller_of(request).key
        secret_key = str(settings.SECRET_KEY)
        query = read_query(
            readable, body=body, caller_key=caller_key, secret_key=secret_key, **asked
        )
        rows = self._run(request, readable, query, clock)
        seal = None
        if rows.keys:
            seal = Seal(binding=binding_of(readable, query, caller_key), key=secret_key)
        text = envelope(request._request, query, rows, seal)
        etag = None if request.method == 'POST' else answers.etag_of(text)
        return answers.respond(request, text, clock, answers.preference(asked), etag)

    def _answer_csv(
        self, request: Request, readable: Readable, asked: dict[str, Any], clock: Clock
    ) -> StreamingHttpResponse:
        """Every row. The statement has run when this returns; only then the answer begins."""
        query = read_all(readable, **asked)
        plan = self.plan(readable, query, clock)
        wanted = request.method != 'HEAD'
        rows = stream(plan, query, answers.facts_of(request), using=self.using) if wanted else ()
        clock.lap('db')
        content_type = 'text/csv; charset=utf-8; header=present'
        response = StreamingHttpResponse(
            csv_lines(plan.selection, rows),
            content_type=content_type,
            headers=answers.preference(asked),
        )
        name = self.resource.options.name.lower()
        response['Content-Disposition'] = f'attachment; filename="{name}.csv"'
        answers.add_headers(response, clock)
        return response

    def _run(self, request: Request, readable: Readable, query: Query, clock: Clock) -> Rows:
        plan = self.plan(readable, query, clock)
        rows = run(
            plan, query, answers.facts_of(request), using=self.using, timeout=statement_timeout()
        )
        clock.lap('db')
        return rows

    def plan(self, readable: Readable, query: Query, clock: Clock) -> Plan:
        """The compiled statement of a query."""
        clock.lap('parse')
        plan = plans.plan(readable, query.shape, connections[self.using])
        clock.lap('plan')
        if plan.patches:
            clock.note('python', 'fields that only Python can compute')
        return plan

    def asked(self, request: Request) -> dict[str, Any]:
        """What every kind of read takes from a request; how it is rendered is not part of it."""
        http = request._request
        parameters = dict(http.GET.lists())
        if len(parameters.get(self.settings.URL_FORMAT_OVERRIDE, ())) == 1:
            del parameters[self.settings.URL_FORMAT_OVERRIDE]
        if self.resource.options.soft_delete:
            parameters.pop(DELETED, None)
        return {
            'parameters': parameters,
            'mask_header': http.META.get(answers.variable(mask_header())),
            'strict': bool(_STRICT.search(http.META.get('HTTP_PREFER', ''))),
        }


def _asks_for_deleted(request: Request) -> bool:
    """Whether softly deleted rows are asked for too, which only who may restore them sees."""
    given = request._request.GET.getlist(DELETED, ['false'])
    if given not in (['true'], ['false']):
        raise ParameterError(f'`{DELETED}` should be `true` or `false`, once.')
    return given == ['true']
