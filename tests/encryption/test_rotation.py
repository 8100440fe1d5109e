"""Rotation: of the master key, of data keys and of blind indexes, killed and repeated at will."""

import io
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from backstay.encryption import destroy, reveal, rotation
from backstay.encryption.declared import all_encrypted_fields
from backstay.encryption.models import DataKey
from backstay.journal.models import Entry
from tests.clinic.models import Company, Letter, Patient
from tests.encryption.conftest import again, new_master, store, stored
from tests.proofs import record_proof, size
from tests.tasks.conftest import Process, StartWorker

KILLS = size(3, 100)
ROWS = 24

Masters = Callable[[str], None]


def run(*arguments: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    call_command('encryption', '--quiet', '--step', '5', *arguments, stdout=output)
    return output.getvalue()


def make_rows() -> None:
    company = Company.objects.create(name='North')
    for number in range(ROWS):
        text = f'text {number}'
        Patient.objects.create(name=text, notes=text, email=f'{number}@example.org')
        Letter.objects.create(company=company, text=text, code=text)


def assert_all_is_readable() -> None:
    """Read every value anew."""
    patients, letters = list(Patient.objects.all()), list(Letter.objects.order_by('id'))
    assert len(patients) == len(letters) == ROWS
    assert [row.notes for row in reveal(patients)] == [row.name for row in patients]
    assert [row.text for row in reveal(letters)] == [f'text {n}' for n in range(ROWS)]
    for number in (0, ROWS - 1):
        assert Patient.objects.get(email=f'{number}@EXAMPLE.org').name == f'text {number}'
        assert Letter.objects.filter(code=f'text {number}').count() == 1


def keys_of_values() -> set[Any]:
    """The ids of the data keys that values are under."""
    return {
        value.key_id
        for field in all_encrypted_fields()
        for value in field.model._base_manager.values_list(field.name, flat=True)
        if value is not None
    }


def newest_keys() -> set[Any]:
    """The ids of the newest data key of every owner."""
    newest = {(key.owner, key.owner_id): key.pk for key in DataKey.objects.order_by('sequence')}
    return {*newest.values()}


@pytest.mark.django_db
def test_p47_a_new_master_key_wraps_all_data_keys_and_the_old_one_can_go(masters: Masters) -> None:
    """P47: running it twice changes nothing more."""
    old, new = new_master('2025'), new_master('2026')
    masters(old)
    make_rows()
    raw = stored(Patient.objects.all()[0], 'notes')
    masters(f'{new},{old}')
    count = DataKey.objects.count()

    assert run('rewrap') == f'rewrapped {count} data keys with 2026\n'
    assert run('rewrap') == 'rewrapped 0 data keys with 2026\n'
    assert f'2026 (newest): wraps {count} data keys' in run('status')
    masters(new)
    assert_all_is_readable()
    assert stored(Patient.objects.all()[0], 'notes') == raw


@pytest.mark.django_db
def test_p47_values_are_encrypted_anew_under_new_data_keys() -> None:
    """P47: running it twice changes nothing more, and the old keys can be swept."""
    make_rows()
    before = keys_of_values()
    entries, versions = Entry.objects.count(), set(Patient.objects.values_list('version'))
    since = timezone.now().isoformat()
    owners = DataKey.objects.exclude(owner='index').count()

    assert run('renew', '--before', since) == f'renewed {owners} data keys\n'
    assert run('renew', '--before', since) == 'renewed 0 data keys\n'
    assert_all_is_readable()
    assert f'clinic.patient.notes: encrypted {ROWS} values anew' in run('reseal')
    assert 'clinic.patient.notes: encrypted 0 values anew' in run('reseal')
    assert_all_is_readable()
    assert keys_of_values() <= newest_keys()
    assert not keys_of_values() & before
    assert (Entry.objects.count(), {*Patient.objects.values_list('version')}) == (entries, versions)
    assert run('sweep') == 'deleted 0 data keys\n'  # what is written meanwhile may use them
    DataKey.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert run('sweep') == f'deleted {owners} data keys\n'
    assert_all_is_readable()


@pytest.mark.django_db
def test_p47_blind_indexes_get_a_new_key_and_find_rows_all_the_while() -> None:
    make_rows()
    row = Patient.objects.all()[0]
    raw = stored(row, 'email')
    notes = stored(row, 'notes')

    assert run('renew', '--indexes') == 'renewed 2 data keys\n'
    assert_all_is_readable()
    assert Patient.objects.create(name='x', email='new@example.org')
    assert Patient.objects.filter(email='new@example.org').count() == 1
    Patient.objects.filter(name='x').delete()
    run('reseal')
    assert_all_is_readable()
    assert stored(row, 'email') != raw
    assert stored(row, 'notes') == notes
    DataKey.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert run('sweep') == 'deleted 3 data keys\n'  # two of indexes, one of the row that is gone
    assert_all_is_readable()


@pytest.mark.django_db
def test_a_value_that_cannot_be_read_stops_nothing_and_is_told(patient: Patient) -> None:
    other = Patient.objects.create(name='Bo', notes='their own')
    raw = stored(patient, 'notes')
    store(other, 'notes', raw)
    run('renew')

    with pytest.raises(CommandError, match=f'clinic.patient.notes of {other.pk}'):
        run('reseal')
    assert again(patient).notes == 'asthma since 1815'
    assert stored(patient, 'notes') != raw
    assert stored(other, 'notes') == raw


@pytest.mark.django_db
def test_a_row_given_to_another_tenant_behind_the_orm_is_mended(letter: Letter) -> None:
    Letter.objects.update(company=Company.objects.create(name='South'))
    run('reseal')

    assert again(letter).text == 'Dear Ada'


@pytest.mark.django_db
def test_values_of_destroyed_keys_stay_as_they_are(patient: Patient) -> None:
    destroy(patient)
    raw = stored(patient, 'notes')
    run('renew')

    assert 'clinic.patient.notes: encrypted 0 values anew, 1 are destroyed' in run('reseal')
    assert stored(patient, 'notes') == raw


@pytest.mark.django_db
def test_a_key_that_values_are_under_is_not_swept_however_old_it_is() -> None:
    make_rows()
    run('renew')
    run('renew', '--indexes')
    DataKey.objects.update(created_at=timezone.now() - timedelta(days=2))

    assert run('sweep') == 'deleted 0 data keys\n'
    assert_all_is_readable()


@pytest.mark.django_db
def test_keys_of_rows_that_are_gone_are_swept(patient: Patient, letter: Letter) -> None:
    Patient.objects.all().delete()
    DataKey.objects.update(created_at=timezone.now() - timedelta(days=2))

    assert run('sweep') == 'deleted 1 data keys\n'
    assert again(letter).text == 'Dear Ada'


def kill_when(running: Process, is_time: Callable[[], bool]) -> bool:
    """Kill a process between two instructions; return whether it had not ended before."""
    until = time.monotonic() + 60
    while running.process.poll() is None and not is_time():
        assert time.monotonic() < until
    code = running.stop(signal.SIGKILL)
    assert code in (0, -signal.SIGKILL), running.log.read_text()
    return code != 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3_600)
def test_p47_killed_at_any_moment_every_row_decrypts_and_ends_on_the_new_version(
    start: StartWorker,
    masters: Masters,
    request: pytest.FixtureRequest,
) -> None:
    """P47: each verb in turn is killed after a random part of its work, and run again."""
    random, killed, late = Random(), 0, 0
    masters(new_master('0'))
    make_rows()
    while killed < KILLS:
        verb = ('rewrap', 'renew', 'reseal')[(killed + late) % 3]
        old = site.BACKSTAY.encryption_keys.get_secret_value().partition(',')[0]
        masters(f'{new_master(str(killed + late + 1))},{old}')
        since = timezone.now().isoformat()
        if verb == 'reseal':
            run('renew', '--before', since)
        work = _work_of(verb, since)
        left = random.randrange(work())
        more = ('--before', since) if verb == 'renew' else ()
        running = start(
            *('manage.py', 'encryption', '--quiet', '--step', '1', verb, *more),
            DJANGO_SETTINGS_MODULE='tests.django_settings',
            BACKSTAY_ENCRYPTION_KEYS=site.BACKSTAY.encryption_keys.get_secret_value(),
        )
        is_killed = kill_when(running, partial(_is_down_to, work, left))
        killed, late = killed + is_killed, late + (not is_killed)
        assert_all_is_readable()
        assert late < 20 + KILLS
        run(verb, *more)
        assert work() == 0
        run('rewrap')
        assert {*DataKey.objects.values_list('master', flat=True)} == {str(killed + late)}
        assert_all_is_readable()
    record_proof(request, f'{killed} kills of a rotation ({late} came too late)')


def _is_down_to(work: Callable[[], int], left: int) -> bool:
    return work() <= left


def _work_of(verb: str, since: str) -> Callable[[], int]:
    """What counts the rows or keys that a verb has still to do."""
    before = parse_datetime(since)
    assert before
    return {
        'rewrap': lambda: rotation.to_rewrap('default').count(),
        'renew': lambda: rotation.to_renew('default', before, indexes=False).count(),
        'reseal': lambda: len(keys_of_values() - newest_keys()),
    }[verb]
