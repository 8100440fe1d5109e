"""Erasure: a key is destroyed, and its values with it, at once and everywhere."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from backstay.encryption import EncryptionError, KeyDestroyed, destroy, reveal
from backstay.encryption.models import DataKey
from tests.clinic.models import Company, Letter, Patient
from tests.encryption.conftest import again, stored


@pytest.mark.django_db
def test_p46_a_value_is_unrecoverable_at_once_in_this_process(patient: Patient) -> None:
    """P46: a row that was read before does not have it any more either."""
    read, unread = again(patient), again(patient)
    assert read.notes
    reveal([read])
    assert destroy(patient) == 1

    for row in (patient, read, unread, again(patient)):
        for name in ('notes', 'plan', 'email'):
            with pytest.raises(KeyDestroyed):
                getattr(row, name)
    assert reveal([again(patient)])[0].name == 'Ada'


@pytest.mark.django_db(transaction=True)
def test_p46_and_elsewhere_for_every_read_after_the_commit(patient: Patient) -> None:
    """P46: the stated bound is none: no process keeps an unwrapped key between two reads."""
    found: list[Any] = []
    ready, destroyed = threading.Event(), threading.Event()

    def elsewhere() -> None:
        row = again(patient)
        found.append(row.notes)
        row = again(patient)
        ready.set()
        destroyed.wait(20)
        try:
            found.append(row.notes)
        except KeyDestroyed as error:
            found.append(error)
        connection.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert ready.wait(20)
    destroy(patient)
    destroyed.set()
    thread.join(20)

    assert found[0] == 'asthma since 1815'
    assert isinstance(found[1], KeyDestroyed)


@pytest.mark.django_db
def test_the_values_of_others_stay(patient: Patient, letter: Letter) -> None:
    other = Patient.objects.create(name='Bo', notes='their own', email='bo@example.org')
    destroy(patient)

    assert again(other).notes == 'their own'
    assert Patient.objects.get(email='bo@example.org') == other
    assert again(letter).text == 'Dear Ada'


@pytest.mark.django_db
def test_a_tenant_takes_all_its_rows_with_it(letter: Letter, company: Company) -> None:
    others = Letter.objects.create(company=Company.objects.create(name='South'), text='stays')
    more = [Letter(company=company, text=str(n), code=str(n)) for n in range(10)]
    Letter.objects.bulk_create(more)
    destroy(company)

    for row in Letter.objects.filter(company=company):
        with pytest.raises(KeyDestroyed):
            _ = row.text
    assert not Letter.objects.filter(code__in=['A-1', *map(str, range(10))]).exists()
    assert again(others).text == 'stays'


@pytest.mark.django_db
def test_the_blind_index_goes_too(patient: Patient) -> None:
    """Else whoever has its key could still ask whether it was a certain address."""
    before = stored(patient, 'email')
    assert before
    digest = before[26:46]
    destroy(patient)

    assert digest not in (stored(patient, 'email') or b'')
    assert not Patient.objects.filter(email='ada@example.org').exists()


@pytest.mark.django_db
def test_its_owner_takes_nothing_new(patient: Patient) -> None:
    """A request that read the value before could otherwise bring it back."""
    read = again(patient)
    assert read.notes
    destroy(patient)
    destroy(patient)
    read.notes = 'brought back'

    with pytest.raises(KeyDestroyed), transaction.atomic():
        read.save()
    never = Patient.objects.create(name='Bo', plan=None or '')
    destroy(never)
    row = again(never)
    row.notes = 'later'
    with pytest.raises(KeyDestroyed), transaction.atomic():
        row.save()
    row = again(patient)
    row.name, row.notes = 'gone', None
    row.save()
    assert DataKey.objects.filter(wrapped__isnull=False, owner='clinic.patient').count() == 0


@pytest.mark.django_db
def test_a_restored_backup_is_destroyed_again(
    patient: Patient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = list(DataKey.objects.all())
    index = stored(patient, 'email')
    destroy(patient)
    call_command('encryption', 'destroyed')
    (tmp_path / 'list').write_text(capsys.readouterr().out)

    DataKey.objects.all().delete()
    DataKey.objects.bulk_create(backup)
    assert again(patient).notes  # a backup of the keys has it back
    assert index
    call_command('encryption', 'destroy', str(tmp_path / 'list'))
    call_command('encryption', 'destroy', str(tmp_path / 'list'))
    with pytest.raises(KeyDestroyed):
        _ = again(patient).notes


@pytest.mark.django_db
def test_a_row_that_owns_no_keys_cannot_destroy_any(letter: Letter) -> None:
    with pytest.raises(EncryptionError, match='Letter owns no data keys'):
        destroy(letter)
