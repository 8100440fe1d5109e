"""A client of one caller, whose verbs check what those who write them mean.

`create` does not only expect 201: the row is there, holds what was sent, and is what the answer
says. What is refused is refused with the code that was named, and has written nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.db import models
from django.urls import Resolver404, resolve
from rest_framework.test import APIClient

from backstay.caller import Caller
from backstay.errors import CONTENT_TYPE
from backstay.journal.models import Entry
from backstay.resources import Resource
from backstay.testing.callers import Who, user_of
from backstay.testing.rows import not_stored, shown, unlike

#: Parameters that ask for a part of a list.
_PAGING = frozenset({'limit', 'offset', 'cursor'})
Body = Mapping[str, Any]
Headers = Mapping[str, str]


class Api:
    """Requests of one caller to the site of the settings, in this process.

    Paths are those of the collection, such as `'/books/'`; rows are instances of the model. Every
    verb gives the JSON of the answer. Where `refused` names the code of a problem, the answer must
    be that problem, and nothing may have been written. Failures are AssertionErrors.
    """

    def __init__(self, who: Who = None) -> None:
        self.who = who
        self._client = APIClient()
        if user := user_of(who):
            self._client.force_authenticate(user)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        parameters: Body | None = None,
        headers: Headers | None = None,
        status: int | None = None,
    ) -> Any:
        """The response to any request, which must be a success, or have this status."""
        response = self._send(method, path, body, parameters, headers)
        expected = range(200, 300) if status is None else (status,)
        if response.status_code not in expected:
            self._fail(method, path, f'{response.status_code}, {_said(response)}')
        return response

    # Reading.

    def list(
        self,
        path: str,
        rows: Iterable[models.Model] | None = None,
        *,
        ordered: bool = True,
        headers: Headers | None = None,
        refused: str = '',
        **parameters: Any,
    ) -> Any:
        """The envelope of a list, which must have exactly these rows, as they are stored.

        They must come in this order, unless it is not `ordered`. Where no part is asked for, there
        must be no further page, and a count must be that of the rows.
        """
        if refused:
            return self._refused(refused, 'GET', path, parameters=parameters, headers=headers)
        resource = resource_at(path)
        found = self.request('GET', path, parameters=parameters, headers=headers).json()
        if rows is not None:
            expected = [_again(row) for row in rows]
            _check(resource, found['results'], expected, ordered=ordered)
            if not _PAGING & parameters.keys():
                _check_whole(path, found, len(expected))
        return found

    def retrieve(
        self,
        path: str,
        row: models.Model,
        *,
        headers: Headers | None = None,
        refused: str = '',
        **parameters: Any,
    ) -> Any:
        """One object, which must be as it is stored."""
        address = address_of(path, row)
        if refused:
            return self._refused(refused, 'GET', address, parameters=parameters, headers=headers)
        found = self.request('GET', address, parameters=parameters, headers=headers).json()
        _check(resource_at(path), [found], [_again(row)])
        return found

    # Writing.

    def create(
        self,
        path: str,
        values: Body,
        *,
        changed: Iterable[str] = (),
        headers: Headers | None = None,
        refused: str = '',
    ) -> Any:
        """Make a row, which must hold what was sent but for what hooks have `changed`."""
        if refused:
            return self._refused(refused, 'POST', path, values, headers=headers)
        response = self.request('POST', path, values, headers=headers, status=201)
        resource = resource_at(path)
        if 'Location' not in response:
            self._fail('POST', path, 'the caller may not see what was made; use `request`')
        row = _row_at(resource, response['Location'])
        _check_stored(resource, row, values, changed)
        found = response.json()
        _check(resource, [found], [row])
        return found

    def partial_update(
        self,
        path: str,
        row: models.Model,
        values: Body,
        *,
        changed: Iterable[str] = (),
        headers: Headers | None = None,
        refused: str = '',
    ) -> Any:
        """Change members of a row, which must then hold what was sent."""
        return self._change('PATCH', path, row, values, changed, headers, refused)

    def update(
        self,
        path: str,
        row: models.Model,
        values: Body,
        *,
        changed: Iterable[str] = (),
        headers: Headers | None = None,
        refused: str = '',
    ) -> Any:
        """Replace a row, where the resource has `put`; it must then hold what was sent."""
        return self._change('PUT', path, row, values, changed, headers, refused)

    def destroy(
        self, path: str, row: models.Model, *, headers: Headers | None = None, refused: str = ''
    ) -> None:
        """Delete a row: it is gone for this caller, and from the table unless deleted softly."""
        address = address_of(path, row)
        headers = self._with_version(path, row, headers)
        if refused:
            self._refused(refused, 'DELETE', address, headers=headers)
            return
        self.request('DELETE', address, headers=headers, status=204)
        self._check_gone(path, [row])

    # Writing many rows at once.

    def bulk_create(self, path: str, values: Sequence[Body], *, refused: str = '') -> Any:
        """Make rows, each of which must hold what was sent; what became of each."""
        if refused:
            return self._refused(refused, 'POST', f'{path}bulk/', values, headers=_once())
        found = self._bulk('POST', path, values, 201)
        resource = resource_at(path)
        for result, sent in zip(found, values, strict=True):
            _check_stored(resource, _row(resource, result['id']), sent)
        return found

    def bulk_partial_update(
        self, path: str, patches: Mapping[models.Model, Body], *, refused: str = ''
    ) -> Any:
        """Change rows, given as row to patch, in the order of the mapping."""
        body = {key_of(path, row): patch for row, patch in patches.items()}
        if refused:
            return self._refused(refused, 'PATCH', f'{path}bulk/', body, headers=_once())
        found = self._bulk('PATCH', path, body, 200)
        for row, patch in patches.items():
            _check_stored(resource_at(path), _again(row), patch)
        return found

    def bulk_destroy(self, path: str, rows: Sequence[models.Model], *, refused: str = '') -> Any:
        """Delete rows, as `destroy` does each."""
        body = [key_of(path, row) for row in rows]
        if refused:
            return self._refused(refused, 'DELETE', f'{path}bulk/', body, headers=_once())
        found = self._bulk('DELETE', path, body, 204)
        self._check_gone(path, rows)
        return found

    def _change(
        self,
        method: str,
        path: str,
        row: models.Model,
        values: Body,
        changed: Iterable[str],
        headers: Headers | None,
        refused: str,
    ) -> Any:
        address, headers = address_of(path, row), self._with_version(path, row, headers)
        if refused:
            return self._refused(refused, method, address, values, headers=headers)
        response = self.request(method, address, values, headers=headers, status=200)
        resource, stored = resource_at(path), _again(row)
        _check_stored(resource, stored, values, changed)
        found = response.json()
        _check(resource, [found], [stored])
        return found

    def _bulk(self, method: str, path: str, body: Any, status: int) -> Any:
        response = self.request(method, f'{path}bulk/', body, headers=_once(), status=200)
        found = response.json()['results']
        if [each['status'] for each in found] != [status] * len(body):
            self._fail(method, path, f'not each {status}: {json.dumps(found)}')
        return found

    def _with_version(self, path: str, row: models.Model, headers: Headers | None) -> Headers:
        """The headers with the version that is read now, where the resource insists on one."""
        given = dict(headers or {})
        if resource_at(path).options.require_if_match and 'If-Match' not in given:
            given['If-Match'] = self.request('GET', address_of(path, row))['ETag']
        return given

    def _check_gone(self, path: str, rows: Iterable[models.Model]) -> None:
        is_soft = bool(resource_at(path).options.soft_delete)
        for row in rows:
            self.request('GET', address_of(path, row), status=404)
            if not is_soft and type(row)._base_manager.filter(pk=row.pk).exists():
                _fail(f'{row!r} was deleted and is still stored')

    def _refused(
        self,
        code: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        parameters: Body | None = None,
        headers: Headers | None = None,
    ) -> Any:
        resource = resource_at(path)
        before = _everything(resource)
        response = self._send(method, path, body, parameters, headers)
        problem = response.json() if response.get('Content-Type') == CONTENT_TYPE else {}
        if response.status_code >= 500 or problem.get('code') != code:
            told = f'not refused as {code}: {response.status_code}, {_said(response)}'
            self._fail(method, path, told)
        if _everything(resource) != before:
            self._fail(method, path, 'it was refused, and something was written')
        return problem

    def _send(
        self, method: str, path: str, body: Any, parameters: Body | None, headers: Headers | None
    ) -> Any:
        address = f'{path}?{_query(parameters)}' if parameters else path
        content = '' if body is None else json.dumps(body, default=str)
        return self._client.generic(
            method, address, content, content_type='application/json', headers=headers or {}
        )

    def _fail(self, method: str, path: str, told: str) -> None:
        who = self.who.key if isinstance(self.who, Caller) else self.who or 'guest'
        _fail(f'{method} {path} as {who}: {told}')


def resource_at(path: str) -> type[Resource]:
    """The resource whose collection, object or bulk address this is; LookupError without one."""
    try:
        view = resolve(urlsplit(path).path).func
    except Resolver404:
        raise LookupError(f'{path}: there is no such address') from None
    resource: type[Resource] | None = getattr(getattr(view, 'cls', None), 'resource', None)
    if resource is None:
        raise LookupError(f'{path} is not the address of a resource')
    return resource


def key_of(path: str, row: models.Model) -> str:
    """What names the row in an address."""
    resource = resource_at(path)
    field = resource.fields().get(resource.options.lookup)
    return str(getattr(row, field.attname) if field else row.pk)


def address_of(path: str, row: models.Model) -> str:
    """The address of a row in a collection."""
    return f'{path}{key_of(path, row)}/'


def _query(parameters: Body) -> str:
    return urlencode({name: _as_text(value) for name, value in parameters.items()})


def _said(response: Any) -> str:
    return str(response.getvalue().decode(errors='replace'))[:4_000]


def _as_text(value: Any) -> str:
    """A parameter as a client writes it."""
    match value:
        case bool():
            return str(value).lower()
        case models.Model():
            return str(value.pk)
        case dict():
            return json.dumps(value, default=str)
        case list() | tuple():
            is_plain = not any(isinstance(each, dict | list) for each in value)
            return ','.join(map(_as_text, value)) if is_plain else json.dumps(value, default=str)
    return str(value)


def _once() -> Headers:
    """What lets a bulk request in."""
    return {'Idempotency-Key': str(uuid4())}


def _again(row: models.Model) -> models.Model:
    """The row as it is stored now."""
    return type(row)._base_manager.get(pk=row.pk)


def _row(resource: type[Resource], key: Any) -> models.Model:
    field = resource.fields().get(resource.options.lookup)
    return resource.options.model._base_manager.get(**{field.attname if field else 'pk': key})


def _row_at(resource: type[Resource], location: str) -> models.Model:
    """The row at the address that an answer gives."""
    return _row(resource, [*resolve(urlsplit(location).path).kwargs.values()][-1])


def _check(
    resource: type[Resource],
    found: Sequence[Body],
    rows: Sequence[models.Model],
    *,
    ordered: bool = True,
) -> None:
    """Fail unless the objects are these rows, column by column."""
    if len(found) != len(rows):
        _fail(f'{len(rows)} rows were expected, {len(found)} came: {json.dumps(found)}')
    names = found[0].keys() if found else ()
    expected = [shown(resource, row, names) for row in rows]
    if found and not expected[0]:
        _fail(f'the answer shows no column to compare: {json.dumps(found[0])}')
    answered: list[Body] = [*found]
    if not ordered:
        compared = [*expected[0]] if expected else []
        answered.sort(key=lambda each: json.dumps([each[name] for name in compared]))
        expected.sort(key=lambda each: json.dumps([each[name] for name in compared]))
    for at, (each, values) in enumerate(zip(answered, expected, strict=True)):
        if different := unlike(each, values):
            _fail(f'object {at} is not what is stored, (answered, stored): {different}')


def _check_whole(path: str, found: Body, number: int) -> None:
    if found['next'] is not None:
        _fail(f'{path} has more than these {number} rows')
    if found.get('count') not in (None, number):
        _fail(f'{path} counts {found["count"]} rows, and has {number}')


def _check_stored(
    resource: type[Resource], row: models.Model, sent: Body, changed: Iterable[str] = ()
) -> None:
    but = {*changed}
    kept = {name: value for name, value in sent.items() if name not in but}
    if different := not_stored(resource, row, kept):
        _fail(f'{row!r} does not hold what was sent, (stored, sent): {different}')


def _everything(resource: type[Resource]) -> list[Any]:
    """The table of a resource, and how long the journal is."""
    rows = resource.options.model._base_manager.order_by('pk')
    return [*rows.values_list(), Entry.objects.count()]


def _fail(text: str) -> None:
    raise AssertionError(text)
