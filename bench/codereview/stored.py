"""What the bench stored: looked at, and deleted, so that the next run finds the same rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from bench.codereview.bots import TITLE

_OURS = 'SELECT id FROM codereview_revision WHERE title LIKE %s'


_WRITTEN = ('codereview_issuelink', 'codereview_issue')


@contextmanager
def without_triggers() -> Iterator[None]:
    """What is stored meanwhile is counted nowhere, as without our triggers, and deleted at once."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT max(id), now() FROM codereview_issuelink')
        last, moment = cursor.fetchone()
        for table in _WRITTEN:
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER USER')
        try:
            yield
        finally:
            cursor.execute('DELETE FROM codereview_issuelink WHERE id > %s', [last])
            cursor.execute('DELETE FROM codereview_issue WHERE created >= %s', [moment])
            for table in _WRITTEN:
                cursor.execute(f'ALTER TABLE {table} ENABLE TRIGGER USER')


def deadlocks() -> int:
    """How many transactions of the database were given up so far, for others to go on."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')
        return int(cursor.fetchone()[0])


def faults(deadlocks_before: int) -> list[str]:
    """What is wrong with what the bench stored: places stored twice, wrong counters, deadlocks."""
    pattern = [f'{TITLE}%']
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT count(*) FROM (SELECT FROM codereview_issuelink '
            f'WHERE revision_id IN ({_OURS}) GROUP BY issue_id, revision_id, diff_id, line, '
            'nb_lines, char, in_patch, new_for_revision HAVING count(*) > 1) twice',
            pattern,
        )
        (twice,) = cursor.fetchone()
        cursor.execute(
            'SELECT count(*) FROM codereview_diff d WHERE d.nb_issues <> '
            '(SELECT count(*) FROM codereview_issuelink l WHERE l.diff_id = d.id) '
            f'AND revision_id IN ({_OURS})',
            pattern,
        )
        (miscounted,) = cursor.fetchone()
    found = {
        'places are stored twice': twice,
        'diffs have wrong counters': miscounted,
        'deadlocks': deadlocks() - deadlocks_before,
    }
    return [f'{count} {what}' for what, count in found.items() if count]


def clean() -> None:
    """Delete the revisions of the bench with all that is theirs, and sum up the ledger."""
    from backstay.seeding import tidy
    from services.codereview.models import Diff, Issue, IssueLink, Sighting, Tally
    from services.codereview.tasks import sum_tallies

    pattern = [f'{TITLE}%']
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TEMPORARY TABLE gone AS SELECT DISTINCT issue_id FROM codereview_issuelink '
            f'WHERE revision_id IN ({_OURS})',
            pattern,
        )
        for table in ('issuelink', 'diff'):
            cursor.execute(
                f'DELETE FROM codereview_{table} WHERE revision_id IN ({_OURS})', pattern
            )
        cursor.execute(
            'DELETE FROM codereview_issue i USING gone g WHERE i.id = g.issue_id AND NOT EXISTS '
            '(SELECT FROM codereview_issuelink l WHERE l.issue_id = i.id)'
        )
        cursor.execute(f'DELETE FROM codereview_revision WHERE id IN ({_OURS})', pattern)
        cursor.execute('DROP TABLE gone')
    sum_tallies.call()
    tidy(Diff, Issue, IssueLink, Sighting, Tally)
