"""The common data of the contract's cases (section 7), as the bot would send it."""

import base64
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision

CENTRAL = 'https://hg.mozilla.org/mozilla-central'
TRY = 'https://hg.mozilla.org/try'
JSON = 'application/json'


def basic(name: str, password: str) -> str:
    """A header of Basic authentication."""
    return 'Basic ' + base64.b64encode(f'{name}:{password}'.encode()).decode()


BOT = basic('bot', 's3cret')


class Bot:
    """Calls as the publishing bot does: Basic authentication with every request."""

    def __init__(self, authorization: str | None = BOT) -> None:
        self.headers = {'user-agent': 'code-review-bot/1.0'}
        if authorization:
            self.headers['authorization'] = authorization
        self.client = Client()

    def get(self, url: str, **headers: str) -> Any:
        """GET."""
        return self.client.get(url, headers={**self.headers, **headers})

    def post(self, url: str, body: Any, content_type: str = JSON, **headers: str) -> Any:
        """POST."""
        return self.client.post(
            url, body, content_type=content_type, headers={**self.headers, **headers}
        )

    def call(self, method: str, url: str, body: Any = None) -> Any:
        """Any method, with JSON."""
        return self.client.generic(
            method, url, '' if body is None else body, content_type=JSON, headers=self.headers
        )


def bot_account(**fields: Any) -> Any:
    """The account that the bot signs in with."""
    return get_user_model().objects.create_user('bot', 's3cret', **fields)


def repository(slug: str, url: str = '') -> Repository:
    """A repository, on Mozilla's host unless told otherwise."""
    return Repository.objects.create(slug=slug, url=url or f'https://hg.mozilla.org/{slug}')


def two_repositories() -> None:
    """mozilla-central and try."""
    repository('mozilla-central')
    repository('try')


def revision_body(**changed: Any) -> dict[str, Any]:
    """The body of R1."""
    return {
        'provider': 'phabricator',
        'provider_id': 1001,
        'title': 'Bug 42 - Fix the widget',
        'bugzilla_id': 42,
        'base_repository': CENTRAL,
        'head_repository': TRY,
        'base_changeset': 'a' * 40,
        'head_changeset': 'b' * 40,
        **changed,
    }


def diff_body(**changed: Any) -> dict[str, Any]:
    """The body of D1."""
    return {
        'provider_id': 'PHID-DIFF-aaa',
        'review_task_id': 'TASK1',
        'mercurial_hash': 'c' * 40,
        'repository': TRY,
        **changed,
    }


def issue(hash: str, **changed: Any) -> dict[str, Any]:  # noqa: A002 the contract's word
    """An element of a bulk."""
    return {
        'analyzer': 'mozlint',
        'path': 'a/b.py',
        'level': 'warning',
        'check': 'E501',
        'message': 'msg',
        'line': 10,
        'nb_lines': 1,
        'in_patch': False,
        'hash': hash,
        **changed,
    }


def bot_issue(hash: str, **changed: Any) -> dict[str, Any]:  # noqa: A002 the contract's word
    """An element exactly as the bot sends it."""
    return {
        'analyzer': 'mozlint',
        'path': 'a/b.py',
        'line': 10,
        'nb_lines': 1,
        'column': 3,
        'check': 'E501',
        'level': 'warning',
        'message': 'msg',
        'in_patch': True,
        'validates': True,
        'publishable': True,
        'hash': hash,
        'fix': None,
        **changed,
    }


def stored_revision(**changed: Any) -> Revision:
    """R1 in the database, with its repositories where they are missing."""
    central, _ = Repository.objects.get_or_create(slug='mozilla-central', url=CENTRAL)
    on_try, _ = Repository.objects.get_or_create(slug='try', url=TRY)
    fields: dict[str, Any] = {
        'provider_id': 1001,
        'title': 'Bug 42 - Fix the widget',
        'bugzilla_id': 42,
        'base_repository': central,
        'head_repository': on_try,
        'head_changeset': 'b' * 40,
    }
    return Revision.objects.create(**(fields | changed))


def stored_diff(revision: Revision, name: str = 'aaa', **changed: Any) -> Diff:
    """D1, or another, in the database."""
    fields: dict[str, Any] = {
        'revision': revision,
        'provider_id': f'PHID-DIFF-{name}',
        'review_task_id': f'TASK-{name}',
        'mercurial_hash': 'c' * 40,
        'repository': revision.head_repository,
    }
    return Diff.objects.create(**(fields | changed))


def stored_issue(hash: str, **changed: Any) -> Issue:  # noqa: A002 the contract's word
    """An issue in the database."""
    fields: dict[str, Any] = {
        'analyzer': 'mozlint',
        'path': 'a/b.py',
        'level': 'warning',
        'analyzer_check': 'E501',
        'message': 'msg',
        'hash': hash,
    }
    return Issue.objects.create(**(fields | changed))


def link(issue: Issue, revision: Revision, diff: Diff | None = None, **place: Any) -> IssueLink:
    """An occurrence in the database."""
    return IssueLink.objects.create(issue=issue, revision=revision, diff=diff, **place)
