"""git, as far as the commands here need it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from backstay.template import TemplateError

#: The author of the commits that only stand for versions of the template; nobody keeps them.
_NOBODY = {
    f'GIT_{role}_{what}': value
    for role in ('AUTHOR', 'COMMITTER')
    for what, value in (('NAME', 'backstay'), ('EMAIL', 'backstay@localhost'))
}


class GitError(TemplateError):
    """The message of git when it fails."""


def git(
    folder: Path, *arguments: str, more: Mapping[str, str] | None = None, said: str | None = None
) -> str:
    """Return git's output; raise GitError with its message when it fails."""
    ran = run_git(folder, *arguments, more=more, said=said)
    if ran.returncode:
        raise GitError(f'git {arguments[0]}: {ran.stderr.strip() or ran.stdout.strip()}')
    return ran.stdout


def run_git(
    folder: Path, *arguments: str, more: Mapping[str, str] | None = None, said: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run git in the folder, in English and without hooks.

    `more` extends its environment, and `said` is its input.
    """
    program = shutil.which('git')
    if program is None:
        raise TemplateError('git is not installed')
    # A hook or an alias of git that runs us sets GIT_DIR and others to its own repository.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith('GIT_')}
    return subprocess.run(  # noqa: S603 arguments of ours
        [program, '-c', f'core.hooksPath={os.devnull}', *arguments],
        cwd=folder,
        env={**inherited, **_NOBODY, 'LC_ALL': 'C', **(more or {})},
        input=said,
        capture_output=True,
        text=True,
        errors='surrogateescape',
        check=False,
    )
