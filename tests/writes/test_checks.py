"""Mistakes in what a resource declares about writes: each is told with its number."""

from typing import Any

import pytest

from backstay.resources import ALL, Grant, Many, One, Parent, Resource, anyone
from backstay.resources.declaration import registry
from backstay.resources.write.checks import check_writes
from tests.lending.models import Branch, Item, Keyword, Note
from tests.lending.resources import (
    SERVED,
    BranchResource,
    ItemResource,
    KeywordResource,
    NoteResource,
)

READ = Grant(anyone, read=ALL)


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is forgotten with it."""
    monkeypatch.setattr(registry, '_registry', dict(registry._registry))


def numbers(model: Any, fields: tuple[str, ...], grant: Grant = READ, **more: Any) -> list[str]:
    """The numbers of the mistakes of a resource; relations among `more`, the rest is Meta's."""
    relations = {
        name: more.pop(name) for name in list(more) if isinstance(more[name], One | Many | Parent)
    }
    meta = type('Meta', (), {'model': model, 'fields': fields, **more})
    made = type('WrongResource', (Resource,), {'Meta': meta, 'grants': (grant,), **relations})
    return [error.id.removeprefix('backstay.') for error in check_writes(made)]


def test_the_lending_library_is_right() -> None:
    for resource in SERVED.values():
        assert not list(check_writes(resource))


def test_a_reference_is_looked_up_through_a_resource() -> None:
    grant = Grant(anyone, read=ALL, create=('branch_id',))
    assert numbers(Item, ('id', 'branch_id'), grant) == ['E060']
    assert numbers(Item, ('id', 'branch_id'), grant, branch=Parent(BranchResource)) == []
    everything = Grant(anyone, read=ALL, write=ALL)
    assert numbers(Item, ('id', 'branch_id'), everything) == ['E060']


@pytest.mark.parametrize('name', ['id', 'double_pages', 'updated_at', 'version', 'notes'])
def test_what_nobody_can_write_cannot_be_granted(name: str) -> None:
    fields = ('id', 'double_pages', 'updated_at', 'version', 'title')
    grant = Grant(anyone, read=ALL, create=(name, 'title'))
    assert numbers(Item, fields, grant, version='version', notes=Many(NoteResource)) == ['E061']


def test_a_parent_is_not_written_with_its_child() -> None:
    item = One(ItemResource, writable=True)
    assert numbers(Note, ('id', 'item_id'), item=item) == ['E062']


def test_links_that_are_more_than_links_are_not_written() -> None:
    assert numbers(Item, ('id',), keywords=Many(KeywordResource, writable=True)) == []


@pytest.mark.parametrize(
    ('option', 'number'),
    [
        ({'sensitive': ('price',)}, 'E065'),
        ({'tenant': 'branch_id'}, 'E065'),
        ({'natural_key': ('code',)}, 'E065'),
        ({'version': 'title'}, 'E066'),
        ({'version': 'pages'}, 'E066'),
        ({'soft_delete': 'updated_at'}, 'E067'),
        ({'soft_delete': 'nothing'}, 'E067'),
        ({'require_idempotency_key': ('post',)}, 'E068'),
        ({'natural_key': ('title',)}, 'E069'),
    ],
)
def test_an_option_that_fits_nothing_is_told(option: dict[str, Any], number: str) -> None:
    assert numbers(Item, ('id', 'title'), **option) == [number]


def test_a_natural_key_may_be_the_primary_key_or_unique() -> None:
    assert numbers(Keyword, ('id', 'word'), natural_key=('word',)) == []
    assert numbers(Branch, ('id', 'name'), natural_key=('id',)) == []
    grant = Grant(anyone, read=ALL)
    fields = ('id', 'item_id', 'position')
    assert numbers(Note, fields, grant, natural_key=('item_id', 'position')) == []
    assert numbers(Note, fields, grant, natural_key=('position',)) == ['E069']
