"""What is new in a diff, and what was there before (contract, section 5)."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from services.codereview.models import Diff, Issue, IssueLink

MODES = ('unresolved', 'known', 'closed')


def is_new_for_revision(diff: Diff, path: str, issue_hash: str) -> bool:
    """Whether no diff of the revision that is strictly older has this hash at this path.

    Links without a diff do not count. One statement.
    """
    if diff is None:
        raise ValueError('only an issue of a diff can be new for its revision')
    return not _before(diff).filter(issue__path=path, issue__hash=issue_hash).exists()


def compared(diff: Diff, mode: str) -> QuerySet[Issue]:
    """Issues of the diff or of older ones of its revision.

    `unresolved` are in both, `closed` in an older one alone; `known` are those of this diff that
    had occurred anywhere else when it was published.
    """
    here = IssueLink.objects.filter(issue=OuterRef('pk'), diff=diff)
    before = _before(diff).filter(issue=OuterRef('pk'))
    match mode:
        case 'unresolved':
            return Issue.objects.filter(Exists(here), Exists(before))
        case 'closed':
            return Issue.objects.filter(~Exists(here), Exists(before))
        case 'known':
            elsewhere = IssueLink.objects.filter(
                ~Q(diff=diff) | Q(diff=None), issue=OuterRef('issue'), id__lt=OuterRef('id')
            )
            return Issue.objects.filter(Exists(here.filter(Exists(elsewhere))))
    raise ValueError(mode)


def _before(diff: Diff) -> QuerySet[IssueLink]:
    """The links of the diffs of the revision that are strictly older."""
    return IssueLink.objects.filter(revision_id=diff.revision_id, diff__created__lt=diff.created)
