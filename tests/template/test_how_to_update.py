"""The page about updates, word for word: a person types it in a service of an older version.

make, git and the commands are real. uv is a stand-in that locks and installs what is here, since
nothing is fetched; the whole `make check` of a service is run by `make test-template`.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import backstay
from backstay.template.git import git
from backstay.template.rendering import render
from backstay.template.stamp import Stamp, read_stamp
from tests.template.services import ANSWERS, template, wheel

OLD = f'{backstay.__version__}a1'
#: `uv pip compile ... -o LOCK` writes it; everything else is there already.
UV = f"""#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = -o ] && echo 'backstay=={backstay.__version__}' > "$2"; shift; done
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A service that an older version wrote, with the environment of the newer one."""
    older = template(tmp_path / 'older', README_md=('prints where the documentation', 'prints if'))
    folder = tmp_path / 'service'
    answers = render(older, folder, ANSWERS, version=OLD)
    Stamp(version=OLD, answers=answers).write(folder)
    wheel(older, OLD, folder / 'wheels')
    for lock in ('run', 'dev'):
        (folder / f'requirements/{lock}.lock').write_text(f'backstay=={OLD}\n')
    git(folder, 'init', '--quiet')
    git(folder, 'add', '--all')
    git(folder, 'commit', '--quiet', '--message', 'begin')
    programs = folder / '.venv' / 'bin'
    programs.mkdir(parents=True)
    for name in ('python', 'backstay'):
        (programs / name).symlink_to(Path(sys.executable).with_name(name))
    (programs / 'uv').write_text(UV)
    (programs / 'uv').chmod(0o755)
    for stamp in ('uv', 'ready'):
        (folder / '.venv' / stamp).touch()
    return folder


def test_its_commands_bring_a_new_version_in(service: Path, root: Path) -> None:
    page = (root / 'docs/how-to/update-a-service.md').read_text().partition('## Resolve')[0]
    (block,) = re.findall(r'```console\n(.*?)```', page, re.DOTALL)
    typed = [line.removeprefix('$ ') for line in block.splitlines()]
    assert {'make lock', 'make update', 'make check'} <= {*typed}
    script = '\n'.join(['set -e', *typed]).replace('make check', 'make --dry-run check')
    for name, value in (('name', 'Ann'), ('email', 'ann@example.com')):
        git(service, 'config', f'user.{name}', value)

    ran = subprocess.run(  # noqa: S603 the page is ours
        ['/bin/sh', '-c', script],
        cwd=service,
        env={**os.environ, 'MAKEFLAGS': ''},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert read_stamp(service).version == backstay.__version__
    assert 'prints where the documentation' in (service / 'README.md').read_text()
    assert git(service, 'status', '--porcelain') == ''
    told = shlex.split(next(line for line in typed if 'newer platform' in line))[-1]
    assert told in git(service, 'log', '--format=%s')
