"""An update that waits for a person to resolve its conflicts, and the way back from it.

It is one commit that nobody sees: its tree is what the update left in the files, its parent is
where the update began, and its message is the stamp that the service gets. From these three follows
what a person has written since, and that is never thrown away.
"""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from backstay.template import TemplateError
from backstay.template.git import git, run_git
from backstay.template.merging import (
    changed,
    files_of,
    in_the_way,
    staged_in,
    top_of,
    tree_here,
    tree_with,
    unmerged,
)
from backstay.template.stamp import Stamp, parse_stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An update that has begun and is not ended."""

    service: Path
    #: The stamp that the service gets at the end.
    stamp: Stamp
    #: The commit in which it began.
    began: str
    #: The tree of all files as the update left them, with the marks of conflicts.
    left: str
    #: The files that it left with conflicts.
    conflicts: tuple[str, ...]

    def is_here(self) -> bool:
        """Return whether the work tree has any of it still; a reset or a stash takes it away.

        When there was nothing but conflicts, all may have been resolved by what was there before.
        """
        touched = self._touched()
        if unmerged(self.service) or touched <= {*self.conflicts}:
            return True
        return bool({*changed(self.service, self.began)} & touched)

    def is_committed(self) -> bool:
        """Return whether it is in a commit on top of the one in which it began."""
        head = _head(self.service)
        if head == self.began or not self._is_below(head):
            return False
        return bool({*changed(self.service, self.began, 'HEAD')} & self._touched())

    def is_on_this_branch(self) -> bool:
        """Return whether HEAD has the commit in which it began."""
        return self._is_below('HEAD')

    def written_since(self, here: str) -> tuple[str, ...]:
        """Return the files that a person changed since, in the tree `here` or by staging."""
        began, left = files_of(self.service, self.began), files_of(self.service, self.left)
        now, staged = files_of(self.service, here), staged_in(self.service)
        return tuple(
            path
            for path in sorted({*began, *left, *now, *staged})
            if now.get(path) not in (began.get(path), left.get(path))
            or (
                path in staged
                and staged[path] not in (began.get(path), left.get(path), now.get(path))
            )
        )

    def undo(self, *, stash: bool) -> tuple[str, ...]:
        """Restore the files as they were when it began, and forget it.

        What a person wrote since is a reason to refuse, or goes into git's stash with `stash`; the
        files are returned. After a TemplateError nothing has changed.
        """
        is_elsewhere = _head(self.service) != self.began
        if is_elsewhere and self.is_here():
            raise TemplateError(
                f'the update began at {self.began[:9]}, and commits have been made since: '
                '`git revert` undoes one; `backstay update --continue` ends the update'
            )
        here = tree_here(self.service, self.began, self.left)
        written = self.written_since(here)
        if is_elsewhere or (written and not self.is_here()):
            forget(self.service)
            raise TemplateError('no update is under way: nothing of the last one is here any more')
        if written and not stash:
            raise TemplateError(
                f'since the update began you have changed {", ".join(written)}: '
                '`backstay update --abort --stash` puts that into the stash first'
            )
        missing = files_of(self.service, self.began).keys() - files_of(self.service, here).keys()
        if hidden := in_the_way(self.service, missing):
            raise TemplateError(
                f'{", ".join(sorted(hidden))} cannot be brought back: something that is not in '
                'git is in its place; move it away'
            )
        if written:
            self._store(here)
        self._restore(here)
        forget(self.service)
        return written

    def _touched(self) -> set[str]:
        """Return the files of the service that the update left different."""
        return {*changed(self.service, self.began, self.left)}

    def _is_below(self, commit: str) -> bool:
        ran = run_git(self.service, 'merge-base', '--is-ancestor', self.began, commit)
        return ran.returncode == 0

    def _store(self, here: str) -> None:
        """Put files and index into the stash, as `git stash` does where there is no conflict."""
        staged, before = staged_in(self.service), files_of(self.service, self.began)
        gone = before.keys() - staged.keys() - {*unmerged(top_of(self.service))}
        index = tree_with(self.service, self.began, staged, without=gone)
        told = f'backstay update --abort: the update to {self.stamp.version}, and work since'
        staging = _commit(self.service, index, told, self.began)
        work = _commit(self.service, here, told, self.began, staging)
        git(self.service, 'stash', 'store', '--message', told, work)

    def _restore(self, here: str) -> None:
        """Go from the tree `here`, which the files are, to where the update began.

        git is told that all of `here` is staged, and then checks out: unlike a reset it refuses
        where that would overwrite what it does not know.
        """
        index = self.service / git(self.service, 'rev-parse', '--git-path', 'index').strip()
        with TemporaryDirectory(prefix='backstay-index-') as temporary:
            kept = shutil.copy2(index, temporary)
            try:
                git(self.service, 'read-tree', here)
                git(self.service, 'update-index', '-q', '--refresh')
                git(self.service, 'read-tree', '-m', '-u', here, self.began)
            except TemplateError:
                shutil.copy2(kept, index)
                raise
        if run_git(self.service, 'rev-parse', '--verify', '--quiet', 'MERGE_HEAD').returncode:
            # What git would propose as the message of the next commit.
            message = git(self.service, 'rev-parse', '--git-path', 'MERGE_MSG').strip()
            (self.service / message).unlink(missing_ok=True)


def waiting(service: Path) -> Begun | None:
    """Return the update of the service that waits; None when there is none."""
    ran = run_git(service, 'log', '-1', '--format=%P%n%T%n%B', _ref(service), '--')
    if ran.returncode:
        return None
    began, left, message = ran.stdout.split('\n', 2)
    return Begun(
        service=service,
        stamp=parse_stamp(message),
        began=began,
        left=left,
        conflicts=tuple(yaml.safe_load(message)['conflicts']),
    )


def wait(service: Path, stamp: Stamp, conflicts: tuple[str, ...]) -> None:
    """Remember the update that has just left the files as they are."""
    began = _head(service)
    told = yaml.safe_dump({'conflicts': [*conflicts]})
    kept = _commit(service, tree_here(service, began), stamp.text() + told, began)
    git(service, 'update-ref', _ref(service), kept)


def forget(service: Path) -> None:
    """Forget the update that waits, if there is one."""
    git(service, 'update-ref', '-d', _ref(service))


def _ref(service: Path) -> str:
    """Return the name under which the update of this service waits in this work tree."""
    prefix = git(service, 'rev-parse', '--show-prefix').strip()
    return f'refs/worktree/backstay/{hashlib.sha256(prefix.encode()).hexdigest()[:16]}'


def _head(service: Path) -> str:
    return git(service, 'rev-parse', '--verify', 'HEAD').strip()


def _commit(service: Path, tree: str, message: str, *parents: str) -> str:
    named: Iterable[str] = (word for parent in parents for word in ('-p', parent))
    return git(service, 'commit-tree', tree, *named, '-m', message).strip()
