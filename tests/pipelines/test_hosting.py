"""How an organisation hosts its own copy: the commands of the page, with bare repositories."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.conftest import add, clone, git


def blocks(root: Path) -> list[list[str]]:
    """The commands of each block of the page."""
    page = (root / 'docs' / 'how-to' / 'host-the-platform.md').read_text()
    found = re.findall(r'```console\n(.*?)```', page, re.DOTALL)
    return [[line.removeprefix('$ ') for line in block.splitlines()] for block in found]


def run(lines: list[str], folder: Path, root: Path, **places: Path) -> str:
    """Run the commands as a person types them, with the addresses in their places."""
    script = '\n'.join(['set -e', f'python3() {{ {shlex.quote(sys.executable)} "$@"; }}', *lines])
    for name, place in places.items():
        script = re.sub(rf'\b{name}\b', shlex.quote(str(place)), script)
    ran = subprocess.run(  # noqa: S603 the page is ours
        ['bash', '-c', script],  # noqa: S607 that of the machine
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': str(root / 'src')},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """What the platform is had from: two versions, and `v1` at the second."""
    bare = tmp_path / 'upstream.git'
    git(tmp_path, 'init', '--quiet', '--bare', '--initial-branch=main', str(bare))
    ours = clone(bare, tmp_path / 'ours', 'feat: begin')
    add(ours, 'feat: more', tag='v0.1.0')
    git(ours.folder, 'tag', 'v1')
    git(ours.folder, 'push', '--quiet', 'origin', 'v1')
    return bare


def test_the_page_makes_a_copy_that_takes_new_versions_over(
    upstream: Path, tmp_path: Path, root: Path
) -> None:
    yours = tmp_path / 'yours.git'
    git(tmp_path, 'init', '--quiet', '--bare', '--initial-branch=main', str(yours))
    making, taking, moving = blocks(root)
    places = {'UPSTREAM': upstream, 'YOURS': yours}

    run(making, tmp_path, root, **places)
    assert refs(yours) == refs(upstream)

    newest = add(clone(upstream, tmp_path / 'theirs'), 'fix: a', tag='v0.1.1')
    run(taking, tmp_path / 'backstay.git', root, **places)
    assert refs(yours)['refs/heads/main'] == refs(yours)['refs/tags/v0.1.1'] == newest
    assert refs(yours)['refs/tags/v1'] != newest, 'nothing changes for services yet'

    assert run(moving, tmp_path, root, **places) == 'v1 stands here\n'
    assert refs(yours)['refs/tags/v1'] == newest
    git(tmp_path / 'backstay', 'checkout', '--quiet', 'v0.1.0')
    assert run(moving[2:], tmp_path / 'backstay', root) == 'v1 stands at a later commit\n'
    assert refs(yours)['refs/tags/v1'] == newest


def refs(bare: Path) -> dict[str, str]:
    lines = git(bare, 'ls-remote', '.').splitlines()
    return {name: commit for commit, name in map(str.split, lines) if name != 'HEAD'}
