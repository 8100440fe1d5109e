"""Makes people, issues, pull requests and comments for tests, each with what a test says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from backstay.contributing import Config, decide
from backstay.contributing.commands import Command
from backstay.contributing.configuration import Agreement
from backstay.contributing.events import Commented
from backstay.contributing.snapshot import (
    Act,
    Assignment,
    Author,
    Commit,
    Issue,
    Person,
    Pull,
    Said,
    Signature,
    Snapshot,
    Status,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ALICE = Person(login='alice', id=101)
BOB = Person(login='bob', id=102)
CAROL = Person(login='carol', id=103, association='MEMBER')
REPOSITORY = 'acme/portal'
AGREEMENT = Agreement(version='1.2.0', link='https://acme.example/agreement')


def issue(**facts: Any) -> Issue:
    """An open issue 7 on a board, which nobody has taken."""
    given: dict[str, Any] = {
        'repository': REPOSITORY,
        'number': 7,
        'author': BOB,
        'body': 'It does not work.',
        'has_board': True,
        'status': Status.TO_DO,
    }
    return Issue(**{**given, **facts})


def pull(**facts: Any) -> Pull:
    """An open pull request 12 of Alice."""
    given: dict[str, Any] = {
        'repository': REPOSITORY,
        'number': 12,
        'author': ALICE,
        'sha': 'c0ffee' * 6 + 'abcd',
    }
    return Pull(**{**given, **facts})


def assigned(*logins: str, at: datetime = NOW - DAY, to: int = 7) -> tuple[Assignment, ...]:
    """Assignments in this order."""
    return tuple(Assignment(issue=to, login=login, at=at) for login in logins)


def comment(text: str, author: Person = ALICE, **facts: Any) -> Commented:
    """A new comment on issue 7."""
    given = {'number': 7, 'comment_id': 900, 'at': NOW, 'author': author, 'text': text}
    return Commented(**{**given, **facts})


def on_pull(text: str, author: Person = ALICE, **facts: Any) -> Commented:
    """A new comment on pull request 12."""
    return comment(text, author, **{'number': 12, 'on_pull': True, **facts})


def said(key: str, at: datetime = NOW, text: str = '', comment_id: int = 5000) -> Said:
    """A comment of ours."""
    return Said(key=key, comment_id=comment_id, text=text, at=at)


def act(login: str, at: datetime) -> Act:
    """Work of somebody."""
    return Act(login=login, at=at)


def commit(*authors: Author, sha: str = 'abcdef0123' * 4) -> Commit:
    """A commit by these."""
    return Commit(sha=sha, authors=authors)


def author(person: Person, email: str | None = None) -> Author:
    """A person as a commit names them, tied to the account."""
    address = email or f'{person.login}@example.com'
    return Author(name=person.login.title(), email=address, id=person.id, login=person.login)


def signature(person: Person, version: str = '1.2.0', **facts: Any) -> Signature:
    """What somebody signed yesterday."""
    given: dict[str, Any] = {
        'id': person.id,
        'login': person.login,
        'version': version,
        'addresses': (),
        'at': NOW - DAY,
        'where': 'acme/portal/pull/1#issuecomment-1',
    }
    return Signature(**{**given, **facts})


def answer(
    text: str,
    place: Issue,
    config: Config | None = None,
    by: Person = ALICE,
    **facts: Any,
) -> list[Command]:
    """What is decided on a comment on an issue."""
    snapshot = Snapshot(issue=place, **facts)
    return decide(comment(text, by), snapshot, config or Config(), NOW)


def templates(commands: list[Command]) -> list[str]:
    """Which texts are said."""
    texts = [getattr(command, 'text', None) for command in commands]
    return [text.template for text in texts if text is not None]


def names(commands: list[Command]) -> list[str]:
    """Which kinds of commands there are."""
    return [type(command).__name__ for command in commands]
