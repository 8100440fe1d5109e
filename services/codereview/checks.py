"""Checks: the issues that one found, how many each found, and since when."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http.response import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from services.codereview.api import (
    Page,
    ReviewView,
    as_json,
    is_storable,
    respond,
    respond_rows,
    snapshot,
)
from services.codereview.documented import CHECK, HISTORY, STATISTICS
from services.codereview.models import Diff, IssueLink, Repository, Sighting, Tally
from services.codereview.moments import midnight, read_day, window_start

#: Seconds that others may keep statistics; what is read here is always the present.
_KEPT = 60
_NO_DAY = 'invalid since date - should be YYYY-MM-DD'
_NO_CHOICE = 'publishable can only be true, false or all'


def _since(request: Request) -> date | None:
    return since_of(request.query_params.get('since', ''))


def since_of(text: str) -> date | None:
    """The day that `since` names; None where it is empty. Raises ValidationError."""
    try:
        return read_day(text) if text else None
    except ValueError:
        raise ValidationError({'detail': _NO_DAY}) from None


def _kept(response: HttpResponseBase) -> HttpResponseBase:
    response.headers['Cache-Control'] = f'max-age={_KEPT}'
    response.headers['Vary'] = 'Accept, Authorization, Cookie'
    return response


class CheckStatistics(ReviewView):
    """How many issues each check has found lately, by repository, the most first."""

    @STATISTICS
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        """A page of the counts of distinct issues: one statement."""
        rows = list(statistics(_since(request) or window_start()))
        return _kept(respond_rows(request, len(rows), rows[Page(request).rows]))


_COUNTS = ('repository', 'analyzer', 'check', 'total', 'publishable')
#: Many tallies only say when issues were first seen.
_SAYS_LAST = ~Q(last=0) | ~Q(publishable=0)


def statistics(since: date) -> Iterator[dict[str, Any]]:
    """Counts of the issues that revisions made since a day have, in their head repository."""
    tallies = Tally.objects.filter(_SAYS_LAST, repository__isnull=False, day__gte=since)
    slug = Repository.objects.filter(pk=OuterRef('repository')).values('slug')
    counted = (
        tallies.values('repository', 'analyzer', 'analyzer_check')
        .annotate(total=Sum('last'), can_be=Sum('publishable'))
        .filter(total__gt=0)
        .annotate(slug=Subquery(slug))  # of sums, of which there are fewer than of entries
        .order_by('-total', 'slug', 'analyzer', F('analyzer_check').asc(nulls_last=True))
    )
    columns = ('slug', 'analyzer', 'analyzer_check', 'total', 'can_be')
    for row in counted.values_list(*columns):
        yield dict(zip(_COUNTS, row, strict=True))


def distinct_statistics(since: date) -> dict[tuple[str, str | None], tuple[int, int]]:
    """The same by analyzer and check, where what occurs in several repositories counts once."""
    tallies = Tally.objects.filter(_SAYS_LAST, repository=None, day__gte=since)
    counted = tallies.order_by().values_list('analyzer', 'analyzer_check')
    rows = counted.annotate(Sum('last'), Sum('publishable')).filter(last__sum__gt=0)
    return {(analyzer, check): (total, can_be) for analyzer, check, total, can_be in rows}


class CheckHistory(ReviewView):
    """How many issues were first found on each day."""

    @HISTORY
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        """All days with any, as an array: one statement."""
        days = history(request.query_params, _since(request))
        points = [{'date': day.isoformat(), 'total': total} for day, total in days]
        return _kept(respond(request, as_json(points)))


def history(asked: Mapping[str, str], since: date | None) -> QuerySet[Tally, tuple[date, int]]:
    """Days and counts, of an analyzer, a check, or what was ever seen in a repository."""
    found = Tally.objects.filter(repository=None)
    if asked.get('repository'):
        found = Tally.objects.filter(repository__slug=asked['repository'])
    if not all(is_storable(asked.get(name, '')) for name in ('repository', 'analyzer', 'check')):
        found = found.none()
    if asked.get('analyzer'):
        found = found.filter(analyzer=asked['analyzer'])
    if asked.get('check'):
        found = found.filter(analyzer_check=asked['check'])
    if since:
        found = found.filter(day__gte=since)
    counted = found.values('day').annotate(total=Sum('first')).filter(total__gt=0)
    return counted.order_by('day').values_list('day', 'total')


class CheckDetail(ReviewView):
    """The issues that one check found in a repository, the newest first."""

    @CHECK
    def get(
        self, request: Request, repository: str, analyzer: str, check: str, **_: Any
    ) -> HttpResponseBase:
        """A page of them, with the diffs that each is in: four statements of one snapshot."""
        publishable = request.query_params.get('publishable') or 'true'
        with snapshot():
            found = found_by(repository, analyzer, check, publishable, _since(request))
            issues = described(found, Page(request).rows)
        return respond_rows(request, found.number, issues)


class Found(NamedTuple):
    """The findings of a check in a repository."""

    sightings: QuerySet[Sighting]
    number: int


def found_by(
    repository: str, analyzer: str, check: str, publishable: str, since: date | None
) -> Found:
    """Return the findings of a check, which one statement reads of tallies.

    Publishable are issues of which some occurrence can be published, in whatever repository. Raises
    ValidationError for a wrong `publishable`.
    """
    choice = publishable.lower()
    if choice not in _CHOICES:
        raise ValidationError({'detail': _NO_CHOICE})
    if not all(is_storable(name) for name in (repository, analyzer, check)):
        return Found(Sighting.objects.none(), 0)
    tallies = Tally.objects.filter(
        repository=OuterRef('pk'), analyzer=analyzer, analyzer_check=check
    )
    if since:
        tallies = tallies.filter(day__gte=since)
    number = total(tallies, _CHOICES[choice])
    row = Repository.objects.filter(slug=repository).values_list('pk', number).first()
    key, count = row or (None, 0)
    found = Sighting.objects.filter(
        repository=key, analyzer=analyzer, analyzer_check=check, last_link__isnull=False
    )
    if choice != 'all':
        found = found.filter(is_publishable=choice == 'true')
    return Found(found.filter(created__gte=midnight(since)) if since else found, count)


#: By `publishable`: how many issues a tally has of them.
_CHOICES = {
    'true': F('found_publishable'),
    'false': F('found') - F('found_publishable'),
    'all': F('found'),
}


def total(tallies: QuerySet[Tally], amount: Any) -> Coalesce:
    """The sum of some tallies, as a value of another statement."""
    summed = tallies.order_by().values(one=Value(1)).annotate(sum=Sum(amount)).values('sum')
    return Coalesce(Subquery(summed, IntegerField()), 0)


def described(found: Found, rows: slice, **more: str) -> list[dict[str, Any]]:
    """A page of what was found, with the diffs of each: three statements.

    `more` are members that only pages show, each with its path from the sighting.
    """
    issues = list(_shown(found.sightings, rows, more))
    diffs = _diffs_of([issue['id'] for issue in issues])
    return [{**issue, 'diffs': diffs[issue['id']]} for issue in issues]


_ISSUE = ('hash', 'analyzer', 'path', 'level', 'check', 'message')
_PLACE = ('in_patch', 'new_for_revision', 'line', 'nb_lines', 'char')


def _shown(
    found: QuerySet[Sighting], page: slice, more: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The issues with the values of their latest occurrence in the repository."""
    columns: list[Any] = [
        *(f'issue__{name.replace("check", "analyzer_check")}' for name in _ISSUE),
        Q(publishable_day__isnull=False),
        *(f'last_link__{name}' for name in _PLACE),
        *more.values(),
    ]
    names = ('id', *_ISSUE, 'publishable', *_PLACE, *more)
    rows = found.order_by('-created', '-issue').values_list('issue_id', *columns)
    for row in rows[page]:
        yield dict(zip(names, row, strict=True))


def _diffs_of(issues: Collection[Any]) -> dict[Any, list[dict[str, Any]]]:
    """The diffs that each of the issues is in, the oldest first: two statements."""
    links = IssueLink.objects.filter(issue__in=issues, diff__isnull=False)
    pairs = set(links.order_by().values_list('issue_id', 'diff_id').distinct())
    related = ('repository', 'revision__base_repository', 'revision__head_repository')
    diffs = Diff.objects.filter(pk__in={diff for _, diff in pairs}).select_related(*related)
    shown = {diff.pk: _diff(diff) for diff in diffs.order_by('created', 'id')}
    found: dict[Any, list[dict[str, Any]]] = {issue: [] for issue in issues}
    order = {pk: place for place, pk in enumerate(shown)}
    # Outside a snapshot, a diff may have gone since its links were read.
    there = [pair for pair in pairs if pair[1] in order]
    for issue, pk in sorted(there, key=lambda pair: order[pair[1]]):
        found[issue].append(shown[pk])
    return found


def _diff(diff: Diff) -> dict[str, Any]:
    revision = diff.revision
    return {
        'provider_id': diff.provider_id,
        'repository': diff.repository.url,
        'revision': {
            'id': revision.pk,
            'provider': revision.provider,
            'provider_id': revision.provider_id,
            'base_repository': revision.base_repository.url,
            'head_repository': revision.head_repository.url,
            'base_changeset': revision.base_changeset,
            'head_changeset': revision.head_changeset,
            'title': revision.title,
            'bugzilla_id': revision.bugzilla_id,
            'url': revision.url,
        },
        'id': diff.pk,
    }
