"""The configuration of an organisation: numbers, labels and names from `.github/contributing.toml`.

Everything has a default, so an empty file, or none, switches the bot on. A file with a mistake is
rejected as a whole, with the name of the wrong value.
"""

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from backstay.contributing.snapshot import Status

#: The path of the file on the default branch.
PATH = '.github/contributing.toml'

_STRICT = ConfigDict(extra='forbid')
_Days = Annotated[int, Field(ge=1, le=365, strict=True)]
_Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r'^[^\r\n]+$')]
_Version = Annotated[str, Field(pattern=r'^(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){2}$')]
_Repository = Annotated[str, Field(pattern=r'^$|^[A-Za-z0-9-]{1,39}/[A-Za-z0-9_.-]{1,100}$')]
_Https = Annotated[str, Field(pattern=r'^https://[\w.~:/?#@!$&*+,;=%-]+$')]


class ConfigurationProblem(ValueError):
    """A file that cannot be used; the text says what is wrong and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of assignments."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: Assignees of one issue; GitHub itself stops at ten.
    per_issue: Annotated[int, Field(ge=1, le=10, strict=True)] = 5
    #: Open issues of the repository that one person is assigned to.
    per_person: Annotated[int, Field(ge=1, le=100, strict=True)] = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactivity:
    """The times after which an idle assignment ends."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: Days without work before the warning.
    warn_after_days: _Days = 14
    #: Days without work after the warning, at the least, before the assignment ends.
    unassign_after_days: _Days = 7

    @property
    def warn_after(self) -> timedelta:
        """Time without work before the warning."""
        return timedelta(days=self.warn_after_days)

    @property
    def unassign_after(self) -> timedelta:
        """Time without work after the warning."""
        return timedelta(days=self.unassign_after_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The help and the reminders for descriptions of issues."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: Whether a section with the prompts is added to a new issue.
    help: StrictBool = True
    #: Requests for a description, including the first one.
    reminders: Annotated[int, Field(ge=0, le=20, strict=True)] = 3
    #: Days between two of them.
    every_days: _Days = 7
    #: `organisation/team` or a login that is mentioned; empty for nobody.
    team: Annotated[str, Field(pattern=r'^$|^[A-Za-z0-9-]{1,39}(/[A-Za-z0-9_.-]{1,100})?$')] = ''


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label that `backstay contributing labels` makes."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: _Word
    #: Six hexadecimal digits.
    color: Annotated[str, Field(pattern=r'^[0-9a-fA-F]{6}$')] = 'ededed'
    description: Annotated[str, Field(max_length=100)] = ''


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Labels that belong together."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=40, pattern=r'^[^\r\n]+$')]
    labels: tuple[_Word, ...]
    color: Annotated[str, Field(pattern=r'^[0-9a-fA-F]{6}$')] = 'ededed'
    #: Whether an issue has at most one of them.
    single: StrictBool = False
    #: Whether an issue must have one of them.
    required: StrictBool = False

    @property
    def missing(self) -> str:
        """The label of an issue that has none of a required group."""
        return f'needs: {self.name}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels with a meaning, and those that are made."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: On an issue or pull request with it, nothing is done.
    ignore: _Word = ':robot:'
    #: An open issue with it is asked for a description while it has none.
    unclear: _Word = ':soap:'
    #: Labels that stop the clock of inactivity.
    blocked: tuple[_Word, ...] = ('blocked: inside', 'blocked: outside')
    more: tuple[Label, ...] = (
        Label(name=':seedling:', color='c2e0c6', description='Good for a first contribution'),
        Label(name=':wastebasket:', color='cfd3d7', description='To be removed'),
    )
    groups: tuple[Group, ...] = ()

    def all(self) -> tuple[Label, ...]:
        """Return every label that must exist, each name once."""
        made = [
            Label(name=self.ignore, color='5319e7', description='The bot leaves this alone'),
            Label(name=self.unclear, color='fbca04', description='The description is lacking'),
            *(Label(name=name, color='b60205') for name in self.blocked),
            *self.more,
        ]
        for group in self.groups:
            made += [Label(name=name, color=group.color) for name in group.labels]
            if group.required:
                made.append(Label(name=group.missing, color='fbca04'))
        return tuple({label.name.casefold(): label for label in reversed(made)}.values())[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The project board and the names of its columns."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: The number of the project; 0 for the first one that is linked to the repository.
    project: Annotated[int, Field(ge=0, strict=True)] = 0
    #: The single-choice field that holds the column.
    field: _Word = 'Status'
    to_do: _Word = 'To Do'
    in_progress: _Word = 'In Progress'
    ready_for_review: _Word = 'Ready For Review'
    in_review: _Word = 'In Review'
    staging: _Word = 'Staging'
    production: _Word = 'Production'
    closed: _Word = 'Closed'

    def column(self, status: Status) -> str:
        """Return the name of the column of a status."""
        return str(getattr(self, status.value))

    def status(self, column: str) -> Status:
        """Return the status of a column; case and spaces are ignored."""
        for status in Status:
            if status is not Status.OTHER and _plain(self.column(status)) == _plain(column):
                return status
        return Status.OTHER

    def same(self, one: str, other: str) -> bool:
        """Whether two names mean the same column."""
        return _plain(one) == _plain(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The contributor agreement and the place of its signatures."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: The version of the text that must be signed: major.minor.patch.
    version: _Version
    #: The address of the text.
    link: _Https
    #: The part of the version whose change requires everybody to sign again.
    sign_anew: Literal['major', 'minor', 'patch'] = 'major'
    #: `owner/name` of the repository with the signatures; empty for the repository itself.
    repository: _Repository = ''
    #: A branch that holds nothing else.
    branch: Annotated[str, Field(pattern=r'^[A-Za-z0-9][A-Za-z0-9_./-]{0,99}$')] = 'signatures'
    #: Logins of apps, and addresses of authors without an account, that need not sign. Upper and
    #: lower case are the same.
    bots: tuple[_Word, ...] = ('dependabot[bot]', 'github-actions[bot]', 'renovate[bot]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    #: Names by which comments may call us, beside that of our account.
    names: tuple[_Word, ...] = ('backstay',)
    limits: Limits = field(default_factory=Limits)
    inactivity: Inactivity = field(default_factory=Inactivity)
    description: Description = field(default_factory=Description)
    labels: Labels = field(default_factory=Labels)
    board: Board = field(default_factory=Board)
    #: None when no agreement is required.
    agreement: Agreement | None = None


_CONFIG = TypeAdapter(Config)


def read_configuration(text: str) -> Config:
    """Return the configuration in a TOML text; raises ConfigurationProblem.

    >>> read_configuration('[limits]\\nper_issue = 2').limits.per_issue
    2
    """
    try:
        return _CONFIG.validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationProblem(f'{PATH} is no TOML: {error}') from None
    except ValidationError as error:
        faults = '; '.join(
            f'{".".join(str(part) for part in fault["loc"])}: {fault["msg"]}'
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise ConfigurationProblem(f'{PATH}: {faults}') from None


def _plain(name: str) -> str:
    return ''.join(name.split()).casefold()
