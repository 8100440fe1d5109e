"""The decision whether a run of a pipeline makes a release, and of which version.

The commits since the last release decide, and a tag claims the version before anything is
published. A run that failed after that finds the tag at its commit, and finishes the same version.
No commit is made: protected branches stay as they are.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.git import Repository
from backstay.pipelines.github import variable
from backstay.pipelines.versions import FIRST, Bump, ReleasedCommit, Version, bump_of, notes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version to release; without a version, the reason why nothing is released."""

    version: Version | None
    reason: str
    notes: str = ''
    #: Whether an earlier run has claimed the version and may have done a part of the rest.
    is_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The trigger of a pipeline, from GitHub's variables (`GITHUB_*`) and its event file."""

    event: str
    ref: str
    default_branch: str
    is_fork: bool = False
    is_template: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> 'Occasion':
        """Return the occasion of the run that these variables belong to."""
        payload: Any = json.loads(Path(variable('GITHUB_EVENT_PATH', environment)).read_text())
        repository = payload.get('repository', {})
        return cls(
            event=variable('GITHUB_EVENT_NAME', environment),
            ref=variable('GITHUB_REF', environment),
            default_branch=repository.get('default_branch', 'main'),
            is_fork=bool(repository.get('fork')),
            is_template=bool(repository.get('is_template')),
        )

    def why_not(self) -> str:
        """Return the reason against a release; empty when there is none."""
        if self.event not in ('push', 'workflow_dispatch'):
            return f'a {self.event} releases nothing'
        if self.ref != f'refs/heads/{self.default_branch}':
            return f'only {self.default_branch} is released, not {self.ref}'
        if self.is_fork:
            return 'a fork releases nothing'
        return 'a template releases nothing' if self.is_template else ''


def plan(
    occasion: Occasion,
    repository: Repository,
    shipped: Sequence[str] = (),
    published: Collection[Version] | None = None,
) -> Release:
    """Return the release of this run.

    `published` are the versions that GitHub has a release of; None takes every tag for one. What
    was claimed by its tag and never published is part of this release: its commits and its notes.
    """
    if reason := occasion.why_not():
        return Release(version=None, reason=reason)
    here = repository.version_here()
    claimed = [version for version in repository.versions() if version != here]
    last = claimed[-1] if claimed else None
    told = [version for version in claimed if published is None or version in published]
    base = told[-1] if told else None
    commits = repository.commits_since(base, shipped)
    if here:
        reason = f'{here} was claimed by an earlier run'
        return Release(version=here, reason=reason, notes=notes_of(commits), is_again=True)
    found = following(base, commits)
    if last is None or last == base or found.version is None:
        return found
    newest = bump_of(repository.commits_since(last, shipped))
    version = max(found.version, last.moved(max(newest, Bump.PATCH)))
    reason = f'{found.reason}; {last} was claimed and not published'
    return Release(version=version, reason=reason, notes=found.notes)


def following(last: Version | None, commits: Sequence[ReleasedCommit]) -> Release:
    """Return the release after the last one, if the commits change what is released."""
    bump = bump_of(commits)
    if bump is Bump.NONE:
        since = f'since {last}' if last else 'yet'
        return Release(version=None, reason=f'no commit {since} changes what is released')
    version = last.moved(bump) if last else FIRST
    return Release(
        version=version, reason=f'{bump.name.lower()} after {last}', notes=notes_of(commits)
    )


#: The files with a package's version, each with a pattern of its line; groups 1 and 2 are kept.
_PLACES = {
    'pyproject.toml': r"^(version = )(['\"])[^'\"]*\2$",
    'src/backstay/__init__.py': r"^(__version__ = )(['\"])[^'\"]*\2$",
}


def stamp(folder: Path, version: Version) -> list[str]:
    """Write the version into the files of the package, and return their names."""
    for name, pattern in _PLACES.items():
        path = folder / name
        text, found = re.subn(
            pattern, rf'\g<1>\g<2>{version}\g<2>', path.read_text(), count=1, flags=re.MULTILINE
        )
        if not found:
            raise RefusedError(f'{name} says no version')
        path.write_text(text)
    return [*_PLACES]
