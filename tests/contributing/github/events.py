"""Event files as workflows get them: published examples of GitHub with names of a test in them."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from backstay.contributing.snapshot import Person
from tests.contributing.github.state import Comment, Thing
from tests.contributing.making import ALICE


@cache
def published() -> dict[str, list[dict[str, Any]]]:
    """The examples, by the name of their event."""
    examples: dict[str, list[dict[str, Any]]] = json.loads(
        (Path(__file__).parent / 'webhooks.json').read_text()
    )
    return examples


def _example(name: str, action: str, repository: str) -> dict[str, Any]:
    (found,) = [each for each in published()[name] if each['action'] == action]
    payload = deepcopy(found)
    payload['repository']['full_name'] = repository
    return payload


def commented(
    thing: Thing, comment: Comment, before: str | None = None, repository: str = 'acme/portal'
) -> dict[str, Any]:
    """The payload of a comment; with the text before it, of an edit."""
    payload = _example('issue_comment', 'created' if before is None else 'edited', repository)
    payload['comment'] |= {
        'id': comment.id,
        'body': comment.body,
        'user': payload['comment']['user'] | _user(comment.author),
        'author_association': comment.author.association,
        'created_at': comment.at.isoformat().replace('+00:00', 'Z'),
    }
    payload['issue'] |= {'number': thing.number}
    if before is not None:
        payload['changes'] = {'body': {'from': before}}
    if thing.head:
        payload['issue']['pull_request'] = {'url': 'https://api.github.com/'}
    return payload


def issue_changed(action: str, thing: Thing, label: str = '') -> dict[str, Any]:
    """The payload of an issue that was opened or labelled."""
    payload = _example('issues', action, 'acme/portal')
    payload['issue'] |= {'number': thing.number}
    if label:
        payload['label']['name'] = label
    return payload


def pull_changed(action: str, thing: Thing, *, merged: bool = False) -> dict[str, Any]:
    """The payload of a pull request."""
    payload = _example('pull_request', 'closed' if action == 'closed' else 'opened', 'acme/portal')
    payload['action'] = action
    payload['pull_request'] |= {'number': thing.number, 'merged': merged}
    return payload


def _user(person: Person = ALICE) -> dict[str, Any]:
    kind = 'Bot' if person.bot else 'User'
    return {'login': person.login, 'id': person.id, 'type': kind}


def queued(thing: Thing, sha: str) -> dict[str, Any]:
    """The payload of a merge queue that waits for checks of a commit."""
    payload = _example('pull_request', 'opened', 'acme/portal')
    base = {'base_ref': 'refs/heads/main', 'base_sha': 'c0' * 20}
    branch = f'refs/heads/gh-readonly-queue/main/pr-{thing.number}-{"c0" * 20}'
    group = {'head_sha': sha, 'head_ref': branch, **base}
    about = {name: payload[name] for name in ('repository', 'sender')}
    return {'action': 'checks_requested', 'merge_group': group, **about}
