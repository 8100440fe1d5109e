"""git, as far as the commands here need it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from backstay.template import TemplateError

#: Who made the commits that only stand for versions of the template; nobody keeps them.
_NOBODY = {
    f'GIT_{role}_{what}': value
    for role in ('AUTHOR', 'COMMITTER')
    for what, value in (('NAME', 'backstay'), ('EMAIL', 'backstay@localhost'))
}


class GitError(TemplateError):
    """What git said when it refused."""


def git(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> str:
    """What git prints; raises GitError when it fails, with what it said."""
    ran = run_git(folder, *arguments, more=more)
    if ran.returncode:
        raise GitError(f'git {arguments[0]}: {ran.stderr.strip() or ran.stdout.strip()}')
    return ran.stdout


def run_git(
    folder: Path, *arguments: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """git in that folder, in English and without its hooks; `more` is added to its environment."""
    program = shutil.which('git')
    if program is None:
        raise TemplateError('git is not installed')
    # A hook or an alias of git's that runs us tells of its own repository in GIT_DIR and others.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith('GIT_')}
    return subprocess.run(  # noqa: S603 arguments of ours
        [program, '-c', f'core.hooksPath={os.devnull}', *arguments],
        cwd=folder,
        env={**inherited, **_NOBODY, 'LC_ALL': 'C', **(more or {})},
        capture_output=True,
        text=True,
        errors='surrogateescape',
        check=False,
    )
