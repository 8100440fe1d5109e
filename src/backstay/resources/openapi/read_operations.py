"""Descriptions of the reads of a resource, as the reader of the document may ask for them."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from backstay.resources.declaration.readable import Readable
from backstay.resources.openapi import write_operations
from backstay.resources.openapi.components import Components
from backstay.resources.openapi.operation import (
    MASK_CODES,
    TOO_MUCH,
    Operation,
    by_status,
    header_of_answers,
    problems,
    refusals_of_callers,
)
from backstay.resources.openapi.operation_parameters import (
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


def is_open(view: Any) -> bool:
    """Return whether a caller like the reader may read the resource at all."""
    return view.action not in _READS or bool(view.readable(view.request).grants)


def operation(view: Any, components: Components) -> Operation | None:
    """Return the description of a read; None for an action that is not the resource's own."""
    describe = _READS.get(view.action)
    return describe(view, view.readable(view.request), components) if describe else None


def _list(view: Any, readable: Readable, components: Components) -> Operation:
    model = readable.resource.options.name
    options = [*list_parameters(readable, components), *write_operations.of_deleted(view)]
    return Operation(
        name=f'{view.basename}_list',
        summary=f'{model}: a page of the collection',
        parameters=[
            *options,
            *comparisons(readable, components),
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
    """Yield the headers of answers."""
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
    """Return the answers that are not a success, with the codes that they may have."""
    is_list = view.action != 'retrieve'
    names = [
        'bad-request',
        *(_LIST_CODES if is_list else MASK_CODES),
        'not-found',
        'not-acceptable',
        *TOO_MUCH,
    ]
    if view.action == 'query':
        names += ['payload-too-large', 'unsupported-media-type']
    if view.get_throttles():
        names.append('rate-limited')
    return problems(components, by_status(*names) | refusals_of_callers(view))
