"""From a request of HTTP to `Asked`: all reading of query strings, headers and bodies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rest_framework.exceptions import NotAuthenticated, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.settings import api_settings

from backstay.errors import Problem
from backstay.identity.callers import caller_of
from backstay.identity.problems import LevelTooLow
from backstay.resources.conf import mask_header
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import ParameterError
from backstay.resources.query.asked import Asked
from backstay.resources.query.json_text import load_json
from backstay.resources.query.preconditions import read_tags

#: Parameter that asks for softly deleted rows.
DELETED = 'include_deleted'
#: Parameter of writes: the relations whose lists in the body are complete.
WHOLE_LISTS = 'whole_lists'
#: RFC 7240: names and tokens in any case, the value with or without quotes.
_STRICT = re.compile(r'(?:^|,)\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)', re.IGNORECASE)


def read_of(
    request: Request, resource: type[Resource], lookup: str | None, using: str, body: Any = None
) -> Asked:
    """Read the request of a read, without the format in which it is rendered."""
    http = request._request
    parameters: dict[str, Sequence[str]] = dict(http.GET.lists())
    format_name = str(api_settings.URL_FORMAT_OVERRIDE)
    if len(parameters.get(format_name, ())) == 1:
        del parameters[format_name]
    return Asked(
        resource=resource,
        caller=caller_of(request),
        lookup=lookup,
        deleted=bool(resource.options.soft_delete) and _wants_deleted(parameters),
        parameters=parameters,
        mask=http.META.get(_variable(mask_header())),
        body=body,
        origin=f'{http.scheme}://{http.get_host()}',
        strict=bool(_STRICT.search(http.META.get('HTTP_PREFER', ''))),
        using=using,
    )


def write_of(
    request: Request, resource: type[Resource], lookup: str | None, using: str, body: Any = None
) -> Asked:
    """Read the request of a write: as a read, with preconditions and an Idempotency-Key."""
    asked = read_of(request, resource, lookup, using, body)
    http = request._request
    parameters: dict[str, Sequence[str]] = dict(asked.parameters)
    whole_lists = parameters.pop(WHOLE_LISTS, [''])
    if len(whole_lists) != 1:
        raise ParameterError(f'The parameter `{WHOLE_LISTS}` is given twice.')
    if_match = read_tags('If-Match', http.META.get('HTTP_IF_MATCH'))
    if_none_match = read_tags('If-None-Match', http.META.get('HTTP_IF_NONE_MATCH'))
    if lookup is None and (if_match or if_none_match):
        raise Problem(
            'If-Match and If-None-Match are for one object, and many are at this address.',
            code='precondition-misplaced',
        )
    return replace(
        asked,
        whole_lists=frozenset(each.strip() for each in whole_lists[0].split(',') if each.strip()),
        parameters=parameters,
        if_match=if_match,
        if_none_match=if_none_match,
        key=http.META.get('HTTP_IDEMPOTENCY_KEY'),
        address=f'{http.method} {http.path}',
    )


def json_body(request: Request, *types: str) -> Any:
    """Return the body as JSON, of one of the content types; `application/json` is always one."""
    content_type = request.content_type.partition(';')[0].strip().lower()
    if content_type not in ('application/json', *types):
        raise UnsupportedMediaType(request.content_type)
    return load_json(request._request.body)


def json_object(request: Request, *types: str) -> Mapping[str, Any]:
    """Return the body as a JSON object."""
    body = json_body(request, *types)
    if not isinstance(body, dict):
        raise Problem('The body must be a JSON object.', code='malformed-json')
    return body


@lru_cache(maxsize=8)
def _variable(header: str) -> str:
    """Return the name that WSGI gives to a header."""
    return 'HTTP_' + header.upper().replace('-', '_')


def _wants_deleted(parameters: dict[str, Sequence[str]]) -> bool:
    """Take the parameter that asks for softly deleted rows out of the parameters."""
    given = parameters.pop(DELETED, ['false'])
    if given not in (['true'], ['false']):
        raise ParameterError(f'`{DELETED}` should be `true` or `false`, once.')
    return given == ['true']


def refuse_without_reading(asked: Asked) -> None:
    """Reject callers that may read nothing of the resource (401 for guests, else 403).

    No row is looked at for them, so reads and writes of one object answer alike (rule R5).
    """
    if not asked.readable.grants:
        raise NotAuthenticated if asked.caller.kind == 'guest' else LevelTooLow
