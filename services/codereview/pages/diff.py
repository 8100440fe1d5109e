"""The page of a diff: its issues by file, and what became of those of the diffs before it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest

from services.codereview.comparison import Places, closed_places, counted
from services.codereview.diffs import contains, named
from services.codereview.models import Diff
from services.codereview.pages.answers import Context, page
from services.codereview.pages.links import Source
from services.codereview.pages.reading import Page, Row, asked, read, read_page
from services.codereview.resources import DiffResource, IssueOfDiffResource, ListedDiffResource

SIZE = 100
#: Closed places that are looked at; a list in a filter has at most 500 values.
MAX_CLOSED_ISSUES = 499
#: Diffs of the revision that are linked.
MAX_DIFFS = 100
#: Places whose files and analyzers a reader may choose from; others can be typed.
MAX_OFFERED_PLACES = 2_000

_MASK = (
    '{path,level,check,analyzer,message,hash,publishable,in_patch,new_for_revision,line,nb_lines,'
    'char,diff_id%s}'
)


class Kind(NamedTuple):
    """Some of the places, as people choose them."""

    name: str
    title: str
    number: int


@page('codereview/diff.html')
def diff_page(request: HttpRequest, name: str) -> Context:
    """The diff by any of its names: five statements, six of closed issues.

    A number that is Phabricator's takes one more, and one that is an id of a provider another.
    """
    found = _diff_called(request, name)
    diff = Diff(
        pk=found['id'],
        revision_id=found['revision']['id'],
        created=datetime.fromisoformat(found['created']),
    )
    number_of = counted(diff)
    chosen = asked(request, 'show', 'search', 'analyzer', 'path', 'level', 'publishable')
    kinds = _kinds(found['nb_issues'], number_of)
    kind = next((each for each in kinds if each.name == chosen.get('show')), kinds[0])
    own = _of_kind(diff, kind.name)
    places = _places(request, own, kind.name, chosen)
    siblings = diffs_of(request, diff.revision_id)
    return {
        'diff': found,
        'siblings': siblings,
        'kinds': kinds,
        'kind': kind,
        'most_closed': MAX_CLOSED_ISSUES,
        'chosen': chosen,
        'is_filtered': bool({*chosen} - {'show'}),
        'offered': _offered(request, own),
        'page': places,
        'files': _by_file(places.rows),
        'ordinals': {each['id']: number for number, each in enumerate(siblings, 1)},
        'source': _source(found, kind.name),
    }


def _diff_called(request: HttpRequest, name: str) -> Row:
    """By its number here, that of Phabricator, or its provider's id. Raises Http404."""
    numbers = named(name) if name.isdigit() else []
    for each in (*numbers, {'field': 'provider_id', 'value': name}):
        rows, _ = read(request, ListedDiffResource, [each], limit=1, mask=_DIFF)
        if rows:
            return rows[0]
    raise Http404('There is no such diff.')


_DIFF = (
    '{id,provider_id,number,revision,review_task_id,repository,mercurial_hash,nb_issues,'
    'nb_issues_publishable,nb_warnings,nb_errors,created}'
)
_SIBLING = (
    '{id,provider_id,number,review_task_id,repository,mercurial_hash,nb_issues,'
    'nb_issues_publishable,nb_warnings,nb_errors,created}'
)


def diffs_of(request: HttpRequest, revision: int) -> list[Row]:
    """The diffs of a revision, the oldest first: one statement."""
    own = [{'field': 'revision_id', 'value': revision}]
    rows, _ = read(request, DiffResource, own, mask=_SIBLING, limit=MAX_DIFFS)
    return rows


def _offered(request: HttpRequest, own: Sequence[Any]) -> Mapping[str, list[str]]:
    """Files and analyzers to choose from, of the first of the places: one statement."""
    rows, _ = read(
        request,
        IssueOfDiffResource,
        own,
        mask='{path,analyzer}',
        ordering='place',
        limit=MAX_OFFERED_PLACES,
    )
    return {name: sorted({row[name] for row in rows}) for name in ('path', 'analyzer')}


def _kinds(all_places: int, number_of: Places) -> tuple[Kind, ...]:
    return (
        Kind('all', 'All', all_places),
        Kind('new', 'New', number_of.new),
        Kind('unresolved', 'Unresolved', number_of.unresolved),
        Kind('known', 'Known', number_of.known),
        Kind('closed', 'Closed', number_of.closed),
        Kind('revision', 'Of the revision', number_of.undiffed),
    )


def _places(request: HttpRequest, own: Sequence[Any], kind: str, chosen: Mapping[str, str]) -> Page:
    """A page of the places of a kind that the filters leave, by file and line."""
    filters = [*own, *_filters(chosen)]
    compared = ',unresolved,known' if kind not in ('closed', 'revision') else ''
    return read_page(
        request,
        IssueOfDiffResource,
        filters,
        size=SIZE,
        ordering='path,line,place',
        mask=_MASK % compared,
    )


def _of_kind(diff: Diff, kind: str) -> list[Any]:
    here = {'field': 'diff_id', 'value': diff.pk}
    match kind:
        case 'new':
            return [here, *({'field': name, 'value': False} for name in ('unresolved', 'known'))]
        case 'unresolved' | 'known':
            return [here, {'field': kind, 'value': True}]
        case 'closed':
            places = closed_places(diff).order_by('pk').values_list('pk', flat=True)
            # No place has the key 0.
            return [{'field': 'place', 'op': 'in', 'value': [0, *places[:MAX_CLOSED_ISSUES]]}]
        case 'revision':
            own = {'field': 'revision_id', 'value': diff.revision_id}
            return [own, {'field': 'diff_id', 'op': 'is_null'}]
    return [here]


def _filters(chosen: Mapping[str, str]) -> Iterator[Any]:
    yield from (
        {'field': name, 'value': chosen[name]} for name in ('analyzer', 'path') if name in chosen
    )
    if text := chosen.get('search'):
        yield contains(text, 'path', 'analyzer', 'check')
    if chosen.get('level') in ('error', 'warning'):
        yield {'field': 'level', 'value': chosen['level']}
    if 'publishable' in chosen:
        yield {'field': 'publishable', 'value': True}


def _by_file(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(path, [*places]) for path, places in groupby(rows, itemgetter('path'))]


def _source(diff: Row, kind: str) -> Source | None:
    """The text in which the lines are; older diffs have others."""
    revision = diff['revision']
    if kind == 'closed':
        return None
    if kind == 'revision':
        return Source(revision['head_repository'], revision['head_changeset'] or '')
    return Source(diff['repository']['url'], diff['mercurial_hash'])
