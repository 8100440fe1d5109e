"""The view set of a resource: Django REST Framework around compiled statements.

Authentication, permissions, throttles, negotiation and error handling are DRF's; between them the
JSON goes from the database to the response as bytes.
"""

from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from backstay.errors import not_found
from backstay.identity.callers import caller_of
from backstay.negotiation import Negotiation
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.execute import Rows
from backstay.resources.http import answers, writes
from backstay.resources.http.answers import Clock
from backstay.resources.http.asking import json_object, read_of, refuse_without_reading
from backstay.resources.http.csv import CsvRenderer, csv_lines
from backstay.resources.http.envelope import PAGE, Seal, envelope
from backstay.resources.plan.plan import Plan
from backstay.resources.query.asked import Asked
from backstay.resources.query.cursor import binding_of
from backstay.resources.query.nodes import Query
from backstay.resources.query.parameters import read_all, read_one, read_query
from backstay.resources.query.preconditions import etag_of
from backstay.resources.reading import plan_of, rows_of, stream_of
from backstay.secret_keys import derived_keys


class ResourceViewSet(ViewSet):
    """Lists, objects, queries and writes of one resource. A subclass may add whatever DRF allows.

    It has those writes that some grant of the resource allows (see
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
        """Return the site's renderers, and CSV for lists."""
        renderers: list[BaseRenderer] = super().get_renderers()
        # The action is None for a method that does not exist, which no format would change.
        return [*renderers, CsvRenderer()] if self.action in ('list', 'query', None) else renderers

    def list(self, request: Request, **_path: str) -> HttpResponseBase:
        """A page of the collection: masked, filtered, in order."""
        return self._answer_list(request, self.asked(request))

    @action(detail=False, methods=['post'], url_path='query')
    def query(self, request: Request, **_path: str) -> HttpResponseBase:
        """A page of the collection; what is asked comes as a body.

        `next` and `previous` lead on when the same body is posted there.
        """
        body = json_object(request)
        # A link to another page overrules the page that the body asks for.
        is_linked = not PAGE.isdisjoint(request._request.GET)
        page = PAGE if is_linked else ()
        kept = {name: value for name, value in body.items() if name not in page}
        return self._answer_list(request, self.asked(request, body=kept))

    def retrieve(self, request: Request, **path: str) -> HttpResponseBase:
        """One object."""
        clock = Clock()
        asked = self.asked(request, path[self.lookup_url_kwarg])
        rows = self._rows(asked, read_one(asked), clock)
        if not rows.objects:
            raise not_found()
        (text,) = rows.objects
        headers = answers.of_object(asked, [pointer for _, pointer in rows.truncated])
        return answers.respond(request, text, clock, headers, etag_of(text, rows.version))

    def asked(self, request: Request, lookup: str | None = None, body: Any = None) -> Asked:
        """Read the request; reject callers that may read nothing of the resource."""
        asked = read_of(request, self.resource, lookup, self.using, body)
        refuse_without_reading(asked)
        return asked

    def readable(self, request: Request) -> Readable:
        """Return the resource as the caller may read it, for documents that describe it."""
        return Readable(self.resource, caller_of(request).standing())

    def _answer_list(self, request: Request, asked: Asked) -> HttpResponseBase:
        clock = Clock()
        if isinstance(request.accepted_renderer, CsvRenderer):
            return self._answer_csv(request, asked, clock)
        secret_keys = [key.hex() for key in derived_keys('cursor')]
        query = read_query(asked, *secret_keys)
        rows = self._rows(asked, query, clock)
        seal = None
        if rows.keys:
            binding = binding_of(asked.readable, query, asked.caller.key)
            seal = Seal(binding=binding, key=secret_keys[0])
        text = envelope(request._request, query, rows, seal)
        etag = None if request.method == 'POST' else etag_of(text)
        return answers.respond(request, text, clock, answers.preference(asked), etag)

    def _answer_csv(self, request: Request, asked: Asked, clock: Clock) -> StreamingHttpResponse:
        """Answer with every row; the first is found before the answer begins.

        If the database fails later, the last line is no CSV, and the iterator raises.
        """
        query = read_all(asked)
        plan = self._plan(asked, query, clock)
        rows = stream_of(asked, plan, query) if request.method != 'HEAD' else ()
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

    def _rows(self, asked: Asked, query: Query, clock: Clock) -> Rows:
        rows = rows_of(asked, self._plan(asked, query, clock), query)
        clock.lap('db')
        return rows

    def _plan(self, asked: Asked, query: Query, clock: Clock) -> Plan:
        clock.lap('parse')
        plan = plan_of(asked, query.shape)
        clock.lap('plan')
        if plan.patches:
            clock.note('python', 'fields that only Python can compute')
        return plan
