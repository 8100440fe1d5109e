"""`backstay cleanup_issues`: delete revisions that are old, with all that nobody else has."""

import logging
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from tqdm import tqdm  # type: ignore[import-untyped]

from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision

logger = logging.getLogger(__name__)

#: Revisions of a page, and issues that are named in one statement.
_PAGE, _NAMED = 500, 5_000


class Command(BaseCommand):
    """Each page is a transaction, so that a run may be ended and started again."""

    help = 'Delete old revisions with their diffs, and issues that occur nowhere else.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare how old, and whether issues without any link go too."""
        parser.add_argument(
            '--nb-days', type=int, default=30, help='keep revisions that are younger (30)'
        )
        parser.add_argument(
            '--link-less',
            action='store_true',
            help='also delete issues of that age which occur in no revision',
        )

    def handle(self, *, nb_days: int, link_less: bool, **_: Any) -> None:
        """Delete, and tell how much."""
        _delete_unused_repositories()
        until = timezone.now() - timedelta(days=min(nb_days, 300_000))
        _delete_revisions(until)
        if link_less:
            deleted = _delete_alone(Issue.objects.filter(created__lte=until))
            logger.info('Deleted %d Issue without any IssueLink.', deleted)


def _delete_unused_repositories() -> None:
    """Those of no revision and no diff. What this run leaves behind goes in the next."""
    key = OuterRef('pk')
    unused = Repository.objects.filter(
        ~Exists(Revision.objects.filter(base_repository=key)),
        ~Exists(Revision.objects.filter(head_repository=key)),
        ~Exists(Diff.objects.filter(repository=key)),
    )
    deleted, _ = unused.delete()
    if deleted:
        logger.info('Deleted %d unused Repository.', deleted)


def _delete_revisions(until: datetime) -> None:
    old = list(
        Revision.objects.filter(created__lte=until).order_by('id').values_list('id', flat=True)
    )
    if not old:
        logger.info("Didn't find any old revision to delete.")
        return
    logger.info('Retrieved %d old revisions to be deleted.', len(old))
    links = diffs = issues = revisions = 0
    pages = list(_parts(old, _PAGE))
    for number, page in enumerate(tqdm(pages, unit='page', disable=None), 1):
        logger.info('Page %d/%d.', number, len(pages))
        with transaction.atomic():
            own = IssueLink.objects.filter(revision__in=page)
            found = list(own.order_by().values_list('issue', flat=True).distinct())
            links += own.delete()[0]
            diffs += Diff.objects.filter(revision__in=page).delete()[0]
            for part in _parts(found, _NAMED):
                issues += _delete_alone(Issue.objects.filter(pk__in=part))
    for page in pages:
        _, by_model = Revision.objects.filter(pk__in=page).delete()
        revisions += by_model.get('codereview.Revision', 0)
    logger.info(
        'Deleted %d IssueLink, %d Diff, %d Issue, %d Revision.', links, diffs, issues, revisions
    )


@transaction.atomic
def _delete_alone(issues: Any) -> int:
    """Delete those of the issues that have no link; how many they were.

    They are locked first, so that who publishes one of them at this moment is waited for, and seen
    by the statement after.
    """
    alone = ~Exists(IssueLink.objects.filter(issue=OuterRef('pk')))
    locked = list(
        issues.filter(alone).order_by('pk').select_for_update().values_list('pk', flat=True)
    )
    deleted = 0
    for part in _parts(locked, _NAMED):
        deleted += Issue.objects.filter(alone, pk__in=part).delete()[0]
    return deleted


def _parts(keys: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
