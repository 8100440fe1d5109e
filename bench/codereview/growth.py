"""What every endpoint, page and list of the admin takes at one size: over HTTP, and in the
database.

`python -m bench.codereview.growth --links 5000000` prints a line of JSON for each; the bench starts
it once for every size, and sets the lines side by side.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode

from bench.codereview import site

#: Requests that count, behind those that compile plans and fill caches.
REQUESTS, WARM_UP = 9, 3
_HTML = {'Accept': 'text/html'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One address, and the milliseconds that it may take over HTTP and in the database."""

    title: str
    path: str
    http: float = 60
    database: float = 30
    #: Whether the answer itself grows with the table, and not only the rows that it is found among.
    grows: bool = False


def cases() -> Iterator[Asked]:
    """Every kind of read; which rows are asked for depends on what is stored."""
    from services.codereview.models import Diff, Repository, Revision, Sighting

    on_try = Repository.objects.get(slug='try')
    # One of the seed itself, so that every size is asked for the same.
    some = Diff.objects.filter(nb_issues__range=(30, 50), number__isnull=False, id__lte=40_000)
    diff = some.order_by('-id').first()
    top = 'source-test-clang-format', 'invalid-styling'
    rare = Sighting.objects.filter(repository=on_try, last_link__isnull=False).order_by('created')
    path = rare.values_list('issue__path', flat=True)[0]
    push = Revision.objects.filter(provider_id=None, nb_issues__gt=0).order_by('id').first()
    known = f'/v1/issues/try/?path={quote(path)}'
    check = f'/v1/check/try/{top[0]}/{top[1]}/'
    issues = f'/v1/diff/{diff.provider_id}/issues'
    chosen = urlencode({'repository': 'try', 'analyzer': top[0], 'check': top[1]})
    word = diff.revision.title.split()[-2].rstrip('.').rpartition('/')[2].lower()
    yield from (
        Asked(title='repositories', path='/v1/repository/'),
        Asked(title='revisions', path='/v1/revision/', grows=True),
        Asked(title='diffs of a revision', path=f'/v1/revision/{diff.revision_id}/diffs/'),
        Asked(title='diffs', path='/v1/diff/', grows=True),
        Asked(title='diffs with issues', path='/v1/diff/?issues=publishable', grows=True),
        Asked(title='diffs of a repository', path='/v1/diff/?repository=try', grows=True),
        Asked(title='search: a file', path=f'/v1/diff/?search={word}', grows=True),
        Asked(title='search: a number', path=f'/v1/diff/?search=D{diff.revision.provider_id}'),
        Asked(title='search: nothing', path='/v1/diff/?search=nothing+of+that+name'),
        Asked(title='issues of a diff', path=f'{issues}/'),
        Asked(title='unresolved', path=f'{issues}/unresolved/'),
        Asked(title='known', path=f'{issues}/known/'),
        Asked(title='closed', path=f'{issues}/closed/'),
        Asked(title='known issues of a path', path=known),
        Asked(title='known issues of a repository', path='/v1/issues/try/'),
        Asked(title='check details', path=check, http=120),
        Asked(title='check details, all', path=f'{check}?publishable=all', http=120),
        Asked(title='check details, others', path=f'{check}?publishable=false', http=120),
        Asked(title='check statistics', path='/v1/check/stats/'),
        Asked(title='check history', path='/v1/check/history/'),
        Asked(title='page: diffs', path='/review/', grows=True),
        Asked(title='page: search', path=f'/review/?search={word}', grows=True),
        Asked(title='page: a diff', path=f'/review/diffs/{diff.pk}/'),
        Asked(title='page: closed issues', path=f'/review/diffs/{diff.pk}/?show=closed'),
        Asked(title='page: revisions', path='/review/revisions/', grows=True),
        Asked(title='page: a revision', path=f'/review/revisions/{diff.revision_id}/'),
        Asked(title='page: a push', path=f'/review/revisions/{push.pk}/'),
        Asked(title='page: checks', path='/review/checks/'),
        Asked(title='page: a check', path=f'/review/checks/issues/?{chosen}', http=120),
        Asked(title='page: history', path='/review/history/'),
        Asked(title='admin: issues', path='/admin/codereview/issue/'),
        Asked(
            title='admin: issues of an analyzer',
            path='/admin/codereview/issue/?analyzer=source-test-mozlint-rst',
        ),
        Asked(title='admin: search of issues', path='/admin/codereview/issue/?q=urlbar'),
        Asked(title='admin: no issue found', path='/admin/codereview/issue/?q=nothing-of-it'),
        Asked(title='admin: revisions', path='/admin/codereview/revision/'),
        Asked(title='admin: search of revisions', path='/admin/codereview/revision/?q=nothing'),
        Asked(title='admin: repositories', path='/admin/codereview/repository/'),
        Asked(
            title='admin: delete a repository',
            path=f'/admin/codereview/repository/{on_try.pk}/delete/',
        ),
        Asked(
            title='admin: delete a revision',
            path=f'/admin/codereview/revision/{diff.revision_id}/delete/',
        ),
    )


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--links', type=int, default=site.SEEDED)
    parser.add_argument('--only', default='', help='titles that begin so')
    asked = parser.parse_args()
    site.choose(asked.links)
    site.set_up()
    cookie = site.accounts()
    with site.served('ours', folder=site.OUTPUT / f'{asked.links}') as port:
        for case in cases():
            if case.title.startswith(asked.only):
                print(json.dumps(_measured(case, port, cookie)), flush=True)


def _measured(case: Asked, port: int, cookie: str) -> dict[str, Any]:
    headers = {'Cookie': cookie} if case.path.startswith('/admin/') else {}
    if not case.path.startswith('/v1/'):
        headers |= _HTML
    return {
        'title': case.title,
        'grows': case.grows,
        'aims': [case.http, case.database],
        'http': _over_http(case, port, headers),
        'database': _in_the_database(case, headers),
    }


def _over_http(case: Asked, port: int, headers: dict[str, str]) -> float:
    """The median, of requests one after the other on one connection."""
    found = []
    with closing(HTTPConnection('127.0.0.1', port, timeout=60)) as client:
        for _ in range(WARM_UP + REQUESTS):
            begun = time.perf_counter()
            status, content = site.ask(client, 'GET', case.path, None, headers)
            found.append(1e3 * (time.perf_counter() - begun))
            if status != 200:
                raise SystemExit(f'{case.path}: {status} {content[:300]!r}')
    return statistics.median(found[WARM_UP:])


def _in_the_database(case: Asked, headers: dict[str, str]) -> float:
    """The median of the time that statements take, the way to the server and back included."""
    from django.db import connection
    from django.test import Client

    spent = 0.0

    def timed(execute: Any, *arguments: Any) -> Any:
        nonlocal spent
        begun = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent += 1e3 * (time.perf_counter() - begun)

    client, found = Client(headers=headers), []
    with connection.execute_wrapper(timed):
        for _ in range(WARM_UP + REQUESTS):
            spent = 0.0
            client.get(case.path)
            found.append(spent)
    return statistics.median(found[WARM_UP:])


if __name__ == '__main__':
    main()
