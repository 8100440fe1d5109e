"""Versions (Semantic Versioning 2.0.0), and how commits move them.

A commit says what it changes by its type (Conventional Commits 1.0.0): `feat` is a minor version,
`fix`, `perf` and `revert` are a patch, `!` or a footer `BREAKING CHANGE:` is a major one, all other
types are none. A commit of the form `area: sentence` has no type: it may have a trailer `Release:
major`, `minor`, `patch` or `none`, and without one is a patch if it touches a shipped file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

_VERSION = re.compile(r'v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)')
_SUBJECT = re.compile(r'(?P<type>[a-z]+)(\([^()\n]*\))?(?P<breaking>!)?: ')
_BREAKING = re.compile(r'^BREAKING[ -]CHANGE: ', re.MULTILINE)
_TRAILER = re.compile(r'^Release: *(major|minor|patch|none) *$', re.MULTILINE | re.IGNORECASE)


class Bump(IntEnum):
    """The part of a version that a commit moves; the highest of several counts."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


#: Types of Conventional Commits.
_TYPES = {
    'feat': Bump.MINOR,
    'fix': Bump.PATCH,
    'perf': Bump.PATCH,
    'revert': Bump.PATCH,
    **dict.fromkeys(('build', 'chore', 'ci', 'docs', 'refactor', 'style', 'test'), Bump.NONE),
}


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A released version; there are no pre-releases."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f'{self.major}.{self.minor}.{self.patch}'

    @property
    def tag(self) -> str:
        """The name of its tag in git."""
        return f'v{self}'

    def moved(self, step: Bump) -> 'Version':
        """Return the next version after such a change.

        Before 1.0.0 anything may change (item 4 of the standard), so a major change moves only the
        minor version.

        >>> str(Version(1, 2, 3).moved(Bump.MINOR)), str(Version(0, 2, 3).moved(Bump.MAJOR))
        ('1.3.0', '0.3.0')
        """
        match step:
            case Bump.MAJOR if self.major:
                return Version(self.major + 1, 0, 0)
            case Bump.MAJOR | Bump.MINOR:
                return Version(self.major, self.minor + 1, 0)
            case Bump.PATCH:
                return Version(self.major, self.minor, self.patch + 1)
        return self


#: The version of the first release.
FIRST = Version(0, 1, 0)


def parse(text: str) -> Version | None:
    """Return the version of a tag; None for another kind of tag."""
    found = _VERSION.fullmatch(text)
    return Version(*map(int, found.groups())) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCommit:
    """A commit that is released with a version."""

    sha: str
    message: str
    #: Whether it touches a file that is shipped.
    is_shipped: bool = True

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.partition('\n')[0]

    @property
    def step(self) -> Bump:
        """The part of the version that it moves."""
        if _BREAKING.search(self.message):
            return Bump.MAJOR
        if said := _TRAILER.findall(self.message):
            return Bump[said[-1].upper()]
        found = _SUBJECT.match(self.message)
        if found and found['breaking']:
            return Bump.MAJOR
        if found and found['type'] in _TYPES:
            return _TYPES[found['type']]
        return Bump.PATCH if self.is_shipped else Bump.NONE


def bump_of(commits: Iterable[ReleasedCommit]) -> Bump:
    """Return the highest step of the commits, which moves the version for all of them."""
    return max((commit.step for commit in commits), default=Bump.NONE)


def notes_of(commits: Iterable[ReleasedCommit]) -> str:
    """Return the notes of a release in Markdown, the newest commit first.

    Subjects are text of strangers: they are escaped, so that neither Markdown nor a mention of
    GitHub can be read in them.
    """
    headed: dict[str, list[str]] = {'Breaking': [], 'Added': [], 'Fixed': []}
    names = {Bump.MAJOR: 'Breaking', Bump.MINOR: 'Added', Bump.PATCH: 'Fixed'}
    for commit in commits:
        if name := names.get(commit.step):
            inert = re.sub(r'([\\`*_{}\[\]<>#|!~@])', r'\\\1', commit.subject)
            inert = inert.replace('\\@', '@\u200b')
            headed[name].append(f'- {inert} ({commit.sha[:9]})')
    return '\n\n'.join(
        f'### {name}\n\n' + '\n'.join(lines) for name, lines in headed.items() if lines
    )
