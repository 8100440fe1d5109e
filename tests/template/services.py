"""Services to try the commands on, and versions of the template to update them with."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

from backstay.template.git import git
from backstay.template.new import Order, new
from backstay.template.rendering import HERE

ANSWERS = {'organisation': 'acme', 'service': 'billing'}


def make(folder: Path, **answers: Any) -> Path:
    """A service that is committed."""
    new(Order(folder=folder, answers={**ANSWERS, **answers}))
    return commit(folder)


def commit(folder: Path) -> Path:
    """Commit everything that is there."""
    git(folder, 'add', '--all')
    git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'work')
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file by its path, what git and Python keep for themselves left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and not {'.git', '__pycache__'} & {*path.relative_to(folder).parts}
    }


def template(folder: Path, **edits: tuple[str, str]) -> Path:
    """A copy of the template, in which files say one thing in the place of another.

    Files are named by their last part, with `_` for what a name in Python cannot have.
    """
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns('*.py', '__pycache__'))
    for name, (before, after) in edits.items():
        change(file_of(folder, name), before, after)
    return folder


def file_of(folder: Path, name: str) -> Path:
    """The file of the template that is called so, or with `.jinja` behind it."""
    (found,) = (
        path
        for path in (folder / 'service').rglob('*')
        if path.name.removesuffix('.jinja').replace('.', '_') == name
    )
    return found


def change(file: Path, before: str, after: str) -> None:
    """Say one thing in the place of another, which must be there once."""
    text = file.read_text()
    assert text.count(before) == 1, (file, before)
    file.write_text(text.replace(before, after))


def wheel(template: Path, version: str, into: Path) -> Path:
    """A wheel of the package with nothing but this template, as a release of that version."""
    into.mkdir(exist_ok=True)
    path = into / f'backstay-{version}-py3-none-any.whl'
    metadata = f'Metadata-Version: 2.1\nName: backstay\nVersion: {version}\n'
    about = f'backstay-{version}.dist-info'
    with zipfile.ZipFile(path, 'w') as archive:
        for file in sorted(template.rglob('*')):
            archive.write(file, f'backstay/template/{file.relative_to(template)}')
        archive.writestr(f'{about}/METADATA', metadata)
        archive.writestr(f'{about}/WHEEL', 'Wheel-Version: 1.0\nTag: py3-none-any\n')
        archive.writestr(f'{about}/RECORD', '')
    return path
