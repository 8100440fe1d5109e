"""`backstay new`: write a new service, whole or not at all."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backstay import __version__
from backstay.template import TemplateError
from backstay.template.git import git, run_git
from backstay.template.rendering import HERE, render, reserved_names
from backstay.template.stamp import Stamp

#: Names that a folder may hold before: a repository without files.
_MAY_BE_THERE = frozenset({'.git'})
_WHEEL = re.compile(r'backstay-(?P<version>[^-]+)-py3-none-any\.whl')


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The request of somebody who wants a new service."""

    #: The folder to write to; None for a new folder with the name of the repository.
    folder: Path | None = None
    #: By name of the question.
    answers: Mapping[str, Any] = field(default_factory=dict)
    #: Whether what has no answer and no default is asked on the terminal.
    ask: bool = False
    #: A wheel of the package, for services that do not get it from an index.
    wheel: Path | None = None


def new(order: Order) -> Path:
    """Write a service and return its folder; after a TemplateError nothing is written.

    It becomes a git repository unless it is part of one: updates need git, and a checkout is
    local (ADR 6).
    """
    answers = dict(order.answers)
    if order.wheel:
        _refuse_other_wheels(order.wheel)
        answers['source'] = 'wheels'
    if order.folder:
        _refuse_what_is_there(order.folder)
    parent = order.folder.resolve().parent if order.folder else Path.cwd()
    with tempfile.TemporaryDirectory(prefix='.backstay-', dir=parent) as temporary:
        rendered = Path(temporary) / 'service'
        given = render(
            HERE, rendered, answers, version=__version__, ask=order.ask, reserved=reserved_names()
        )
        stamp = Stamp(version=__version__, answers=given)
        stamp.write(rendered)
        if order.wheel:
            (rendered / 'wheels').mkdir()
            shutil.copy(order.wheel, rendered / 'wheels')
        elif given['source'] == 'wheels':
            raise TemplateError('source: give the wheel too, --backstay path/of/the.whl')
        folder = order.folder or parent / stamp.repository
        _refuse_what_is_there(folder)
        # The files move, not their folder: the person may be in the one that they named.
        folder.mkdir(exist_ok=True)
        for each in sorted(rendered.iterdir()):
            each.rename(folder / each.name)
    if shutil.which('git') and run_git(folder, 'rev-parse', '--git-dir').returncode:
        git(folder, 'init', '--quiet', '--initial-branch=main')
    return folder


def _refuse_other_wheels(wheel: Path) -> None:
    name = _WHEEL.fullmatch(wheel.name)
    if name is None or not wheel.is_file():
        raise TemplateError(f'{wheel}: there is no wheel backstay-{__version__}-py3-none-any.whl')
    if name['version'] != __version__:
        raise TemplateError(
            f'{wheel} is of another version than this command, which is of {__version__}; '
            'run `backstay new` of that version'
        )


def _refuse_what_is_there(folder: Path) -> None:
    if not folder.resolve().parent.is_dir():
        raise TemplateError(f'{folder.parent}: there is no such folder; make it first')
    if folder.exists() and not folder.is_dir():
        raise TemplateError(f'{folder} is a file; name another folder')
    if folder.is_dir() and {each.name for each in folder.iterdir()} - _MAY_BE_THERE:
        raise TemplateError(f'{folder} is not empty; name another folder, or empty it')
