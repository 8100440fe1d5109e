"""Errors as clients see them: RFC 9457 problems, whatever was raised and wherever."""

import json
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.test import Client
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backstay.errors import (
    CONTENT_TYPE,
    Fault,
    Problem,
    code_of,
    escape_pointer,
    handler400,
    handler403,
    handler404,
    handler500,
    problem_from,
    problem_response,
)
from backstay.site.urls import urlpatterns as site_patterns

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

SCRIPT = '<script>alert(1)</script>'


class LineSerializer(serializers.Serializer):
    """A nested object of an order."""

    message = serializers.CharField(max_length=3)
    amount = serializers.IntegerField(min_value=1)


class OrderSerializer(serializers.Serializer):
    """A body with every kind of nesting."""

    colour = serializers.ChoiceField(choices=['red', 'green'], required=False)
    lines = LineSerializer(many=True, required=False)
    tags = serializers.ListField(child=serializers.IntegerField(), required=False)
    prices = serializers.DictField(child=serializers.IntegerField(), required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields['odd/na~me'] = serializers.IntegerField(required=False)
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get('colour') == 'green':
            raise serializers.ValidationError('Green is sold out.', code='sold-out')
        return attrs


class OrderView(APIView):
    """Takes orders from anyone."""

    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        serializer = OrderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


@api_view()
@permission_classes([AllowAny])
def fail(request: Request) -> Response:
    """Has a bug."""
    raise RuntimeError('internals: hunter2')


@api_view()
@permission_classes([AllowAny])
def refuse(request: Request) -> Response:
    """Refuses with facts for a program."""
    raise Problem(
        'Only 3 are left.',
        status=409,
        code='out-of-stock',
        headers={'Retry-After': '60'},
        left=3,
    )


@api_view()
def answer_the_signed_in(request: Request) -> Response:
    """Wants a signed-in caller, as every view does that says nothing else."""
    return Response({})


urlpatterns = [
    path('orders/', OrderView.as_view()),
    path('failing/', fail),
    path('problem/', refuse),
    path('strict/', answer_the_signed_in),
    *site_patterns,
]

over_http = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def client() -> Client:
    """A client that is answered like any other when the server fails."""
    return Client(raise_request_exception=False)


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body, when it is the problem that is expected."""
    assert response.status_code == status, response.content
    assert response['Content-Type'] == CONTENT_TYPE
    body = json.loads(response.content)
    assert isinstance(body, dict)
    assert body['status'] == status
    assert body['code'] == code
    assert body['title']
    assert isinstance(body['detail'], str)
    return body


class TestBody:
    def test_has_the_members_of_rfc_9457_and_a_code(self) -> None:
        problem = Problem('Only 3 are left.', status=409, code='out-of-stock')

        assert problem.body('') == {
            'type': 'urn:backstay:problem:out-of-stock',
            'title': 'Conflict',
            'status': 409,
            'detail': 'Only 3 are left.',
            'code': 'out-of-stock',
        }

    def test_tells_the_request_id_twice(self) -> None:
        body = Problem('x').body('request-1')

        assert body['request_id'] == 'request-1'
        assert body['instance'] == 'urn:request:request-1'

    def test_lists_faults_only_when_there_are_any(self) -> None:
        fault = Fault(pointer='/a', code='required', detail='Give it.')

        assert 'errors' not in Problem('x').body('')
        assert Problem('x', errors=[fault]).body('')['errors'] == [
            {'pointer': '/a', 'code': 'required', 'detail': 'Give it.'}
        ]

    def test_has_members_of_its_own(self) -> None:
        assert Problem('x', left=3).body('')['left'] == 3

    def test_always_has_a_detail(self) -> None:
        assert Problem().body('')['detail'] == 'Bad Request'

    def test_takes_status_and_code_of_its_class(self) -> None:
        class Gone(Problem):
            status = 410
            code = 'gone'

        assert (Gone().body('')['status'], Gone().body('')['code']) == (410, 'gone')


@pytest.mark.parametrize(
    ('name', 'segment'),
    [('plain', 'plain'), ('a/b', 'a~1b'), ('m~n', 'm~0n'), ('~1', '~01'), ('', '')],
)
def test_pointers_are_escaped_as_rfc_6901_says(name: str, segment: str) -> None:
    assert escape_pointer(name) == segment


class TestTranslation:
    @pytest.mark.parametrize(
        ('error', 'status', 'code'),
        [
            (Http404('secret'), 404, 'not-found'),
            (PermissionDenied('secret'), 403, 'not-permitted'),
            (SuspiciousOperation('secret'), 400, 'bad-request'),
            (DisallowedHost('secret'), 400, 'bad-request'),
            (exceptions.ParseError('secret'), 400, 'malformed-json'),
            (exceptions.ValidationError('wrong'), 422, 'validation-failed'),
            (exceptions.AuthenticationFailed(), 401, 'not-authenticated'),
            (exceptions.NotAuthenticated(), 401, 'token-missing'),
            (exceptions.PermissionDenied(), 403, 'not-permitted'),
            (exceptions.NotFound(), 404, 'not-found'),
            (exceptions.MethodNotAllowed('PUT'), 405, 'method-not-allowed'),
            (exceptions.NotAcceptable(), 406, 'not-acceptable'),
            (exceptions.UnsupportedMediaType('text/x'), 415, 'unsupported-media-type'),
            (exceptions.Throttled(wait=30), 429, 'rate-limited'),
            (exceptions.APIException(), 500, 'internal'),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
    )
    def test_of_what_django_and_drf_raise(self, error: Exception, status: int, code: str) -> None:
        problem = problem_from(error)

        assert problem is not None
        assert (problem.answer_status, problem.answer_code) == (status, code)
        assert isinstance(problem.detail, str)
        assert 'secret' not in problem.detail

    def test_of_a_problem_is_itself(self) -> None:
        problem = Problem('x')

        assert problem_from(problem) is problem

    def test_of_a_bug_is_none(self) -> None:
        assert problem_from(RuntimeError('internals')) is None

    def test_of_a_throttle_tells_when_to_come_again(self) -> None:
        problem = problem_from(exceptions.Throttled(wait=29.2))

        assert problem is not None
        assert problem.headers == {'Retry-After': '30'}

    def test_of_a_challenge_carries_it(self) -> None:
        error = exceptions.NotAuthenticated()
        error.auth_header = 'Bearer'  # type: ignore[attr-defined] DRF's views set it

        problem = problem_from(error)

        assert problem is not None
        assert problem.headers == {'WWW-Authenticate': 'Bearer'}


def faults_of(detail: Any) -> list[tuple[str, str]]:
    """Pointer and code of each fault of a DRF validation error."""
    problem = problem_from(exceptions.ValidationError(detail))
    assert problem is not None
    return [(fault.pointer, fault.code) for fault in problem.errors]


class TestPointers:
    @pytest.mark.parametrize(
        ('detail', 'pointers'),
        [
            ('wrong', ['']),
            (['wrong', 'also wrong'], ['', '']),
            ({'name': ['wrong', 'also wrong']}, ['/name', '/name']),
            ({'name': 'wrong'}, ['/name']),
            ({'non_field_errors': ['wrong']}, ['']),
            ({'seo': {'title': ['wrong']}}, ['/seo/title']),
            ({'seo': {'non_field_errors': ['wrong']}}, ['/seo']),
            ({'lines': [{}, {'amount': ['wrong']}]}, ['/lines/1/amount']),
            ({'lines': [{'message': ['wrong']}]}, ['/lines/0/message']),
            (
                {'lines': [{'message': ['wrong']}, {'message': ['wrong']}]},
                ['/lines/0/message', '/lines/1/message'],
            ),
            (
                {'lines': [{'code': ['wrong'], 'message': ['no']}]},
                ['/lines/0/code', '/lines/0/message'],
            ),
            ({'tags': {1: ['wrong']}}, ['/tags/1']),
            ([{}, {'name': ['wrong']}], ['/1/name']),
            ({'a/b': {'m~n': ['wrong']}}, ['/a~1b/m~0n']),
        ],
    )
    def test_lead_to_the_place(self, detail: Any, pointers: list[str]) -> None:
        found = [pointer for pointer, _ in faults_of(detail)]

        assert found == pointers

    def test_come_with_the_code_of_the_fault(self) -> None:
        detail = exceptions.ErrorDetail('wrong', code='max_length')

        assert faults_of({'name': [detail]}) == [('/name', 'max_length')]


class TestOverHttp:
    pytestmark = over_http

    def test_an_unknown_address(self, client: Client) -> None:
        problem_of(client.get('/no/such/thing'), 404, 'not-found')

    def test_a_method_that_does_not_exist_tells_those_that_do(self, client: Client) -> None:
        response = client.put('/orders/', {}, content_type='application/json')

        problem_of(response, 405, 'method-not-allowed')
        assert 'POST' in response['Allow']

    def test_a_format_that_is_not_made(self, client: Client) -> None:
        response = client.post(
            '/orders/', {}, content_type='application/json', headers={'Accept': 'image/png'}
        )

        problem_of(response, 406, 'not-acceptable')

    def test_a_body_that_is_too_large(self, client: Client, settings: Any) -> None:
        body = json.dumps({'colour': 'x' * settings.BACKSTAY.body_limit})

        response = client.post('/orders/', body, content_type='application/json')

        problem_of(response, 413, 'payload-too-large')

    def test_a_media_type_that_is_not_read(self, client: Client) -> None:
        response = client.post('/orders/', 'colour: red', content_type='application/yaml')

        problem_of(response, 415, 'unsupported-media-type')

    @pytest.mark.parametrize('body', ['{', '{"a":}', 'nonsense', '\xff', '{"a": NaN}'])
    def test_a_body_that_is_not_json(self, client: Client, body: str) -> None:
        response = client.post('/orders/', body.encode('latin-1'), content_type='application/json')

        problem_of(response, 400, 'malformed-json')

    def test_a_body_that_is_not_an_object(self, client: Client) -> None:
        response = client.post('/orders/', '[1]', content_type='application/json')

        body = problem_of(response, 422, 'validation-failed')
        assert body['errors'][0]['pointer'] == ''

    def test_a_body_with_faults_names_each_place(self, client: Client) -> None:
        sent = {
            'colour': 'blue',
            'lines': [
                {'message': 'ok', 'amount': 1},
                {'message': 'too long', 'amount': 0},
                {'amount': 1},
            ],
            'tags': [1, 'two'],
            'prices': {'a/b': 'much'},
            'odd/na~me': 'x',
        }

        response = client.post('/orders/', sent, content_type='application/json')

        body = problem_of(response, 422, 'validation-failed')
        assert {(fault['pointer'], fault['code']) for fault in body['errors']} == {
            ('/colour', 'invalid_choice'),
            ('/lines/1/message', 'max_length'),
            ('/lines/1/amount', 'min_value'),
            ('/lines/2/message', 'required'),
            ('/tags/1', 'invalid'),
            ('/prices/a~1b', 'invalid'),
            ('/odd~1na~0me', 'invalid'),
        }
        assert body['detail'] == '7 faults in what was sent.'

    def test_a_rule_of_the_whole_body_points_at_the_whole_body(self, client: Client) -> None:
        response = client.post('/orders/', {'colour': 'green'}, content_type='application/json')

        body = problem_of(response, 422, 'validation-failed')
        assert body['errors'] == [
            {'pointer': '', 'code': 'sold-out', 'detail': 'Green is sold out.'}
        ]

    def test_a_problem_of_a_view(self, client: Client) -> None:
        response = client.get('/problem/')

        body = problem_of(response, 409, 'out-of-stock')
        assert body['left'] == 3
        assert response['Retry-After'] == '60'

    def test_a_caller_who_is_not_signed_in(self, client: Client) -> None:
        response = client.get('/strict/')

        assert response.status_code in {401, 403}
        assert response['Content-Type'] == CONTENT_TYPE

    def test_a_host_that_is_not_ours(self, client: Client) -> None:
        response = client.get('/docs.json', headers={'Host': 'evil.example'})

        problem_of(response, 400, 'bad-request')

    def test_a_form_without_its_csrf_token(self) -> None:
        response = Client(enforce_csrf_checks=True).post('/admin/login/', {'username': 'a'})

        problem_of(response, 403, 'csrf-failed')

    def test_a_bug_tells_nothing_but_the_request(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = client.get('/failing/')

        body = problem_of(response, 500, 'internal')
        assert b'hunter2' not in response.content
        assert b'RuntimeError' not in response.content
        assert body['request_id'] == response['X-Request-ID']
        logged = [record.exc_info for record in caplog.records if record.exc_info]
        assert any('hunter2' in str(info[1]) for info in logged)

    def test_answers_are_never_cached(self, client: Client) -> None:
        assert 'no-store' in client.get('/no/such/thing')['Cache-Control']

    @pytest.mark.parametrize('address', ['/no/such/thing', '/orders/', '/failing/', '/problem/'])
    def test_the_request_id_is_in_body_and_header(self, client: Client, address: str) -> None:
        response = client.get(address, headers={'X-Request-ID': 'my-request-1'})

        assert json.loads(response.content)['request_id'] == 'my-request-1'
        assert response['X-Request-ID'] == 'my-request-1'


class TestReflection:
    """P31: nothing of path, query, headers or body comes back as markup."""

    pytestmark = over_http

    def assert_inert(self, response: Any) -> None:
        """No browser can be made to run what was sent."""
        assert response.status_code >= 400
        assert response['Content-Type'] == CONTENT_TYPE
        assert response['X-Content-Type-Options'] == 'nosniff'
        assert b'<' not in response.content
        assert b'>' not in response.content

    @pytest.mark.parametrize(
        'address',
        [
            f'/{SCRIPT}',
            '/%3Cscript%3Ealert(1)%3C/script%3E',
            f'/docs/{SCRIPT}',
            f'/api/v1/{SCRIPT}',
            f'/no/such/thing?next={SCRIPT}',
            f'/static/{SCRIPT}',
        ],
    )
    @pytest.mark.parametrize('accept', ['*/*', 'text/html', 'application/json'])
    def test_of_an_address(self, client: Client, address: str, accept: str) -> None:
        self.assert_inert(client.get(address, headers={'Accept': accept}))

    def test_of_a_value(self, client: Client) -> None:
        response = client.post('/orders/', {'colour': SCRIPT}, content_type='application/json')

        self.assert_inert(response)
        assert SCRIPT in json.loads(response.content)['errors'][0]['detail']

    def test_of_a_key(self, client: Client) -> None:
        sent = {'prices': {SCRIPT: 'x'}}

        self.assert_inert(client.post('/orders/', sent, content_type='application/json'))

    def test_of_text_that_is_not_json(self, client: Client) -> None:
        self.assert_inert(client.post('/orders/', SCRIPT, content_type='application/json'))

    def test_of_a_media_type(self, client: Client) -> None:
        self.assert_inert(client.post('/orders/', 'x', content_type=f'text/{SCRIPT}'))

    def test_of_a_method(self, client: Client) -> None:
        self.assert_inert(client.generic(SCRIPT, '/orders/'))

    def test_of_a_request_id(self, client: Client) -> None:
        response = client.get('/no/such/thing', headers={'X-Request-ID': SCRIPT})

        self.assert_inert(response)
        assert '<' not in response['X-Request-ID']

    def test_of_a_bug(self, client: Client) -> None:
        self.assert_inert(client.get(f'/failing/?q={SCRIPT}'))

    def test_of_half_a_surrogate_pair(self, client: Client) -> None:
        response = client.post(
            '/orders/', r'{"prices": {"\ud800": "x"}}', content_type='application/json'
        )

        body = problem_of(response, 422, 'validation-failed')
        assert body['errors'][0]['pointer'] == '/prices/\ud800'


@pytest.mark.django_db
@pytest.mark.parametrize(
    'address',
    [
        '/',
        '/no/such/thing',
        '/docs/',
        '/docs',
        '/docs.json',
        '/docs.yaml',
        '/admin/',
        '/admin/login/',
        '/admin/no/such/thing/',
        '/livez',
        '/readyz',
        '/__version__',
        '/static/no-such-file.js',
        '/api/v1/docs',
        '/api/v1/openapi.json',
        '/api/v1/two-list-sum/',
    ],
)
def test_a_client_that_wants_json_never_gets_html(client: Client, address: str) -> None:
    response = client.get(address, headers={'Accept': 'application/json'}, follow=True)

    assert 'html' not in response.get('Content-Type', '')


def test_a_problem_is_escaped_without_any_middleware() -> None:
    response = problem_response(HttpRequest(), Problem(f'{SCRIPT}&'))

    assert b'<' not in response.content
    assert b'&' not in response.content
    assert json.loads(response.content)['detail'] == f'{SCRIPT}&'


@pytest.mark.parametrize(
    ('status', 'title'),
    [
        (404, 'Not Found'),
        (413, 'Content Too Large'),
        (414, 'URI Too Long'),
        (416, 'Range Not Satisfiable'),
        (422, 'Unprocessable Content'),
    ],
)
def test_a_status_is_called_as_in_rfc_9110_by_every_python(status: int, title: str) -> None:
    assert Problem(status=status).title == title


def test_a_code_made_of_a_title_is_the_same_by_every_python() -> None:
    assert code_of(414) == 'uri-too-long'
