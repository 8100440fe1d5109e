"""The writes of a resource over HTTP: one row, or many at once.

Each is an action of the view set, which has those that some grant of the resource allows.
It turns the request into intents, gives them to `backstay.resources.write.perform.write`, the only
entry to writes, and puts the answer into headers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.reverse import reverse

from backstay.errors import Fault, Problem, escape_pointer, refused
from backstay.payloads import body_limit
from backstay.resources.declaration.resource import Resource
from backstay.resources.http import answers
from backstay.resources.http.answers import Clock
from backstay.resources.http.asking import json_body, json_object, refuse_without_reading, write_of
from backstay.resources.query.asked import Asked
from backstay.resources.query.json_text import MERGE_PATCH
from backstay.resources.query.parameters import lookup_value
from backstay.resources.write.answering import Answer
from backstay.resources.write.bulk import read_operations
from backstay.resources.write.change import Intent, Meaning, Verb
from backstay.resources.write.granting import Right
from backstay.resources.write.perform import write
from backstay.resources.write.permissions import refuse_without

if TYPE_CHECKING:
    from backstay.resources.http.view_set import ResourceViewSet

_BULK_BODY = 16 * 1024 * 1024


def actions(resource: type[Resource]) -> dict[str, Callable[..., Any]]:
    """Return the actions that some grant allows, by name."""
    grants = resource.grants
    found: dict[str, Callable[..., Any]] = {}
    if any(grant.create for grant in grants):
        found['create'] = create
    if any(grant.write for grant in grants):
        found['partial_update'] = partial_update
        if resource.options.put:
            found['update'] = update
    if any(grant.delete for grant in grants):
        found['destroy'] = destroy
        if resource.options.soft_delete:
            found['restore'] = restore
    if found:
        found['bulk'] = bulk
        found['bulk_patch'] = bulk_patch
        found['bulk_delete'] = bulk_delete
    return found


def create(self: 'ResourceViewSet', request: Request, **_path: str) -> HttpResponseBase:
    """Make a row."""
    return _write_one(self, request, 'create', json_object(request), 'create')


def partial_update(self: 'ResourceViewSet', request: Request, **path: str) -> HttpResponseBase:
    """Change members of a row: a JSON Merge Patch (RFC 7396)."""
    body = json_object(request, MERGE_PATCH)
    return _write_one(self, request, 'update', body, 'patch', path)


def update(self: 'ResourceViewSet', request: Request, **path: str) -> HttpResponseBase:
    """Replace what a caller may write of a row: what is left out becomes its default."""
    return _write_one(self, request, 'update', json_object(request), 'replace', path)


def destroy(self: 'ResourceViewSet', request: Request, **path: str) -> HttpResponseBase:
    """Delete a row; softly where the resource has that."""
    return _write_one(self, request, 'delete', _no_body(request), 'patch', path)


@action(detail=True, methods=['post'])
def restore(self: 'ResourceViewSet', request: Request, **path: str) -> HttpResponseBase:
    """Take back the soft delete of a row."""
    return _write_one(self, request, 'restore', _no_body(request), 'patch', path)


@action(detail=False, methods=['post'], url_path='bulk')
@body_limit(_BULK_BODY)
def bulk(self: 'ResourceViewSet', request: Request, **_path: str) -> HttpResponseBase:
    """Create, change, delete and upsert up to 1 000 rows; all or none of them unless asked."""
    body = json_body(request)
    if isinstance(body, list):  # a plain list is rows to create
        rows = [{'op': 'create', 'body': each} for each in body]
        return _write_many(self, request, body, rows, '/{}')
    if not isinstance(body, dict):
        raise Problem('The body must be a JSON object or a list.', code='malformed-json')
    _refuse_others(body, {'operations', 'atomic'})
    atomic = body.get('atomic', True)
    if not isinstance(atomic, bool):
        fault = Fault(pointer='/atomic', code='invalid', detail='True or false is required.')
        raise refused([fault])
    return _write_many(self, request, body, body.get('operations'), '/operations/{}', atomic=atomic)


@bulk.mapping.patch
@body_limit(_BULK_BODY)
def bulk_patch(self: 'ResourceViewSet', request: Request, **_path: str) -> HttpResponseBase:
    """Change many rows: an object of patches by the key of their rows."""
    body = json_object(request, MERGE_PATCH)
    operations = [{'op': 'update', 'id': key, 'body': patch} for key, patch in body.items()]
    return _write_many(self, request, body, operations, '/{id}', rights=('write',))


@bulk.mapping.delete
@body_limit(_BULK_BODY)
def bulk_delete(self: 'ResourceViewSet', request: Request, **_path: str) -> HttpResponseBase:
    """Delete many rows: a list of their keys."""
    body = json_body(request)
    if not isinstance(body, list):
        raise Problem('The body must be a JSON list of keys.', code='malformed-json')
    operations = [{'op': 'delete', 'id': key} for key in body]
    return _write_many(self, request, body, operations, '/{}', rights=('delete',))


def _write_one(
    view: 'ResourceViewSet',
    request: Request,
    verb: Verb,
    body: Mapping[str, Any],
    meaning: Meaning,
    path: Mapping[str, str] | None = None,
) -> HttpResponseBase:
    clock = Clock()
    lookup = path[view.lookup_url_kwarg] if path else None
    asked = write_of(request, view.resource, lookup, view.using, body)
    if path:
        refuse_without_reading(asked)
    key = {}
    if asked.lookup is not None:
        name = asked.resource.options.lookup
        field = asked.readable.fields.get(name)
        key[field.attname if field else name] = lookup_value(asked.lookup, asked.readable)
    intent = Intent(
        verb=verb,
        key=key,
        body=body,
        meaning=meaning,
        if_match=asked.if_match,
        if_none_match=asked.if_none_match,
    )
    answer = write(asked, [intent], needs_key=view.resource.options.needs_key(view.action))
    clock.lap('write')
    return _response(view, request, asked, answer, clock)


def _write_many(
    view: 'ResourceViewSet',
    request: Request,
    body: Any,
    operations: Any,
    pointer: str,
    *,
    atomic: bool = True,
    rights: Sequence[Right] = get_args(Right),
) -> HttpResponseBase:
    clock = Clock()
    asked = write_of(request, view.resource, None, view.using, body)
    if 'create' not in rights:
        refuse_without_reading(asked)
    refuse_without(asked, rights)
    intents = read_operations(asked, operations, pointer)
    needs_key = view.resource.options.needs_key(view.action)
    answer = write(asked, intents, many=True, atomic=atomic, needs_key=needs_key)
    clock.lap('write')
    return _response(view, request, asked, answer, clock)


def _response(
    view: 'ResourceViewSet', request: Request, asked: Asked, answer: Answer, clock: Clock
) -> HttpResponseBase:
    headers = {'Idempotency-Replayed': 'true'} if answer.is_replayed else {}
    if answer.text is None:
        response: HttpResponseBase = HttpResponse(status=answer.status, headers=headers)
        del response['Content-Type']  # of nothing
        answers.add_headers(response, clock)
        return response
    if answer.etag:
        headers |= answers.of_object(asked, answer.truncated)
        headers['ETag'] = f'"{answer.etag}"'
        if answer.status == 201:
            kwargs = {**view.kwargs, view.lookup_url_kwarg: answer.lookup}
            headers['Location'] = reverse(f'{view.basename}-detail', None, kwargs, request)
    response = answers.respond(request, answer.text, clock, headers)
    response.status_code = answer.status
    return response


def _refuse_others(body: Mapping[str, Any], known: set[str]) -> None:
    faults = [
        Fault(pointer=f'/{escape_pointer(name)}', code='unknown-field', detail='Unknown member.')
        for name in body
        if name not in known
    ]
    if faults:
        raise refused(faults)


def _no_body(request: Request) -> Mapping[str, Any]:
    """Refuse the members of a body that takes none: it was meant for another address."""
    if request._request.body:
        _refuse_others(json_object(request), set())
    return {}
