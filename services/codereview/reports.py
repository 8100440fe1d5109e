"""Reports of analyses that ran before the bot published: from Taskcluster, into the database."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from django.db import transaction
from rest_framework.exceptions import ValidationError

from services.codereview.comparison import is_new_for_revision
from services.codereview.elements import read_body
from services.codereview.models import Diff, IssueLink, Level, Provider, Repository, Revision
from services.codereview.repositories import RepositoryUrl, repository_at
from services.codereview.storing import store

_NAMESPACE = 'project.relman.{environment}.code-review.phabricator.diff'
_ARTIFACT = 'public/results/report.json'
_PAGE = 200

Json = Mapping[str, Any]


class UnknownHost(Exception):
    """The repository of a report is on a host whose repositories are not created."""


def indexed(client: httpx.Client, environment: str) -> Iterator[tuple[str, Json]]:
    """Tasks of the index that found issues, with what the index has of them.

    https://docs.taskcluster.net/docs/reference/core/index/api#listTasks
    """
    path = f'api/index/v1/tasks/{_NAMESPACE.format(environment=environment)}'
    query: dict[str, Any] = {'limit': _PAGE}
    while True:
        page = client.get(path, params=query).raise_for_status().json()
        for each in page['tasks']:
            if each.get('data', {}).get('issues'):
                yield each['taskId'], each['data']
        if not page.get('continuationToken'):
            return
        query['continuationToken'] = page['continuationToken']


def report_of(client: httpx.Client, task: str) -> Json:
    """The report of a task. Raises httpx's errors."""
    answer = client.get(f'api/queue/v1/task/{task}/artifacts/{_ARTIFACT}')
    report: Json = answer.raise_for_status().json()
    return report


@transaction.atomic
def load(task: str, report: Json) -> int:
    """Store a report; how many issues it has.

    What the diff had before is replaced; the same issues elsewhere stay. Raises UnknownHost,
    ValidationError, and KeyError and the like for what is no report.
    """
    diff = _diff(task, report['revision'])
    given = [_element(issue) for issue in report['issues'] if issue.get('hash')]
    _, read = read_body({'issues': given})
    elements = [
        {**each, 'new_for_revision': is_new_for_revision(diff, each['path'], each['hash'])}
        for each in read
    ]
    IssueLink.objects.filter(diff=diff).delete()
    store(diff.revision_id, diff.pk, elements)
    return len(elements)


def _diff(task: str, given: Json) -> Diff:
    base = _repository(given['target_repository'])
    head = _repository(given['repository'])
    revision, _ = Revision.objects.get_or_create(
        provider=Provider.PHABRICATOR,
        provider_id=given['id'],
        defaults={
            'title': given['title'][:250],
            # Reports of revisions without a bug have an empty text.
            'bugzilla_id': given.get('bugzilla_id') or None,
            'base_repository': base,
            'head_repository': head,
        },
    )
    diff, _ = Diff.objects.get_or_create(
        provider_id=given['diff_phid'],
        defaults={
            'revision': revision,
            'number': given.get('diff_id'),
            'review_task_id': task,
            'mercurial_hash': given['mercurial_revision'],
            'repository': head,
        },
    )
    return diff


def _repository(url: str) -> Repository:
    try:
        RepositoryUrl().run_validation(url)
    except ValidationError as error:
        raise UnknownHost(url) from error
    return repository_at(url, 'repository')


def _element(issue: Json) -> dict[str, Any]:
    """An issue of a report as one of a bulk; its place stays beside it."""
    return {
        'hash': issue['hash'],
        'analyzer': issue['analyzer'],
        'path': issue['path'],
        'level': issue.get('level') or Level.WARNING.value,
        'check': issue.get('kind') or issue.get('check'),
        'message': issue.get('message'),
        'line': issue.get('line'),
        'nb_lines': issue['nb_lines'] if issue.get('nb_lines') is not None else 1,
        'char': issue.get('char'),
    }
