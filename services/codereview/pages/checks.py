"""The pages of checks: how many issues each has found lately, and the issues of one."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import ValidationError

from services.codereview.api import snapshot
from services.codereview.checks import (
    described,
    distinct_statistics,
    found_by,
    since_of,
    statistics,
)
from services.codereview.moments import window_start
from services.codereview.pages.answers import Context, page
from services.codereview.pages.links import Source
from services.codereview.pages.reading import Page, Row, asked, page_number

CHECKS = 100
ISSUES = 50


@page('codereview/checks.html')
def checks_page(request: HttpRequest) -> Context:
    """The counts since a day that are left, in the order asked for: two statements.

    A check has a row for each repository; what occurs in several counts once in the sum.
    """
    chosen = asked(request, 'repository', 'analyzer', 'search', 'since', 'order')
    since = since_of(chosen.get('since', '')) or window_start()
    rows = list(statistics(since))
    left = [row for row in rows if _is_chosen(row, chosen)]
    order = chosen.get('order') if chosen.get('order') in _ORDERS else 'total'
    left.sort(key=_ORDERS[order or 'total'])
    counts = distinct_statistics(since)
    if 'repository' in chosen:
        counts = {_key(row): (row['total'], row['publishable']) for row in left}
    sums = [counts.get(key, (0, 0)) for key in {_key(row) for row in left}]
    return {
        'chosen': chosen,
        'since': since,
        'order': order,
        'repositories': sorted({row['repository'] for row in rows}),
        'analyzers': sorted({row['analyzer'] for row in rows}),
        'different': len(sums),
        'total': sum(total for total, _ in sums),
        'publishable': sum(can_be for _, can_be in sums),
        'checks': _page(request, left, CHECKS),
    }


def _key(row: Row) -> tuple[str, str | None]:
    return row['analyzer'], row['check']


def _is_chosen(row: Row, chosen: dict[str, str]) -> bool:
    return (
        chosen.get('repository') in (None, row['repository'])
        and chosen.get('analyzer') in (None, row['analyzer'])
        and chosen.get('search', '').casefold() in (row['check'] or '').casefold()
    )


_Key = Callable[[Row], Any]
#: `statistics` has put the most first; a sort leaves rows that are equal to it as they were.
_ORDERS: dict[str, _Key] = {
    'total': lambda row: -row['total'],
    'publishable': lambda row: -row['publishable'],
    'check': lambda row: (row['analyzer'], row['check'] or '', row['repository']),
    'repository': lambda row: (row['repository'], row['analyzer'], row['check'] or ''),
}


@page('codereview/check.html')
def check_page(request: HttpRequest) -> Context:
    """The issues that a check found in a repository, the newest first: four statements."""
    chosen = asked(request, 'repository', 'analyzer', 'check', 'publishable', 'since')
    try:
        names = chosen['repository'], chosen['analyzer'], chosen['check']
    except KeyError:
        missing = 'Name a repository, an analyzer and a check.'
        raise ValidationError({'detail': missing}) from None
    publishable = chosen.get('publishable', 'all')
    number = page_number(request)
    with snapshot():
        found = found_by(*names, publishable, since_of(chosen.get('since', '')))
        rows = described(found, slice((number - 1) * ISSUES, number * ISSUES), **_WHERE)
    for row in rows:
        row['source'] = _source(row)
    return {
        'chosen': chosen,
        'issues': Page(rows=rows, number=number, size=ISSUES, count=found.number),
    }


#: Where an issue was found last: in a diff, or in the revision alone.
_WHERE = {
    'revision': 'last_link__revision_id',
    'diff_repository': 'last_link__diff__repository__url',
    'diff_changeset': 'last_link__diff__mercurial_hash',
    'repository': 'last_link__revision__head_repository__url',
    'changeset': 'last_link__revision__head_changeset',
}


def _source(row: Row) -> Source | None:
    """The text in which the line is that is shown."""
    if row['diff_changeset']:
        return Source(row['diff_repository'], row['diff_changeset'])
    return Source(row['repository'], row['changeset'] or '') if row['repository'] else None


def _page(request: HttpRequest, rows: list[Row], size: int) -> Page:
    number = page_number(request)
    shown = rows[(number - 1) * size : number * size]
    return Page(rows=shown, number=number, size=size, count=len(rows))
