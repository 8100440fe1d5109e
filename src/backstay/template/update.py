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
from backstay.template.earlier import earlier_template
from backstay.template.git import git, run_git
from backstay.template.merging import changed, keep_deleted, marked, merge, tree_of, unmerged
from backstay.template.rendering import HERE, questions_of, render
from backstay.template.stamp import NAME, Stamp, read_stamp


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
    if Version(version) < Version(before.version):
        raise TemplateError(
            f'backstay {before.version} wrote this service, and {version} is installed: '
            'install a newer one, `make lock` and `make`'
        )
    _refuse_unless_committed(service)
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
            return Updated(before=before, after=after)
        earlier = template
        if before.version != version:
            earlier = stack.enter_context(earlier_template(before, service))
        render(earlier, base, before.answers, version=before.version)
        _keep_migrations(base, wanted)
        merge(service, tree_of(service, base), tree_of(service, wanted), f'backstay {version}')
    return _settle(service, before, after)


def finish(service: Path) -> Updated:
    """Write the new stamp once no conflict of the update is left."""
    before, pending = read_stamp(service), _waiting(service)
    conflicts = {*unmerged(service), *marked(service, changed(service))}
    if conflicts:
        raise TemplateError(
            f'conflicts are left in {", ".join(sorted(conflicts))}: '
            'resolve them, `git add` the files, and come again'
        )
    touched = changed(service)
    (service / NAME).write_text(pending.read_text())
    git(service, 'add', '--force', NAME)
    pending.unlink()
    return Updated(before=before, after=read_stamp(service), changed=touched)


def abort(service: Path) -> None:
    """Restore the files as they were when the update began."""
    pending = _waiting(service)
    git(service, 'reset', '--quiet', '--hard', 'HEAD')
    pending.unlink()


def is_under_way(service: Path) -> bool:
    """Whether an update of the service waits for its conflicts to be resolved."""
    return _pending(service).exists()


def _refuse_unless_committed(service: Path) -> None:
    """Raise TemplateError unless git keeps the service and nothing in it is uncommitted."""
    git(service, 'rev-parse', '--git-dir')  # or git says what is wrong with it
    if run_git(service, 'rev-parse', '--verify', '--quiet', 'HEAD').returncode:
        raise TemplateError('nothing is committed yet; an update compares with what is')
    if is_under_way(service) and unmerged(service):
        raise TemplateError('an update is under way: end it with --continue or --abort')
    if git(service, 'status', '--porcelain', '--untracked-files=no'):
        raise TemplateError('there are changes that are not committed; commit or stash them first')


def _keep_migrations(base: Path, wanted: Path) -> None:
    """Keep every migration: databases may have applied it, and others may follow it."""
    for path in base.glob('*/migrations/*.py'):
        kept = wanted / path.relative_to(base)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept)


def _settle(service: Path, before: Stamp, after: Stamp) -> Updated:
    """Write the new stamp, or store it until conflicts are resolved; return the result."""
    left_out, touched = keep_deleted(service), changed(service)
    if conflicts := unmerged(service):
        _pending(service).write_text(after.text())
    else:
        after.write(service)
        git(service, 'add', '--force', NAME)
    return Updated(
        before=before, after=after, changed=touched, conflicts=conflicts, left_out=left_out
    )


def _pending(service: Path) -> Path:
    """Return the path in git's own folder where the new stamp waits during conflicts."""
    place = git(service, 'rev-parse', '--git-path', 'backstay-update.yaml').strip()
    return service / place


def _waiting(service: Path) -> Path:
    pending = _pending(service)
    if not pending.exists():
        raise TemplateError('no update is under way; `backstay update` starts one')
    return pending
