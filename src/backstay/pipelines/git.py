"""A git repository: its tags, the commits since one, and claiming a version by its tag."""

from collections.abc import Sequence
from pathlib import Path

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.programs import run
from backstay.pipelines.versions import ReleasedCommit, Version, parse

#: What a release consists of unless a pipeline says more, as pathspecs of git.
_SHIPPED = (
    '.',
    *(
        f':(exclude){path}'
        for path in (
            '*.md',
            'LICENSE*',
            'docs',
            'tests',
            '.github',
            '.gitignore',
            '.pre-commit-config.yaml',
            '.backstay.yaml',
            'requirements/dev.lock',
            'compose.yaml',
        )
    ),
)


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

        `shipped` are the folders and files that a release consists of; by default all but
        documents, tests, and what is for GitHub and for developers alone.
        """
        reach = f'{version.tag}..HEAD' if version else 'HEAD'
        ours = {*self._run('log', '--format=%H', reach, '--', *(shipped or _SHIPPED)).split()}
        log = self._run('log', '--no-merges', '-z', '--format=%H%n%B', reach)
        pairs = (each.partition('\n') for each in log.split('\0') if each)
        return [
            ReleasedCommit(sha=sha, message=message.strip(), is_shipped=sha in ours)
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
        if there := self._tagged(version.tag, remote):
            if there == head:
                return False
            raise RefusedError(f'{version.tag} stands at another commit; run the newest release')
        self._run('push', remote, f'{head}:refs/tags/{version.tag}')
        return True

    def move_forward(self, tag: str, remote: str = 'origin') -> bool:
        """Move a tag such as `v1` to this commit; return False where it stands at a later one.

        It never goes back, whichever release is repeated. Raises RefusedError where it stands at a
        commit of another history, and where another run moves it at the same time.
        """
        head, there = self.head(), self._tagged(tag, remote)
        if there == head:
            return True
        if there:
            self._run('fetch', '--quiet', '--no-tags', remote, f'refs/tags/{tag}')
            if self._has(ancestor=head, commit=there):
                return False
            if not self._has(ancestor=there, commit=head):
                raise RefusedError(f'{tag} stands at {there[:9]}, which this branch does not have')
        # What was looked at must still be there: of two runs at once only one may push.
        seen = self._listed(remote, f'refs/tags/{tag}').get(f'refs/tags/{tag}', '')
        lease = f'--force-with-lease=refs/tags/{tag}:{seen}'
        self._run('push', lease, remote, f'{head}:refs/tags/{tag}')
        return True

    def _tagged(self, tag: str, remote: str) -> str:
        """Return the commit of a tag, annotated or not; empty where the remote has none."""
        name = f'refs/tags/{tag}'
        listed = self._listed(remote, name, f'{name}^{{}}')
        return listed.get(f'{name}^{{}}') or listed.get(name, '')

    def _listed(self, remote: str, *names: str) -> dict[str, str]:
        pairs = (line.split() for line in self._run('ls-remote', remote, *names).splitlines())
        return {name: commit for commit, name in pairs}

    def _has(self, *, ancestor: str, commit: str) -> bool:
        return self._run('rev-list', '--max-count=1', ancestor, f'^{commit}') == ''

    def _run(self, *arguments: str) -> str:
        ran = run(['git', *arguments], self.folder)
        if ran.returncode:
            raise RefusedError(f'git {arguments[0]}: {ran.stderr.strip()}')
        return ran.stdout
