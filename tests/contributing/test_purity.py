"""The engine decides on what it is given: it knows no network, no clock of its own, no site."""

from pathlib import Path
from typing import Any

CODE = """
import sys
import backstay.contributing
import backstay.contributing.decide
known = {'httpx', 'gidgethub', 'django', 'asyncio', 'backstay.identity'}
raise SystemExit(', '.join(known & set(sys.modules)))
"""


def test_the_engine_imports_no_network_and_no_site(run_python: Any, tmp_path: Path) -> None:
    ran = run_python('-c', CODE, cwd=tmp_path, ENV=None, DJANGO_SETTINGS_MODULE=None)

    assert ran.stderr.strip() == ''


def test_the_engine_reads_no_clock(root: Path) -> None:
    folder = root / 'src' / 'backstay' / 'contributing'
    engine = [file for file in folder.glob('*.py') if file.name != 'command.py']

    assert len(engine) > 15
    assert [file.name for file in engine if '.now(' in file.read_text()] == []
