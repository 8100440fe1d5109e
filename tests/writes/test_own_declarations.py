"""Writes of resources that a test declares: whose grants say of rows what the lending's do not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Length
from django.http import HttpResponse
from rest_framework.test import APIRequestFactory

from backstay.caller import Caller
from backstay.resources import ALL, Grant, Many, Resource, signed_in, view_set_of
from backstay.resources.declaration.registry import _registry
from tests.lending.models import Branch, Item, Note
from tests.rights.site import AT_ITS_WORD, MADE

pytestmark = pytest.mark.django_db

Patch = Callable[[type[Resource], Any, dict[str, Any]], HttpResponse]
_FIELDS = ('id', 'branch_id', 'code', 'title', 'status', 'price', 'pages', 'cost', 'version')
_ACTIONS = {'get': 'retrieve', 'patch': 'partial_update', 'delete': 'destroy'}
_ANN = Caller(kind='account', account_id=1, name='ann', level=1)


@pytest.fixture(autouse=True)
def _callers() -> Iterator[None]:
    MADE['ann'] = _ANN
    known = dict(_registry)
    yield
    del MADE['ann']
    _registry.clear()
    _registry.update(known)


def declare(
    *grants: Grant, model: type[models.Model] = Item, fields: tuple[str, ...] = _FIELDS, **more: Any
) -> type[Resource]:
    """A resource over items, versioned and deleted softly."""
    options = {'model': model, 'fields': fields, 'name': 'Tried', **more.pop('options', {})}
    if model is Item:
        options = {'version': 'version', 'soft_delete': 'deleted_at', **options}
    meta = type('Meta', (), options)
    return type('TriedResource', (Resource,), {'Meta': meta, 'grants': grants, **more})


def ask(method: str, resource: type[Resource], key: Any, body: Any = None, **headers: str) -> Any:
    """The answer to ann."""
    view = view_set_of(resource, **AT_ITS_WORD).as_view({method: _ACTIONS[method]})
    request = getattr(APIRequestFactory(), method)(
        f'/{key}/',
        json.dumps(body) if body is not None else None,
        content_type='application/json',
        HTTP_AUTHORIZATION='Caller ann',
        **headers,
    )
    response = view(request, id=str(key))
    response.render() if hasattr(response, 'render') else None
    return response


_HAS_NOTE = Exists(Note.objects.filter(item=OuterRef('pk'), position__lt=OuterRef('pages')))
#: What may be written, and one change that leads the row out of it.
LEADING_OUT: dict[str, tuple[Q, dict[str, Any]]] = {
    'constant': (Q(pages__gt=3), {'pages': 0}),
    'other side of a comparison': (Q(cost__lte=F('pages')), {'pages': 0}),
    'both sides': (Q(code__gt=F('title')), {'title': 'zzz'}),
    'arithmetic': (Q(cost__lte=F('pages') + 1), {'pages': 1}),
    'function': (Q(pages__gte=Length('title')), {'title': 'a title of more than nine letters'}),
    'members of a list': (Q(pages__in=[F('cost'), 4]), {'cost': '8.00'}),
    'range': (Q(cost__range=(0, F('pages'))), {'pages': 0}),
    'negated column': (~Q(cost__gt=F('pages')), {'pages': 0}),
    'one of two alone': (Q(pages__gt=3) ^ Q(status='open'), {'status': 'open'}),
    'generated column': (Q(double_pages__gt=3), {'pages': 1}),
    'generated column in an expression': (Q(cost__lt=F('double_pages')), {'pages': 0}),
    'column that every write changes': (Q(version__lt=2), {'title': 'new'}),
    'subquery over the row': (Q(_HAS_NOTE), {'pages': 0}),
    'queryset of the row': (
        Q(pk__in=Note.objects.filter(position__lt=OuterRef('pages')).values('item')),
        {'pages': 0},
    ),
    'path to many beside a column': (Q(notes__position__lt=F('pages')), {'pages': 0}),
    'transform': (Q(updated_at__year__gt=F('pages') * 100), {'pages': 90}),
    'relation by its name': (Q(branch=F('pages')), {'pages': 0}),
}


def make(**values: Any) -> Item:
    """An item with one note at place 4."""
    branch = Branch.objects.create(name='North')
    given = {'code': 'some-code', 'title': 'a title', 'pages': 9, 'cost': 9, **values}
    item = Item.objects.create(branch=branch, **given)
    Note.objects.create(item=item, text='a', position=4)
    return item


@pytest.mark.parametrize('kind', LEADING_OUT)
def test_no_write_leads_a_row_out_of_what_may_be_written(kind: str) -> None:
    rows, change = LEADING_OUT[kind]
    item = make()
    if kind == 'relation by its name':
        Item.objects.update(pages=item.branch_id)
    resource = declare(Grant(signed_in, read=ALL), Grant(signed_in, read=ALL, write=ALL, rows=rows))
    before = Item.objects.values().get()

    answer = ask('patch', resource, item.pk, change)

    assert (answer.status_code, json.loads(answer.content)['code']) == (403, 'not-permitted')
    assert Item.objects.values().get() == before


@pytest.mark.parametrize('kind', [kind for kind in LEADING_OUT if 'every write' not in kind])
def test_a_write_that_leaves_the_row_where_it_was_is_made(kind: str) -> None:
    rows, _ = LEADING_OUT[kind]
    item = make()
    if kind == 'relation by its name':
        Item.objects.update(pages=item.branch_id)
    resource = declare(Grant(signed_in, read=ALL), Grant(signed_in, read=ALL, write=ALL, rows=rows))

    assert ask('patch', resource, item.pk, {'price': '2.00'}).status_code == 200


def test_a_row_that_a_write_of_its_children_leads_out_is_refused() -> None:
    note = declare(
        Grant(signed_in, read=ALL, write=ALL, create=ALL, delete=True),
        model=Note,
        fields=('id', 'item_id', 'text', 'position'),
        options={'name': 'TriedNote'},
    )
    rows = Q(notes__position__lt=F('pages'))
    resource = declare(
        Grant(signed_in, read=ALL),
        Grant(signed_in, read=ALL, write=ALL, rows=rows),
        notes=Many(note, writable=True),
    )
    item = make()
    (key,) = item.notes.values_list('pk', flat=True)

    answer = ask('patch', resource, item.pk, {'notes': [{'id': key, 'position': 30}]})

    assert answer.status_code == 403, answer.content
    assert item.notes.get().position == 4
    assert (
        ask('patch', resource, item.pk, {'notes': [{'id': key, 'position': 3}]}).status_code == 200
    )


class TestVersionOfARefusedPrecondition:
    """412 names the version that the row has to those alone that may read it of this row."""

    def refused(self, item: Item, *grants: Grant, method: str = 'patch') -> dict[str, Any]:
        body = {'title': 'x'} if method == 'patch' else None
        answer = ask(method, declare(*grants), item.pk, body, HTTP_IF_MATCH='"7-x"')
        assert answer.status_code == 412, answer.content
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def test_who_reads_it_is_told(self) -> None:
        grant = Grant(signed_in, read=ALL, write=ALL, delete=True)
        assert self.refused(make(), grant)['current_version'] == 1
        assert self.refused(make(code='b'), grant, method='delete')['current_version'] == 1

    @pytest.mark.parametrize('method', ['patch', 'delete'])
    def test_who_reads_it_of_no_row_is_not(self, method: str) -> None:
        grant = Grant(signed_in, read=('id', 'title'), write=ALL, delete=True)
        assert 'current_version' not in self.refused(make(), grant, method=method)

    @pytest.mark.parametrize('method', ['patch', 'delete'])
    def test_who_reads_it_of_other_rows_alone_is_not(self, method: str) -> None:
        grants = (
            Grant(signed_in, read=ALL, write=ALL, delete=True),
            Grant(signed_in, read=('id', 'title'), rows=Q(pages=9)),
        )
        assert 'current_version' not in self.refused(make(), *grants, method=method)
        other = make(code='b', pages=8)
        assert self.refused(other, *grants, method=method)['current_version'] == 1
