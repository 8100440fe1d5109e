"""What HTTP itself asks of the endpoints, and what Django REST Framework adds to them."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIRequestFactory

from backstay.resources import ResourceViewSet
from tests.bookshop.models import Book, Country
from tests.bookshop.resources import BookResource
from tests.lending.models import Keyword
from tests.resources.http.asking import call, get, post
from tests.resources.http.rows import FIRST
from tests.resources.http.site import open_to_all

pytestmark = pytest.mark.usefixtures('books')

PATHS = ['/books/', '/books/1/']


@pytest.mark.parametrize('path', PATHS)
class TestReads:
    def test_are_json(self, path: str) -> None:
        answer = get(path)

        assert (answer.status, answer['Content-Type']) == (200, 'application/json')
        assert answer['Cache-Control'] == 'private, no-cache'

    def test_tell_what_they_depend_on(self, path: str) -> None:
        vary = {each.strip() for each in get(path)['Vary'].split(',')}

        assert {'Authorization', 'X-Api-Key', 'Cookie', 'Accept', 'Prefer', 'X-Fields'} <= vary

    def test_tell_what_they_took(self, path: str) -> None:
        timing = get(path)['Server-Timing']

        assert re.fullmatch(r'parse;dur=[\d.]+, plan;dur=[\d.]+, db;dur=[\d.]+', timing)

    def test_tell_of_the_slow_path(self, path: str) -> None:
        timing = get(path, 'shouted')['Server-Timing']

        assert 'python;desc="fields that only Python can compute"' in timing

    def test_head_is_get_without_a_body(self, path: str) -> None:
        head, answer = call('HEAD', path), get(path)

        assert (head.status, head.body) == (200, b'')
        for header in ('ETag', 'Content-Type', 'Vary', 'Content-Length'):
            assert head[header] == answer[header]

    def test_options_tells_the_methods(self, path: str) -> None:
        answer = call('OPTIONS', path)

        assert answer.status == 200
        assert answer['Allow'] == 'GET, HEAD, OPTIONS'

    @pytest.mark.parametrize('method', ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'FOO'])
    def test_other_methods_are_refused(self, path: str, method: str) -> None:
        answer = call(method, path)

        assert answer.status == 405
        assert 'GET' in answer['Allow']
        assert answer['Content-Type'] == 'application/problem+json'


@pytest.mark.parametrize('path', ['/books/', '/books/1/', '/books/query/'])
def test_a_method_that_does_not_exist_is_no_matter_of_formats(path: str) -> None:
    assert call('TRACE', f'{path}?format=csv').status == 405


def test_a_query_can_only_be_posted() -> None:
    answer = get('/books/query/')

    assert (answer.status, answer['Allow']) == (405, 'POST, OPTIONS')


class TestEtags:
    def test_the_same_answer_is_not_sent_again(self) -> None:
        for path in PATHS:
            etag = get(path)['ETag']
            answer = get(path, headers={'If-None-Match': etag})
            assert (answer.status, answer.body) == (304, b'')
            assert answer['ETag'] == etag
            assert answer.has('Vary')
            assert answer.has('Cache-Control')

    @pytest.mark.parametrize(
        'header', ['*', ' * ', '{}', 'W/{}', '"x", {}', '"a","b", W/{} ,"c"', 'W/"x",{}']
    )
    def test_matches(self, header: str) -> None:
        etag = get('/books/1/')['ETag']

        assert get('/books/1/', headers={'If-None-Match': header.format(etag)}).status == 304

    @pytest.mark.parametrize('header', ['', '"x"', 'W/"x"', '"*"', '{}x', 'x{}', '"{}"'])
    def test_does_not_match(self, header: str) -> None:
        etag = get('/books/1/')['ETag']

        assert get('/books/1/', headers={'If-None-Match': header.format(etag)}).status == 200

    def test_is_another_when_the_row_is_another(self) -> None:
        before = get('/books/1/')['ETag']
        Book.objects.filter(pk=1).update(title='Other')

        assert get('/books/1/', headers={'If-None-Match': before}).status == 200

    def test_works_for_head(self) -> None:
        etag = get('/books/')['ETag']

        assert call('HEAD', '/books/', **{'If-None-Match': etag}).status == 304

    def test_the_answer_to_a_post_has_none(self) -> None:
        answer = post('/books/query/', {}, headers={'If-None-Match': '*'})

        assert answer.status == 200
        assert not answer.has('ETag')


class TestNegotiation:
    @pytest.mark.parametrize(
        'accept',
        [
            '*/*',
            'application/json',
            'application/*',
            'application/json; indent=2',
            'text/html, application/json;q=0.9',
            'application/json, text/plain, */*',
        ],
    )
    def test_json_for_whoever_takes_it(self, accept: str) -> None:
        answer = get('/books/1/', headers={'Accept': accept})

        assert answer['Content-Type'] == 'application/json'
        assert answer.body == get('/books/1/').body

    @pytest.mark.parametrize('accept', ['application/xml', 'image/*', 'x'])
    def test_nothing_else(self, accept: str) -> None:
        answer = get('/books/', headers={'Accept': accept})

        assert (answer.status, answer.json['code']) == (406, 'not-acceptable')

    def test_the_format_may_stand_in_the_address(self) -> None:
        assert get('/books/1/?format=json').json['id'] == 1
        assert get('/books/?format=json', headers={'Accept': '*/*'}).status == 200

    def test_a_format_that_is_none(self) -> None:
        assert get('/books/?format=xml').status == 406

    def test_a_format_that_accept_excludes(self) -> None:
        assert get('/books/?format=csv', headers={'Accept': 'application/json'}).status == 406

    @pytest.mark.parametrize(
        'content_type',
        ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'text/json', ''],
    )
    def test_bodies_are_json(self, content_type: str) -> None:
        answer = post('/books/query/', {}, content_type=content_type)

        assert (answer.status, answer.json['code']) == (415, 'unsupported-media-type')

    @pytest.mark.parametrize(
        'content_type', ['application/json; charset=utf-8', 'Application/JSON', 'application/json;']
    )
    def test_whatever_their_parameters(self, content_type: str) -> None:
        assert post('/books/query/', {}, content_type=content_type).status == 200


class TestObjects:
    def test_are_found_by_their_lookup_field(self) -> None:
        assert get('/countries/DE/').json == {'code': 'DE', 'name': 'Germany'}
        phrase = Keyword.objects.create(word='out of print')
        assert get('/phrases/out%20of%20print/', 'id').json == {'id': phrase.pk}

    @pytest.mark.parametrize(
        'path',
        [
            '/books/99/',
            '/books/abc/',
            '/books/1.0/',
            '/books/-1/',
            '/books/99999999999999999999999/',
            '/books/%00/',
            '/books/%D9%A1/',
            '/books/1%20/',
            '/countries/de/',
            '/countries/%00/',
            "/countries/'%20OR%201=1--/",
            '/phrases/' + 'x' * 300 + '/',
        ],
    )
    def test_are_not_there(self, path: str) -> None:
        answer = get(path)

        assert (answer.status, answer.json['code']) == (404, 'not-found')
        assert answer.json['detail'] == 'There is nothing at this address.'

    def test_have_a_lookup_of_any_letters(self) -> None:
        Country.objects.create(code='é.', name='Dots')

        assert get('/countries/%C3%A9./').json['name'] == 'Dots'

    def test_take_no_filter(self) -> None:
        answer = get('/books/1/', status='active')

        assert (answer.status, answer.json['code']) == (400, 'parameter-unknown')

    def test_have_absolute_addresses(self) -> None:
        assert get('/books/1/', 'url').json == {'url': 'http://testserver/books/1/'}
        host = {'Host': 'localhost:81'}
        assert get('/books/1/', 'url', headers=host).json == {'url': 'http://localhost:81/books/1/'}

    def test_an_unknown_host_is_refused(self) -> None:
        assert get('/books/1/', headers={'Host': 'evil.example'}).status == 400


class TestStatements:
    @pytest.mark.parametrize(
        'path',
        ['/books/?fields=*', '/books/1/?fields=*', '/books/?cursor=&fields=*', '/books/?limit=0'],
    )
    def test_a_read_is_one(self, path: str, django_assert_num_queries: Any) -> None:
        for _ in range(2):
            with django_assert_num_queries(1):
                assert get(path).status == 200


class TestRenderers:
    """A site may show its resources to people too."""

    @pytest.mark.parametrize(('path', 'shown'), [('', 'Book 7'), ('1/', 'Book 1')])
    def test_the_browsable_api(self, path: str, shown: str, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.guarded_site'

        answer = get(f'/pages/{path}', headers={'Accept': 'text/html,*/*;q=0.8'})

        assert answer.status == 200
        assert answer['Content-Type'].startswith('text/html')
        assert shown in answer.body.decode()
        assert not answer.has('ETag')

    def test_json_beside_the_browsable_api(self, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.guarded_site'

        assert get('/pages/1/', 'id').body == b'{"id":1}'

    def test_a_renderer_of_ones_own(self) -> None:
        class Backwards(JSONRenderer):
            def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
                text: bytes = super().render(data, *args, **kwargs)
                return text[::-1]

        view = open_to_all(BookResource, renderer_classes=(Backwards,))
        response = view.as_view({'get': 'retrieve'})(APIRequestFactory().get('/?fields=id'), id='1')

        assert response.render().content == b'}1:"di"{'


class TestGates:
    """Authentication, permissions and throttles are Django REST Framework's."""

    @pytest.fixture(autouse=True)
    def _guarded(self, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.guarded_site'

    def test_a_permission_comes_before_everything(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            for path in ('/products/', '/products/1/', '/products/?nope=1'):
                assert get(path).status == 403

    def test_whoever_has_it_reads(self, client: Client) -> None:
        client.force_login(get_user_model().objects.create_user('ann'))

        assert client.get('/products/').status_code == 200

    def test_a_query_of_a_session_needs_its_csrf_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(get_user_model().objects.create_user('ann'))

        answer = client.post('/products/query/', {}, content_type='application/json')

        assert answer.status_code == 403

    def test_throttles(self) -> None:
        from django.core.cache import cache

        cache.clear()
        assert [get('/countries/').status for _ in range(3)] == [200, 200, 429]
        assert int(get('/countries/')['Retry-After']) > 0
        cache.clear()

    def test_a_view_set_may_be_a_class(self) -> None:
        class Nobody(BasePermission):
            def has_permission(self, _request: Any, view: Any) -> bool:
                return view.action != 'list'

        class BookViewSet(ResourceViewSet):
            resource = BookResource
            authentication_classes = ()
            permission_classes = (Nobody,)

        request = APIRequestFactory().get('/?fields=id')
        assert BookViewSet.as_view({'get': 'list'})(request).status_code == 403
        assert BookViewSet.as_view({'get': 'retrieve'})(request, id='1').content == b'{"id":1}'


def test_a_statement_that_takes_too_long_is_refused(settings: Any) -> None:
    """On either engine; the connection stays usable."""
    Book.objects.bulk_create(
        Book(pk=at, title='t', slug='s', created_at=FIRST) for at in range(100, 20_100)
    )
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'statement_timeout': 0.001})

    answer = get('/books/', '*', ordering='-rating,title', title__ne='x')

    assert (answer.status, answer.json['code']) == (422, 'query-too-slow')
