"""What pages read: rows of resources as the caller may see them, a page at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.http import HttpRequest

from backstay.identity import caller_of
from backstay.resources import FilterError, Resource, read_rows
from services.codereview.models import Tally
from services.codereview.resources import RepositoryResource

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows of many, and where they stand."""

    rows: Sequence[Any]
    #: From 1.
    number: int
    #: Rows of a full page.
    size: int
    #: Rows of all pages.
    count: int

    @property
    def first(self) -> int:
        """Which row the first one is, from 1."""
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        """Which row the last one is."""
        return self.first + len(self.rows) - 1

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.count // self.size))

    @property
    def previous(self) -> int | None:
        """Its number."""
        return min(self.number - 1, self.pages) or None

    @property
    def next(self) -> int | None:
        """Its number."""
        return self.number + 1 if self.number < self.pages else None


def read(
    request: HttpRequest,
    resource: type[Resource],
    filters: Sequence[Any] = (),
    **query: Any,
) -> tuple[list[Row], int]:
    """Rows and their count: one statement. Nothing is found by what cannot be stored."""
    origin = f'{request.scheme}://{request.get_host()}'
    try:
        found = read_rows(resource, caller_of(request), filter=filters, origin=origin, **query)
    except FilterError:
        return [], 0
    return [json.loads(each) for each in found.objects], found.count or 0


def read_page(
    request: HttpRequest,
    resource: type[Resource],
    filters: Sequence[Any],
    *,
    size: int,
    **query: Any,
) -> Page:
    """The page of rows that the request asks for: one statement."""
    number = page_number(request)
    rows, count = read(
        request, resource, filters, limit=size, offset=(number - 1) * size, count=True, **query
    )
    return Page(rows=rows, number=number, size=size, count=count)


def page_number(request: HttpRequest) -> int:
    """What `page` says; 1 where that is no number."""
    text = request.GET.get('page', '')
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def repositories(request: HttpRequest) -> list[str]:
    """The slugs to choose from: one statement."""
    rows, _ = read(request, RepositoryResource, mask='{slug}', limit=1_000)
    return [row['slug'] for row in rows]


def checks_found() -> dict[str, list[str]]:
    """The checks that ever found anything, by analyzer: one statement, of tallies."""
    found = Tally.objects.filter(repository=None, analyzer_check__isnull=False).order_by()
    pairs = sorted(found.values_list('analyzer', 'analyzer_check').distinct())
    return {
        analyzer: [str(check) for _, check in own]
        for analyzer, own in groupby(pairs, key=itemgetter(0))
    }


def asked(request: HttpRequest, *names: str) -> dict[str, str]:
    """The parameters of these names that are not empty: a form sends all that it has."""
    return {name: text for name in names if (text := request.GET.get(name, '').strip())}
