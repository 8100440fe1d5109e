"""The weekly pull request of a service: newer packages, the newer platform, and its template.

It has one branch and one pull request, which each run writes anew. The service is not touched
otherwise, and nothing is merged.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.programs import run
from backstay.pipelines.versions import Version, parse

BRANCH = 'backstay/upkeep'
_NAME, _ADDRESS = 'github-actions[bot]', '41898282+github-actions[bot]@users.noreply.github.com'
_REQUIREMENT = re.compile(r'(?P<name>backstay\[[^\]]*\])>=(?P<least>[\d.]+),<(?P<below>[\d.]+)')
#: The words of `backstay update` where there are conflicts.
_CONFLICTS = 'with conflicts in:'


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The versions that a run has found to raise."""

    #: A line of Markdown for each thing; empty when everything is current.
    lines: tuple[str, ...]

    @property
    def body(self) -> str:
        """The text of the pull request."""
        listed = '\n'.join(f'* {line}' for line in self.lines)
        return f'{listed}\n\nWritten anew every week, so do not build on this branch.\n'


def raise_all(folder: Path) -> Raised:
    """Commit what can be raised on a branch of its own, on top of what is checked out."""
    _git(folder, 'checkout', '--quiet', '-B', BRANCH)
    lines = []
    if newest := _newest(folder):
        lines += _raise_requirement(folder, newest)
    _make(folder, 'lock')
    if _commit(folder, 'build: lock newer packages'):
        lines.append('Packages are locked in newer versions.')
    updated = _run(folder, 'make', 'update')
    if updated.returncode == 0:
        if _git(folder, 'status', '--porcelain', '--untracked-files=no'):
            _make(folder, 'lock')
            _commit(folder, 'chore: follow the newer template')
            lines.append('The files follow the newer template.')
    elif _CONFLICTS in updated.stdout:
        conflicts = updated.stdout.partition(_CONFLICTS)[2].split('Resolve them')[0].split()
        _git(folder, 'reset', '--quiet', '--hard')
        named = ', '.join(f'`{path}`' for path in conflicts)
        lines.append(f'The newer template changes what you changed too, in {named}: `make update`.')
    else:
        raise RefusedError(f'make update: {(updated.stdout + updated.stderr).strip()[-2_000:]}')
    return Raised(lines=tuple(lines))


def propose(folder: Path, raised: Raised, base: str) -> str:
    """Push the branch, and open its pull request or write its text anew; return what was done."""
    if not raised.lines:
        return 'everything is current'
    _git(folder, 'push', '--quiet', '--force', 'origin', f'HEAD:refs/heads/{BRANCH}')
    listed = _gh(folder, 'pr', 'list', '--head', BRANCH, '--state', 'open', '--json', 'number')
    open_ones = json.loads(listed)
    if open_ones:
        number = str(open_ones[0]['number'])
        _gh(folder, 'pr', 'edit', number, '--body', raised.body)
        return f'wrote pull request {number} anew'
    title = ('--title', 'chore: raise the platform and other packages')
    return _gh(
        folder, 'pr', 'create', '--head', BRANCH, '--base', base, *title, '--body', raised.body
    ).strip()


def _newest(folder: Path) -> Version | None:
    """Return the newest version of the platform that the index has; None without an index."""
    uv = Path(sys.executable).with_name('uv')
    compiled = ('pip', 'compile', '--quiet', '--no-deps', '--no-header', '--no-annotate', '-')
    ran = _run(folder, str(uv) if uv.exists() else 'uv', *compiled, said='backstay')
    found = re.search(r'^backstay==(\S+)', ran.stdout, re.MULTILINE)
    return parse(found[1]) if ran.returncode == 0 and found else None


def _raise_requirement(folder: Path, newest: Version) -> list[str]:
    """Let the service have the newest platform where its requirement excludes it."""
    path = folder / 'pyproject.toml'
    below = f'0.{newest.minor + 1}' if newest.major == 0 else f'{newest.major + 1}'
    text = path.read_text()
    wanted = _REQUIREMENT.sub(rf'\g<name>>={newest},<{below}', text)
    asked = _REQUIREMENT.search(text)
    if asked is None:
        return []
    bound = [int(part) for part in asked['below'].split('.')]
    if [newest.major, newest.minor, newest.patch][: len(bound)] < bound:
        return []
    path.write_text(wanted)
    return [f'The platform is raised to {newest}, which `{asked[0]}` excluded: read its changelog.']


def _commit(folder: Path, message: str) -> bool:
    """Commit every change of a tracked file; return whether there was any."""
    if not _git(folder, 'status', '--porcelain', '--untracked-files=no'):
        return False
    _git(folder, 'commit', '--quiet', '--all', '--message', message)
    return True


def _make(folder: Path, verb: str) -> None:
    ran = _run(folder, 'make', verb)
    if ran.returncode:
        raise RefusedError(f'make {verb}: {(ran.stdout + ran.stderr).strip()[-2_000:]}')


def _git(folder: Path, *arguments: str) -> str:
    who = ('-c', f'user.name={_NAME}', '-c', f'user.email={_ADDRESS}')
    ran = _run(folder, 'git', *who, *arguments)
    if ran.returncode:
        raise RefusedError(f'git {arguments[0]}: {ran.stderr.strip()}')
    return ran.stdout


def _gh(folder: Path, *arguments: str) -> str:
    ran = _run(folder, 'gh', *arguments)
    if ran.returncode:
        raise RefusedError(f'gh {" ".join(arguments[:2])}: {ran.stderr.strip()}')
    return ran.stdout


def _run(folder: Path, *command: str, said: str = '') -> subprocess.CompletedProcess[str]:
    """Run a program in English; without what tells make that it was called by another make."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith('MAKE')}
    return run(command, folder, said=said, environment={**inherited, 'LC_ALL': 'C'})
