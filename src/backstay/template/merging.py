"""Merging the difference of two trees into a service, as git picks a commit."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from backstay.template import TemplateError
from backstay.template.git import git, run_git


def tree_of(service: Path, rendered: Path) -> str:
    """Return the files as a tree of the service's repository, in the place of the service."""
    directory = git(service, 'rev-parse', '--absolute-git-dir').strip()
    prefix = git(service, 'rev-parse', '--show-prefix').strip()
    with TemporaryDirectory(prefix='backstay-index-') as temporary:
        there = ('--git-dir', directory, '--work-tree', str(rendered))
        index = {'GIT_INDEX_FILE': f'{temporary}/index'}
        # Forced, because a person's own settings may ignore files, such as every folder called env.
        git(rendered, *there, 'add', '--all', '--force', '.', more=index)
        tree = git(rendered, *there, 'write-tree', more=index).strip()
        if not prefix:
            return tree
        nested = {'GIT_INDEX_FILE': f'{temporary}/nested'}
        git(service, 'read-tree', f'--prefix={prefix}', tree, more=nested)
        return git(service, 'write-tree', more=nested).strip()


def merge(service: Path, base: str, theirs: str, name: str) -> None:
    """Apply the difference from `base` to `theirs` to files and index; overlaps are conflicts.

    After a TemplateError nothing has changed.
    """
    parent = git(service, 'commit-tree', base, '-m', 'the template before').strip()
    picked = git(service, 'commit-tree', theirs, '-p', parent, '-m', name).strip()
    ran = run_git(service, 'cherry-pick', '--no-commit', picked)
    if ran.returncode and not _stages(service):
        raise TemplateError(f'git could not merge: {ran.stderr.strip()}')


def keep_deleted(service: Path) -> tuple[str, ...]:
    """Keep files deleted that the service has deleted, and return them: no conflict is left."""
    deleted = tuple(path for path, stages in _stages(service).items() if stages == {1, 3})
    if deleted:
        git(service, 'rm', '--quiet', '--force', '--', *deleted)
    return deleted


def unmerged(service: Path) -> tuple[str, ...]:
    """Return the files with a conflict that is not marked as resolved."""
    return tuple(sorted(_stages(service)))


def marked(service: Path, files: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the files that still have the marks of a conflict."""
    marks = re.compile(rb'^(<{7}|>{7}) ', re.MULTILINE)
    found = [(name, service / name) for name in files]
    return tuple(name for name, path in found if path.is_file() and marks.search(path.read_bytes()))


def changed(service: Path) -> tuple[str, ...]:
    """Return the files that differ from the last commit."""
    listed = git(service, 'diff', '--name-only', '--relative', '-z', 'HEAD')
    return tuple(path for path in listed.split('\0') if path)


def _stages(service: Path) -> dict[str, set[int]]:
    """Return for each file with a conflict its stages: base (1), ours (2) and theirs (3)."""
    found: dict[str, set[int]] = {}
    for entry in git(service, 'ls-files', '--unmerged', '-z').split('\0'):
        if entry:
            details, _, path = entry.partition('\t')
            found.setdefault(path, set()).add(int(details.split()[2]))
    return found
