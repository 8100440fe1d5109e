"""The writes of a resource over HTTP: one row, or many at once.

Each is an action of the view set, which has those that some grant of the resource allows somebody.
A body is read and refused before anything is asked of the database, and so is the mask of the
answer, which is a compiled read of what was written.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.reverse import reverse

from backstay.errors import Fault, Problem, escape_pointer, not_found, refused
from backstay.identity.callers import caller_of
from backstay.payloads import body_limit
from backstay.resources.conf import statement_timeout
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.execute import Rows, run
from backstay.resources.http import answers
from backstay.resources.http.answers import Clock
from backstay.resources.query.json_text import MERGE_PATCH
from backstay.resources.query.nodes import Query
from backstay.resources.query.parameters import lookup_value, read_shape
from backstay.resources.write import granting
from backstay.resources.write.bulk import read_operations, results
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.granting import Right
from backstay.resources.write.idempotency import Answer, Claim, once
from backstay.resources.write.perform import perform
from backstay.resources.write.reading import not_permitted

_BULK_BODY = 16 * 1024 * 1024
#: One entity tag of RFC 9110 section 8.8.3.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
#: A list of them, in which RFC 9110 section 5.6.1 lets elements be empty.
_TAGS = re.compile(rf'[ \t,]*{_TAG.pattern}(?:[ \t]*,[ \t,]*{_TAG.pattern})*[ \t,]*')


def actions(resource: type[Resource]) -> dict[str, Callable[..., Any]]:
    """The actions that some grant allows somebody, by name."""
    grants = resource.grants
    may_create = any(grant.create for grant in grants)
    may_write = any(grant.write for grant in grants)
    may_delete = any(grant.delete for grant in grants)
    found: dict[str, Callable[..., Any]] = {}
    if may_create:
        found['create'] = create
    if may_write:
        found['partial_update'] = partial_update
        if resource.options.put:
            found['update'] = update
    if may_delete:
        found['destroy'] = destroy
        if resource.options.soft_delete:
            found['restore'] = restore
    if found:
        found['bulk'] = bulk
        found['bulk_patch'] = bulk_patch
        found['bulk_delete'] = bulk_delete
    return found


def create(self: Any, request: Request, **_path: str) -> HttpResponseBase:
    """Make a row."""
    body = answers.json_object(request)
    change = Change(asked='create', body=body, meaning='create')
    return _write_one(self, request, change, 'create')


def partial_update(self: Any, request: Request, **path: str) -> HttpResponseBase:
    """Change members of a row: a JSON Merge Patch (RFC 7396)."""
    body = answers.json_object(request, MERGE_PATCH)
    change = Change(asked='update', body=body, **_meant(self, request, path))
    return _write_one(self, request, change, 'write')


def update(self: Any, request: Request, **path: str) -> HttpResponseBase:
    """Replace what a caller may write of a row: what is left out becomes its default."""
    body = answers.json_object(request)
    change = Change(asked='update', body=body, meaning='replace', **_meant(self, request, path))
    return _write_one(self, request, change, 'write')


def destroy(self: Any, request: Request, **path: str) -> HttpResponseBase:
    """Delete a row; softly where the resource has that."""
    _refuse_body(request)
    change = Change(asked='delete', **_meant(self, request, path))
    return _write_one(self, request, change, 'delete')


@action(detail=True, methods=['post'])
def restore(self: Any, request: Request, **path: str) -> HttpResponseBase:
    """Take back the soft delete of a row."""
    _refuse_body(request)
    change = Change(asked='restore', **_meant(self, request, path))
    return _write_one(self, request, change, 'delete')


@action(detail=False, methods=['post'], url_path='bulk')
@body_limit(_BULK_BODY)
def bulk(self: Any, request: Request, **_path: str) -> HttpResponseBase:
    """Create, change, delete and upsert up to 1 000 rows; all or none of them unless asked."""
    body = answers.json_body(request)
    if isinstance(body, list):  # a plain list is rows to create
        members = [{'op': 'create', 'body': each} for each in body]
        return _write_many(self, request, members, body, pointer='/{}', atomic=True)
    if not isinstance(body, dict):
        raise Problem('The body must be a JSON object or a list.', code='malformed-json')
    _refuse_others(body, {'operations', 'atomic'})
    atomic = body.get('atomic', True)
    if not isinstance(atomic, bool):
        raise _malformed('/atomic', 'True or false is required.')
    return _write_many(self, request, body.get('operations'), body, atomic=atomic)


@bulk.mapping.patch
@body_limit(_BULK_BODY)
def bulk_patch(self: Any, request: Request, **_path: str) -> HttpResponseBase:
    """Change many rows: an object of patches by the key of their rows."""
    body = answers.json_object(request, MERGE_PATCH)
    operations = [{'op': 'update', 'id': key, 'body': patch} for key, patch in body.items()]
    return _write_many(
        self, request, operations, body, pointer='/{id}', atomic=True, rights=('write',)
    )


@bulk.mapping.delete
@body_limit(_BULK_BODY)
def bulk_delete(self: Any, request: Request, **_path: str) -> HttpResponseBase:
    """Delete many rows: a list of their keys."""
    body = answers.json_body(request)
    if not isinstance(body, list):
        raise Problem('The body must be a JSON list of keys.', code='malformed-json')
    operations = [{'op': 'delete', 'id': key} for key in body]
    return _write_many(
        self, request, operations, body, pointer='/{}', atomic=True, rights=('delete',)
    )


def _meant(view: Any, request: Request, path: Mapping[str, str]) -> dict[str, Any]:
    """Which row is meant, and which version of it."""
    readable = view.readable(request)
    options = view.resource.options
    field = readable.fields.get(options.lookup)
    value = lookup_value(path[view.lookup_url_kwarg], readable)
    return {
        'key': {field.attname if field else options.lookup: value},
        'if_match': _if_match(request),
    }


def _if_match(request: Request) -> tuple[str, ...]:
    """The entity tags of If-Match, without quotes; a weak one never matches (RFC 9110 13.1.1)."""
    given = request._request.META.get('HTTP_IF_MATCH', '').strip()
    if not given:
        return ()
    if given == '*':
        return ('*',)
    if not _TAGS.fullmatch(given):
        raise Problem('If-Match takes entity tags in quotes.', code='header-invalid')
    return tuple('' if weak else tag for weak, tag in _TAG.findall(given))


def _write_one(view: Any, request: Request, change: Change, right: Right) -> HttpResponseBase:
    clock = Clock()
    _refuse_strangers(view, request, right)
    shown = _Shown(view, request, clock)
    batch = _batch(view, request, [change])
    batch.etag = lambda: shown.etag(batch.changes[0])

    def answer(batch: Batch) -> Answer:
        (written,) = batch.changes
        if written.verb == 'delete':
            return Answer(status=204)
        return shown.answer(written, 201 if written.verb == 'create' else 200)

    body = {'body': change.body, 'if_match': change.if_match}
    answered = _once(view, request, batch, body, atomic=True, answer=answer)
    if answered.is_outdated and answered.lookup:
        answered = shown.again(answered)
    clock.lap('write')
    return _response(request, answered, clock)


def _write_many(
    view: Any,
    request: Request,
    operations: Any,
    body: Any,
    *,
    atomic: bool,
    pointer: str = '/operations/{}',
    rights: Sequence[Right] = get_args(Right),
) -> HttpResponseBase:
    clock = Clock()
    _refuse_strangers(view, request, *rights)
    readable = view.readable(request)
    changes = read_operations(view.resource, readable, operations, pointer)
    for verb in {change.verb for change in changes}:
        _refuse_strangers(view, request, *granting.rights_of(verb))

    def answer(batch: Batch) -> Answer:
        return Answer(status=200, text=results(view.resource, batch.changes))

    batch = _batch(view, request, changes)
    batch.many = True
    answered = _once(view, request, batch, body, atomic=atomic, answer=answer)
    clock.lap('write')
    return _response(request, answered, clock)


def _batch(view: Any, request: Request, changes: Sequence[Change]) -> Batch:
    return Batch(
        resource=view.resource,
        caller=caller_of(request),
        changes=changes,
        using=view.using,
        origin=answers.origin_of(request),
    )


def _once(
    view: Any,
    request: Request,
    batch: Batch,
    body: Any,
    *,
    atomic: bool,
    answer: Callable[[Batch], Answer],
) -> Answer:
    """Perform the batch, once for each Idempotency-Key."""
    http = request._request
    key = http.META.get('HTTP_IDEMPOTENCY_KEY')
    if key is None and view.resource.options.needs_key(view.action):
        raise Problem(
            'This needs an Idempotency-Key, so that it can be sent again safely.',
            code='idempotency-key-missing',
        )

    def write(claim: Claim) -> Answer:
        def then(batch: Batch) -> Answer:
            answered = answer(batch)
            claim.store(answered)
            return answered

        return perform(batch, atomic=atomic, then=then)

    return once(
        key,
        caller=batch.caller,
        method=str(http.method),
        path=http.path,
        body=body,
        using=view.using,
        write=write,
    )


class _Shown:
    """A written row as the request's mask shows it."""

    def __init__(self, view: Any, request: Request, clock: Clock) -> None:
        self.view, self.request, self.clock = view, request, clock
        self.readable: Readable = view.readable(request)
        self.asked = view.asked(request)
        self.shape = read_shape(**self.asked)
        options = view.resource.options
        self.lookup = self.readable.fields.get(options.lookup)
        self.plan = None
        if self.readable.grants and self.lookup is not None:
            # A mask that cannot be is refused before anything is written.
            self.plan = view.plan(self.readable, Query(shape=self.shape), clock)

    def answer(self, change: Change, status: int) -> Answer:
        """The row, where the caller may see it."""
        value = getattr(change.row, self.lookup.attname) if self.lookup else None
        rows = self._rows(value)
        if rows is None or not rows.objects:
            return Answer(status=status)
        (text,) = rows.objects
        headers = answers.of_object(rows, self.asked)
        headers['ETag'] = f'"{answers.etag_of(text, rows.version)}"'
        if status == 201:
            headers['Location'] = _address(self.view, self.request, value)
        return Answer(status=status, text=text, headers=headers, lookup=str(value))

    def again(self, answered: Answer) -> Answer:
        """The answer of an earlier request, as the caller may see it now."""
        rows = self._rows(lookup_value(answered.lookup, self.readable))
        if rows is None or not rows.objects:
            raise not_found()
        (text,) = rows.objects
        headers = {**answered.headers, 'ETag': f'"{answers.etag_of(text, rows.version)}"'}
        return Answer(status=answered.status, text=text, headers=headers)

    def etag(self, change: Change) -> str:
        """The ETag of the row as it is."""
        value = getattr(change.row, self.lookup.attname) if self.lookup else None
        rows = self._rows(value)
        if rows is None or not rows.objects:
            return ''
        return answers.etag_of(rows.objects[0], rows.version)

    def _rows(self, value: Any) -> Rows | None:
        if self.plan is None:
            return None
        facts = answers.facts_of(self.request)
        query = Query(shape=self.shape, values=(value,))
        timeout = statement_timeout()
        return run(self.plan, query, facts, using=self.view.using, timeout=timeout)


def _address(view: Any, request: Request, value: Any) -> str:
    """Where the new object is."""
    kwargs = {**view.kwargs, view.lookup_url_kwarg: value}
    return str(reverse(f'{view.basename}-detail', kwargs=kwargs, request=request))


def _refuse_strangers(view: Any, request: Request, *rights: Right) -> None:
    """Refuse who has none of the rights over any row at all."""
    standing = caller_of(request).standing(writing=True)
    if not any(granting.may(view.resource, standing, right) for right in rights):
        if caller_of(request).kind == 'guest':
            raise NotAuthenticated
        raise not_permitted('The caller may not do this.')


def _response(request: Request, answered: Answer, clock: Clock) -> HttpResponseBase:
    if answered.text is None:
        response: HttpResponseBase = HttpResponse(status=answered.status)
        del response['Content-Type']  # of nothing
        for name, value in answered.headers.items():
            response[name] = value
        answers.add_headers(response, clock)
        return response
    response = answers.respond(request, answered.text, clock, answered.headers)
    response.status_code = answered.status
    return response


def _refuse_others(body: Mapping[str, Any], known: set[str]) -> None:
    faults = [
        Fault(pointer=f'/{escape_pointer(name)}', code='unknown-field', detail='Unknown member.')
        for name in body
        if name not in known
    ]
    if faults:
        raise refused(faults)


def _refuse_body(request: Request) -> None:
    """Refuse what a body says where there is nothing to say: it was meant for another address."""
    if request._request.body:
        _refuse_others(answers.json_object(request), set())


def _malformed(pointer: str, detail: str) -> Problem:
    return refused([Fault(pointer=pointer, code='invalid', detail=detail)])
