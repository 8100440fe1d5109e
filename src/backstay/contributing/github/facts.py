"""Answers of GraphQL as facts of a snapshot. Pure: JSON in, snapshot out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from backstay.contributing.configuration import Board
from backstay.contributing.github.boards import Place
from backstay.contributing.replies import key_of, text_of
from backstay.contributing.snapshot import (
    Act,
    Assignment,
    Author,
    Check,
    CheckState,
    Commit,
    Issue,
    Labelling,
    Person,
    Pull,
    Said,
)

Json = Mapping[str, Any]

#: The author that stands for deleted accounts.
_GHOST: Json = {'login': 'ghost', 'databaseId': 0, '__typename': 'User'}


def issue_of(data: Json, board: Board, place: Place | None = None) -> Issue:
    """Return an issue; `place` is its place on the board, None without a board."""
    comments = _nodes(data['comments'])
    return Issue(
        repository=data['repository']['nameWithOwner'],
        number=data['number'],
        author=_person(data),
        open=data['state'] == 'OPEN',
        body=data['body'] or '',
        labels=_names(data['labels']),
        labellings=_labellings(_nodes(data['timelineItems'])),
        assignments=assignments_of(data),
        has_board=place is not None,
        status=board.status(place.column) if place and place.column else None,
        status_since=place.since if place else None,
        acts=tuple(_act(each, 'lastEditedAt', 'createdAt') for each in comments),
        said=_said(comments),
        pulls=tuple(_working_pull(each) for each in _nodes(data['closedByPullRequestsReferences'])),
    )


def assignments_of(data: Json) -> tuple[Assignment, ...]:
    """Return the assignments in the order of the events that made them.

    An assignment without an event among those read was made before all of them: too long ago, or
    by an import or a transfer, of which GitHub has none.
    """
    events = [
        (event['assignee']['login'], _time(event['createdAt']))
        for event in _nodes(data['timelineItems'])
        if event.get('assignee') and event['assignee'].get('login')
    ]
    newest = {login: (position, at) for position, (login, at) in enumerate(events)}
    first = min((at for _login, at in events), default=_time(data['createdAt']))
    logins = [each['login'] for each in _nodes(data['assignees'])]
    known = sorted(logins, key=lambda login: newest.get(login, (-1, first))[0])
    return tuple(
        Assignment(
            issue=data['number'],
            login=login,
            at=newest.get(login, (-1, first))[1],
            is_dated=login in newest,
        )
        for login in known
    )


def pull_of(data: Json) -> Pull:
    """Return a pull request with the facts that every read of one has."""
    return Pull(
        repository=data['repository']['nameWithOwner'],
        number=data['number'],
        author=_person(data),
        open=data['state'] == 'OPEN',
        draft=data['isDraft'],
        body=data['body'] or '',
        sha=data['headRefOid'],
        labels=_names(data['labels']) if 'labels' in data else (),
    )


def checked_pull_of(data: Json) -> Pull:
    """Return a pull request with its commits, its check and our comments."""
    newest = [each['commit'] for each in _nodes(data['last'])]
    suites = [suite for each in newest for suite in _nodes(each['checkSuites'] or {})]
    runs = [run for suite in suites for run in _nodes(suite['checkRuns'] or {})]
    check = None
    if runs:
        state = CheckState.UNDECIDED
        if runs[-1]['status'] == 'COMPLETED':
            passed = runs[-1]['conclusion'] == 'SUCCESS'
            state = CheckState.PASSED if passed else CheckState.FAILED
        check = Check(state=state, summary=runs[-1]['summary'] or '')
    return replace(
        pull_of(data),
        commits=tuple(_commit(each['commit']) for each in _nodes(data['commits'])),
        check=check,
        said=_said(_nodes(data['comments'])),
    )


def _working_pull(data: Json) -> Pull:
    """Return a pull request with the acts that count as work on it."""
    plain = pull_of(data)
    login = plain.author.login
    pushes = [_time(each['commit']['committedDate']) for each in _nodes(data['last'])]
    marked = [_time(each['createdAt']) for each in _nodes(data['timelineItems']) if each]
    reviews = tuple(
        _act(each, 'submittedAt') for each in _nodes(data['reviews']) if each['submittedAt']
    )
    comments = tuple(_act(each, 'createdAt') for each in _nodes(data['comments']))
    ready = max([_time(data['createdAt']), *pushes, *marked])
    return replace(
        plain,
        ready_at=ready,
        acts=(*(Act(login=login, at=at) for at in [*pushes, *marked]), *comments, *reviews),
        reviews=reviews,
    )


def _commit(data: Json) -> Commit:
    authors = tuple(
        Author(
            name=each['name'] or '',
            email=each['email'] or '',
            id=(each['user'] or {}).get('databaseId'),
            login=(each['user'] or {}).get('login'),
        )
        for each in _nodes(data['authors'])
    )
    return Commit(sha=data['oid'], authors=authors)


def _labellings(events: Iterable[Json]) -> tuple[Labelling, ...]:
    """Return the times in which each label was on, in the order in which they were put on."""
    spans = dict[int, Labelling]()
    on = dict[str, int]()
    for position, event in enumerate(events):
        if event['__typename'] == 'LabeledEvent':
            name = event['label']['name']
            on[name] = position
            spans[position] = Labelling(name=name, since=_time(event['createdAt']))
        elif event['__typename'] == 'UnlabeledEvent' and event['label']['name'] in on:
            put = on.pop(event['label']['name'])
            spans[put] = Labelling(
                name=spans[put].name, since=spans[put].since, until=_time(event['createdAt'])
            )
    return tuple(spans.values())


def _said(comments: Iterable[Json]) -> tuple[Said, ...]:
    return tuple(
        Said(
            key=key,
            comment_id=each['databaseId'],
            text=text_of(each['body']),
            at=_time(each['createdAt']),
        )
        for each in comments
        if each['viewerDidAuthor'] and (key := key_of(each['body']))
    )


def _act(data: Json, *times: str) -> Act:
    at = next(_time(data[name]) for name in times if data.get(name))
    return Act(login=(data['author'] or _GHOST)['login'], at=at)


def _person(data: Json) -> Person:
    who = data['author'] or _GHOST
    bot = who['__typename'] == 'Bot'
    login = who['login']
    return Person(
        # GraphQL omits the suffix by which the rest of GitHub knows an app.
        login=f'{login}[bot]' if bot and not login.endswith('[bot]') else login,
        id=who.get('databaseId') or 0,
        bot=bot,
        association=data['authorAssociation'],
    )


def _names(data: Json) -> tuple[str, ...]:
    return tuple(each['name'] for each in _nodes(data))


def _nodes(data: Json) -> list[Any]:
    return [each for each in data.get('nodes') or [] if each]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
