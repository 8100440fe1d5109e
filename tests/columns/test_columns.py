"""Whatever is declared of a column, every verb works on it as the document says."""

import csv
import io
import json
from copy import copy
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import models
from drf_spectacular.plumbing import ComponentRegistry
from openapi_schema_validator import OAS31Validator
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from backstay.resources.checks import _check
from backstay.resources.declaration.readable import Readable
from backstay.resources.kinds.operators import WITH_LIST, WITHOUT_VALUE, Op
from backstay.resources.openapi.components import Components
from backstay.resources.openapi.written_values import value as body_schema
from backstay.resources.write.members import writable
from tests.columns.conftest import CHOSEN, Ask
from tests.columns.made import SAMPLE, Column

#: JSON of every form, many of them at an edge of some type.
VALUES: tuple[Any, ...] = (
    None,
    *(
        True,
        False,
        0,
        1,
        2,
        -1,
        7,
        2**15,
        2**31 - 1,
        2**31,
        -(2**31) - 1,
        2**63 - 1,
        2**63,
        10**400,
    ),
    *(0.5, 1.5, -0.0, 1e-7, 1e22, 1.7976931348623157e308, 1e15),
    *('', ' ', 'a', ' a ', 'b-c', 'abc' * 10, 'a\x00b', '\ud800', 'Ä', '😀', '0', '1', '7', '12_3'),
    *('0.50', '0.5', '-0.00', '-0', '999999.99', '1000000.00', '99999', '0.125', '1e5', 'NaN'),
    *('true', 'null', '٣', '2024-02-29', '2023-02-29', '0001-01-01', '9999-12-31', '2024-W01-1'),
    *('2024-02-29T12:30:00Z', '9999-12-31T23:59:59.999999Z', '0001-01-01T00:00:00Z'),
    *('0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-12:00', '2024-01-01T00:00:00.123456789Z'),
    *(
        '2024-02-29T12:30:00.25+02:00',
        '2024-02-29T12:30:00',
        '12:00:00',
        '23:59:59.999999',
        '24:00',
    ),
    *('P1DT6H', '1 06:00:00', '-P1D', '-1 23:59:59.999999', 'P106751992D', '00:00:00', 'P1Y'),
    *('00000000-0000-0000-0000-000000000001', '80000000-0000-0000-0000-000000000000', '5'),
    *('127.0.0.1', '10.0.0.1', '::1', 'fe80::1%eth0', '::ffff:1.2.3.4', '1.2.3', 'a@example.org'),
    *('https://a.example/', 'ftp://b.example', 'YQ==', 'AP8=', 'YQ', '"', "'", '\\', '%s {x}'),
    *([], ['a'], [1], {}, {'a': 1}, {'a': {'b': [None]}}, {'a\x00': 1}, {'a': '\ud800'}, [[]]),
)
OK = {200, 201}


def answered(answer: Any) -> Any:
    """The JSON of an answer that is no failure of the server."""
    assert answer.status_code < 500, answer.content
    return json.loads(answer.content, parse_float=Decimal) if answer.content else None


def fill(column: Column) -> list[Any]:
    """A row of each value, and of NULL where the column takes it."""
    nothing = [None] if column.model._meta.get_field('value').null else []
    values = (*column.values, *nothing, column.values[0])
    return [column.model._base_manager.create(value=value) for value in values]


def schema_of(column: Column) -> OAS31Validator:
    """The schema of its values in bodies."""
    registry = ComponentRegistry()
    member = writable(column.resource)['value']
    schema = body_schema(member.check, member.field, 'Column', Components(registry))
    document = {'components': registry.build({}), **schema}
    return OAS31Validator(document, format_checker=OAS31Validator.FORMAT_CHECKER)


def answer_schema(column: Column, name: str) -> OAS31Validator:
    registry = ComponentRegistry()
    field = Readable(column.resource).fields[name]
    schema = Components(registry).shown(field, 'Column')
    return OAS31Validator({'components': registry.build({}), **schema})


def loose(value: Any) -> Any:
    """A value as validators take it, which know no Decimal."""
    if isinstance(value, list):
        return [loose(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def test_passes_the_checks(ask: Ask, column: Column) -> None:
    assert list(_check(column.resource)) == []


def test_is_read_as_django_rest_framework_shows_it(ask: Ask, column: Column) -> None:
    rows = fill(column)
    shown = answered(ask('get', column))['results']
    if column.type_name != 'BinaryField':
        plain = copy(column.model._meta.get_field('value'))
        plain.choices = None  # with choices, DRF shows what Python's JSON makes of the values
        made, options = ModelSerializer().build_standard_field('value', plain)
        field = made(**options)
        values = [
            None if each.value is None else field.to_representation(each.value) for each in rows
        ]
        expected = json.loads(JSONRenderer().render(values), parse_float=Decimal)
        assert [each['value'] for each in shown] == expected
    for name in ('value', 'made', 'virtual', 'computed'):
        if name in shown[0]:
            assert [each[name] for each in shown] == [each['value'] for each in shown], name
            schema = answer_schema(column, name)
            for each in shown:
                schema.validate(loose(each[name]))


def test_takes_whatever_its_schema_allows(ask: Ask, column: Column) -> None:
    schema = schema_of(column)
    # A sample tries a third of them, each column another one.
    some = VALUES if len(CHOSEN) > len(SAMPLE) else VALUES[CHOSEN.index(column) % 3 :: 3]
    for value in some:
        answer = ask('post', column, '', {'value': value})
        allowed = not _is_beyond_schemas(value, column) and schema.is_valid(value)
        assert answer.status_code in (OK if allowed else {*OK, 400, 422}), (value, answer.content)
        if answer.status_code == 422:
            faults = [(each['pointer'], each['code']) for each in answered(answer)['errors']]
            assert len({*faults}) == len(faults), (value, answer.content)  # told once
        if answer.status_code == 201:
            # Whatever was taken is shown, found again and taken again.
            made = answered(answer)
            again = ask('patch', column, f'{made["id"]}/', {'value': loose(made['value'])})
            assert again.status_code == 200, (value, made, again.content)
            assert answered(again) == made, value


def _is_beyond_schemas(value: Any, column: Column) -> bool:
    """Whether no schema says that it is refused: NUL, half a pair, endless numbers, `1.0`."""
    text = json.dumps(value)
    is_whole = isinstance(value, float) and value.is_integer() and 'Integer' in column.type_name
    is_odd = '\\u0000' in text or '\\ud800' in text or len(text) > 300
    return is_odd or is_whole or value in _MOMENTS


#: Moments without a year in UTC, and one with more digits than are kept.
_MOMENTS = (
    '0001-01-01T00:00:00+14:00',
    '9999-12-31T23:59:59-12:00',
    '2024-01-01T00:00:00.123456789Z',
)


def test_its_own_values_are_written_by_every_verb(ask: Ask, column: Column) -> None:
    rows = fill(column)
    shown = [each['value'] for each in answered(ask('get', column))['results']]
    own = [loose(each) for each in shown]
    for value in own:
        assert ask('post', column, '', {'value': value}).status_code == 201, value
        answer = ask('patch', column, f'{rows[0].pk}/', {'value': value})
        assert answer.status_code == 200, (value, answer.content)
    operations = [{'op': 'create', 'body': {'value': value}} for value in own]
    operations += [
        {'op': 'update', 'id': row.pk, 'body': {'value': own[-1 - at]}}
        for at, row in enumerate(rows)
    ]
    answer = ask('post', column, 'bulk/', {'operations': operations})
    assert answer.status_code == 200, answer.content
    mixed = [{'op': 'create', 'body': {'value': value}} for value in VALUES[::9]]
    answer = ask('post', column, 'bulk/', {'operations': mixed, 'atomic': False})
    assert answer.status_code in (200, 400), answer.content  # half a pair is no JSON
    empty = answered(ask('post', column, '', {}))
    is_required = column.way.split(',')[0] in (
        'required',
        'validators',
        'choices',
        'choices in groups',
    )
    if is_required and 'null' not in column.way and 'default' not in column.way:
        assert empty.get('code') == 'validation-failed', empty


def test_its_own_values_are_taken_from_forms(column: Column) -> None:
    model_field = column.model._meta.get_field('value')
    if isinstance(model_field, models.BinaryField):
        return  # no form has bytes
    if model_field.choices and model_field.get_internal_type() == 'ArrayField':
        return  # Django's forms take one text of a choice, and no list
    is_url = isinstance(model_field, models.URLField) and not model_field.choices
    field = model_field.formfield(**({'assume_scheme': 'https'} if is_url else {}))
    for value in column.values:
        given = field.clean(field.prepare_value(value))
        assert writable(column.resource)['value'].clean(given) == (value, []), given


def test_is_filtered_by_every_operator(ask: Ask, column: Column) -> None:
    fill(column)
    field = Readable(column.resource).fields['value']
    shown = {each['id']: each['value'] for each in answered(ask('get', column))['results']}
    if not field.kind.is_filterable or field.kind.has_parts:
        return
    for op in field.kind.operators:
        for asked in dict.fromkeys(json.dumps(loose(each)) for each in shown.values()):
            value = json.loads(asked)
            spec: dict[str, Any] = {'field': 'value', 'op': op.value}
            if op not in WITHOUT_VALUE:
                spec['value'] = [value] if op in WITH_LIST else value
            answer = ask('get', column, '?filter=' + quote(json.dumps([spec])))
            if value is None and op not in WITHOUT_VALUE:
                answered(answer)
                continue
            assert answer.status_code == 200, (op, value, answer.content)
            found = {each['id'] for each in answered(answer)['results']}
            expected = {key for key, each in shown.items() if _fits(op, loose(each), value)}
            if _fits(op, 1, 1) is not None:
                assert found == expected, (op, value)
    for name in ('made', 'virtual', 'computed'):
        if name not in Readable(column.resource).fields:
            continue
        for value in (
            [each for each in shown.values() if each is not None]
            if 'JSON' not in column.type_name
            else ()
        ):
            answer = ask('get', column, f'?{name}={quote(_as_text(value))}')
            assert answer.status_code == 200, (name, value, answer.content)
            found = {each['id'] for each in answered(answer)['results']}
            assert found == {key for key, each in shown.items() if each == value}, (name, value)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(op: Op, value: Any, asked: Any) -> bool | None:
    """Whether a value should be found; None where it is not reckoned here."""
    match op:
        case Op.IS_NULL:
            return value is None
        case Op.IS_NOT_NULL:
            return value is not None
        case Op.EQ | Op.IN:
            return bool(value == asked)
        case Op.NE | Op.NOT_IN:
            return value is not None and value != asked
    return None


def test_is_found_by_the_elements_of_an_array(ask: Ask, column: Column) -> None:
    rows = fill(column)
    if column.type_name.startswith('ArrayField'):
        shown = {each['id']: each['value'] for each in answered(ask('get', column))['results']}
        for element in [loose(each) for each in shown[rows[0].pk]]:
            spec = [{'field': 'value', 'op': 'any', 'value': element}]
            answer = ask('get', column, '?filter=' + quote(json.dumps(spec)))
            found = {each['id'] for each in answered(answer)['results']}
            has = {key for key, each in shown.items() if element in [loose(e) for e in each or ()]}
            assert found == has, element


@pytest.mark.parametrize('direction', ['', '-'])
def test_is_walked_in_its_order_to_the_end_and_back(
    ask: Ask, column: Column, direction: str
) -> None:
    fill(column)
    field = Readable(column.resource).fields['value']
    if not field.kind.is_sortable:
        return
    for name in ('value', 'made', 'virtual', 'computed'):
        if name not in Readable(column.resource).fields:
            continue
        order = f'?ordering={direction}{name},id&limit=2'
        whole = ask('get', column, f'?ordering={direction}{name},id&limit=100')
        ids = [each['id'] for each in answered(whole)['results']]
        pages, path = [], f'{order}&cursor='
        last: Any = None
        for _ in range(len(ids)):
            last = answered(ask('get', column, path))
            pages.append([each['id'] for each in last['results']])
            if not last['next']:
                break
            path = '?' + last['next'].partition('?')[2]
        assert [each for page in pages for each in page] == ids, name
        back = [pages[-1]]
        while last.get('previous') and len(back) <= len(ids):
            last = answered(ask('get', column, '?' + last['previous'].partition('?')[2]))
            back.insert(0, [each['id'] for each in last['results']])
        assert [each for page in back for each in page] == ids, name


def test_has_a_line_for_each_row_in_csv(ask: Ask, column: Column) -> None:
    rows = fill(column)
    answer = ask('get', column, '', HTTP_ACCEPT='text/csv')
    assert answer.status_code == 200, answer.content
    text = b''.join(answer.streaming_content if answer.streaming else [answer.content]).decode()
    lines = list(csv.reader(io.StringIO(text)))
    assert [line[0] for line in lines[1:]] == [str(row.pk) for row in rows]
