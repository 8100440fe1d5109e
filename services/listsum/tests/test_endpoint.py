"""`POST /api/v1/two-list-sum/`: FastAPI's contract, held against FastAPI itself."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from services.listsum.bodies import MAX_CONTAINERS, MAX_FAULTS, MAX_REPEATED
from services.listsum.tests.fastapi_oracle import JSON, PATH, Answer, ask_fastapi, ask_us
from services.listsum.views import MAX_BODY


def as_bytes(item: str | bytes) -> bytes:
    return item.encode() if isinstance(item, str) else item


def body_with(item: str | bytes) -> bytes:
    """A body that is right but for one item of `list_a`."""
    return b'{"list_a":[4,' + as_bytes(item) + b'],"list_b":[2],"target":5}'


ITEMS: list[str | bytes] = [
    '3', '"3"', '" 3 "', '"+3"', '"3_0"', '"3.0"', '"3.5"', '"0x3"', '"٣"', '""', '"-3"', '"1e3"',
    '"<script>&amp;</script>"', '"three"', '"é\\u0000\\u2028"', '"\\n3\\t"', '"3\\u00a0"',
    '3.0', '3.5', '3e0', '3e-1', '1e22', '1e300', '9007199254740993.0', '1e-400', '-0.0',
    '0', '-0', '-1', '-99999999999999999999', 'true', 'false', 'null', '[]', '[3]', '{}', '{"a":3}',
    '9' * 19, '9' * 400, '9' * 4300, '9' * 4301, '9' * 20_000, f'"{"9" * 4300}"', f'"{"9" * 4301}"',
    '03', '3.', '.3', '+3', '0x3', '3_0', "'3'", '-', '--3', 'nan', '-NaN', 'undefined', '3,', '',
    ' ', '3 3', '/**/3', '"\\x"', '"\\u12"', '"\t"', b'"\x00"', b'\x00', b'"\xff"', b'\xff',
    b'\xc2\xa03',
    '[' * 150 + ']' * 150, '[' * 300 + ']' * 300, '{"a":' * 150 + '1' + '}' * 150, '[' * 9_000,
]  # fmt: skip

BODIES = [
    b'', b' ', b'null', b'true', b'3', b'"text"', b'[]', b'[{}]', b'{}', b'{', b'}', b'{}{}',
    b'{},',
    b'{"list_a":[3,4,6],"list_b":[3,4,6],"target":10}',
    b' \r\n\t{"list_a":[3,4,6],"list_b":[3,4,6],"target":5} \n',
    b'{"list_a":[],"list_b":[],"target":10}',
    b'{"list_a":[],"list_b":[1],"target":1}',
    b'{"list_a":[1],"list_b":[],"target":1}',
    b'{"list_a":[1],"list_b":[1]}',
    b'{"list_a":[1],"target":2}',
    b'{"list_a":[0,1,-1],"list_b":["x",1,null],"target":0}',
    b'{"list_a":null,"list_b":null,"target":null}',
    b'{"list_a":{},"list_b":"1,2","target":[]}',
    b'{"list_a":1,"list_b":true,"target":{"a":1}}',
    b'{"list_a":["1"],"list_b":[1.0],"target":"2"}',
    b'{"list_a":[true],"list_b":[true],"target":2.0}',
    b'{"list_a":[1],"list_b":[1],"target":2.5}',
    b'{"list_a":[1],"list_b":[1],"target":2,"more":{"a":[1,{}]},"list_A":0}',
    b'{"list_a":[0],"list_a":[1],"list_b":[1],"target":9,"target":2}',
    b'{"list_a":[1],"list_a":[0],"list_b":[1],"target":2}',
    b'{"list\\u005fa":[1],"list_b":[1],"target":2}',
    b'{"list_a":[1],"list_b":[1],"target":2,}',
    b'{"list_a":[1,],"list_b":[1],"target":2}',
    b'{"list_a" [1],"list_b":[1],"target":2}',
    b'{list_a:[1],"list_b":[1],"target":2}',
    b'{"list_a":[1],"list_b":[1],"target":2}\x00',
    b'{"list_a":[1],"list_b":[1],"target":2} trailing',
    b'{"list_a":[1],"list_b":[1],"target":2',
    b'{"list_a":[1],"list_b":[1],"target',
    b'\xef\xbb\xbf{"list_a":[1],"list_b":[1],"target":2}',
    '{"list_a":[1],"list_b":[1],"target":2}'.encode('utf-16'),
    '{"list_a":[1],"list_b":[1],"target":2}'.encode('utf-16-le'),
    '{"list_a":[1],"list_b":[1],"target":"é"}'.encode('utf-32'),
    '{"list_a":[1],"list_b":[1],"target":"é"}'.encode('latin-1'),
    b'{"list_a":[1],"list_b":[1],"target":2,"more":"\\ud800"}',
    b'{"list_a":[1],"list_b":[1],"target":2,"more":NaN}',
    b'{"list_a":[1],"list_b":[1],"target":2,"more":1e999}',
    b'\x80\x81', b'\x00', b'list_a=1&list_b=1&target=2', b'<a>&lt;</a>', b'[' * 9_000,
    *(body_with(item) for item in ITEMS),
    *(b'{"list_a":[4],"list_b":[2],"target":' + as_bytes(item) + b'}' for item in ITEMS),
]  # fmt: skip

CONTENT_TYPES = [
    '', 'application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application',
    'application/json;charset=latin-1', 'application/vnd.api+json', 'text/json', 'text/plain',
    'application/problem+JSON ; a=b', 'text/html', 'application/jsonx', 'application/json/x',
    'json', 'garbage', ';', '/', 'application/xml', 'application/octet-stream',
    'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'multipart/form-data',
]  # fmt: skip

#: FastAPI itself fails on these with a 500: it cannot write its answer.
FAILS_IN_FASTAPI = {
    'NaN': 'finite_number',
    'Infinity': 'finite_number',
    '-Infinity': 'finite_number',
    '1e400': 'finite_number',
    '[NaN]': 'int_type',
    '"\\ud800"': 'string_unicode',
    '["\\udfff"]': 'int_type',
}


def assert_same(ours: Answer, fastapi: Answer) -> None:
    """Equal to the order of members and the kind of each number; only escapes may differ."""
    assert ours.status == fastapi.status
    assert json.dumps(json.loads(ours.body)) == json.dumps(json.loads(fastapi.body))


@pytest.mark.parametrize('body', BODIES, ids=lambda body: repr(body[:40]))
def test_a_body_is_answered_as_fastapi_answers_it(body: bytes) -> None:
    assert_same(ask_us(body), ask_fastapi(body))


@pytest.mark.parametrize('content_type', CONTENT_TYPES)
@pytest.mark.parametrize('body', [b'', b'null', b'{"list_a":[1],"list_b":[1],"target":2}', b'{"x'])
def test_a_content_type_is_understood_as_fastapi_understands_it(
    content_type: str, body: bytes
) -> None:
    assert_same(ask_us(body, content_type), ask_fastapi(body, content_type))


@pytest.mark.parametrize(('item', 'kind'), FAILS_IN_FASTAPI.items())
def test_a_body_on_which_fastapi_fails_is_refused_with_its_faults(item: str, kind: str) -> None:
    body = body_with(item)
    assert ask_fastapi(body).status == 500
    answer = ask_us(body)
    assert answer.status == 422
    faults = json.loads(answer.body, parse_constant=_refuse_constant)['detail']
    assert [(fault['type'], fault['loc']) for fault in faults] == [(kind, ['body', 'list_a', 1])]


def test_bytes_that_are_no_text_and_no_json_are_refused() -> None:
    assert ask_fastapi(b'\xff\xfe', 'text/plain').status == 500
    answer = ask_us(b'\xff\xfe', 'text/plain')
    assert answer.status == 422
    assert json.loads(answer.body)['detail'][0]['input'] == '��'


@pytest.mark.parametrize('opening', ['[', '{"a":'])
def test_nesting_is_refused_at_every_depth(opening: str) -> None:
    closing = ']' if opening == '[' else '1}'
    for depth in range(900, 1_010, 3):
        nested = opening * depth + closing[:-1] + closing[-1] * depth
        assert ask_us(body_with(nested)).status in (400, 422)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.text(max_size=4),
    st.integers(-2, 9),
    st.sampled_from(['3', ' 3 ', '3.0', 10**30, 1.5, 2.0]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=6,
)
positives = st.integers(1, 20) | st.integers(min_value=1)
lists = st.lists(positives, max_size=6) | st.lists(positives | json_values, max_size=6)
nearly_right = st.fixed_dictionaries(
    {},
    optional={
        'list_a': lists | json_values,
        'list_b': lists | json_values,
        'target': st.integers(1, 40) | json_values,
        'more': json_values,
    },
)
right = st.fixed_dictionaries({'list_a': lists, 'list_b': lists, 'target': st.integers(1, 40)})
texts = st.one_of(right, nearly_right, json_values).map(lambda value: json.dumps(value).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A body with one stretch replaced by other bytes."""
    body = draw(texts)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 4)))
    junk = draw(
        st.sampled_from([b'', b',', b'"', b'\\', b'[', b'}', b'\xff', b'0', b'e9', b'\x00'])
    )
    return body[:start] + junk + body[end:]


@settings(max_examples=300, deadline=None)
@given(texts | damaged() | st.binary(max_size=30))
def test_random_bodies_are_answered_as_fastapi_answers_them(body: bytes) -> None:
    ours, fastapi = ask_us(body), ask_fastapi(body)
    if fastapi.status == 500:
        assert ours.status in (400, 422)
        json.loads(ours.body, parse_constant=_refuse_constant)
    else:
        assert_same(ours, fastapi)


def test_the_faults_of_a_long_list_are_all_told() -> None:
    numbers: list[Any] = [1] * 50_000
    numbers[40_000], numbers[49_999] = -1, 'x'
    body = _body(numbers)
    assert_same(ask_us(body), ask_fastapi(body))


def test_a_report_ends_after_a_thousand_faults_of_a_list() -> None:
    faults = json.loads(ask_us(_body([-1] * 200_000)).body)['detail']
    assert len(faults) == MAX_FAULTS
    assert faults[-1]['loc'] == ['body', 'list_a', MAX_FAULTS - 1]


def test_the_report_on_a_large_body_repeats_short_inputs_only() -> None:
    text = 'x' * MAX_REPEATED
    faults = json.loads(ask_us(_body([-1, text, [text]])).body)['detail']
    assert [fault['input'] for fault in faults] == [-1, None, None]


def test_a_body_with_many_arrays_is_refused_before_it_is_parsed() -> None:
    answer = ask_us(_body([[]] * MAX_CONTAINERS))
    assert (answer.status, json.loads(answer.body)['code']) == (413, 'payload-too-large')


@pytest.mark.parametrize('path', [PATH, PATH.removesuffix('/')])
def test_a_body_may_have_64_mib(path: str) -> None:
    def post(size: int) -> int:
        head = b'{"list_a":[1],"list_b":[1],"target":2'
        body = head + b' ' * (size - len(head) - 1) + b'}'
        return Client().post(path, body, JSON).status_code

    assert post(MAX_BODY) == (200 if path == PATH else 307)
    assert post(MAX_BODY + 1) == 413


@pytest.mark.parametrize('method', ['POST', 'GET', 'PUT'])
def test_without_the_slash_the_client_is_sent_on_with_method_and_body(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.generic(method, f'{PATH.removesuffix("/")}?a=%2F', b'{}', JSON)
    assert response.status_code == 307
    assert response.headers['Location'] == f'{PATH}?a=%2F'


def test_without_the_slash_the_answer_arrives() -> None:
    body = b'{"list_a":[3],"list_b":[7],"target":10}'
    response = Client().post(PATH.removesuffix('/'), body, JSON, follow=True)
    assert (response.status_code, response.content) == (200, b'true')


@pytest.mark.parametrize('accept', ['text/html', 'application/xml', '*/*', 'garbage'])
def test_json_is_the_answer_whatever_the_client_accepts(accept: str) -> None:
    body = b'{"list_a":[3],"list_b":[7],"target":10}'
    response = Client().post(PATH, body, JSON, headers={'Accept': accept})
    assert (response.status_code, response.content) == (200, b'true')


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
def test_only_post_is_allowed(method: str) -> None:
    response = Client().generic(method, PATH, b'', JSON)
    assert (response.status_code, response.headers['Allow']) == (405, 'POST')


def test_no_caller_is_asked_who_they_are() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies['sessionid'] = 'a-stale-session'
    body = b'{"list_a":[3],"list_b":[7],"target":10}'
    headers = {'Authorization': 'Bearer nonsense'}
    assert client.post(PATH, body, JSON, headers=headers).content == b'true'


def test_an_input_is_never_repeated_so_that_it_reads_as_a_page() -> None:
    answer = ask_us(body_with('"<script>&"'))
    assert not set(b'<>&') & set(answer.body)


def _body(list_a: list[Any]) -> bytes:
    return json.dumps({'list_a': list_a, 'list_b': [1], 'target': 2}).encode()


def _refuse_constant(name: str) -> None:
    raise ValueError(f'{name} is no JSON')
