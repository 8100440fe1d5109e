"""`backstay update`: merge the template's changes into a service that has changed too.

There are three trees: the output of the version in the stamp, that of this version, and the
service. copier renders the first two, and git merges. So edited lines stay, overlaps are ordinary
conflicts of git, and moved files are followed. copier's own update needs the template to be a git
repository at an address that the service names; ours comes with the package.
"""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.version import Version

from backstay import __version__
from backstay.template import TemplateError
from backstay.template.adding import tidy
from backstay.template.earlier import earlier_template
from backstay.template.git import git, run_git
from backstay.template.merging import (
    changed,
    keep_added,
    keep_deleted,
    marked,
    merge,
    tree_of,
    unmerged,
)
from backstay.template.rendering import HERE, questions_of, render
from backstay.template.stamp import NAME, Stamp, read_stamp
from backstay.template.waiting import Begun, forget, wait, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """The result of an update."""

    before: Stamp
    after: Stamp
    #: Files that differ from the last commit, without the stamp.
    changed: tuple[str, ...] = ()
    #: Files with conflicts; while there are any, the service keeps its old stamp.
    conflicts: tuple[str, ...] = ()
    #: Files that the template changed and the service has deleted: they stay deleted.
    left_out: tuple[str, ...] = ()


def update(
    service: Path,
    answers: Mapping[str, Any] | None = None,
    *,
    template: Path = HERE,
    version: str = __version__,
) -> Updated:
    """Merge the template's changes into the service, which must have nothing uncommitted.

    `answers` replace those in the stamp. Changes are staged and not committed. After a
    TemplateError the folder is as it was.
    """
    before = read_stamp(service)
    _refuse_unless_committed(service)
    # One that was committed without --continue is ended here.
    before = _committed_stamp(service) or before
    if Version(version) < Version(before.version):
        raise TemplateError(
            f'backstay {before.version} wrote this service, and {version} is installed: '
            'install a newer one, `make lock` and `make`'
        )
    questions = questions_of(template)
    kept = {name: value for name, value in before.answers.items() if name in questions}
    asked = {**kept, **(answers or {})}
    with ExitStack() as stack:
        base, wanted = (
            Path(stack.enter_context(TemporaryDirectory(prefix=f'backstay-{name}-')))
            for name in ('before', 'after')
        )
        given = render(template, wanted, asked, version=version)
        after = Stamp(version=version, answers=given)
        if after == before:
            return _settle(service, after)
        earlier = template
        if before.version != version:
            earlier = stack.enter_context(earlier_template(before, service))
        render(earlier, base, before.answers, version=before.version)
        _keep_migrations(base, wanted)
        apart = merge(
            service, tree_of(service, base), tree_of(service, wanted), f'backstay {version}'
        )
    return _settle(service, after, apart)


def finish(service: Path) -> Updated:
    """Write the new stamp once no conflict of the update is left."""
    before, begun = read_stamp(service), _begun(service)
    if not begun.is_on_this_branch():
        raise TemplateError(
            f'the update began at {begun.began[:9]}, which this branch does not have: '
            'go to its branch; or `backstay update` begins one here'
        )
    _refuse_conflicts(service, begun)
    if not begun.is_here():
        raise TemplateError(
            'nothing of the update is here any more: `git stash pop` brings back what is in the '
            'stash; or `backstay update` begins anew'
        )
    if git(service, 'status', '--porcelain', '--', NAME):
        raise TemplateError(f'{NAME} has changes of yours; commit them first')
    touched = changed(service)
    _write(service, begun.stamp)
    return Updated(before=before, after=begun.stamp, changed=touched)


def abort(service: Path, *, stash: bool = False) -> tuple[str, ...]:
    """Restore the files as they were when the update began.

    Refuses where a person has committed or changed anything since; with `stash`, changes go into
    git's stash, and their files are returned.
    """
    return _begun(service).undo(stash=stash)


def is_under_way(service: Path) -> bool:
    """Whether an update of the service waits for its conflicts to be resolved."""
    begun = waiting(service)
    return begun is not None and begun.is_here()


def _refuse_unless_committed(service: Path) -> None:
    """Raise TemplateError unless git keeps the service and nothing in it is uncommitted."""
    git(service, 'rev-parse', '--git-dir')  # or git says what is wrong with it
    if run_git(service, 'rev-parse', '--verify', '--quiet', 'HEAD').returncode:
        raise TemplateError('nothing is committed yet; an update compares with what is')
    if git(service, 'status', '--porcelain', '--untracked-files=no'):
        if is_under_way(service):
            raise TemplateError('an update is under way: end it with --continue or --abort')
        raise TemplateError('there are changes that are not committed; commit or stash them first')
    if not git(service, 'ls-files', '--', NAME):
        raise TemplateError(f'git does not keep {NAME}: `git add --force {NAME}`, and commit it')
    # The status does not tell of files whose changes git was told to overlook.
    if unseen := [
        entry[2:]
        for entry in git(service, 'ls-files', '-v', '-z').split('\0')
        if entry[:1].islower() or entry[:1] == 'S'
    ]:
        raise TemplateError(
            f'git overlooks changes of {", ".join(unseen)}: `git update-index '
            '--no-assume-unchanged --no-skip-worktree` has it look again'
        )


def _refuse_conflicts(service: Path, begun: Begun) -> None:
    conflicts = {*unmerged(service), *marked(service, changed(service, begun.began))}
    if conflicts:
        raise TemplateError(
            f'conflicts are left in {", ".join(sorted(conflicts))}: '
            'resolve them, `git add` the files, and come again'
        )


def _committed_stamp(service: Path) -> Stamp | None:
    """Return the stamp of the update that waits, if a person has committed it."""
    begun = waiting(service)
    if begun is None or not begun.is_committed():
        return None
    _refuse_conflicts(service, begun)
    return begun.stamp


def _keep_migrations(base: Path, wanted: Path) -> None:
    """Keep every migration: databases may have applied it, and others may follow it."""
    for path in base.glob('*/migrations/*.py'):
        kept = wanted / path.relative_to(base)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept)


def _settle(service: Path, after: Stamp, apart: tuple[str, ...] = ()) -> Updated:
    """Write the new stamp, or store it until conflicts are resolved; return the result."""
    before, left_out = read_stamp(service), (*keep_deleted(service), *apart)
    if resolved := keep_added(service):
        tidy(service, *resolved)
        git(service, 'add', '--force', '--', *resolved)
    touched = changed(service)
    if conflicts := unmerged(service):
        wait(service, after, conflicts)
    else:
        _write(service, after)
    return Updated(
        before=before, after=after, changed=touched, conflicts=conflicts, left_out=left_out
    )


def _write(service: Path, stamp: Stamp) -> None:
    """Write and stage the stamp where it differs, and end the update that waits."""
    if stamp != read_stamp(service):
        stamp.write(service)
        git(service, 'add', '--force', NAME)
    forget(service)


def _begun(service: Path) -> Begun:
    begun = waiting(service)
    if begun is None:
        raise TemplateError('no update is under way; `backstay update` starts one')
    return begun
