"""Event files, with which GitHub starts a workflow, as events of the engine.

Only the action and its author are read from a payload: the text of a comment, the label, the
number. States and counts in it may be old and are ignored.
"""

import json
import re
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
    PullQueued,
)
from backstay.contributing.snapshot import Person

#: The end of the branch that a merge queue makes: the number of the pull request.
_QUEUED = re.compile(r'/pr-(\d+)-[0-9a-f]+$')
_PULL_CHANGED = {'opened', 'reopened', 'synchronize', 'edited', 'closed', 'labeled', 'unlabeled'}


class PayloadProblem(ValueError):
    """The event file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The content of an event file."""

    #: `owner/name`.
    repository: str
    #: None for an event that we do not answer.
    event: Event | None


def read_payload(name: str, path: Path) -> Payload:
    """Return the event in a file; `name` is `GITHUB_EVENT_NAME`. Raises PayloadProblem."""
    try:
        payload = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        raise PayloadProblem(f'{path.name} cannot be read as JSON') from None
    try:
        return Payload(repository=payload['repository']['full_name'], event=_event(name, payload))
    except (KeyError, TypeError, AttributeError) as error:
        raise PayloadProblem(f'{path.name} is no event {name}: {error!r} is lacking') from None


def _event(name: str, payload: Mapping[str, Any]) -> Event | None:
    match name, payload.get('action'):
        case 'issue_comment', 'created' | 'edited':
            return _commented(payload)
        case 'issues', 'opened' | 'reopened':
            issue = payload['issue']
            return IssueOpened(number=issue['number'], author=_person(issue['user']))
        case 'issues', 'labeled':
            added = payload['label']['name']
            return IssueLabelled(number=payload['issue']['number'], added=added)
        case 'issues', 'unlabeled':
            return IssueLabelled(number=payload['issue']['number'])
        case 'pull_request' | 'pull_request_target', action if action in _PULL_CHANGED:
            pull = payload['pull_request']
            merged = action == 'closed' and bool(pull['merged'])
            return PullChanged(number=pull['number'], merged=merged)
        case 'merge_group', 'checks_requested':
            group = payload['merge_group']
            if found := _QUEUED.search(group['head_ref']):
                return PullQueued(number=int(found[1]), sha=group['head_sha'])
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


def _person(user: Mapping[str, Any], association: str = 'NONE') -> Person:
    return Person(
        login=user['login'], id=user['id'], bot=user['type'] != 'User', association=association
    )
