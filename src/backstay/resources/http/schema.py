"""How drf-spectacular describes the operations of a resource."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.permissions import AllowAny

from backstay.docs import PROBLEM
from backstay.errors import CONTENT_TYPE
from backstay.resources.declaration.readable import Readable
from backstay.resources.http.json_schema import Components, Schema
from backstay.resources.http.parameters import (
    comparisons,
    fields_parameter,
    list_parameters,
    lookup_parameter,
    request_headers,
)

_MASK_CODES = ('mask-parse-error', 'mask-error', 'mask-too-large', 'parameter-unknown')
_LIST_CODES = (
    *_MASK_CODES,
    'malformed-json',
    'filter-invalid',
    'sort-invalid',
    'page-invalid',
    'page-too-deep',
    'cursor-invalid',
)
_REFUSED = ('mask-too-expensive', 'query-too-deep', 'query-too-slow')
_NOT_AUTHENTICATED = (
    'token-missing',
    'token-invalid',
    'token-expired',
    'session-revoked',
    'credentials-invalid',
    'totp-required',
    'not-authenticated',
)
_REFUSED_CALLER = (
    'not-permitted',
    'level-too-low',
    'account-blocked',
    'email-unverified',
    'ip-not-allowed',
    'csrf-failed',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one operation of a resource takes and answers, in drf-spectacular's words."""

    name: str
    summary: str
    parameters: list[OpenApiParameter]
    body: dict[str, Schema] | None
    responses: dict[Any, Any]


class ResourceSchema(AutoSchema):
    """Describes reads of a resource as its readable view has them, and all else as DRF's are."""

    #: What is being described; None for an action that is not ours.
    operation: Operation | None = None

    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> dict[str, Any] | None:
        """The operation, told once; drf-spectacular asks for its parts many times."""
        self.operation = _operation(self.view, registry)
        described: dict[str, Any] | None = super().get_operation(
            path, path_regex, path_prefix, method, registry
        )
        return described

    def get_operation_id(self) -> str:
        """The route's base name and the action, so that it stays where the path moves."""
        own: str = super().get_operation_id() if self.operation is None else self.operation.name
        return own

    def get_summary(self) -> str | None:
        """What it is, in a few words."""
        own: str | None = super().get_summary()
        return own or (self.operation.summary if self.operation else None)

    def get_override_parameters(self) -> list[Any]:
        """Parameters, and the headers of answers."""
        own: list[Any] = super().get_override_parameters()
        return [*(self.operation.parameters if self.operation else ()), *own]

    def get_request_serializer(self) -> Any:
        """The body."""
        return self.operation.body if self.operation else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        """The answers, problems included."""
        return self.operation.responses if self.operation else super().get_response_serializers()

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Our lists come with their envelope.
        return False if self.operation else bool(super()._is_list_view(serializer))


def _operation(view: Any, registry: ComponentRegistry) -> Operation | None:
    describe = {'list': _list, 'query': _query, 'retrieve': _retrieve}.get(view.action)
    return describe(view, view.readable(view.request), Components(registry)) if describe else None


def _list(view: Any, readable: Readable, components: Components) -> Operation:
    model = readable.resource.options.name
    options = list(list_parameters(readable, components))
    return Operation(
        name=f'{view.basename}_list',
        summary=f'{model}: a page of the collection',
        parameters=[
            *options,
            *comparisons(readable, components, {option.name for option in options}),
            *request_headers(readable, conditional=True),
            *_answered(conditional=True, header_of_lists=False),
        ],
        body=None,
        responses=_page(readable, components) | _NOT_MODIFIED | _problems(view, components),
    )


def _query(view: Any, readable: Readable, components: Components) -> Operation:
    model = readable.resource.options.name
    return Operation(
        name=f'{view.basename}_query',
        summary=f'{model}: a page of the collection, asked for in a body',
        parameters=[
            *request_headers(readable, conditional=False),
            *_answered(conditional=False, header_of_lists=False),
        ],
        body={'application/json': components.query(readable)},
        responses=_page(readable, components) | _problems(view, components),
    )


def _retrieve(view: Any, readable: Readable, components: Components) -> Operation:
    options = readable.resource.options
    shown = OpenApiResponse(components.resource(readable), 'The object, as the mask shows it.')
    return Operation(
        name=f'{view.basename}_retrieve',
        summary=f'{options.name}: one object',
        parameters=[
            lookup_parameter(view, readable, components),
            fields_parameter(),
            *request_headers(readable, conditional=True),
            *_answered(conditional=True, header_of_lists=True),
        ],
        body=None,
        responses={(200, 'application/json'): shown} | _NOT_MODIFIED | _problems(view, components),
    )


_NOT_MODIFIED = {304: OpenApiResponse(None, 'The client has it already.')}


def _answered(*, conditional: bool, header_of_lists: bool) -> Iterator[OpenApiParameter]:
    """The headers of answers."""
    found: list[int | str] = [200, 304] if conditional else [200]

    def header(name: str, description: str, codes: list[int | str]) -> OpenApiParameter:
        return OpenApiParameter(
            name,
            {'type': 'string'},
            OpenApiParameter.HEADER,
            description=description,
            response=codes,
        )

    if conditional:
        yield header('ETag', 'Of the JSON, for `If-None-Match`.', found)
    yield header('Server-Timing', 'Milliseconds of parse, plan and db.', found)
    yield header('Vary', 'What the answer depends on.', found)
    yield header('Preference-Applied', 'The preference that was heeded.', found)
    if header_of_lists:
        yield header('X-Truncated', 'JSON pointers to the lists that were cut.', found)


def _page(readable: Readable, components: Components) -> dict[Any, Any]:
    page = components.page(readable)
    lines = {'type': 'string', 'description': 'All rows, in lines as RFC 4180 has them.'}
    return {
        (200, 'application/json'): OpenApiResponse(page, 'The page.'),
        (200, 'text/csv'): OpenApiResponse(lines, 'The page, or all rows as CSV.'),
    }


def _problems(view: Any, components: Components) -> dict[Any, Any]:
    """The answers that are no success, with the codes that they may have."""
    is_list = view.action != 'retrieve'
    codes: dict[int, Sequence[str]] = {
        400: ('bad-request', *(_LIST_CODES if is_list else _MASK_CODES))
    }
    codes |= _of_callers(view)
    codes[404] = ('not-found',)
    codes |= {406: ('not-acceptable',), 422: _REFUSED}
    if view.action == 'query':
        codes |= {413: ('payload-too-large',), 415: ('unsupported-media-type',)}
    if view.get_throttles():
        codes[429] = ('rate-limited',)
    problem = components.reference('Problem', 'problem', lambda: PROBLEM)
    return {
        (status, CONTENT_TYPE): OpenApiResponse(_with_codes(problem, names), _WHEN.get(status, ''))
        for status, names in sorted(codes.items())
    }


def _of_callers(view: Any) -> dict[int, Sequence[str]]:
    """What somebody may be told who may not call, where that can happen.

    The codes are those of whatever authenticates, so none is named.
    """
    asks = view.get_authenticators() or not Readable(view.resource).grants
    permits = all(type(each) is AllowAny for each in view.get_permissions())
    return {401: (), 403: ()} if asks or not permits else {}


def _with_codes(problem: Schema, codes: Sequence[str]) -> Schema:
    known = {'properties': {'code': {'enum': list(codes)}}}
    return {'allOf': [problem, known]} if codes else problem


_WHEN = {
    400: 'The request cannot be understood.',
    401: 'Nobody is signed in, or the credentials are wrong.',
    403: 'The caller may not do this.',
    404: 'There is nothing at this address.',
    406: 'There is no such format here.',
    413: 'The body is too large.',
    415: 'The body is not JSON.',
    422: 'The request is understood and would cost too much.',
    429: 'Too many requests.',
}
