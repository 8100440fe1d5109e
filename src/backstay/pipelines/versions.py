"""Versions (Semantic Versioning 2.0.0), and what commits make of them.

A commit says what it changes by its type (Conventional Commits 1.0.0): `feat` is a minor version,
`fix`, `perf` and `revert` are a patch, `!` or a footer `BREAKING CHANGE:` is a major one, all other
types are none. A commit of the form `area: sentence` has no type: it says it in a trailer `Release:
major`, `minor`, `patch` or `none`, and is a patch without one where it touches what is shipped.
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
    """How far a version moves; the highest of many commits counts."""

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
        """What git calls it."""
        return f'v{self}'

    def moved(self, step: Bump) -> 'Version':
        """The version that such a change makes of it.

        Before 1.0.0 anything may change (item 4 of the standard): what would be a major version is
        a minor one.

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


#: What the first release is called.
FIRST = Version(0, 1, 0)


def parse(text: str) -> Version | None:
    """The version of a tag; None for another kind of tag."""
    found = _VERSION.fullmatch(text)
    return Version(*map(int, found.groups())) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCommit:
    """What is released with a version."""

    sha: str
    message: str
    #: Whether it touches a file that is shipped.
    is_shipped: bool = True

    @property
    def subject(self) -> str:
        """Its first line."""
        return self.message.partition('\n')[0]

    @property
    def step(self) -> Bump:
        """What it makes of a version."""
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
    """What they make of a version together: the most that one of them does."""
    return max((commit.step for commit in commits), default=Bump.NONE)


def notes_of(commits: Iterable[ReleasedCommit]) -> str:
    """What a release says of itself, in Markdown, the newest commit first.

    Subjects are text of strangers: what Markdown or GitHub would read in them stays as it is.
    """
    headed: dict[str, list[str]] = {'Breaking': [], 'Added': [], 'Fixed': []}
    names = {Bump.MAJOR: 'Breaking', Bump.MINOR: 'Added', Bump.PATCH: 'Fixed'}
    for commit in commits:
        if name := names.get(commit.step):
            headed[name].append(f'- {_inert(commit.subject)} ({commit.sha[:9]})')
    return '\n\n'.join(
        f'### {name}\n\n' + '\n'.join(lines) for name, lines in headed.items() if lines
    )


def _inert(text: str) -> str:
    """The text without anything that Markdown, or a mention of GitHub, would make of it."""
    return re.sub(r'([\\`*_{}\[\]<>#|!~@])', r'\\\1', text).replace('\\@', '@\u200b')
