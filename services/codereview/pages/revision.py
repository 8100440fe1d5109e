"""The pages of revisions: those that came last, and one with its files by its diffs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest

from services.codereview.diffs import contains
from services.codereview.moments import midnight, window_start
from services.codereview.pages.answers import Context, page
from services.codereview.pages.diff import diffs_of
from services.codereview.pages.links import Source
from services.codereview.pages.reading import (
    Page,
    Row,
    asked,
    page_number,
    read,
    read_page,
    repositories,
)
from services.codereview.resources import IssueOfDiffResource, RevisionResource

SIZE = 25
#: Files of a page.
FILES = 100
#: Places of a revision that are counted by file.
MAX_PLACES = 5_000

_LISTED = (
    '{id,base_repository,head_repository,head_changeset,provider,provider_id,title,bugzilla_id,'
    'url,created,nb_issues,nb_issues_publishable,nb_errors,nb_warnings}'
)
_SHOWN = _LISTED.replace('head_changeset', 'base_changeset,head_changeset')


@page('codereview/revisions.html')
def revisions_page(request: HttpRequest) -> Context:
    """The revisions of the last 90 days, the newest first: two statements."""
    chosen = asked(request, 'search', 'repository', 'kind')
    filters: list[Any] = [
        {'field': 'since', 'op': '>=', 'value': midnight(window_start()).isoformat()}
    ]
    if 'repository' in chosen:
        filters.append({'field': 'head_slug', 'value': chosen['repository']})
    if chosen.get('kind') in ('push', 'review'):
        op = 'is_null' if chosen['kind'] == 'push' else 'is_not_null'
        filters.append({'field': 'provider_id', 'op': op})
    if text := chosen.get('search'):
        filters.append(_called(text))
    return {
        'chosen': chosen,
        'repositories': repositories(request),
        'revisions': read_page(
            request, RevisionResource, filters, size=SIZE, ordering='-id', mask=_LISTED
        ),
    }


def _called(text: str) -> dict[str, Any]:
    """Revisions with a number or a changeset, or with a part of the title."""
    named = [contains(text, 'title'), {'field': 'head_changeset', 'value': text}]
    number = text.lstrip('Dd#')
    if number.isascii() and number.isdigit() and len(number) < 10:
        named += ({'field': name, 'value': number} for name in ('provider_id', 'bugzilla_id'))
    return {'or': named}


@dataclass(slots=True)
class Cell:
    """The places of a file in a diff, or in the revision alone."""

    number: int = 0
    publishable: int = 0
    errors: int = 0


@dataclass(slots=True)
class File:
    """A file, and what it has in each of the diffs."""

    path: str
    cells: list[Cell] = field(default_factory=list)


@page('codereview/revision.html')
def revision_page(request: HttpRequest, number: str) -> Context:
    """The revision by its number here: three statements."""
    rows: list[Row] = []
    if len(number) <= 18:
        own = [{'field': 'id', 'value': number}]
        rows, _ = read(request, RevisionResource, own, mask=_SHOWN, limit=1)
    if not rows:
        raise Http404('There is no such revision.')
    (revision,) = rows
    diffs = diffs_of(request, revision['id'])
    places, count = read(
        request,
        IssueOfDiffResource,
        [{'field': 'revision_id', 'value': revision['id']}],
        mask='{path,level,publishable,diff_id}',
        ordering='place',
        limit=MAX_PLACES,
        count=True,
    )
    columns = [*(each['id'] for each in diffs), *([None] if revision['nb_issues'] else [])]
    files = [*_by_file(places, columns)]
    at = page_number(request)
    return {
        'revision': revision,
        'diffs': diffs,
        'places': count,
        'most_places': MAX_PLACES,
        'files': Page(
            rows=files[(at - 1) * FILES : at * FILES], number=at, size=FILES, count=len(files)
        ),
        'columns': columns,
        'source': Source(revision['head_repository'], revision['head_changeset'] or ''),
    }


def _by_file(places: Iterable[Row], columns: list[int | None]) -> Iterable[File]:
    """The files by path, each with a cell for every column."""
    cells: dict[str, dict[int | None, Cell]] = {}
    for place in places:
        own = cells.setdefault(place['path'], {})
        cell = own.setdefault(place['diff_id'], Cell())
        cell.number += 1
        cell.publishable += place['publishable']
        cell.errors += place['level'] == 'error'
    for path, own in sorted(cells.items()):
        yield File(path, [own.get(column, Cell()) for column in columns])
