"""Updates among whatever a person does with files and git: nothing that they wrote is lost.

What a person may have written is every file of the work tree, tracked or not, and everything that
is staged. After each command of ours each of these contents is in the work tree, the index, a
commit or the stash; a command that refuses has changed nothing.

    pytest tests/template/test_update_loses_nothing.py               a few, the same each time
    PROVE=1 pytest tests/template/test_update_loses_nothing.py -s    300 others
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backstay.template import TemplateError
from backstay.template.git import git, run_git
from backstay.template.rendering import render
from backstay.template.stamp import NAME, Stamp, read_stamp
from backstay.template.update import abort, finish, is_under_way, update
from tests.proofs import SHARE, record_proof, size
from tests.template.services import ANSWERS, wheel

EXAMPLES = size(0, 300)
PROFILE = settings(
    max_examples=EXAMPLES or 2,
    stateful_step_count=25 if EXAMPLES else 12,
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    phases=(Phase.generate,),  # shortening a sequence takes minutes
    suppress_health_check=list(HealthCheck),
)

#: What each version of the template writes: changed, moved, new and deleted files.
LINES = [f'line {number}\n' for number in range(12)]
VERSIONS = {
    '1.0.0': {
        'Makefile': ['VERSION := 1\n', *LINES],
        'app/models.py': ['size = 50\n', *LINES, 'end = 1\n'],
        'local.conf': ['mode = 1\n'],
        'old.txt': LINES,
        '.gitignore': ['/var/\n', '*.conf\n'],
    },
    '2.0.0': {
        'Makefile': ['VERSION := 2\n', *LINES],
        'app/models.py': ['size = 60\n', *LINES, 'end = 1\n'],
        'local.conf': ['mode = 2\n'],
        '.gitignore': ['/var/\n', '*.conf\n'],
        'LICENSE': ['Ours.\n'],
        'docs/guide.md': LINES,
    },
    '3.0.0': {
        'Makefile': ['VERSION := 3\n', *LINES],
        'app/models.py': ['size = 70\n', *LINES, 'end = 3\n'],
        'local.conf': ['mode = 3\n'],
        '.gitignore': ['/var/\n', '*.conf\n', '/kept/\n'],
        'docs/guide.md': [*LINES, 'more\n'],
        'var/new.conf': ['ignored\n'],
    },
}
QUESTIONS = """\
_subdirectory: service
organisation: {type: str}
service: {type: str}
"""
#: What a person writes to: files of the template, files that it will bring, others, and what is
#: ignored; folders in the place of files and files in the place of folders.
PATHS = st.sampled_from(
    (
        'Makefile',
        'app/models.py',
        'local.conf',
        'old.txt',
        'LICENSE',
        'docs/guide.md',
        'docs',
        'LICENSE/mine',
        'var/new.conf',
        'var',
        'mine.txt',
        'app/mine.conf',
        NAME,
    )
)
ACTS = st.sampled_from(('delete', 'untrack', 'move', 'overlook', 'add', 'force'))
VERSION = st.sampled_from(('2.0.0', '3.0.0'))
OWN = st.sampled_from((None, 'local.conf', 'LICENSE', 'var/new.conf', 'docs', 'var'))
WAYS = st.sampled_from(('continue', 'abort', 'abort --stash'))
#: The commands that were run, and how they ended.
COUNTS: Counter[str] = Counter()


class Templates:
    """Every version of the template, its wheel, and a service of the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for version, files in VERSIONS.items():
            template = folder / version
            (template / 'service').mkdir(parents=True)
            (template / 'copier.yml').write_text(QUESTIONS)
            for name, lines in files.items():
                write(template / 'service' / name, ''.join(lines))
            wheel(template, version, folder / 'wheels')
        self.service = folder / 'service'
        given = render(folder / '1.0.0', self.service, ANSWERS, version='1.0.0')
        Stamp(version='1.0.0', answers=given).write(self.service)
        git(self.service, 'init', '--quiet')
        git(self.service, 'config', 'gc.auto', '0')
        git(self.service, 'add', '--all', '--force')
        git(self.service, 'commit', '--quiet', '--message', 'written')
        git(self.service, 'tag', 'written')


TEMPLATES: list[Templates] = []


class Working(RuleBasedStateMachine):
    """A person, git and our commands, in one repository."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = TemporaryDirectory(prefix='backstay-working-')
        self.service = Path(self.temporary.name, 'service')
        shutil.copytree(TEMPLATES[0].service, self.service, symlinks=True)
        self.number = 0
        #: Whether the last command of ours has left an update that waits.
        self.waits = False

    def teardown(self) -> None:
        """From wherever that led, the newest version is within reach."""
        try:
            git(self.service, 'fsck', '--no-dangling', '--connectivity-only')
            self.look_again()
            git(self.service, 'reset', '--quiet', '--hard')
            git(self.service, 'clean', '-xdffq')
            commit_resolved(self.service)
            for _ in range(2):  # one may have ended what a person committed half way
                self._update('3.0.0')
                commit_resolved(self.service)
                if is_under_way(self.service):
                    finish(self.service)
                    commit_resolved(self.service)
            assert read_stamp(self.service).version == '3.0.0', git(self.service, 'log', '--stat')
        finally:
            self.temporary.cleanup()

    @initialize(version=VERSION, begins=st.sampled_from((True, True, False)), own=OWN)
    def begin(self, version: str, begins: bool, own: str | None) -> None:
        """Most sequences are about an update that waits, and something that git does not keep."""
        if own:
            self.touch(own, 'untrack')
            self.edit(own, 0)
        if begins:
            self.commit_and_update(version, 'Makefile')

    # What a person does.

    @rule(path=PATHS, place=st.sampled_from((0, 0, 1, 6, 13)))
    def edit(self, path: str, place: int) -> None:
        """Add a line that is nowhere else."""
        self.number += 1
        file = self.service / path
        if file.is_file():
            lines = file.read_text().splitlines(keepends=True)
            mark = '# ' if path == NAME else ''
            lines.insert(place, f'{mark}written {self.number}\n')
            file.write_text(''.join(lines))
        elif path != NAME:
            write(file, f'written {self.number}\n')

    @rule(
        path=PATHS, act=st.sampled_from(('delete', 'untrack', 'move', 'overlook', 'add', 'force'))
    )
    def touch(self, path: str, act: str) -> None:
        """Delete, move or stage a file; `git rm --cached`, by which it stays and nobody gets it."""
        if act == 'delete' and (self.service / path).is_file() and path != NAME:
            (self.service / path).unlink()
        elif act == 'untrack' and path != NAME:
            run_git(self.service, 'rm', '-r', '--quiet', '--cached', '--', path)
            run_git(self.service, 'commit', '--quiet', '--message', 'no longer tracked')
        elif act == 'move' and path != NAME:
            run_git(self.service, 'mv', path, 'moved.txt')
        elif act == 'overlook':  # what keeps a change of one's own out of every commit
            run_git(self.service, 'update-index', '--assume-unchanged', path)
        elif act in ('add', 'force'):
            run_git(self.service, 'add', *(['--force'] if act == 'force' else []), '--', path)

    @rule(
        command=st.sampled_from(
            (
                'commit --all --message work',
                'commit --message staged',
                'stash push',
                'stash push --include-untracked',
                'stash pop',
                'reset --hard',
                'reset --mixed',
                'reset --merge',
                'reset --hard HEAD~1',
                'reset --soft HEAD~1',
                'checkout -B main',
                'checkout -B topic',
                'checkout HEAD -- .',
                'reset --hard written',
                'reset --hard written',
            )
        )
    )
    def use_git(self, command: str) -> None:
        run_git(self.service, *command.split())

    def look_again(self) -> None:
        for path in tracked(self.service):
            run_git(self.service, 'update-index', '--no-assume-unchanged', '--', path)

    # Our commands.

    @rule(version=VERSION)
    def update(self, version: str) -> None:
        self._run('update', lambda: self._update(version))

    @rule(version=VERSION, conflict=st.sampled_from(('Makefile', 'app/models.py', None)))
    def commit_and_update(self, version: str, conflict: str | None) -> None:
        """As people mostly do; lines that the template changes too were edited before."""
        if conflict:
            self.edit(conflict, 0)
        self.look_again()
        commit_resolved(self.service)
        self.update(version)

    @precondition(lambda self: self.waits)
    @rule(way=WAYS)
    def end(self, way: str) -> None:
        self._end(way)

    @precondition(lambda self: self.waits)
    @rule(way=WAYS)
    def resolve_and_end(self, way: str) -> None:
        resolve(self.service)
        self._end(way)

    @rule(way=WAYS)
    def end_what_may_not_have_begun(self, way: str) -> None:
        self._end(way)

    def _update(self, version: str) -> None:
        wheels = self.service / 'wheels'
        shutil.copytree(TEMPLATES[0].folder / 'wheels', wheels)
        try:
            update(self.service, template=TEMPLATES[0].folder / version, version=version)
        finally:
            shutil.rmtree(wheels)

    def _end(self, way: str) -> None:
        if way == 'continue':
            self._run(way, lambda: finish(self.service))
        elif self._run(way, lambda: abort(self.service, stash=way == 'abort --stash')):
            assert git(self.service, 'status', '--porcelain', '--untracked-files=no') == ''

    def _run(self, name: str, command: Callable[[], object]) -> bool:
        """Run a command, and look whether everything is still there; whether it was not refused."""
        before, state = contents(self.service), state_of(self.service)
        ours = made_by_an_update(self.service)
        try:
            command()
        except TemplateError:
            COUNTS[f'{name}, refused'] += 1
            assert state_of(self.service) == state
            return False
        COUNTS[name] += 1
        self.waits = name == 'update' and is_under_way(self.service)
        kept = {*contents(self.service).values(), *committed(self.service)}
        lost = {path for path, blob in before.items() if blob not in kept | ours}
        assert not lost, lost
        return True


def write(file: Path, text: str) -> None:
    """Write a file where nothing else is in its place."""
    if file.is_dir() or any(parent.is_file() for parent in file.parents):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def tracked(service: Path) -> list[str]:
    return [path for path in git(service, 'ls-files', '-z').split('\0') if path]


def resolve(service: Path) -> None:
    """Take both sides of every conflict, and stage the files."""
    for path in {*tracked(service)}:
        file = service / path
        text = file.read_text() if file.is_file() else ''
        if '<<<<<<< ' in text:
            lines = text.splitlines(keepends=True)
            marks = ('<<<<<<< ', '=======', '>>>>>>> ')
            file.write_text(''.join(line for line in lines if not line.startswith(marks)))
    for path in {*git(service, 'diff', '--name-only', '--diff-filter=U', '-z').split('\0')} - {''}:
        git(service, 'add', '--all', '--force', '--', path)


def commit_resolved(service: Path) -> None:
    resolve(service)
    run_git(service, 'commit', '--quiet', '--all', '--message', 'resolved')


def blob_of(content: bytes) -> str:
    """The name that git gives a file."""
    header = b'blob %d\0' % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def files_here(service: Path) -> dict[str, str]:
    """Every file of the work tree, also what git ignores."""
    return {
        str(path.relative_to(service)): blob_of(path.read_bytes())
        for path in service.rglob('*')
        if path.is_file() and '.git' not in path.relative_to(service).parts
    }


def contents(service: Path) -> dict[str, str]:
    """Every content that a person may have written, by where it is: the work tree and the index."""
    staged = {
        f'staged: {path} {about}': about.split()[1]
        for about, _, path in (
            entry.partition('\t')
            for entry in git(service, 'ls-files', '--stage', '-z').split('\0')
            if entry
        )
        if about.split()[2] in '02'  # 1 and 3 are the template's
    }
    return {**files_here(service), **staged}


def committed(service: Path) -> set[str]:
    """Every object of the branches and the stash."""
    stashed = git(service, 'stash', 'list', '--format=%H').split()
    listed = git(service, 'rev-list', '--objects', 'HEAD', '--branches', *stashed)
    return {line.split(' ')[0] for line in listed.splitlines()}


def made_by_an_update(service: Path) -> set[str]:
    """What an update that waits left in the files: nobody wrote that."""
    refs = git(service, 'for-each-ref', '--format=%(objectname)', 'refs/worktree/').split()
    return {
        line.split()[2] for ref in refs for line in git(service, 'ls-tree', '-r', ref).splitlines()
    }


def state_of(service: Path) -> tuple[object, ...]:
    """What a command that refuses must leave as it was."""
    return (
        files_here(service),
        git(service, 'ls-files', '--stage'),
        git(service, 'rev-parse', 'HEAD'),
        git(service, 'stash', 'list'),
    )


@pytest.fixture(autouse=True)
def _templates(tmp_path: Path) -> Iterator[None]:
    TEMPLATES.append(Templates(tmp_path))
    yield
    TEMPLATES.clear()


def test_no_way_through_an_update_loses_what_a_person_wrote(
    request: pytest.FixtureRequest,
) -> None:
    run_state_machine_as_test(Working, settings=PROFILE)
    told = ', '.join(f'{name}: {count}' for name, count in sorted(COUNTS.items()))
    record_proof(request, f'{PROFILE.max_examples} sequences; {told}')
    assert COUNTS['update'], told
    if SHARE >= 1:
        for name in ('continue', 'abort', 'abort --stash'):
            assert COUNTS[name], told
            assert COUNTS[f'{name}, refused'], told
