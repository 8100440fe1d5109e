"""The parts of descriptions that reads and writes share: an operation, and its problems."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.permissions import AllowAny

from backstay.codes import CODES, described
from backstay.errors import CONTENT_TYPE, not_found
from backstay.resources.declaration.readable import Readable
from backstay.resources.openapi.components import Components, Schema

#: JSON Schema of a problem document.
PROBLEM: dict[str, Any] = {
    'type': 'object',
    'description': 'Problem details (RFC 9457).',
    'required': ['type', 'title', 'status', 'detail', 'code'],
    'properties': {
        'type': {'type': 'string', 'format': 'uri'},
        'title': {'type': 'string'},
        'status': {'type': 'integer'},
        'detail': {'type': 'string'},
        'code': {
            'type': 'string',
            'description': 'Stable; made for programs. A service may have codes of its own.',
            'x-codes': described(),
        },
        'instance': {'type': 'string'},
        'request_id': {'type': 'string'},
        'errors': {
            'type': 'array',
            'items': {
                'type': 'object',
                'required': ['pointer', 'code', 'detail'],
                'properties': {
                    'pointer': {'type': 'string', 'description': 'JSON pointer (RFC 6901).'},
                    'code': {'type': 'string'},
                    'detail': {'type': 'string'},
                },
            },
        },
    },
}

MASK_CODES = ('mask-parse-error', 'mask-error', 'mask-too-large', 'parameter-unknown')
#: Codes of requests that are understood, and would cost too much.
TOO_MUCH = ('mask-too-expensive', 'query-too-deep', 'query-too-slow')


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The description of one operation of a resource, in drf-spectacular's words."""

    name: str
    summary: str
    parameters: list[OpenApiParameter]
    body: dict[str, Schema] | None
    responses: dict[Any, Any]
    description: str = ''


def header_of_answers(
    name: str, description: str, statuses: Iterable[int], schema: Schema | None = None
) -> OpenApiParameter:
    """Return a header of the answers with these statuses."""
    return OpenApiParameter(
        name,
        schema or {'type': 'string'},
        OpenApiParameter.HEADER,
        description=description,
        response=[*statuses],
    )


def by_status(*names: str) -> dict[int, list[str]]:
    """Return codes by their status in the register.

    >>> by_status('duplicate', 'too-many-rows', 'in-use')
    {409: ['duplicate', 'in-use'], 422: ['too-many-rows']}
    """
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(CODES[name].status, []).append(name)
    return found


def problems(
    components: Components,
    codes: Mapping[int, Sequence[str]],
    *,
    says: Mapping[int, str] | None = None,
    open_statuses: Iterable[int] = (),
) -> dict[Any, Any]:
    """Return the answers that are not a success, with the codes that they may have.

    Where a status has none, or is open because rules of the resource have their own, any may come.
    """
    problem = components.reference('Problem', 'problem', lambda: PROBLEM)
    told = {**_WHEN, **(says or {})}
    among = {status: 'examples' if status in open_statuses else 'enum' for status in codes}
    found: dict[Any, Any] = {}
    for status, names in sorted(codes.items()):
        known = {'properties': {'code': {among[status]: list(names)}}}
        schema = {'allOf': [problem, known]} if names else problem
        found[status, CONTENT_TYPE] = OpenApiResponse(schema, told.get(status, ''))
    return found


def refusals_of_callers(view: Any) -> dict[int, list[str]]:
    """Return the statuses of refused callers, where callers can be refused.

    The codes are those of whatever authenticates, so none is named.
    """
    asks = view.get_authenticators() or not Readable(view.resource).grants
    permits = all(type(each) is AllowAny for each in view.get_permissions())
    return {401: [], 403: []} if asks or not permits else {}


_WHEN = {
    400: 'The request cannot be understood.',
    401: 'Nobody is signed in, or the credentials are wrong.',
    403: 'The caller may not do this.',
    404: not_found().detail,
    406: 'There is no such format here.',
    413: 'The body is too large.',
    415: 'The body is not JSON.',
    422: 'The request is understood and would cost too much.',
    429: 'Too many requests.',
}
