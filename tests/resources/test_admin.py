"""Resources in the admin: pages that nobody had to write, with rights, rules and few statements."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.paginator import Paginator
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backstay.caller import Held
from backstay.identity.models import Account
from backstay.journal.models import Entry
from backstay.resources.admin.pages import ResourceAdmin, ShortPaginator
from backstay.services import Service
from tests.bookshop.factories import make_book
from tests.bookshop.models import Book, Edition, Publisher, Tag
from tests.lending.models import Branch, Item, Keyword, Note, Stamp
from tests.resources.admin_site import OwnTagAdmin, site
from tests.test_unstorable_texts import DOCUMENTS as UNSTORABLE_DOCUMENTS

pytestmark = [pytest.mark.django_db, pytest.mark.urls('tests.resources.admin_site')]

BOOKS, ITEMS, STAMPS = '/shop/bookshop/book/', '/shop/lending/item/', '/shop/lending/stamp/'
NOTES = '/shop/lending/note/'
#: The session, the account, how many rows there are, the rows; and what a reference is called.
STATEMENTS_OF_A_LIST = 4
STATEMENTS_WITH_A_REFERENCE = 5


def branches_of(account_id: int) -> tuple[Held, ...]:
    """Level 3 over the first branch, level 2 over the second."""
    first, second = Branch.objects.order_by('pk')[:2]
    return (
        Held(over='branches', id=first.pk, level=3),
        Held(over='branches', id=second.pk, level=2),
    )


@pytest.fixture
def root(client: Client) -> Client:
    """A browser of somebody with every permission of Django, and no scope."""
    client.force_login(Account.objects.create_superuser('root@example.com', 'a long password'))
    return client


@pytest.fixture
def keeper(client: Client, settings: Any) -> Client:
    """A browser of somebody who keeps branches, with every permission of Django."""
    Branch.objects.bulk_create(Branch(name=name) for name in ('North', 'South', 'West'))
    path = f'{__name__}.branches_of'
    settings.BACKSTAY_SERVICES = (
        Service(name='lend', title='Lend', apps=(), urls={}, scopes_in_python=path),
    )
    client.force_login(Account.objects.create_superuser('keeper@example.com', 'x', level=1))
    return client


def branch(name: str) -> Branch:
    """One of them."""
    return Branch.objects.get(name=name)


def make_item(code: str, where: str, **values: Any) -> Item:
    """An item of a branch."""
    return Item.objects.create(
        **{'code': code, 'branch': branch(where), 'title': 'A title', 'status': 'draft', **values}
    )


def messages_of(page: str) -> list[str]:
    """What the page says of what was tried."""
    return re.findall(r'<li class="(?:success|error)">(.*?)</li>', page, re.DOTALL)


class TestRegistering:
    def test_gives_every_resource_a_page(self, root: Client) -> None:
        page = root.get('/shop/').content.decode()

        for path in (BOOKS, ITEMS, STAMPS, '/shop/bookshop/publisher/', '/shop/lending/note/'):
            assert f'href="{path}"' in page

    def test_leaves_what_a_service_has_registered(self) -> None:
        assert type(site._registry[Tag]) is OwnTagAdmin
        assert isinstance(site._registry[Book], ResourceAdmin)

    def test_finds_no_fault(self) -> None:
        assert [fault for each in site._registry.values() for fault in each.check()] == []

    def test_comes_with_the_urls_of_the_site_for_its_own_services(
        self, run_python: Callable[..., Any]
    ) -> None:
        code = (
            'import django; django.setup()\n'
            'import tests.bookshop.resources, tests.lending.resources\n'
            'from django.conf import settings\n'
            'from backstay.services import Service\n'
            'books = Service(name="books", title="Books", apps=("tests.bookshop",), urls={})\n'
            'settings.BACKSTAY_SERVICES = (books,)\n'
            'import backstay.site.urls\n'
            'from django.contrib import admin\n'
            'from django.urls import reverse\n'
            'from tests.bookshop.models import Book\n'
            'from tests.lending.models import Item\n'
            'assert admin.site.is_registered(Book)\n'
            'assert not admin.site.is_registered(Item)\n'
            'print(reverse("admin:bookshop_book_changelist"))\n'
        )

        done = run_python('-c', code, DJANGO_SETTINGS_MODULE='tests.django_settings')

        assert done.stdout.strip() == '/admin/bookshop/book/', done.stderr


class TestAModelThatIsRegisteredLate:
    @pytest.fixture
    def late(self, settings: Any) -> Iterator[type[models.Model]]:
        """A model of an app without pages, whose page comes when the URLs have been read."""
        settings.ROOT_URLCONF = 'backstay.site.urls'
        assert reverse('admin:index') == '/admin/'
        assert admin.site.urls  # which other URLs may ask for too
        admin.site.register(Tag)
        yield Tag
        admin.site.unregister(Tag)

    def test_is_on_the_index_and_has_its_page(self, late: type[models.Model], root: Client) -> None:
        index = root.get('/admin/')
        assert index.status_code == 200
        assert b'/admin/bookshop/tag/' in index.content
        assert root.get('/admin/bookshop/').status_code == 200
        assert root.get('/admin/bookshop/tag/').status_code == 200

    def test_is_gone_when_it_is_taken_out(self, root: Client, settings: Any) -> None:
        settings.ROOT_URLCONF = 'backstay.site.urls'
        assert b'bookshop' not in root.get('/admin/').content
        assert root.get('/admin/bookshop/tag/').status_code == 404


class TestAList:
    @pytest.mark.parametrize('books', [1, 100])
    def test_takes_as_many_statements_for_many_rows_as_for_few(
        self, root: Client, django_assert_num_queries: Callable[..., Any], books: int
    ) -> None:
        for number in range(books):
            make_book(title=f'Book {number}', publisher=Publisher.objects.create(name=f'P{number}'))

        with django_assert_num_queries(STATEMENTS_WITH_A_REFERENCE):
            page = root.get(BOOKS).content.decode()

        assert page.count('name="_selected_action"') == 0  # nobody may change them
        assert f'P{books - 1}' in page
        assert len(re.findall(r'class="field-title"', page)) == books

    @pytest.mark.parametrize('path', ['/shop/bookshop/edition/', '/shop/bookshop/review/'])
    def test_of_any_model_does(
        self, root: Client, django_assert_num_queries: Callable[..., Any], path: str
    ) -> None:
        for number in range(100):
            edition = Edition.objects.create(book=make_book(title=f'B{number}'), isbn=str(number))
            edition.reviews.create(stars=3)

        with django_assert_num_queries(STATEMENTS_OF_A_LIST):
            assert root.get(path).status_code == 200

    def test_finds_by_short_texts(self, root: Client) -> None:
        make_book(title='Emma', slug='x')
        make_book(title='Ivanhoe', slug='emma-not')
        make_book(title='Dracula', slug='y')

        page = root.get(BOOKS, {'q': 'emma'}).content.decode()

        assert 'Emma' in page
        assert 'Ivanhoe' in page
        assert 'Dracula' not in page
        assert 'By title, slug' in page

    def test_filters_by_choices_and_dates(self, root: Client) -> None:
        make_book(title='Emma', status='draft')
        make_book(title='Dracula', status='active')

        page = root.get(BOOKS, {'status__exact': 'draft'}).content.decode()

        assert 'Emma' in page
        assert 'Dracula' not in page
        assert 'released_on__gte' in page

    def test_has_the_columns_of_the_default_mask_in_its_order(self, root: Client) -> None:
        make_book(title='Emma', price=3, pages=77)

        page = root.get(BOOKS).content.decode()

        found = re.findall(r'class="field-(\w+)', page)
        assert found[-4:] == ['title', 'status', 'price', 'publisher']

    def test_counts_no_further_than_it_must(self, db: None) -> None:
        assert issubclass(ShortPaginator, Paginator)
        Stamp.objects.bulk_create(Stamp(code=str(number)) for number in range(12))
        short = type('Short', (ShortPaginator,), {'most': 10})

        assert short(Stamp.objects.order_by('pk'), 5).num_pages == 2
        assert ShortPaginator(Stamp.objects.order_by('pk'), 5).num_pages == 3


class TestRights:
    def test_are_those_of_the_grants_for_rows(self, keeper: Client) -> None:
        make_item('mine', 'North')
        make_item('other', 'West')
        shown = make_item('open', 'West', status='open')

        page = keeper.get(ITEMS).content.decode()

        assert 'mine' in page
        assert shown.code in page
        assert 'other' not in page

    def test_hide_a_row_from_its_own_address(self, keeper: Client) -> None:
        hidden = make_item('other', 'West')

        for path in ('change', 'delete', 'history'):
            answer = keeper.get(f'{ITEMS}{hidden.pk}/{path}/')
            assert answer.status_code in (302, 404), path
            assert b'other' not in answer.content

    def test_hide_deleted_rows(self, keeper: Client) -> None:
        make_item('gone', 'North', deleted_at=timezone.now())

        assert 'gone' not in keeper.get(ITEMS).content.decode()

    def test_hide_fields_that_not_every_row_shows(self, keeper: Client) -> None:
        item = make_item('mine', 'North', cost=77, secret='hush-hush')

        page = keeper.get(f'{ITEMS}{item.pk}/change/').content.decode()

        assert 'name="title"' in page
        assert 'name="cost"' not in page
        assert 'hush-hush' not in page

    @pytest.mark.parametrize('name', ['cost__gte', 'secret', 'branch__name', 'branch__id__exact'])
    def test_hide_fields_from_filters_too(self, keeper: Client, name: str) -> None:
        make_item('mine', 'North', cost=77)

        answer = keeper.get(ITEMS, {name: '1'})

        assert answer.status_code in (302, 400)

    def test_call_what_a_row_points_at_by_what_they_show_of_it(self, keeper: Client) -> None:
        mine, other = make_item('of-mine', 'North'), make_item('of-others', 'West')
        notes = [Note.objects.create(item=item, text='n') for item in (mine, other)]

        pages = [keeper.get(NOTES), *(keeper.get(f'{NOTES}{note.pk}/change/') for note in notes)]

        assert [b'of-mine' in page.content for page in pages] == [True, True, False]
        assert not any(b'of-others' in page.content for page in pages)
        assert re.search(rf'field-item">\s*{other.pk}\s*<', pages[0].content.decode())

    def test_take_no_reference_to_what_they_hide(self, keeper: Client) -> None:
        hidden = make_item('of-others', 'West')

        answers = [
            keeper.post(f'{NOTES}add/', {'item': key, 'text': 'n', 'position': 0}).content.decode()
            for key in (hidden.pk, 4_000)
        ]

        assert 'not one of the available choices' in answers[0]
        token = r'name="csrfmiddlewaretoken" value="\w+"'
        first, second = (re.sub(token, '', answer) for answer in answers)
        assert first == second.replace('value="4000"', f'value="{hidden.pk}"')

    def test_let_a_hidden_reference_stand(self, keeper: Client) -> None:
        note = Note.objects.create(item=make_item('mine', 'North'), text='n')
        Item.objects.update(deleted_at=timezone.now())

        form = {'text': 'changed', 'position': '0', 'item': note.item_id}
        answer = keeper.post(f'{NOTES}{note.pk}/change/', form)

        assert answer.status_code == 302, answer.content.decode()
        note.refresh_from_db()
        assert note.text == 'changed'

    def test_call_a_row_by_its_key(self, keeper: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Item, '__str__', lambda item: item.secret)
        item = make_item('mine', 'North', secret='hush-hush')
        asked = {'action': 'delete_selected', '_selected_action': [item.pk]}

        pages = [
            keeper.get(f'{ITEMS}{item.pk}/{path}/') for path in ('change', 'delete', 'history')
        ]
        pages += [
            keeper.post(ITEMS, asked),
            keeper.post(ITEMS, {**asked, 'post': 'yes'}, follow=True),
        ]

        assert {page.status_code for page in pages} == {200}
        assert f'Item {item.pk}' in pages[0].content.decode()
        assert not any(b'hush-hush' in page.content for page in pages)
        assert LogEntry.objects.get().object_repr == f'Item {item.pk}'

    def test_hide_what_would_be_deleted_with_a_row(self, keeper: Client) -> None:
        word = Keyword.objects.create(word='common')
        make_item('of-others', 'West').keywords.add(word)

        page = keeper.get(f'/shop/lending/keyword/{word.pk}/delete/').content.decode()

        assert f'Keyword {word.pk}' in page
        assert 'relationship' not in page

    def test_hide_which_hidden_field_was_changed(self) -> None:
        form = SimpleNamespace(changed_data=['is_secret'])
        request: Any = None

        message = site._registry[Keyword].construct_change_message(request, form, [])

        assert message == 'Changed.'

    def test_let_nobody_add_what_no_grant_creates(self, root: Client) -> None:
        assert root.get(f'{BOOKS}add/').status_code == 403
        assert root.get(BOOKS).status_code == 200

    def test_are_needed_beside_those_of_django(self, client: Client) -> None:
        client.force_login(Account.objects.create_user('staff', is_staff=True, level=5))

        assert client.get(STAMPS).status_code == 403
        assert client.get(BOOKS).status_code == 403


class TestWriting:
    def test_adds_a_row(self, root: Client) -> None:
        form = {
            'code': 'a1',
            'label': 'One',
            'amount': '3',
            'price': '1.50',
            'printed_on': '2026-01-02',
        }

        answer = root.post(f'{STAMPS}add/', form)

        assert answer.status_code == 302, answer.content.decode()
        stamp = Stamp.objects.get()
        assert (stamp.code, stamp.label, stamp.amount, str(stamp.price)) == ('a1', 'One', 3, '1.50')

    def test_changes_what_was_changed(self, root: Client) -> None:
        stamp = Stamp.objects.create(code='a1', label='One', amount=3)
        form = {'label': 'Two', 'amount': '3', 'price': '1.50', 'printed_on': '2026-01-02'}

        answer = root.post(f'{STAMPS}{stamp.pk}/change/', form)

        assert answer.status_code == 302
        stamp.refresh_from_db()
        assert (stamp.code, stamp.label, stamp.amount) == ('a1', 'Two', 3)

    def test_is_in_the_history_and_in_the_journal(self, root: Client) -> None:
        stamp = Stamp.objects.create(code='a1', label='One')
        form = {'label': 'Two', 'amount': '0', 'price': '1.50', 'printed_on': '2026-01-02'}
        root.post(f'{STAMPS}{stamp.pk}/change/', form)

        assert 'Label' in LogEntry.objects.get().get_change_message()
        entry = Entry.objects.get()
        assert (entry.verb, entry.object_id, entry.actor_name) == (
            'update',
            'a1',
            'root@example.com',
        )
        assert 'Label' in root.get(f'{STAMPS}{stamp.pk}/history/').content.decode()

    def test_follows_the_rules_of_the_resource(self, keeper: Client) -> None:
        item = make_item('mine', 'North')
        form = {'title': 'some title', 'price': '2.00', 'status': 'draft', 'code': 'mine'}
        form |= {'branch': str(branch('North').pk), 'details': 'null', 'pages': '0'}

        answer = keeper.post(f'{ITEMS}{item.pk}/change/', form)

        assert answer.status_code == 302, answer.content.decode()
        item.refresh_from_db()
        assert (item.title, item.version) == ('Some title', 2)

    def test_tells_what_is_refused_and_changes_nothing(self, keeper: Client) -> None:
        item = make_item('mine', 'North')
        form = {'title': 'forbidden', 'price': '2.00', 'status': 'draft', 'code': 'mine'}
        form |= {'branch': str(branch('North').pk), 'details': 'null', 'pages': '0'}

        answer = keeper.post(f'{ITEMS}{item.pk}/change/', form, follow=True)

        assert any('No item is called so' in each for each in messages_of(answer.content.decode()))
        item.refresh_from_db()
        assert (item.title, item.version) == ('A title', 1)
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize('document', UNSTORABLE_DOCUMENTS)
    def test_json_that_not_every_engine_stores_is_refused_beside_its_field(
        self, keeper: Client, document: str
    ) -> None:
        form = {'title': 'A title', 'price': '2.00', 'status': 'draft', 'code': 'mine'}
        form |= {'branch': str(branch('North').pk), 'details': document, 'pages': '0'}

        answer = keeper.post(f'{ITEMS}add/', form)

        assert answer.status_code == 200, answer.content.decode()
        assert [*answer.context['adminform'].form.errors] == ['details']
        assert not Item.objects.exists()
        assert keeper.post(f'{ITEMS}add/', {**form, 'details': '{"a": 1.5}'}).status_code == 302

    def test_deletes_softly_what_is_deleted_softly(self, keeper: Client) -> None:
        item = make_item('mine', 'North')

        answer = keeper.post(f'{ITEMS}{item.pk}/delete/', {'post': 'yes'})

        assert answer.status_code == 302
        item.refresh_from_db()
        assert item.deleted_at

    def test_deletes_all_of_an_action_or_none(self, keeper: Client) -> None:
        mine, theirs = make_item('mine', 'North'), make_item('theirs', 'South')
        keys = [mine.pk, theirs.pk]
        form = {'action': 'delete_selected', '_selected_action': keys, 'post': 'yes'}

        answer = keeper.post(ITEMS, form, follow=True)

        assert messages_of(answer.content.decode())
        assert Item.objects.filter(deleted_at=None).count() == 2
        assert not LogEntry.objects.exists()

    def test_deletes_by_an_action(self, root: Client) -> None:
        Stamp.objects.bulk_create(Stamp(code=str(number)) for number in range(3))
        form = {'action': 'delete_selected', '_selected_action': ['0', '1'], 'post': 'yes'}

        root.post(STAMPS, form)

        assert [stamp.code for stamp in Stamp.objects.all()] == ['2']
        assert LogEntry.objects.count() == 2
