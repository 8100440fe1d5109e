"""The pages of checks: how many issues each has found lately, and the issues of one."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import ValidationError

from services.codereview.checks import described, found_by, since_of, statistics
from services.codereview.moments import window_start
from services.codereview.pages.answers import Context, page
from services.codereview.pages.reading import Page, Row, asked, page_number

CHECKS = 100
ISSUES = 50


@page('codereview/checks.html')
def checks_page(request: HttpRequest) -> Context:
    """The counts since a day that are left, in the order asked for: one statement."""
    chosen = asked(request, 'repository', 'analyzer', 'search', 'since', 'order')
    since = since_of(chosen.get('since', '')) or window_start()
    rows = list(statistics(since))
    left = [row for row in rows if _is_chosen(row, chosen)]
    order = chosen.get('order') if chosen.get('order') in _ORDERS else 'total'
    left.sort(key=_ORDERS[order or 'total'])
    return {
        'chosen': chosen,
        'since': since,
        'order': order,
        'repositories': sorted({row['repository'] for row in rows}),
        'analyzers': sorted({row['analyzer'] for row in rows}),
        'total': sum(row['total'] for row in left),
        'publishable': sum(row['publishable'] for row in left),
        'checks': _page(request, left, CHECKS),
    }


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
    found = found_by(*names, publishable, since_of(chosen.get('since', '')))
    number = page_number(request)
    rows = described(found, slice((number - 1) * ISSUES, number * ISSUES))
    return {
        'chosen': chosen,
        'issues': Page(rows=rows, number=number, size=ISSUES, count=found.count()),
    }


def _page(request: HttpRequest, rows: list[Row], size: int) -> Page:
    number = page_number(request)
    shown = rows[(number - 1) * size : number * size]
    return Page(rows=shown, number=number, size=size, count=len(rows))
