"""What every endpoint of code review has: Django REST Framework's own ways and bodies.

Anybody reads, accounts and API keys write. Who is not let in gets 403, never 401: the bot and the
front end expect that.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from pydantic_core import to_json
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ErrorDetail, NotFound, ParseError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticatedOrReadOnly
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from backstay.engine import engine_of
from backstay.errors import Problem, problem_from
from backstay.identity import (
    ApiKeyAuthentication,
    BasicAuthentication,
    BearerAuthentication,
    CredentialsInvalid,
    caller_of,
)
from backstay.resources import FilterError, Resource, Rows, read_rows

_UNSTORABLE = re.compile('[\x00\ud800-\udfff]')
FilterSpec = Mapping[str, Any] | Sequence[Any]
#: What both databases take for LIMIT and OFFSET.
_MOST = 2**62


class SafeJSONParser(JSONParser):
    """Django REST Framework's, which also refuses what is nested deeper than Python reads."""

    def parse(self, *stream: Any, **context: Any) -> Any:
        """The value. Raises ParseError."""
        try:
            return super().parse(*stream, **context)
        except RecursionError:
            raise ParseError('JSON parse error - it is nested too deeply') from None


class IsNoWorkflow(BasePermission):
    """Whoever may call the site as a workflow of GitHub may not publish by that alone."""

    def has_permission(self, request: Request, _view: Any) -> bool:
        """Return whether the caller reads, or is no workflow."""
        return request.method in SAFE_METHODS or caller_of(request).kind != 'pipeline'


class ReviewView(APIView):
    """A view of the contract."""

    authentication_classes = (
        BasicAuthentication,
        BearerAuthentication,
        ApiKeyAuthentication,
        SessionAuthentication,
    )
    permission_classes = (IsAuthenticatedOrReadOnly, IsNoWorkflow)
    renderer_classes = (JSONRenderer, BrowsableAPIRenderer)
    parser_classes = (SafeJSONParser, FormParser, MultiPartParser)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return the headers of each answer: caches keep one a session, as the original has it."""
        return {**super().default_response_headers, 'Vary': 'Accept, Cookie'}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The platform's, but for formats that do not exist: here they are 404, as DRF has it."""
        asked = request.query_params.get('format')
        if (
            asked
            and not force
            and asked not in {renderer.format for renderer in self.get_renderers()}
        ):
            raise NotFound
        return super().perform_content_negotiation(request, force)

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002 its signature
        """No challenge: with one, the 403 would be a 401."""
        return ''

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Django REST Framework's own, which also knows the platform's problems."""
        return _answer


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, DatabaseError | InterfaceError):
        error = problem_from(error) or error
    if isinstance(error, Problem):
        return Response({'detail': error.detail}, status=error.answer_status, headers=error.headers)
    if isinstance(error, CredentialsInvalid):
        error.detail = ErrorDetail('Invalid username/password.', error.default_code)
    response = exception_handler(error, context)
    if response is not None:
        response.data = _writable(response.data)
    return response


def _writable(details: Any) -> Any:
    """Details without half surrogate pairs, which have no UTF-8; they quote what was sent."""
    match details:
        case str():
            return details.encode('utf-8', 'backslashreplace').decode()
        case dict():
            return {_writable(name): _writable(each) for name, each in details.items()}
        case list():
            return [_writable(each) for each in details]
    return details


class Page(LimitOffsetPagination):
    """The page that a request asks for: 50 rows unless told otherwise.

    The original has no bound. This one is more than its clients ask for; `next` leads on.
    """

    default_limit = 50
    max_limit = 10_000

    def __init__(self, request: Request) -> None:
        self.request = request
        self.limit: int = self.get_limit(request) or self.default_limit
        self.offset: int = self.get_offset(request)

    @property
    def rows(self) -> slice:
        """Where it lies."""
        offset = min(self.offset, _MOST)
        return slice(offset, offset + self.limit)

    def envelope(self, count: int, objects: Iterable[bytes]) -> bytes:
        """The JSON of the page, around that of its rows."""
        self.count = count
        head = {'count': count, 'next': self.get_next_link(), 'previous': self.get_previous_link()}
        opening = json.dumps(head, separators=(',', ':'))[:-1].encode()
        return b''.join((opening, b',"results":[', b','.join(objects), b']}'))


def respond(request: Request, text: bytes, status: int = 200) -> HttpResponseBase:
    """JSON as it is; a renderer other than that of JSON gets it as data."""
    if type(request.accepted_renderer) is not JSONRenderer:
        return Response(json.loads(text), status=status)
    return HttpResponse(text, status=status, content_type='application/json')


def respond_page(
    request: Request,
    resource: type[Resource],
    filter: FilterSpec = (),  # noqa: A002 what the platform calls it
) -> HttpResponseBase:
    """A page of a resource: one statement.

    Nothing is found where the text to look for cannot be stored anywhere.
    """
    page = Page(request)
    at = page.rows
    try:
        rows = read(
            request,
            resource,
            filter,
            limit=at.stop - at.start,
            offset=at.start,
            count=True,
        )
    except FilterError:
        return respond(request, page.envelope(0, ()))
    return respond(request, page.envelope(rows.count or 0, rows.objects))


def read_one(
    request: Request, resource: type[Resource], *filters: FilterSpec, ordering: str = ''
) -> bytes | None:
    """The first row of the first filter that finds any: a statement for each."""
    for each in filters:
        try:
            rows = read(request, resource, each, limit=1, ordering=ordering)
        except FilterError:  # a number that no row has
            continue
        if rows.objects:
            return rows.objects[0]
    return None


def read(
    request: Request,
    resource: type[Resource],
    filter: FilterSpec,  # noqa: A002 what the platform calls it
    **page: Any,
) -> Rows:
    """Rows of a resource, as the caller may see them, with the URLs that they can reach."""
    http = request._request
    origin = f'{http.scheme}://{http.get_host()}'
    return read_rows(resource, caller_of(request), filter=filter, origin=origin, **page)


def snapshot() -> AbstractContextManager[None]:
    """A context whose statements, all of them reads, see the database at one moment."""
    return engine_of(connection).snapshot(connection)


def is_storable(text: str) -> bool:
    """Whether a database takes the text: there is neither NUL nor half a surrogate pair in it."""
    return not _UNSTORABLE.search(text)


def as_json(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return to_json(value)


def respond_rows(request: Request, count: int, rows: Sequence[Any]) -> HttpResponseBase:
    """A page of values that Python writes as JSON."""
    return respond(request, Page(request).envelope(count, (as_json(row) for row in rows)))
