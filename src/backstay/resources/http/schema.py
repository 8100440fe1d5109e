"""How drf-spectacular describes the operations of a resource."""

from collections.abc import Iterator, Sequence
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from backstay.resources.declaration.readable import Readable
from backstay.resources.http import write_operations
from backstay.resources.http.described import (
    MASK_CODES,
    TOO_MUCH,
    Operation,
    header_of_answers,
    problems,
    refusals_of_callers,
)
from backstay.resources.http.json_schema import Components
from backstay.resources.http.parameters import (
    comparisons,
    fields_parameter,
    list_parameters,
    lookup_parameter,
    request_headers,
)

_LIST_CODES = (
    *MASK_CODES,
    'malformed-json',
    'filter-invalid',
    'sort-invalid',
    'page-invalid',
    'page-too-deep',
    'cursor-invalid',
)


class ResourceSchema(AutoSchema):
    """Describes reads of a resource as its readable view has them, and all else as DRF's are.

    An operation that the reader of the document may not call on any row is not in it.
    """

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
        if not _is_open(self.view):
            return None
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

    def _get_request_body(self, direction: str = 'request') -> Any:
        """The body, which is required where there is one; a DELETE of many has one too."""
        if self.operation is None:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if self.operation.body is None:
            return None
        content = {each: {'schema': schema} for each, schema in self.operation.body.items()}
        return {'content': content, 'required': True}

    def get_response_serializers(self) -> Any:
        """The answers, problems included."""
        return self.operation.responses if self.operation else super().get_response_serializers()

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Our lists come with their envelope.
        return False if self.operation else bool(super()._is_list_view(serializer))


def _is_open(view: Any) -> bool:
    """Whether a caller like the reader may call the operation; each kind of it has its grants."""
    if write_operations.is_write(view):
        return write_operations.is_open(view)
    return view.action not in _READS or bool(view.readable(view.request).grants)


def _operation(view: Any, registry: ComponentRegistry) -> Operation | None:
    if write_operations.is_write(view):
        return write_operations.operation(view, Components(registry))
    describe = _READS.get(view.action)
    return describe(view, view.readable(view.request), Components(registry)) if describe else None


def _list(view: Any, readable: Readable, components: Components) -> Operation:
    model = readable.resource.options.name
    options = [*list_parameters(readable, components), *write_operations.of_deleted(view)]
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
            *write_operations.of_deleted(view),
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
            *write_operations.of_deleted(view),
            *request_headers(readable, conditional=True),
            *_answered(conditional=True, header_of_lists=True),
        ],
        body=None,
        responses={(200, 'application/json'): shown} | _NOT_MODIFIED | _problems(view, components),
    )


_READS = {'list': _list, 'query': _query, 'retrieve': _retrieve}
_NOT_MODIFIED = {304: OpenApiResponse(None, 'The client has it already.')}


def _answered(*, conditional: bool, header_of_lists: bool) -> Iterator[OpenApiParameter]:
    """The headers of answers."""
    found = (200, 304) if conditional else (200,)
    if conditional:
        yield header_of_answers('ETag', 'Of the JSON, for `If-None-Match`.', found)
    yield header_of_answers('Server-Timing', 'Milliseconds of parse, plan and db.', found)
    yield header_of_answers('Vary', 'What the answer depends on.', found)
    yield header_of_answers('Preference-Applied', 'The preference that was heeded.', found)
    if header_of_lists:
        yield header_of_answers('X-Truncated', 'JSON pointers to the lists that were cut.', found)


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
        400: ('bad-request', *(_LIST_CODES if is_list else MASK_CODES))
    }
    codes |= refusals_of_callers(view)
    codes[404] = ('not-found',)
    codes |= {406: ('not-acceptable',), 422: TOO_MUCH}
    if view.action == 'query':
        codes |= {413: ('payload-too-large',), 415: ('unsupported-media-type',)}
    if view.get_throttles():
        codes[429] = ('rate-limited',)
    return problems(components, codes)
