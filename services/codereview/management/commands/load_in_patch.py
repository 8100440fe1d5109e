"""`backstay load_in_patch`: find out of old links whether they are in the patch of their diff."""

import logging
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Exists, OuterRef
from tqdm import tqdm  # type: ignore[import-untyped]

from backstay import __version__
from services.codereview.models import Diff, IssueLink
from services.codereview.patches import Patch, PatchUnavailable, fetch, is_in_patch

logger = logging.getLogger(__name__)

_AGENT = f'code-review-backend/{__version__}'
#: Patches that may wait for the database.
_AHEAD = 50


class Command(BaseCommand):
    """A diff whose patch cannot be had is told of and left as it is."""

    help = 'Fill in_patch of links where it is not known, from the patches of their diffs.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare how many processes fetch and read patches."""
        parser.add_argument('--nb-processes', type=int, default=1, help='that fetch patches (1)')

    def handle(self, *, nb_processes: int, **_: Any) -> None:
        """Go through all diffs that have such links."""
        unknown = IssueLink.objects.filter(diff=OuterRef('pk'), in_patch=None)
        diffs = Diff.objects.filter(Exists(unknown)).select_related('repository').order_by('id')
        keys = list(diffs.values_list('pk', 'repository__url', 'mercurial_hash'))
        bar = tqdm(total=len(keys), unit='diff', disable=None)
        with _executor(nb_processes) as pool, bar:
            for key, patch in _fetched(pool, keys):
                try:
                    update(key, patch.result())
                except PatchUnavailable as error:
                    logger.warning('No patch for diff %d: %s', key, error)
                except Exception:
                    logger.exception('No patch for diff %d.', key)
                bar.update()


def _executor(processes: int) -> Executor:
    if processes > 1:
        return ProcessPoolExecutor(processes, mp_context=get_context('spawn'))
    return ThreadPoolExecutor(1)


def _fetched(pool: Executor, keys: list[tuple[int, str, str]]) -> Iterator[tuple[int, Future[Any]]]:
    """The patch of each diff, a few of them ahead of who asks."""
    waiting: list[tuple[int, Future[Any]]] = []
    for key, repository, changeset in keys:
        waiting.append((key, pool.submit(fetch, repository, changeset, _AGENT)))
        if len(waiting) > _AHEAD:
            yield waiting.pop(0)
    yield from waiting


@transaction.atomic
def update(diff: int, patch: Patch) -> None:
    """Tell of the links of a diff whether they are in its patch.

    One that is then the same as another that was published with the answer goes.
    """
    links = list(IssueLink.objects.filter(diff=diff).select_related('issue').order_by('pk'))
    known = {_place(link): link for link in links if link.in_patch is not None}
    doomed = []
    for link in links:
        if link.in_patch is None:
            link.in_patch = is_in_patch(patch, link.issue.path, link.line, link.nb_lines)
            if known.setdefault(_place(link), link) is not link:
                doomed.append(link.pk)
    IssueLink.objects.filter(pk__in=doomed).delete()
    kept = [link for link in links if link.pk not in doomed]
    IssueLink.objects.bulk_update(kept, ['in_patch'], batch_size=500)


def _place(link: IssueLink) -> tuple[Any, ...]:
    """What makes a link the same as another."""
    return (
        link.issue_id,
        link.line,
        link.nb_lines,
        link.char,
        link.in_patch,
        link.new_for_revision,
    )
