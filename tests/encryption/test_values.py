"""One value of one row: stored as ciphertext, read lazily, decrypted once, encrypted once."""

import copy
import pickle
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from backstay.encryption import NotSealable, Sealed, Unsealed, reveal
from backstay.encryption.models import DataKey
from tests.clinic.models import Company, Inpatient, Letter, Patient, Receipt
from tests.encryption.conftest import again, store, stored

pytestmark = pytest.mark.django_db


def statements(act: Any) -> list[str]:
    """The statements that something needs."""
    with CaptureQueriesContext(connection) as caught:
        act()
    return [each['sql'] for each in caught.captured_queries]


def test_p43_a_row_that_is_created_in_one_step_holds_ciphertext_alone(patient: Patient) -> None:
    """P43: the stored ciphertext decrypts to the value, and the column does not contain it."""
    raw = stored(patient, 'notes')

    assert raw is not None
    assert b'asthma' not in raw
    assert raw[:2] == b'\xe5\x01'
    assert again(patient).notes == patient.notes == 'asthma since 1815'


@pytest.mark.parametrize('text', ['', 'x', 'Ärger ☂ \U0001f512', 'a' * 100_000, ' blanks ', 'a\0b'])
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert again(Patient.objects.create(name='Bo', notes=text)).notes == text


def test_no_value_is_no_ciphertext() -> None:
    row = Patient.objects.create(name='Bo', notes=None)

    assert stored(row, 'notes') is None
    assert again(row).notes is None
    row.notes = 'something'
    row.save()
    row.notes = None
    row.save()
    assert stored(row, 'notes') is None


def test_a_default_is_encrypted_too() -> None:
    row = Patient.objects.create(name='Bo')

    assert b'rest' not in (stored(row, 'plan') or b'')
    assert again(row).plan == row.plan == 'rest'


def test_a_primary_key_may_be_given() -> None:
    key = uuid4()

    assert Patient.objects.create(id=key, name='Bo', notes='given').id == key
    assert Patient(pk=str(uuid4()).upper(), name='Bo', notes='as text').save() is None
    assert {each.notes for each in Patient.objects.all()} == {'given', 'as text'}


def test_the_database_may_make_the_primary_key(letter: Letter) -> None:
    assert letter.pk
    assert again(letter).text == 'Dear Ada'


def test_equal_texts_have_different_ciphertext() -> None:
    one, other = (Patient.objects.create(name='Bo', notes='same') for _ in range(2))

    assert stored(one, 'notes') != stored(other, 'notes')
    before = stored(one, 'notes')
    one.notes = 'other'
    one.notes = 'same'
    one.save()
    assert stored(one, 'notes') != before


def test_what_the_driver_returns_is_taken_in_any_type_of_bytes(patient: Patient) -> None:
    field: Any = Patient._meta.get_field('notes')
    raw = stored(patient, 'notes')

    assert raw is not None
    for value in (raw, memoryview(raw), bytearray(raw)):
        assert field.from_db_value(value) == raw


def test_a_value_is_read_when_it_is_asked_for_and_decrypted_once(patient: Patient) -> None:
    row = again(patient)

    assert len(statements(lambda: row.notes)) == 1
    assert statements(lambda: row.notes) == []
    assert statements(lambda: [str(row), repr(row), row.name]) == []


def test_many_rows_are_revealed_with_one_statement(patient: Patient) -> None:
    Patient.objects.bulk_create(Patient(name=str(n), notes=f'note {n}') for n in range(20))
    rows = list(Patient.objects.order_by('name'))

    assert len(statements(lambda: reveal(rows, 'notes'))) == 1
    assert statements(lambda: [row.notes for row in rows]) == []


def test_a_save_that_does_not_touch_it_does_not_encrypt_again(patient: Patient) -> None:
    before = stored(patient, 'notes')
    for row in (patient, again(patient), again(patient)):
        assert row.notes
        row.name = 'Bo'
        row.save()
        row.save(update_fields=['name'])
        row.notes = str(row.notes)  # what it is already
        row.save()
        assert stored(patient, 'notes') == before


def test_a_value_that_was_set_is_encrypted_by_one_save_alone(patient: Patient) -> None:
    patient.notes = 'new'
    patient.save()
    before = stored(patient, 'notes')
    patient.save()
    Patient.objects.bulk_update([patient], ['notes'])

    assert stored(patient, 'notes') == before


def test_what_is_on_its_way_can_be_read_before_it_is_stored(patient: Patient) -> None:
    patient.notes = 'new'

    assert patient.notes == 'new'
    assert again(patient).notes == 'asthma since 1815'


def test_refreshing_and_deferring_read_ciphertext(patient: Patient) -> None:
    before = stored(patient, 'notes')
    row = Patient.objects.defer('notes').get(pk=patient.pk)
    assert row.notes == 'asthma since 1815'
    row = Patient.objects.only('name').get(pk=patient.pk)
    row.save()
    row.notes = 'lost'
    row.refresh_from_db()
    row.save()

    assert row.notes == 'asthma since 1815'
    assert stored(patient, 'notes') == before


def test_values_are_what_is_stored(patient: Patient) -> None:
    (found,) = Patient.objects.values_list('notes', flat=True)
    (row,) = Patient.objects.values('notes')

    assert found == row['notes'] == stored(patient, 'notes')
    assert isinstance(found, Sealed)


def test_nothing_shows_the_text(patient: Patient) -> None:
    patient.notes = 'MARKER'
    shown = [repr(vars(patient)), repr(patient.notes_sealed), str(patient.notes_sealed)]
    assert Patient.objects.get().notes
    row = again(patient)
    assert row.notes == 'asthma since 1815'
    shown += [repr(vars(row)), str(pickle.dumps(row))]

    assert not [each for each in shown if 'MARKER' in each or 'asthma' in each]
    with pytest.raises(NotSealable):
        pickle.dumps(patient)


def test_copies_of_a_row_in_python_are_rows_of_their_own(patient: Patient) -> None:
    patient.notes, patient.plan, patient.email = 'for the copy', 'x', None
    for made in (copy.copy(patient), copy.deepcopy(patient)):
        made.pk = uuid4()
        made._state.adding = True
        made.save()
        assert again(made).notes == 'for the copy'
    assert again(patient).notes == 'asthma since 1815'
    patient.save()
    assert again(patient).notes == 'for the copy'


def test_a_row_is_copied_in_the_database_with_its_text_and_not_with_its_ciphertext(
    patient: Patient,
) -> None:
    copied = again(patient)
    copied.pk, copied._state.adding = uuid4(), True

    with pytest.raises(NotSealable, match='another row'), transaction.atomic():
        copied.save()
    copied.notes, copied.plan, copied.email = patient.notes, 'x', None
    copied.save()
    assert again(copied).notes == 'asthma since 1815'


def test_a_try_that_was_rolled_back_leaves_nothing_behind(company: Company) -> None:
    """Its key is rolled back too: what is stored next may not be under it."""
    row = Letter(company=company, text='tried twice')
    with transaction.atomic():
        row.save()
        transaction.set_rollback(True)
    row.pk, row._state.adding = None, True
    row.save()

    assert DataKey.objects.count() == 1
    assert again(row).text == 'tried twice'


def test_a_model_may_be_derived_from_one_with_encrypted_columns(company: Company) -> None:
    child = Inpatient.objects.create(name='Bo', notes='of the parent', ward='of the child')
    receipt = Receipt.objects.create(company=company, text='abstract', place='here')

    assert again(child).ward == 'of the child'
    assert Patient.objects.get(pk=child.pk).notes == 'of the parent'
    child = Inpatient.objects.get()
    child.notes, child.ward = 'new', None
    child.save()
    assert (again(child).notes, again(child).ward) == ('new', None)
    assert again(receipt).text == 'abstract'


def test_keys_belong_to_rows_or_to_tenants(company: Company, patient: Patient) -> None:
    for text in ('one', 'two'):
        Letter.objects.create(company=company, text=text)
        Patient.objects.create(name=text)

    owners = DataKey.objects.exclude(owner='index').values_list('owner', 'owner_id')
    assert sorted(owners) == [
        ('clinic.company', str(company.pk)),
        *sorted(('clinic.patient', str(each.pk)) for each in Patient.objects.all()),
    ]


def test_a_row_that_moves_to_another_tenant_takes_a_key_of_that_one(letter: Letter) -> None:
    row = again(letter)
    row.company = Company.objects.create(name='South')
    row.save()

    key = DataKey.objects.get(pk=again(row).text_sealed.key_id)
    assert key.owner_id == str(row.company_id)
    assert (again(row).text, again(row).code) == ('Dear Ada', 'A-1')


def test_a_row_without_its_owner_is_refused() -> None:
    with pytest.raises(NotSealable, match='not set yet'):
        Letter(text='whose?').save()


@pytest.mark.parametrize('value', [1, b'bytes', F('name'), Value('x'), ['x']])
def test_an_attribute_takes_texts_alone(patient: Patient, value: Any) -> None:
    with pytest.raises(NotSealable):
        patient.notes = value
    with pytest.raises(NotSealable):
        patient.notes_sealed = value
    with pytest.raises(NotSealable):
        patient.notes_sealed = 'a text'


@pytest.mark.parametrize(
    'value',
    ['plain', '', b'plain', F('plan'), F('name'), Value('plain'), RawSQL("'x'", ()), Unsealed('x')],
)
def test_updates_of_query_sets_are_refused(patient: Patient, value: Any) -> None:
    before = stored(patient, 'notes')

    with pytest.raises((NotSealable, FieldError)), transaction.atomic():
        Patient.objects.update(notes=value)
    assert stored(patient, 'notes') == before
    Patient.objects.update(notes=None)
    assert stored(patient, 'notes') is None


def test_half_of_a_surrogate_pair_is_refused_without_being_shown(patient: Patient) -> None:
    patient.notes = 'secret \ud800'
    with pytest.raises(NotSealable) as caught:
        patient.save()

    assert 'secret' not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize('value', [b'asthma', b'', b'\x01asthma', 'asthma'.encode('utf-16')])
def test_the_database_itself_refuses_what_is_not_encrypted(patient: Patient, value: bytes) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        store(patient, 'notes', value)


@pytest.mark.parametrize('lookup', ['exact', 'contains', 'gt', 'in', 'startswith', 'regex'])
def test_it_cannot_be_compared(lookup: str) -> None:
    with pytest.raises(FieldError, match='cannot be compared'):
        Patient.objects.filter(**{f'notes__{lookup}': 'x'})
    assert Patient.objects.filter(notes__isnull=True).count() == 0


def test_it_is_validated_as_a_text(patient: Patient) -> None:
    row = again(patient)
    assert statements(row.clean_fields) == []  # what is stored was validated before
    row.plan = 'x' * 201
    with pytest.raises(ValidationError) as caught:
        row.clean_fields()
    assert caught.value.message_dict == {'plan': [ANY]}
    row.plan = ''
    row.clean_fields()


def test_get_or_create_and_update_or_create_encrypt(company: Company) -> None:
    row, _ = Patient.objects.get_or_create(name='Cy', defaults={'notes': 'first'})
    assert again(row).notes == 'first'
    row, made = Patient.objects.update_or_create(name='Cy', defaults={'notes': 'second'})
    assert (again(row).notes, made) == ('second', False)
    row, _ = Patient.objects.update_or_create(
        name='Di', defaults={'notes': 'x'}, create_defaults={'notes': 'third'}
    )
    assert again(row).notes == 'third'


def test_an_upsert_is_refused_unless_it_finds_rows_by_what_they_are_encrypted_for(
    company: Company,
) -> None:
    def letter(**more: Any) -> Receipt:
        return Receipt(company=company, text='new', place='here', **more)

    first = letter()
    first.save()
    with pytest.raises(NotSealable, match='upsert'), transaction.atomic():
        Receipt.objects.bulk_create(
            [letter()], update_conflicts=True, unique_fields=['place'], update_fields=['text']
        )
    assert again(first).text == 'new'
    second = letter(row_key=first.row_key)
    second.text = 'newer'
    # Whose owner may be another.
    with pytest.raises(NotSealable, match='upsert'), transaction.atomic():
        Receipt.objects.bulk_create(
            [second], update_conflicts=True, unique_fields=['row_key'], update_fields=['text']
        )
    Receipt.objects.bulk_create(
        [second],
        update_conflicts=True,
        unique_fields=['row_key'],
        update_fields=['text', 'company'],
    )
    assert again(first).text == 'newer'
    Receipt.objects.bulk_create([letter()], ignore_conflicts=True)
    assert Receipt.objects.get().text == 'newer'
