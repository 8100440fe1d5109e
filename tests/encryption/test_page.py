"""The page about encrypted columns: its blocks are run as they stand there."""

import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from backstay import encryption
from backstay.encryption import EncryptedTextField
from tests.clinic import models
from tests.clinic.models import Case, Company

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'how-to' / 'encrypt-columns.md').read_text()


def test_the_declaration_is_the_one_of_the_clinic() -> None:
    declared = re.findall(r'```python\n(class .*?)```', PAGE, re.DOTALL)

    assert len(declared) == 1
    assert declared[0] in Path(models.__file__).read_text()


@pytest.mark.django_db
def test_everything_else_runs(
    company: Company, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {each: getattr(encryption, each) for each in encryption.__all__}
    names |= {'Case': Case, 'company': company, 'pytest': pytest, 'transaction': transaction}
    ran = 0
    for language, block in re.findall(r'```(\w+)\n(.*?)```', PAGE, re.DOTALL):
        if language == 'shell':
            for line in block.splitlines():
                _run(line, capsys)
        elif not block.startswith('class '):
            (tmp_path / 'block.py').write_text(block)
            names |= runpy.run_path(str(tmp_path / 'block.py'), names)
        ran += 1

    assert ran >= 8
    assert (tmp_path / 'destroyed.jsonl').read_text().count('\n') == 2


def _run(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, _, target = line.partition(' > ')
    backstay, *arguments = shlex.split(command)
    assert backstay == 'backstay'
    capsys.readouterr()
    call_command(*arguments)
    if target:
        Path(target).write_text(capsys.readouterr().out)


def test_every_argument_is_told() -> None:
    _, _, _, kwargs = EncryptedTextField(
        row='a', owner='b', owner_label='c', context='d.e.f'
    ).deconstruct()

    assert {*re.findall(r'^\| `(\w+)` \|', PAGE, re.MULTILINE)} == {*kwargs, 'normalise'}
