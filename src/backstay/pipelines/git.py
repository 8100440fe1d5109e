"""A git repository: its tags, the commits since one, and claiming a version by its tag."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.versions import ReleasedCommit, Version, parse


class Repository:
    """A checkout with its whole history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def versions(self, reached_from: str = 'HEAD') -> list[Version]:
        """Return the versions whose tags a commit descends from, the lowest first."""
        tags = self._run('tag', '--merged', reached_from).split()
        return sorted(version for tag in tags if (version := parse(tag)))

    def version_here(self) -> Version | None:
        """Return the version whose tag is at exactly this commit."""
        here = [parse(tag) for tag in self._run('tag', '--points-at', 'HEAD').split()]
        return max((version for version in here if version), default=None)

    def commits_since(
        self, version: Version | None, shipped: Sequence[str]
    ) -> list[ReleasedCommit]:
        """Return the commits after a version, the newest first; all of them without one.

        `shipped` are the folders and files that a release consists of.
        """
        reach = f'{version.tag}..HEAD' if version else 'HEAD'
        ours = (
            {*self._run('log', '--format=%H', reach, '--', *shipped).split()} if shipped else None
        )
        log = self._run('log', '--no-merges', '-z', '--format=%H%n%B', reach)
        pairs = (each.partition('\n') for each in log.split('\0') if each)
        return [
            ReleasedCommit(sha=sha, message=message.strip(), is_shipped=ours is None or sha in ours)
            for sha, _, message in pairs
        ]

    def head(self) -> str:
        """Return the commit that is checked out."""
        return self._run('rev-parse', 'HEAD').strip()

    def committed_at(self) -> int:
        """Return the time of the commit in seconds since 1970."""
        return int(self._run('log', '-1', '--format=%ct'))

    def claim(self, version: Version, remote: str = 'origin') -> bool:
        """Push the tag of a version for this commit; return False when it is here already.

        A tag cannot be pushed twice, so only one of two releases gets the version. Raises
        RefusedError for the other.
        """
        head = self.head()
        listed = self._run('ls-remote', '--tags', remote, f'refs/tags/{version.tag}').split()
        if listed:
            if listed[0] == head:
                return False
            raise RefusedError(f'{version.tag} stands at another commit; run the newest release')
        self._run('push', remote, f'{head}:refs/tags/{version.tag}')
        return True

    def move(self, tag: str, remote: str = 'origin') -> None:
        """Move a tag such as `v1` to this commit, wherever it was before."""
        self._run('push', '--force', remote, f'{self.head()}:refs/tags/{tag}')

    def _run(self, *arguments: str) -> str:
        ran = subprocess.run(  # noqa: S603 arguments are a list, and git takes none as an option
            ['git', *arguments],  # noqa: S607 the machine's own
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise RefusedError(f'git {arguments[0]}: {ran.stderr.strip()}')
        return ran.stdout
