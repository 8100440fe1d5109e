"""Merging the difference of two trees into a service, as git picks a commit.

git takes files that it ignores as expendable, and deletes or overwrites them. What a person keeps
outside of git is therefore looked for first, and never touched.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from backstay.template import TemplateError
from backstay.template.git import git, run_git
from backstay.template.modules import without_removed

#: The files of a tree by their paths from the top of the repository: each its mode and object.
Files = Mapping[str, tuple[str, str]]


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


def merge(service: Path, base: str, theirs: str, name: str) -> tuple[str, ...]:
    """Apply the difference from `base` to `theirs` to files and index; overlaps are conflicts.

    Returns the files that the template changed and git does not keep here: they are left as they
    are. After a TemplateError nothing has changed.
    """
    before, after = files_of(service, base), files_of(service, theirs)
    differing = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    kept_apart = in_the_way(service, differing - files_of(service, 'HEAD').keys())
    prefix = git(service, 'rev-parse', '--show-prefix').strip()
    if brought := sorted(path.removeprefix(prefix) for path in kept_apart - before.keys()):
        raise TemplateError(
            f'the template brings {", ".join(brought)}, which is here and not in git: '
            'commit it, or move it away'
        )
    if kept_apart:
        theirs = tree_with(service, theirs, {path: before[path] for path in kept_apart})
    parent = git(service, 'commit-tree', base, '-m', 'the template before').strip()
    picked = git(service, 'commit-tree', theirs, '-p', parent, '-m', name).strip()
    # New files stay where the template has them: another place was not looked at.
    there = ('-c', 'merge.directoryRenames=false')
    ran = run_git(service, *there, 'cherry-pick', '--no-commit', picked)
    if ran.returncode and not _stages(service):
        raise TemplateError(f'git could not merge: {ran.stderr.strip()}')
    return tuple(sorted(path.removeprefix(prefix) for path in kept_apart))


def keep_added(service: Path) -> tuple[str, ...]:
    """Resolve conflicts of modules that the template only shrank, and return them.

    What it took out goes, and what a person wrote beside that stays.
    """
    resolved = []
    for path, stages in _stages(service).items():
        if stages != {1, 2, 3} or not path.endswith('.py'):
            continue
        base, ours, theirs = (git(service, 'show', f':{stage}:./{path}') for stage in (1, 2, 3))
        if merged := without_removed(base, ours, theirs):
            (service / path).write_text(merged)
            git(service, 'add', '--force', '--', path)
            resolved.append(path)
    return tuple(resolved)


def keep_deleted(service: Path) -> tuple[str, ...]:
    """Keep files deleted that the service has deleted, and return them: no conflict is left."""
    deleted = tuple(path for path, stages in _stages(service).items() if stages == {1, 3})
    if deleted:
        git(service, 'rm', '--quiet', '--force', '--', *deleted)
    return deleted


def unmerged(service: Path) -> tuple[str, ...]:
    """Return the files with a conflict that is not marked as resolved."""
    return tuple(sorted(_stages(service)))


def marked(service: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return those of the files that still have the marks of a conflict."""
    marks = re.compile(rb'^(<{7}|>{7}) ', re.MULTILINE)
    found = [(name, service / name) for name in files]
    return tuple(name for name, path in found if path.is_file() and marks.search(path.read_bytes()))


def changed(service: Path, since: str = 'HEAD', until: str = '') -> tuple[str, ...]:
    """Return the files of the service that differ from a commit; here, or in another commit."""
    span = (since, until) if until else (since,)
    listed = git(service, 'diff', '--name-only', '--relative', '-z', '--no-renames', *span)
    return tuple(path for path in listed.split('\0') if path)


def files_of(service: Path, tree: str) -> Files:
    """Return the files of a tree, of the whole repository."""
    listed = git(service, 'ls-tree', '-r', '-z', '--full-tree', tree)
    pairs = (entry.partition('\t') for entry in listed.split('\0') if entry)
    return {path: (about.split()[0], about.split()[2]) for about, _, path in pairs}


def staged_in(service: Path) -> Files:
    """Return what is staged without a conflict, of the whole repository."""
    entries = _entries_of(service)
    return {path: (mode, blob) for path, mode, blob, stage in entries if stage == '0'}


def tree_with(service: Path, tree: str, files: Files, without: Iterable[str] = ()) -> str:
    """Return a tree, by its full name, with these files added or replaced and others missing."""
    removed = {path: ('0', '0' * len(tree)) for path in without}
    with TemporaryDirectory(prefix='backstay-index-') as temporary:
        index = {'GIT_INDEX_FILE': f'{temporary}/index'}
        git(top_of(service), 'read-tree', tree, more=index)
        _enter(service, {**removed, **files}, index)
        return git(service, 'write-tree', more=index).strip()


def tree_here(service: Path, *trees: str) -> str:
    """Return a tree of the files as they are, as far as one of the trees or the index has them.

    What git is told to overlook is read too.
    """
    known: dict[str, tuple[str, str]] = {}
    for tree in trees:
        known.update(files_of(service, tree))
    known.update({path: (mode, blob) for path, mode, blob, _ in _entries_of(service)})
    top = top_of(service)
    with TemporaryDirectory(prefix='backstay-index-') as temporary:
        index = {'GIT_INDEX_FILE': f'{temporary}/index'}
        _enter(service, known, index)
        git(top, 'add', '--update', more=index)
        return git(top, 'write-tree', more=index).strip()


def in_the_way(service: Path, paths: Iterable[str]) -> set[str]:
    """Return those of the paths where something is that would have to go for a file of git."""
    top, found = top_of(service), set()
    for path in paths:
        place = top / path
        above = [each for each in place.parents if each.is_relative_to(top) and each != top]
        is_above = any(each.is_symlink() or each.is_file() for each in above)
        if is_above or place.is_symlink() or place.exists():
            found.add(path)
    return found


def top_of(service: Path) -> Path:
    """Return the top of the repository that the service is in."""
    return Path(git(service, 'rev-parse', '--show-toplevel').removesuffix('\n'))


def _entries_of(service: Path) -> list[tuple[str, str, str, str]]:
    """Return the index of the whole repository: path, mode, object and stage of each entry."""
    listed = git(top_of(service), 'ls-files', '--stage', '-z')
    pairs = (entry.partition('\t') for entry in listed.split('\0') if entry)
    split = ((path, about.split()) for about, _, path in pairs)
    return [(path, mode, blob, stage) for path, (mode, blob, stage) in split]


def _enter(service: Path, files: Files, index: Mapping[str, str]) -> None:
    """Enter the files into an index; one of mode 0 is taken out."""
    lines = ''.join(f'{mode} {blob}\t{path}\0' for path, (mode, blob) in files.items())
    take = ('update-index', '--add', '--replace', '-z', '--index-info')
    git(top_of(service), *take, more=index, said=lines)


def _stages(service: Path) -> dict[str, set[int]]:
    """Return for each file with a conflict its stages: base (1), ours (2) and theirs (3)."""
    found: dict[str, set[int]] = {}
    for entry in git(service, 'ls-files', '--unmerged', '-z').split('\0'):
        if entry:
            details, _, path = entry.partition('\t')
            found.setdefault(path, set()).add(int(details.split()[2]))
    return found
