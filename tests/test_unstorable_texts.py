"""Halves of surrogate pairs and NUL, which PostgreSQL does not store, by every way into a site."""

import json
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.test import Client

from backstay.identity.models import Account
from backstay.seeding import Seed, SeedError
from backstay.seeding.loading import load
from backstay.seeding.plan import make_plan
from tests.bookshop.models import Tag
from tests.bookshop.resources import TagResource
from tests.proofs import half_of
from tests.resources import admin_site

pytestmark = pytest.mark.django_db

#: JSON with texts, names or numbers that PostgreSQL or Python's reader fails on.
DOCUMENTS = (
    *(r'{"a": "\ud800"}', r'{"\udfff": 1}', r'["x", ["\ud83d"]]', r'"\ud800"', r'"\ude00\ud83d"'),
    *(r'{"a": "\u0000"}', r'{"a\u0000": 1}', r'"\u0000"', '[NaN]', '-Infinity', '1e999'),
    *('9' * 5_000, '[' * 5_000 + ']' * 5_000, '{"a": 1, "a": 2}'),
)
#: Character sets that decode to halves of pairs, and a text in each that does.
CHARSETS = (('utf-7', b'+2AA-'), ('unicode_escape', rb'\ud800'), ('raw_unicode_escape', rb'\udfff'))
#: Those, and one that a database may not store; each engine tries every second one on each site.
TEXTS = (*CHARSETS, ('utf-8', b'\0'), ('ascii', b'\0'))
SITES = ('backstay.site.urls', 'tests.resources.admin_site')


@pytest.fixture
def root(client: Client) -> Client:
    """A browser of somebody with every permission."""
    client.raise_request_exception = False
    client.force_login(Account.objects.create_superuser('root@example.com', 'a long password'))
    return client


def editable(site: AdminSite) -> list[tuple[str, admin.ModelAdmin]]:
    """The pages of a site on which a row can be added, by their address below it."""
    rows = site._registry.items()
    return [(f'{model._meta.app_label}/{model._meta.model_name}', page) for model, page in rows]


class TestAdminForms:
    @pytest.mark.parametrize('document', DOCUMENTS)
    def test_of_keys_refuse_such_json_beside_the_field(self, root: Client, document: str) -> None:
        form = {'name': 'k', 'level': '1', 'expires_at_0': '', 'expires_at_1': ''}

        answer = root.post('/admin/identity/apikey/add/', {**form, 'ip_allow': document})

        assert answer.status_code == 200, document
        assert answer.context['errors'], document

    @pytest.mark.parametrize(('urls', 'text'), half_of(product(SITES, TEXTS)))
    def test_of_every_page_refuse_such_texts(
        self, root: Client, urls: str, text: tuple[str, bytes], settings: Any
    ) -> None:
        charset, half = text
        settings.ROOT_URLCONF = urls
        prefix, site = ('/shop/', admin_site.site) if 'tests' in urls else ('/admin/', admin.site)
        for path, page in editable(site):
            names = [each.name for each in page.model._meta.concrete_fields]
            names += ['password1', 'password2', 'expires_at_0', 'expires_at_1']
            before = page.model._base_manager.count()
            answer = post_form(root, f'{prefix}{path}/add/', names, charset, half)
            refused = (415,) if charset not in ('utf-8', 'ascii') else (200, 403)
            assert answer.status_code in refused, (path, answer.content)
            assert page.model._base_manager.count() == before

    @pytest.mark.parametrize(('charset', 'half'), CHARSETS)
    def test_of_the_sign_in_refuse_such_texts(
        self, client: Client, charset: str, half: bytes
    ) -> None:
        answer = post_form(client, '/admin/login/', ['username', 'password'], charset, half)

        assert answer.status_code == 415
        assert json.loads(answer.content)['code'] == 'unsupported-media-type'

    @pytest.mark.urls('tests.resources.admin_site')
    @pytest.mark.parametrize('charset', ['utf-7', 'unicode_escape', 'utf-8'])
    def test_searches_are_read_as_utf_8_whatever_the_type_says(
        self, root: Client, charset: str
    ) -> None:
        for text in ('+2AA-', '%5Cud800', '%ED%A0%80', '%00'):
            answer = root.generic(
                'GET',
                f'/shop/lending/item/?q={text}',
                content_type=f'text/plain; charset={charset}',
            )
            assert answer.status_code in (200, 302), (text, answer.content)


def post_form(client: Client, path: str, names: list[str], charset: str, value: bytes) -> Any:
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name in names
    ]
    return client.generic(
        'POST',
        path,
        b''.join(parts) + b'--x--\r\n',
        content_type=f'multipart/form-data; boundary=x; charset={charset}',
    )


class TestSignUp:
    @pytest.mark.parametrize('text', [r'\ud800', r'a\udfff', r'\u0000', r'a\u0000b'])
    @pytest.mark.parametrize('member', ['name', 'email', 'password'])
    def test_refuses_such_texts(self, client: Client, member: str, text: str) -> None:
        body = {'email': 'new@example.com', 'password': 'correct horse battery', 'name': 'New'}
        sent = json.dumps({**body, member: 'HERE'}).replace('HERE', text)

        answer = client.post('/auth/app/v1/auth/signup', sent, content_type='application/json')

        assert answer.status_code in (400, 422), answer.content
        assert not Account.objects.exists()


class TestSeeds:
    @pytest.mark.parametrize('text', ['\ud800', 'a\udfffb', '\0', 'a\0b', '\\\ud800', '\\\0'])
    def test_with_such_texts_are_refused_on_every_engine(self, text: str) -> None:
        with pytest.raises(SeedError, match=r'bookshop.Tag: the rows 0 to 2: NUL and halves'):
            load(make_plan([Seed(TagResource, rows={'any': 3}, label=lambda _: text)], size='any'))

        assert not Tag._base_manager.exists()

    @pytest.mark.parametrize('text', ['😀', r'\u0000', r'\ud800', '\\', 'Ä\x01'])
    def test_with_texts_that_look_like_them_are_taken(self, text: str) -> None:
        load(make_plan([Seed(TagResource, rows={'any': 1}, label=lambda _: text)], size='any'))

        assert Tag._base_manager.get().label == text
