"""A repository with a remote, programs that stand in for those of a runner, and GitHub's API."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backstay.pipelines.git import Repository

Commit = Callable[..., str]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository."""
    path = tmp_path / 'origin.git'
    git(tmp_path, 'init', '--quiet', '--bare', '--initial-branch=main', str(path))
    return path


@pytest.fixture
def repository(tmp_path: Path, origin: Path) -> Repository:
    """A checkout of it with one commit."""
    return clone(origin, tmp_path / 'checkout', 'chore: begin')


@pytest.fixture
def commit(repository: Repository) -> Commit:
    """Commits, pushes, and gives the name of the commit."""

    def make(message: str, file: str = 'src/a.py', tag: str = '') -> str:
        return add(repository, message, file, tag)

    return make


def clone(origin: Path, folder: Path, first: str = '') -> Repository:
    git(folder.parent, 'clone', '--quiet', str(origin), str(folder))
    git(folder, 'checkout', '--quiet', '-B', 'main', *(() if first else ('origin/main',)))
    repository = Repository(folder)
    if first:
        add(repository, first)
    return repository


def add(repository: Repository, message: str, file: str = 'src/a.py', tag: str = '') -> str:
    path = repository.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(os.urandom(8).hex())
    git(repository.folder, 'add', file)
    git(repository.folder, 'commit', '--quiet', '--message', message)
    if tag:
        git(repository.folder, 'tag', tag)
    git(repository.folder, 'push', '--quiet', '--tags', 'origin', 'main')
    return repository.head()


def git(folder: Path, *arguments: str) -> str:
    who = {'NAME': 'Ann', 'EMAIL': 'ann@example.com'}
    variables = {
        f'GIT_{role}_{name}': value
        for role in ('AUTHOR', 'COMMITTER')
        for name, value in who.items()
    }
    ran = subprocess.run(  # noqa: S603 fixed arguments
        ['git', *arguments],  # noqa: S607 that of the machine
        cwd=folder,
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[[], list[Any]]]:
    """Puts a program of a name on the path; what comes back tells how it was called.

    It answers with a script for a shell, in which `$*` are its arguments.
    """
    folder = tmp_path / 'programs'
    folder.mkdir()
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')

    def write(name: str, script: str = '') -> Callable[[], list[Any]]:
        calls = tmp_path / f'{name}.calls'
        calls.touch()
        note = (
            'import json, os, sys; '
            "print(json.dumps([sys.argv[1:], '' if sys.stdin.isatty() else sys.stdin.read()]))"
        )
        path = folder / name
        path.write_text(f'#!/bin/sh\npython3 -c "{note}" "$@" >> \'{calls}\'\n{script}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return lambda: [json.loads(line) for line in calls.read_text().splitlines()]

    return write
