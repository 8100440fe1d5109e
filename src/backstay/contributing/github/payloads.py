"""Event files: what a workflow of GitHub is started with, as events of the engine.

Of a payload only who did what is taken: the text of a comment, the label, the number. States and
counts in it may be old and are left.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from backstay.contributing.events import (
    Commented,
    Event,
    IssueLabelled,
    IssueOpened,
    PullChanged,
)
from backstay.contributing.snapshot import Person

_ISSUE_OPENED = {'opened', 'reopened'}
_PULL_CHANGED = {'opened', 'reopened', 'synchronize', 'edited', 'closed', 'labeled', 'unlabeled'}


class PayloadProblem(ValueError):
    """The event file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What an event file says."""

    #: `owner/name`.
    repository: str
    #: None when it is about something that we do not look at.
    event: Event | None


def read_payload(name: str, path: Path) -> Payload:
    """The event in a file, of the kind that `GITHUB_EVENT_NAME` says; raises PayloadProblem."""
    try:
        payload = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        raise PayloadProblem(f'{path.name} cannot be read as JSON') from None
    try:
        return Payload(repository=payload['repository']['full_name'], event=_event(name, payload))
    except (KeyError, TypeError, AttributeError) as error:
        raise PayloadProblem(f'{path.name} is no event {name}: {error!r} is lacking') from None


def _event(name: str, payload: Mapping[str, Any]) -> Event | None:
    action = payload.get('action')
    if name == 'issue_comment':
        return _commented(payload) if action in {'created', 'edited'} else None
    if name == 'issues':
        return _issue_changed(str(action), payload)
    if name in {'pull_request', 'pull_request_target'} and action in _PULL_CHANGED:
        pull = payload['pull_request']
        merged = action == 'closed' and bool(pull['merged'])
        return PullChanged(number=pull['number'], merged=merged)
    return None


def _commented(payload: Mapping[str, Any]) -> Commented:
    comment, issue = payload['comment'], payload['issue']
    before = payload.get('changes', {}).get('body', {}).get('from')
    return Commented(
        number=issue['number'],
        on_pull='pull_request' in issue,
        comment_id=comment['id'],
        author=_person(comment['user'], comment['author_association']),
        text=comment['body'] or '',
        previous=before if payload['action'] == 'edited' else None,
        at=datetime.fromisoformat(comment['created_at']),
    )


def _issue_changed(action: str, payload: Mapping[str, Any]) -> Event | None:
    issue = payload['issue']
    if action in _ISSUE_OPENED:
        return IssueOpened(number=issue['number'], author=_person(issue['user']))
    if action in {'labeled', 'unlabeled'}:
        added = payload['label']['name'] if action == 'labeled' else None
        return IssueLabelled(number=issue['number'], added=added)
    return None


def _person(user: Mapping[str, Any], association: str = 'NONE') -> Person:
    return Person(
        login=user['login'], id=user['id'], bot=user['type'] != 'User', association=association
    )
