"""What is new in a diff, and what was there before."""

from typing import Any, NamedTuple

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from services.codereview.models import Diff, IssueLink

MODES = ('unresolved', 'known', 'closed')

_HERE = IssueLink.objects.filter(issue=OuterRef('issue'), diff=OuterRef('diff'))
_ELSEWHERE_BEFORE = IssueLink.objects.filter(
    ~Q(diff=OuterRef('diff')) | Q(diff=None), issue=OuterRef('issue'), id__lt=OuterRef('id')
)
#: Whether the issue of a link of a diff is in a strictly older diff of the revision too.
IS_UNRESOLVED = Exists(
    IssueLink.objects.filter(
        issue=OuterRef('issue'),
        revision=OuterRef('revision'),
        diff__created__lt=OuterRef('diff__created'),
    )
)
#: Whether the issue of a link of a diff had occurred anywhere else when the diff was published.
IS_KNOWN = Exists(_HERE.filter(Exists(_ELSEWHERE_BEFORE)))


def is_new_for_revision(diff: Diff, path: str, issue_hash: str) -> bool:
    """Whether no diff of the revision that is strictly older has this hash at this path.

    Links without a diff do not count. One statement.
    """
    if diff is None:
        raise ValueError('only an issue of a diff can be new for its revision')
    return not _before(diff).filter(issue__path=path, issue__hash=issue_hash).exists()


def compared(diff: Diff, mode: str) -> QuerySet[IssueLink]:
    """Links of the diff or of older ones of its revision, whose issues are those that are meant.

    `unresolved` are in both, `closed` in an older one alone; `known` are those of this diff that
    had occurred anywhere else when it was published.
    """
    here, before = IssueLink.objects.filter(diff=diff), _before(diff)
    there = {'issue': OuterRef('issue')}
    match mode:
        case 'unresolved':
            return here.filter(Exists(before.filter(**there)))
        case 'closed':
            return before.filter(~Exists(here.filter(**there)))
        case 'known':
            elsewhere = IssueLink.objects.filter(
                ~Q(diff=diff) | Q(diff=None), id__lt=OuterRef('id'), **there
            )
            return here.filter(Exists(elsewhere))
    raise ValueError(mode)


class Places(NamedTuple):
    """How many places of issues a diff has of each kind."""

    #: Neither unresolved nor known.
    new: int
    unresolved: int
    known: int
    #: Issues that are gone, each at the last place that older diffs have of it.
    closed: int
    #: Those that were published for the revision, for none of its diffs.
    undiffed: int


def counted(diff: Diff) -> Places:
    """How many places there are of each kind: one statement."""
    here = IssueLink.objects.filter(diff=diff)
    undiffed = IssueLink.objects.filter(revision_id=diff.revision_id, diff=None)
    kinds = (
        here.filter(~IS_UNRESOLVED, ~IS_KNOWN),
        here.filter(IS_UNRESOLVED),
        here.filter(IS_KNOWN),
        closed_places(diff),
        undiffed,
    )
    row = Diff.objects.filter(pk=diff.pk).values_list(*(_count_of(each) for each in kinds))
    return Places(*row.get())


def closed_places(diff: Diff) -> QuerySet[IssueLink]:
    """The last place that older diffs of the revision have of each issue that this one lacks."""
    here = IssueLink.objects.filter(issue=OuterRef('issue'), diff=diff)
    later = _before(diff).filter(issue=OuterRef('issue'), pk__gt=OuterRef('pk'))
    return _before(diff).filter(~Exists(here), ~Exists(later))


def _count_of(places: QuerySet[IssueLink]) -> Any:
    """Their number, as a value of another statement."""
    number = places.order_by().values(one=Value(1)).annotate(number=Count('pk')).values('number')
    return Coalesce(Subquery(number, IntegerField()), 0)


def _before(diff: Diff) -> QuerySet[IssueLink]:
    """The links of the diffs of the revision that are strictly older."""
    return IssueLink.objects.filter(revision_id=diff.revision_id, diff__created__lt=diff.created)
