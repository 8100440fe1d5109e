"""The client whose verbs check: each passes when the site is right, and fails when it is not."""

from collections.abc import Callable
from typing import Any

import pytest

from backstay.identity.models import Account
from backstay.testing import Api
from tests.lending.models import Branch, Item, Keyword

pytestmark = pytest.mark.django_db

AsCaller = Callable[..., Api]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = 'tests.lending.site'


@pytest.fixture
def north() -> Branch:
    return Branch.objects.create(name='North')


@pytest.fixture
def manager(as_caller: AsCaller, north: Branch) -> Api:
    return as_caller(scopes=[('branches', north.pk, 3)])


@pytest.fixture
def items(north: Branch) -> list[Item]:
    """In the order in which they are listed."""
    return [
        Item.objects.create(branch=north, code=code, title=code, status='open', price='1.50')
        for code in ('a', 'b', 'c')
    ]


def new(north: Branch, code: str = 'new') -> dict[str, Any]:
    return {'branch_id': north.pk, 'code': code, 'title': 'New', 'price': '2.5'}


class TestReading:
    def test_a_list_has_these_rows_and_no_others(self, api: Api, items: list[Item]) -> None:
        found = api.list('/items/', items, fields='id,code,price')
        assert found['results'][0]['price'] == '1.50'
        with pytest.raises(AssertionError, match='2 rows were expected, 3 came'):
            api.list('/items/', items[:2])

    def test_a_list_has_them_in_order_unless_it_does_not_matter(
        self, api: Api, items: list[Item]
    ) -> None:
        with pytest.raises(AssertionError, match='object 0 is not what is stored'):
            api.list('/items/', items[::-1])
        api.list('/items/', items[::-1], ordered=False)
        api.list('/items/', items[::-1], ordering='-code')

    def test_parameters_are_those_of_a_client(self, api: Api, items: list[Item]) -> None:
        api.list('/items/', items[2:], code='c')
        api.list('/items/', items[:2], code__in=['a', 'b'])
        api.list('/items/', items[:2], limit=2)
        api.list('/items/', items[2:], filter=[{'field': 'code', 'op': '==', 'value': 'c'}])

    def test_a_list_that_goes_on_is_not_whole(self, api: Api, north: Branch) -> None:
        made = [
            Item.objects.create(branch=north, code=f'i{at}', title='T', status='open')
            for at in range(21)
        ]
        with pytest.raises(AssertionError, match='/items/ has more than these 20 rows'):
            api.list('/items/', made[:20])

    def test_an_object_is_what_is_stored(self, api: Api, items: list[Item]) -> None:
        Item.objects.filter(pk=items[0].pk).update(title='Changed since')
        assert api.retrieve('/items/', items[0], fields='id,title')['title'] == 'Changed since'

    def test_what_is_answered_and_not_stored_is_found(
        self, api: Api, items: list[Item], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def shifted(row: Any) -> Any:
            row.code += '?'
            return row

        again = Api.retrieve.__globals__['_again']
        monkeypatch.setitem(Api.retrieve.__globals__, '_again', lambda row: shifted(again(row)))
        with pytest.raises(AssertionError, match=r"'code': \('a', 'a\?'\)"):
            api.retrieve('/items/', items[0])


class TestWriting:
    def test_a_new_row_holds_what_was_sent(self, manager: Api, north: Branch) -> None:
        found = manager.create('/items/', new(north))
        assert Item.objects.get(code='new').pk == found['id']

    def test_what_a_hook_makes_of_it_has_to_be_said(self, manager: Api, north: Branch) -> None:
        body = {**new(north), 'title': 'lower'}  # the hook of items writes a capital
        with pytest.raises(AssertionError, match=r"'title': \('Lower', 'lower'\)"):
            manager.create('/items/', body)
        manager.create('/items/', {**body, 'code': 'other'}, changed=['title'])

    def test_a_changed_row_holds_what_was_sent(self, manager: Api, items: list[Item]) -> None:
        found = manager.partial_update('/items/', items[0], {'title': 'Changed', 'price': '3'})
        assert found['title'] == 'Changed'
        items[0].refresh_from_db()
        assert items[0].title == 'Changed'

    def test_what_is_answered_as_done_and_not_stored_is_found(
        self, manager: Api, items: list[Item], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = Item.objects.get(pk=items[0].pk)
        monkeypatch.setitem(Api.retrieve.__globals__, '_again', lambda _: before)
        with pytest.raises(AssertionError, match=r"'title': \('a', 'Changed'\)"):
            manager.partial_update('/items/', items[0], {'title': 'Changed'})

    def test_a_deleted_row_is_gone(self, manager: Api, items: list[Item]) -> None:
        manager.destroy('/items/', items[0])
        keyword = Keyword.objects.create(word='art')
        manager.destroy('/keywords/', keyword)
        assert not Keyword.objects.exists()

    def test_rows_are_made_changed_and_deleted_together(
        self, manager: Api, north: Branch, items: list[Item]
    ) -> None:
        manager.bulk_create('/items/', [new(north, 'x'), new(north, 'y')])
        patches = {items[0]: {'title': 'First'}, items[1]: {'price': '9'}}
        manager.bulk_partial_update('/items/', patches)
        manager.bulk_destroy('/items/', items[1:])
        left = Item.objects.filter(deleted_at=None).order_by('code')
        assert [row.code for row in left] == ['a', 'x', 'y']


class TestRefusals:
    def test_are_named_and_write_nothing(
        self, api: Api, manager: Api, as_caller: AsCaller, north: Branch, items: list[Item]
    ) -> None:
        api.create('/items/', new(north), refused='token-missing')
        as_caller(account_id=7).create('/items/', new(north), refused='not-permitted')
        manager.create('/items/', {**new(north), 'colour': 1}, refused='unknown-field')
        manager.list('/items/', refused='parameter-unknown', colour='red')
        manager.bulk_create('/items/', [new(north), {}], refused='validation-failed')
        problem = manager.partial_update(
            '/items/', items[0], {'price': '-1'}, refused='validation-failed'
        )
        assert problem['detail'] == 'A price is not negative.'

    def test_that_are_none_or_others_are_found(self, manager: Api, items: list[Item]) -> None:
        with pytest.raises(AssertionError, match='not refused as not-permitted: 200'):
            manager.retrieve('/items/', items[0], refused='not-permitted')
        with pytest.raises(AssertionError, match='not refused as not-found: 4'):
            manager.list('/items/', refused='not-found', colour='red')

    def test_that_write_all_the_same_are_found(
        self, api: Api, north: Branch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send = Api._send

        def write_and_send(*arguments: Any) -> Any:
            Item.objects.create(branch=north, code='quietly', title='Quietly')
            return send(*arguments)

        monkeypatch.setattr(Api, '_send', write_and_send)
        with pytest.raises(AssertionError, match='refused, and something was written'):
            api.create('/items/', new(north), refused='token-missing')

    def test_that_were_not_expected_show_the_problem(self, api: Api, north: Branch) -> None:
        with pytest.raises(AssertionError, match=r'POST /items/ as guest: 401, .*token-missing'):
            api.create('/items/', new(north))


def test_an_account_asks_with_what_it_holds(as_caller: AsCaller, items: list[Item]) -> None:
    account = Account.objects.create_user('ann@example.com', 'a long password')
    as_caller(account).list('/items/', items)


def test_a_path_of_no_resource_is_told(api: Api) -> None:
    with pytest.raises(LookupError, match='/nowhere/: there is no such address'):
        api.list('/nowhere/', [])
    with pytest.raises(LookupError, match=r'/docs\.json is not the address of a resource'):
        api.list('/docs.json', refused='not-found')
