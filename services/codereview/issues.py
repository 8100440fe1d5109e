"""Issues of a diff, known ones of a repository, and those compared."""

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from services.codereview.api import (
    Page,
    ReviewView,
    is_storable,
    read_one,
    respond,
    respond_page,
    respond_rows,
    snapshot,
)
from services.codereview.comparison import compared
from services.codereview.documented import (
    COMPARED_ISSUES,
    ISSUE_OF_DIFF,
    ISSUES_OF_DIFF,
    KNOWN_ISSUES,
)
from services.codereview.models import (
    Diff,
    Issue,
    IssueLink,
    Repository,
    Revision,
    Sighting,
    Tally,
)
from services.codereview.moments import midnight, read_day
from services.codereview.options import option
from services.codereview.resources import IssueOfDiffResource


def diff_called(name: str) -> Diff:
    """The diff with this id of its provider, or else with this number of Phabricator.

    Raises Http404.
    """
    found = Diff.objects.filter(provider_id=name).first()
    if found is None and name.isdigit() and len(name) <= 18:
        found = Diff.objects.filter(number=int(name)).order_by('-id').first()
    if found is None:
        raise Http404('No Diff matches the given query.')
    return found


class DiffIssueList(ReviewView):
    """The issues of a diff, once for each place, in the order in which they were first stored."""

    @ISSUES_OF_DIFF
    def get(self, request: Request, diff: str, **_: Any) -> HttpResponseBase:
        """A page of them."""
        own = [{'field': 'diff_id', 'value': diff_called(diff).pk}]
        return respond_page(request, IssueOfDiffResource, own)


class DiffIssueDetail(ReviewView):
    """One issue of a diff, at the first of its places."""

    @ISSUE_OF_DIFF
    def get(
        self,
        request: Request,
        diff: str,
        id: str,  # noqa: A002 the path's
        **_: Any,
    ) -> HttpResponseBase:
        """By its id."""
        own = {'field': 'diff_id', 'value': diff_called(diff).pk}
        try:
            wanted = {'field': 'id', 'value': str(UUID(id))}
        except ValueError:
            raise Http404('No Issue matches the given query.') from None
        found = read_one(request, IssueOfDiffResource, [own, wanted])
        if found is None:
            raise Http404('No Issue matches the given query.')
        return respond(request, found)


class ComparedIssueList(ReviewView):
    """Issues of a diff and of those before it: `unresolved`, `known` or `closed`."""

    @COMPARED_ISSUES
    def get(self, request: Request, diff: str, mode: str, **_: Any) -> HttpResponseBase:
        """A page of them."""
        found = Diff.objects.filter(pk=int(diff)).first() if _is_key(diff) else None
        return _respond_linked(request, compared(found or diff_called(diff), mode))


class KnownIssueList(ReviewView):
    """What is known of a repository already, in the revision or on the day that is asked for."""

    @KNOWN_ISSUES
    def get(self, request: Request, repository: str, **_: Any) -> HttpResponseBase:
        """A page of ids and hashes."""
        asked = request.query_params
        changeset, path = asked.get('revision_changeset'), asked.get('path', '')
        day, faults = _day(asked.get('date', ''))
        if changeset is not None and len(changeset) != 40:
            faults['revision_changeset'] = [
                'invalid revision_changeset - should be the mercurial hash on the head repository'
            ]
        known = _repository(repository, changeset, day) if is_storable(repository) else None
        if known is None:
            fault = 'invalid repo_slug path argument - No repository match this slug'
            faults['repo_slug'] = [fault]
        if known is None or faults:
            raise ValidationError(faults)
        links = _links(known, changeset, day)
        if path and not is_storable(path):
            links = IssueLink.objects.none()
        if links is not None:
            return _respond_linked(request, links.filter(issue__path=path) if path else links)
        if path:
            return _respond_seen(request, known.pk, path)
        return _respond_all(request, known.pk)


def _is_key(text: str) -> bool:
    return text.isdigit() and len(text) <= 18


def _respond_linked(request: Request, links: QuerySet[IssueLink]) -> HttpResponseBase:
    """A page of ids and hashes of the issues that links lead to, as they were first stored.

    It is asked of the links, which are few: PostgreSQL does not know that, asked of the issues.
    """
    ordered = links.order_by('issue__created', 'issue').distinct()
    with snapshot():
        rows = list(ordered.values_list('issue_id', 'issue__hash')[Page(request).rows])
        number = links.order_by().values('issue').distinct().count()
    return respond_rows(request, number, [{'id': key, 'hash': text} for key, text in rows])


def _respond_seen(request: Request, repository: int, path: str) -> HttpResponseBase:
    """The same of the issues of a file that were seen in a repository."""
    seen = Sighting.objects.filter(
        repository=repository, issue=OuterRef('pk'), last_link__isnull=False
    )
    issues = Issue.objects.filter(Exists(seen), path=path)
    with snapshot():
        page = list(issues.order_by('created', 'id').values('id', 'hash')[Page(request).rows])
        number = issues.order_by().count()
    return respond_rows(request, number, page)


def _respond_all(request: Request, repository: int) -> HttpResponseBase:
    """The same of all issues of a repository, whose number tallies have."""
    seen = Sighting.objects.filter(repository=repository, last_link__isnull=False)
    rows = seen.order_by('created', 'issue').values(id=F('issue_id'), hash=F('issue__hash'))
    with snapshot():
        page = list(rows[Page(request).rows])
        number = Tally.objects.filter(repository=repository).aggregate(sum=Sum('found'))['sum']
    return respond_rows(request, number or 0, page)


def _day(text: str) -> tuple[date | None, dict[str, list[str]]]:
    if not text:
        return None, {}
    try:
        return read_day(text), {}
    except ValueError:
        return None, {'date': ['invalid date - should be YYYY-MM-DD']}


class _Repository(NamedTuple):
    """A repository, and what of its revisions decides about the answer."""

    pk: int
    has_changeset: bool
    #: The newest of the day that is asked for.
    revision: int | None


def _repository(slug: str, changeset: str | None, day: date | None) -> _Repository | None:
    """The repository of a slug: one statement."""
    own = Revision.objects.filter(head_repository=OuterRef('pk'))
    of_changeset = IssueLink.objects.filter(revision__head_repository=OuterRef('pk'))
    if changeset and is_storable(changeset):
        of_changeset = of_changeset.filter(revision__head_changeset=changeset)
    else:
        of_changeset = of_changeset.none()
    of_day: Any = own.filter(_around(day)).order_by('-created', '-id').values('pk')[:1]
    named = Repository.objects.filter(slug=slug)
    row = named.values_list('pk', Exists(of_changeset), of_day).first()
    return None if row is None else _Repository(*row)


def _around(day: date | None) -> Q:
    """Revisions of the day or of the day before."""
    if day is None:
        return Q(pk__in=())
    begin = day - timedelta(days=1) if day > date.min else day
    within = Q(created__gte=midnight(begin))
    return within & Q(created__lt=midnight(day + timedelta(days=1))) if day < date.max else within


def _links(
    repository: _Repository, changeset: str | None, day: date | None
) -> QuerySet[IssueLink] | None:
    """The links of the revisions that are meant; None for all issues of the repository."""
    if changeset is not None and repository.has_changeset:
        return IssueLink.objects.filter(
            revision__head_repository=repository.pk, revision__head_changeset=changeset
        )
    if repository.revision is not None:
        return IssueLink.objects.filter(revision=repository.revision)
    if changeset is not None or (day is not None and option('CODEREVIEW_STRICT_DATES')):
        return IssueLink.objects.none()
    return None
