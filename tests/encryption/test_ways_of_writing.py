"""Every way of writing a column: it stores ciphertext of just that text, or it raises."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Case, F, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstay.encryption import EncryptionError, seal_rows
from backstay.seeding.database import read, write
from backstay.seeding.factory import Factory
from tests.clinic.models import Company, Letter, Patient
from tests.encryption.conftest import Ask, again, stored
from tests.proofs import record_proof, size

pytestmark = pytest.mark.django_db

EXAMPLES = size(4, 150)
#: What is raised in place of storing a text that is not encrypted.
REFUSALS = (EncryptionError, FieldError, IntegrityError, ValueError)
#: Writes a text into a row, which it returns.
Way = Callable[[Patient, str], Any]


class PatientForm(forms.ModelForm):
    """Django's own form."""

    class Meta:
        model = Patient
        fields = ('name', 'notes')


def _saved(row: Patient, text: str, **options: Any) -> Patient:
    row.notes = text
    row.save(**options)
    return row


def _made(text: str) -> Patient:
    return Patient(name='made', notes=text)


def _bulk(text: str, **options: Any) -> Patient:
    return Patient.objects.bulk_create([_made('other'), _made(text)], **options)[1]


def _upsert(row: Patient, text: str) -> Patient:
    new = Patient(pk=row.pk, name='upsert', notes=text)
    Patient.objects.bulk_create(
        [new], update_conflicts=True, unique_fields=['id'], update_fields=['notes']
    )
    return new


def _bulk_updated(row: Patient, text: str, manager: Any = Patient.objects) -> Patient:
    other = Patient.objects.create(name='beside', notes='beside')
    row.notes, other.notes = text, 'new'
    manager.bulk_update([row, other], ['notes'])
    assert again(other).notes == 'new'
    return row


def _by_form(row: Patient, text: str) -> Patient:
    form = PatientForm({'name': 'form', 'notes': text}, instance=row)
    assert form.is_valid(), form.errors
    saved: Patient = form.save()
    return saved


def _raw(row: Patient, text: str) -> Patient:
    row.notes = text
    row.save_base(raw=True)
    return row


def _by_fixture(row: Patient, text: str) -> Patient:
    """What a person wrote into a fixture, in clear."""
    content = [{'model': 'clinic.patient', 'pk': str(row.pk), 'fields': {'notes': text}}]
    _load(json.dumps(content))
    return row


def _dumped(row: Patient, text: str) -> Patient:
    _saved(row, text)
    for kind in ('json', 'jsonl', 'xml', 'yaml'):
        dump = str(serializers.serialize(kind, [again(row)]))
        assert 'sealed:' in dump
        assert len(text) < 4 or text not in dump
        before = stored(row, 'notes')
        Patient.objects.update(notes=None)
        for each in serializers.deserialize(kind, dump):
            each.save()
        assert stored(row, 'notes') == before
    return row


def _load(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'rows.json'
        path.write_text(content)
        call_command('loaddata', str(path), verbosity=0)


def _seeded(_row: Patient, text: str) -> Patient:
    factory = Factory(Patient, 1, makers={}, until=timezone.now(), others={})
    key = uuid4()
    given = {'id': key, 'name': 'seed', 'version': 1, 'notes_sealed': text, 'plan_sealed': 'x'}
    values = [given.get(field.attname) for field in factory.fields]
    write(factory, [values])
    assert read(factory, [key]) == [tuple(values)]
    return Patient.objects.get(pk=key)


def _update(value: Callable[[str], Any]) -> Way:
    def way(row: Patient, text: str) -> Patient:
        Patient.objects.filter(pk=row.pk).update(notes=value(text))
        return row

    return way


def _by_sql(row: Patient, text: str) -> Patient:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE {quote("clinic_patient")} SET {quote("notes")} = %s', [text.encode()]
        )
    return row


def _prepared(_row: Patient, text: str) -> Patient:
    rows = [_made('other'), _made(text)]
    seal_rows(rows, using='default')
    Patient.objects.bulk_create(rows)
    return rows[1]


WAYS: dict[str, Way] = {
    'save': _saved,
    'save of the field alone': lambda row, text: _saved(row, text, update_fields=['notes']),
    'save of what is stored': lambda row, text: _saved(row, text, update_fields=['notes_sealed']),
    'forced update': lambda row, text: _saved(row, text, force_update=True),
    'save of a new row': lambda _, text: _saved(Patient(name='new'), text),
    'forced insert': lambda _, text: _saved(Patient(name='new'), text, force_insert=True),
    'raw save': _raw,
    'create': lambda _, text: Patient.objects.create(name='new', notes=text),
    'create with a key': lambda _, text: Patient.objects.create(pk=uuid4(), notes=text),
    'get_or_create': lambda _, text: Patient.objects.get_or_create(
        name=str(uuid4()), defaults={'notes': text}
    )[0],
    'update_or_create, new': lambda _, text: Patient.objects.update_or_create(
        name=str(uuid4()), defaults={'notes': text}
    )[0],
    'update_or_create': lambda row, text: Patient.objects.update_or_create(
        pk=row.pk, defaults={'notes': text}
    )[0],
    'bulk_create': lambda _, text: _bulk(text),
    'bulk_create in batches': lambda _, text: _bulk(text, batch_size=1),
    'bulk_create without conflicts': lambda _, text: _bulk(text, ignore_conflicts=True),
    'bulk_create that updates': _upsert,
    'sealed before': _prepared,
    'bulk_update': _bulk_updated,
    'bulk_update by another manager': lambda row, text: _bulk_updated(
        row, text, Patient._base_manager
    ),
    'form': _by_form,
    'fixture in clear': _by_fixture,
    'dump and load': _dumped,
    'seeds': _seeded,
    'update with a literal': _update(lambda text: text),
    'update with bytes': _update(lambda text: text.encode()),
    'update with a value': _update(Value),
    'update with a typed value': _update(
        lambda text: Value(text, output_field=Patient._meta.get_field('notes'))
    ),
    'update with another column': _update(lambda _: F('name')),
    'update with its own column': _update(lambda _: F('notes')),
    'update with a function': _update(lambda text: Concat(F('name'), Value(text))),
    'update with a case': _update(
        lambda text: Case(When(name='x', then=Value(text)), default=F('notes'))
    ),
    'update with SQL': _update(lambda text: RawSQL('%s', (text,))),
    'update with a subquery': _update(
        lambda _: models.Subquery(Patient.objects.values('plan')[:1])
    ),
    'SQL': _by_sql,
}
#: The ways that cannot encrypt, and so raise, whatever the text is.
REFUSED = {name for name in WAYS if name.startswith('update with')} | {'SQL'}

texts = st.text(st.characters(codec='utf-8', exclude_characters='\0\r'), min_size=1, max_size=60)


@pytest.mark.parametrize('way', WAYS)
def test_a_way_of_writing_encrypts_or_raises(way: str, request: pytest.FixtureRequest) -> None:
    done = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(text=texts)
    def check(text: str) -> None:
        nonlocal done
        done += 1
        with transaction.atomic():
            row = Patient.objects.create(name='row', notes='before')
            before = stored(row, 'notes')
            try:
                with transaction.atomic():
                    written = WAYS[way](again(row), text)
            except REFUSALS:
                assert way in REFUSED
                assert stored(row, 'notes') == before
            else:
                assert way not in REFUSED
                assert again(written).notes == (text.strip() if way == 'form' else text)
                assert_is_ciphertext(stored(written, 'notes'), text)
            transaction.set_rollback(True)

    check()
    record_proof(request, f'{done} texts by {way}')


def assert_is_ciphertext(raw: bytes | None, text: str) -> None:
    assert raw is not None
    assert raw[:2] == b'\xe5\x01'
    for encoding in ('utf-8', 'utf-16-le', 'utf-16-be', 'utf-32-le'):
        encoded = text.encode(encoding)
        assert len(encoded) < 4 or encoded not in raw


@pytest.mark.parametrize('way', ['post', 'patch', 'put', 'bulk', 'children'])
def test_a_verb_of_a_resource_encrypts(
    way: str, ask: Ask, company: Company, request: pytest.FixtureRequest
) -> None:
    done = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(text=texts.filter(lambda text: text == text.strip()))
    def check(text: str) -> None:
        nonlocal done
        done += 1
        with transaction.atomic():
            raw, shown = _by_resource(way, ask, company, text)
            assert shown == text
            assert_is_ciphertext(raw, text)
            transaction.set_rollback(True)

    check()
    record_proof(request, f'{done} texts by {way} of a resource')


def _by_resource(way: str, ask: Ask, company: Company, text: str) -> tuple[bytes | None, Any]:
    """Write a text; return what is stored, and what the resource then shows."""
    row = Patient.objects.create(name='row', notes='before')
    one, body = f'/patients/{row.pk}/', {'name': 'row', 'notes': text}
    whole = {**body, 'plan': 'x', 'email': None, 'company_id': None, 'letters': []}
    letters = [{'company_id': company.pk, 'text': text}]
    match way:
        case 'post':
            answer = ask('doctor', 'post', '/patients/', body)
            row = Patient.objects.get(pk=json.loads(answer.content)['id'])
        case 'patch':
            answer = ask('doctor', 'patch', one, {'notes': text})
        case 'put':
            answer = ask('doctor', 'put', one, whole)
        case 'bulk':
            others = [{'op': 'create', 'body': {'name': 'x', 'notes': 'y'}}]
            operations = [{'op': 'update', 'id': str(row.pk), 'body': {'notes': text}}, *others]
            answer = ask('doctor', 'post', '/patients/bulk/', {'operations': operations})
        case _:
            answer = ask('doctor', 'patch', one, {'letters': letters})
    assert answer.status_code in (200, 201), answer.content
    if way == 'children':
        letter = Letter.objects.get()
        shown = json.loads(ask('doctor', 'get', f'/letters/{letter.pk}/').content)['text']
        return stored(letter, 'text'), shown
    shown = json.loads(ask('doctor', 'get', f'/patients/{row.pk}/').content)['notes']
    return stored(row, 'notes'), shown
