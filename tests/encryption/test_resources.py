"""Encrypted columns in resources: the slow path of reads, every verb of writes, the journal."""

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from backstay.encryption import destroy
from backstay.journal.models import Entry
from backstay.resources.admin.registering import admin_of
from backstay.resources.checks import check_resources
from backstay.resources.models import IdempotencyKey
from tests.clinic.models import Company, Inpatient, Letter, Patient
from tests.clinic.resources import PatientResource
from tests.encryption.conftest import Ask, again, store, stored

pytestmark = pytest.mark.django_db
MARKER = 'zq-marker-7261'


def told(ask: Ask, *question: Any, status: int = 200, **headers: str) -> Any:
    answer = ask(*question, **headers)
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def test_a_list_shows_texts_with_one_statement(ask: Ask, patient: Patient) -> None:
    Patient.objects.create(name='Bo', notes=None, plan='')
    with CaptureQueriesContext(connection) as caught:
        rows = told(ask, 'doctor', 'get', '/patients/?count=none')['results']

    assert len(caught) == 1
    assert {row['name']: (row['notes'], row['plan'], row['email']) for row in rows} == {
        'Ada': ('asthma since 1815', 'rest', 'Ada@Example.org'),
        'Bo': (None, '', None),
    }


def test_one_object_and_what_is_computed_in_python(ask: Ask, patient: Patient) -> None:
    shown = told(ask, 'doctor', 'get', f'/patients/{patient.pk}/', HTTP_X_FIELDS='{initial,notes}')

    assert shown == {'initial': 'a', 'notes': 'asthma since 1815'}


def test_rows_within_rows_show_texts(ask: Ask, letter: Letter, patient: Patient) -> None:
    letter.patient = patient
    letter.save()
    mask = '{notes,letters{text,code,company{name}}}'
    shown = told(ask, 'doctor', 'get', f'/patients/{patient.pk}/', HTTP_X_FIELDS=mask)

    assert shown['letters'] == [{'text': 'Dear Ada', 'code': 'A-1', 'company': {'name': 'North'}}]


def test_a_child_model_shows_what_its_parent_keeps(ask: Ask) -> None:
    row = Inpatient.objects.create(name='Bo', notes='parent', ward='child')

    shown = told(ask, 'doctor', 'get', f'/inpatients/{row.pk}/')
    assert (shown['notes'], shown['ward']) == ('parent', 'child')


def test_rights_and_masks_are_those_of_any_column(ask: Ask, patient: Patient) -> None:
    assert 'notes' not in told(ask, 'guest', 'get', f'/patients/{patient.pk}/')
    shown = told(ask, 'clerk', 'get', '/patients/', HTTP_X_FIELDS='{plan}')['results']
    assert shown == [{'plan': 'rest'}]
    written = told(ask, 'clerk', 'patch', f'/patients/{patient.pk}/', {'notes': MARKER})
    assert 'notes' not in written
    assert again(patient).notes == MARKER


def test_csv_has_the_texts_and_disarms_them(ask: Ask, patient: Patient) -> None:
    patient.notes = '=cmd()'
    patient.save()
    answer: Any = ask(
        'doctor', 'get', '/patients/', HTTP_ACCEPT='text/csv', HTTP_X_FIELDS='{notes,email}'
    )

    assert b''.join(answer.streaming_content).decode().splitlines() == [
        '"notes","email"',
        '"\'=cmd()","Ada@Example.org"',
    ]


@pytest.mark.parametrize(
    ('query', 'code'),
    [
        ('notes=x', 'parameter-unknown'),
        ('notes__isnull=true', 'parameter-unknown'),
        ('filter=[{"field":"notes","value":"x"}]', 'filter-invalid'),
        ('filter=[{"field":"notes","op":"is_null"}]', 'filter-invalid'),
        ('filter=[{"field":"email","op":">","value":"x"}]', 'filter-invalid'),
        ('filter=[{"field":"email","op":"like","value":"x"}]', 'filter-invalid'),
        ('ordering=notes', 'sort-invalid'),
        ('ordering=email', 'sort-invalid'),
        ('sort={"field":"notes","direction":"asc"}', 'sort-invalid'),
    ],
)
def test_it_is_neither_filtered_nor_sorted(ask: Ask, query: str, code: str) -> None:
    assert told(ask, 'doctor', 'get', f'/patients/?{query}', status=400)['code'] == code


@pytest.mark.parametrize(
    ('query', 'found'),
    [
        ('email=ADA@example.ORG', ['Ada']),
        ('email=%20ada@example.org%20', ['Ada']),
        ('email=bo@example.org', ['Bo']),
        ('email=nobody@example.org', []),
        ('email__in=ada@example.org,bo@example.org', ['Ada', 'Bo']),
        ('filter=[{"field":"email","op":"!=","value":"ada@example.org"}]', ['Bo']),
        ('filter=[{"field":"email","op":"not_in","value":["ada@example.org"]}]', ['Bo']),
        ('filter=[{"field":"email","op":"is_null"}]', ['Cy']),
    ],
)
def test_equality_is_found_by_a_blind_index(
    ask: Ask, patient: Patient, query: str, found: list[str]
) -> None:
    Patient.objects.create(name='Bo', email='bo@example.org')
    Patient.objects.create(name='Cy')
    rows = told(ask, 'doctor', 'get', f'/patients/?{query}&ordering=name')['results']

    assert [row['name'] for row in rows] == found


def test_who_may_not_read_it_may_not_ask_for_it(ask: Ask, patient: Patient) -> None:
    question = '/patients/?email=ada@example.org'
    hidden = told(ask, 'guest', 'get', question, status=400)

    assert hidden['code'] == told(ask, 'guest', 'get', '/patients/?no=x', status=400)['code']


def test_every_verb_encrypts(ask: Ask, company: Company) -> None:
    body = {'name': 'Ada', 'notes': MARKER, 'email': 'ada@example.org', 'plan': 'walk'}
    made = told(ask, 'doctor', 'post', '/patients/', body, status=201)
    assert (made['notes'], made['plan']) == (MARKER, 'walk')
    row = Patient.objects.get(pk=made['id'])
    one = f'/patients/{row.pk}/'
    before = stored(row, 'notes')
    assert MARKER.encode() not in (before or b'')

    assert told(ask, 'doctor', 'patch', one, {'name': 'Bo'})['version'] == 2
    assert stored(row, 'notes') == before
    assert told(ask, 'doctor', 'patch', one, {'notes': MARKER})['version'] == 2  # as it is
    assert stored(row, 'notes') == before
    assert told(ask, 'doctor', 'patch', one, {'notes': MARKER + '2'})['notes'] == MARKER + '2'
    whole = {**body, 'notes': MARKER + '3', 'company_id': None}
    assert told(ask, 'doctor', 'put', one, {**whole, 'letters': []})['notes'] == MARKER + '3'
    key = str(uuid4())
    operations = [
        {'op': 'update', 'id': made['id'], 'body': {'notes': MARKER + '4'}},
        {'op': 'create', 'body': {'id': key, 'name': 'Cy', 'notes': MARKER + '5'}},
        {'op': 'upsert', 'key': str(uuid4()), 'body': {'name': 'Di', 'notes': MARKER + '6'}},
    ]
    told(ask, 'doctor', 'post', '/patients/bulk/', {'operations': operations})
    letters = [{'company_id': company.pk, 'text': MARKER + '7'}]
    shown = told(ask, 'doctor', 'patch', one, {'letters': letters}, HTTP_X_FIELDS='{letters{text}}')
    assert shown == {'letters': [{'text': MARKER + '7'}]}
    texts = {each.notes for each in Patient.objects.all()}
    assert texts == {MARKER + each for each in '456'}
    assert not [each for each in everything_stored() if MARKER in each]


def everything_stored() -> list[str]:
    """The tables of the clinic, the journal and the keys of requests, as text."""
    models: tuple[Any, ...] = (Patient, Letter, Entry, IdempotencyKey)
    return [repr(row) for model in models for row in model.objects.values_list()]


def test_two_rows_in_one_request_change_places_with_new_ciphertext(ask: Ask) -> None:
    rows = [Patient.objects.create(name=name, notes=name) for name in ('a', 'b')]
    operations = [
        {'op': 'update', 'id': str(row.pk), 'body': {'notes': other.name, 'plan': 'same'}}
        for row, other in zip(rows, reversed(rows), strict=True)
    ]
    told(ask, 'doctor', 'post', '/patients/bulk/', {'operations': operations})

    assert [again(row).notes for row in rows] == ['b', 'a']


def test_a_row_that_moves_to_another_tenant_is_encrypted_for_it(ask: Ask, letter: Letter) -> None:
    south = Company.objects.create(name='South')
    path = f'/letters/{letter.pk}/'

    assert told(ask, 'doctor', 'patch', path, {'company_id': south.pk})['text'] == 'Dear Ada'
    destroy(letter.company)
    assert told(ask, 'doctor', 'get', path)['text'] == 'Dear Ada'


@pytest.mark.parametrize(
    ('body', 'code'),
    [
        ({'notes': 7}, 'invalid'),
        ({'notes': ['x']}, 'invalid'),
        ({'notes': 'a\0b'}, 'null-characters-not-allowed'),
        ({'plan': None}, 'null'),
        ({'plan': 'x' * 201}, 'max-length'),
        ({'notes_sealed': 'x'}, 'unknown-field'),
    ],
)
def test_bodies_are_checked_as_those_of_texts(
    ask: Ask, patient: Patient, body: Any, code: str
) -> None:
    problem = told(ask, 'doctor', 'patch', f'/patients/{patient.pk}/', body, status=422)

    assert [each['code'] for each in problem['errors']] == [code]


def test_the_journal_and_events_hold_no_text(ask: Ask) -> None:
    body = {'name': 'Ada', 'notes': MARKER}
    made = told(ask, 'doctor', 'post', '/patients/', body, status=201)
    told(ask, 'doctor', 'patch', f'/patients/{made["id"]}/', {'notes': MARKER + '2'})
    told(ask, 'doctor', 'patch', f'/patients/{made["id"]}/', {'notes': None})
    entries = list(Entry.objects.filter(aggregate='clinic.patient').order_by('id'))

    assert [(each.before or {}).get('notes') for each in entries] == [None, '***', '***']
    assert [(each.after or {}).get('notes') for each in entries] == ['***', '***', None]
    assert entries[0].after['plan'] == '***'
    assert MARKER not in repr([vars(each) for each in entries])


def test_a_destroyed_key_shows_null_and_takes_nothing_new(ask: Ask, patient: Patient) -> None:
    path = f'/patients/{patient.pk}/'
    destroy(patient)

    shown = told(ask, 'doctor', 'get', path, HTTP_X_FIELDS='{name,notes,email,initial}')
    assert shown == {'name': 'Ada', 'notes': None, 'email': None, 'initial': None}
    assert told(ask, 'doctor', 'get', '/patients/?email=ada@example.org')['results'] == []
    problem = told(ask, 'doctor', 'patch', path, {'notes': 'new'}, status=409)
    assert problem['code'] == 'key-destroyed'
    assert told(ask, 'doctor', 'patch', path, {'notes': None, 'name': 'gone'})['name'] == 'gone'


def test_what_was_moved_is_told_apart_and_shown_to_nobody(ask: Ask, patient: Patient) -> None:
    other = Patient.objects.create(name='Bo', notes=MARKER)
    store(patient, 'notes', stored(other, 'notes'))
    problem = told(ask, 'doctor', 'get', f'/patients/{patient.pk}/', status=500)

    assert problem['code'] == 'value-unreadable'
    assert MARKER not in json.dumps(problem)


def test_explain_says_what_is_read_in_python(patient: Patient) -> None:
    output = io.StringIO()
    call_command('explain', 'PatientResource', '--as', 'level:1', stdout=output)

    assert '  notes: encrypted text (in Python)\n' in output.getvalue()
    assert '  initial: json (in Python)\n' in output.getvalue()
    assert '  name: text\n' in output.getvalue()


def test_the_document_says_so(ask: Ask) -> None:
    document = told(ask, 'doctor', 'get', '/document/')
    members = document['components']['schemas']['Patient']['properties']

    assert members['notes']['type'] == ['string', 'null']
    assert 'encrypted' in members['notes']['description']
    listed = document['paths']['/patients/']['get']['parameters']
    names = {each.get('name') for each in listed}
    assert {'email', 'email__in'} <= names
    assert not {name for name in names if name and name.startswith('notes')}


def test_the_declaration_is_right_and_wrong_ones_are_found() -> None:
    assert [each for each in check_resources() if 'clinic' in str(each.obj)] == []


def test_the_admin_reads_and_writes_texts(
    people: None, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = admin.AdminSite()
    pages = admin_of(PatientResource)(Patient, site)
    request: Any = RequestFactory().get('/')
    request.user = get_user_model().objects.create_user('root', 'x', level=1)
    form = pages.get_form(request, patient)
    shown = form(instance=again(patient))
    assert 'asthma since 1815' in shown.as_p()
    given = {'name': 'Ada', 'notes': MARKER, 'plan': 'rest', 'email': 'Ada@Example.org'}
    bound = form({**given, 'company': ''}, instance=again(patient))

    assert bound.is_valid(), bound.errors
    assert bound.changed_data == ['notes']
    row = pages.save_form(request, bound, change=True)
    pages.save_model(request, row, bound, change=True)
    assert again(patient).notes == MARKER
    assert MARKER.encode() not in (stored(patient, 'notes') or b'')
    bound = pages.get_form(request)({**given, 'id': str(uuid4()), 'company': ''})
    assert bound.is_valid(), bound.errors
    made = pages.save_form(request, bound, change=False)
    pages.save_model(request, made, bound, change=False)
    assert again(made).notes == MARKER
    destroy(patient)
    assert 'asthma' not in form(instance=again(patient)).as_p()
    assert isinstance(Client(), Client)
