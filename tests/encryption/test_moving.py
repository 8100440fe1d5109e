"""Ciphertext belongs to its model, column, row and owner, and cannot be changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from backstay.encryption import EncryptionError, NotReadable, Sealed
from backstay.encryption.models import DataKey
from tests.clinic.models import Company, Letter, Patient, Receipt
from tests.encryption.conftest import again, new_master, store, stored

pytestmark = pytest.mark.django_db


def refused(row: Any, name: str) -> None:
    """Read a value that cannot be read."""
    with pytest.raises(NotReadable):
        getattr(again(row), name)


def test_p45_ciphertext_of_another_row_cannot_be_decrypted(patient: Patient) -> None:
    """P45: copied to another row of the model."""
    other = Patient.objects.create(name='Bo', notes='their own')
    store(other, 'notes', stored(patient, 'notes'))

    refused(other, 'notes')


def test_p45_nor_that_of_another_column(patient: Patient) -> None:
    """P45: copied to another column of the row."""
    store(patient, 'plan', stored(patient, 'notes'))

    refused(patient, 'plan')


def test_p45_nor_that_of_another_model(company: Company) -> None:
    """P45: copied to another model, whose row has the same keys and the same owner."""
    letter = Letter.objects.create(company=company, text='letter')
    receipt = Receipt.objects.create(
        id=letter.pk, row_key=letter.row_key, company=company, text='receipt', place='here'
    )
    store(receipt, 'text', stored(letter, 'text'))

    refused(receipt, 'text')


def test_p45_nor_that_of_another_row_of_the_same_tenant(company: Company) -> None:
    """P45: copied between rows under one data key."""
    one, other = (Letter.objects.create(company=company, text=text) for text in ('one', 'other'))
    store(other, 'text', stored(one, 'text'))

    refused(other, 'text')


def test_a_row_that_was_given_to_another_tenant_behind_the_orm_is_refused(letter: Letter) -> None:
    Letter.objects.update(company=Company.objects.create(name='South'))

    refused(letter, 'text')
    row = again(letter)
    row.save()
    assert again(row).text == 'Dear Ada'


def test_the_header_of_one_value_does_not_fit_another(patient: Patient) -> None:
    """Not even that of the same place: it is authenticated with the ciphertext."""
    first = stored(patient, 'notes')
    patient.notes = 'second'
    patient.save()
    second = stored(patient, 'notes')
    assert first
    assert second
    store(patient, 'notes', first[:26] + second[26:])
    assert again(patient).notes == 'second'  # the headers are equal
    other = Patient.objects.create(name='Bo', notes='x')
    header = stored(other, 'notes')
    assert header
    store(patient, 'notes', header[:26] + second[26:])
    refused(patient, 'notes')


def test_each_changed_bit_is_noticed(patient: Patient) -> None:
    raw = stored(patient, 'email')
    assert raw
    for at in range(1, len(raw)):
        store(patient, 'email', raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        with pytest.raises(EncryptionError):
            _ = again(patient).email
    for cut in range(1, len(raw)):
        store(patient, 'email', raw[:cut])
        with pytest.raises(EncryptionError):
            _ = again(patient).email


def test_a_wrapped_key_belongs_to_its_owner(patient: Patient) -> None:
    other = Patient.objects.create(name='Bo', notes='their own')
    keys = {key.owner_id: key for key in DataKey.objects.filter(owner='clinic.patient')}
    mine, his = keys[str(patient.pk)], keys[str(other.pk)]
    DataKey.objects.filter(pk=mine.pk).update(wrapped=his.wrapped)

    refused(patient, 'notes')


def test_a_key_that_is_missing_is_no_destroyed_key(
    patient: Patient, masters: Callable[[str], None]
) -> None:
    with transaction.atomic():
        masters(new_master('other'))
        with pytest.raises(NotReadable, match='is not in BACKSTAY_ENCRYPTION_KEYS'):
            _ = again(patient).notes
    DataKey.objects.all().delete()
    refused(patient, 'notes')


def test_stored_values_move_by_no_way_of_the_orm(patient: Patient) -> None:
    other = Patient.objects.create(name='Bo', notes='their own')
    (found,) = Patient.objects.filter(pk=patient.pk).values_list('notes', flat=True)
    assert isinstance(found, Sealed)

    for act in (
        lambda: Patient.objects.filter(pk=other.pk).update(notes=found),
        lambda: Patient.objects.create(name='Cy', notes=found),
        lambda: _set(other, found).save(),
        lambda: Patient.objects.bulk_update([_set(other, found)], ['notes']),
        lambda: Patient.objects.bulk_create([Patient(name='Di', notes=found)]),
    ):
        with pytest.raises(EncryptionError), transaction.atomic():
            act()
    assert again(other).notes == 'their own'
    assert Patient.objects.count() == 2


def _set(row: Patient, value: Any) -> Patient:
    row.notes_sealed = value
    return row
