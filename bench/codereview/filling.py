"""Filling the database by the million: the service's own seed, and copies of it made inside.

A copy has the same days, checks and places under other keys, so the same months hold more of all.
Triggers are off meanwhile: what they would have kept is made at the end, from all links at once.
"""

import time

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction

from backstay.engine import engine_of
from backstay.seeding import tidy
from services.codereview.migrations import _triggers_of_postgresql, _triggers_of_sqlite

#: Links of the large seed, which are copied, and how many copies their keys have room for.
SEED, MAX_COPIES = 1_000_000, 9
_KEPT = ('sighting', 'tally', 'difftext')


def copies_for(links: int) -> int:
    """Return how often the seed is copied; raise SystemExit where that is no whole number."""
    times, rest = divmod(links, SEED)
    if rest or not 1 <= times <= 1 + MAX_COPIES:
        raise SystemExit(f'--links takes millions, from 1 to {1 + MAX_COPIES}')
    return times - 1


def fill(links: int, until: str = '') -> None:
    """Seed an empty database up to a day, or take the seed as it stands, and copy it.

    Tells how long it took.
    """
    begun = time.monotonic()
    copies = copies_for(links)
    triggers = {'postgresql': _triggers_of_postgresql, 'sqlite': _triggers_of_sqlite}
    own = triggers[engine_of(connection).name]
    _run(*own.DROP)
    if until:
        call_command('seed', 'codereview', size='large', until=until, verbosity=0)
        _say('seeded', begun)
    for number in range(1, copies + 1):
        with transaction.atomic():
            _run(*_copies(number))
        _say(f'{(number + 1) * SEED:,} links', begun)
    with transaction.atomic():
        if engine_of(connection).name == 'postgresql':
            _run("SET LOCAL work_mem = '256MB'")
        counters = 'nb_issues = 0, nb_issues_publishable = 0, nb_warnings = 0, nb_errors = 0'
        _run(
            *(f'DELETE FROM codereview_{name}' for name in _KEPT),
            *(
                f'UPDATE codereview_{name} SET {counters} WHERE nb_issues > 0'
                for name in ('diff', 'revision')
            ),
            *own.FILL,
        )
    _run(*own.CREATE)
    _say('counted', begun)
    from services.codereview import models
    from services.codereview.tasks import sum_tallies

    rows = (models.Revision, models.Diff, models.IssueLink, models.Tally)
    _run(*connection.ops.sequence_reset_sql(no_style(), rows))
    sum_tallies.call()
    tidy(models.Tally, rewrite=True)
    tidy(*(getattr(models, name) for name in ('Sighting', 'DiffText', 'Issue', 'IssueLink')))
    tidy(models.Revision, models.Diff, models.Repository)
    _say('ready', begun)


def _say(what: str, begun: float) -> None:
    print(f'{what} after {time.monotonic() - begun:.0f} s', flush=True)


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _copies(number: int) -> tuple[str, ...]:
    """Statements that copy the rows of the seed; keys are moved, and texts changed by a letter."""
    letter = 'GHIJKLMNO'[number - 1]  # no digit of a hash, and no letter of base 32 in small ones
    version = '012345689'[number - 1]  # seven is that of the seed's UUIDs
    is_text = engine_of(connection).name == 'sqlite'
    uuid = (
        f"(substr({{0}}, 1, 12) || '{version}' || substr({{0}}, 14))"
        if is_text
        else f"(overlay({{0}}::text placing '{version}' from 15 for 1))::uuid"
    )
    changed = f"'{letter}' || substr({{0}}, 2)"
    return (
        _copy(
            'revision',
            20_000,
            id=f'id + {20_000 * number}',
            provider_id=f'provider_id + {1_000_000 * number}',
            head_changeset=changed.format('head_changeset'),
        ),
        _copy(
            'diff',
            40_000,
            id=f'id + {40_000 * number}',
            revision_id=f'revision_id + {20_000 * number}',
            provider_id=f"substr(provider_id, 1, length(provider_id) - 1) || '{letter}'",
            number=f'number + {10_000_000 * number}',
            review_task_id=f"substr(review_task_id, 1, length(review_task_id) - 1) || '{number}'",
        ),
        _copy(
            'issue',
            300_000,
            id=uuid.format('id'),
            hash=changed.format('hash'),
        ),
        _copy(
            'issuelink',
            SEED,
            id=f'id + {SEED * number}',
            issue_id=uuid.format('issue_id'),
            revision_id=f'revision_id + {20_000 * number}',
            diff_id=f'diff_id + {40_000 * number}',
        ),
    )


def _copy(table: str, rows: int, **changed: str) -> str:
    """One INSERT of all columns from the rows of the seed, some of them changed."""
    from django.apps import apps

    fields = apps.get_model('codereview', table)._meta.concrete_fields
    columns = [f'"{field.column}"' for field in fields]
    values = [changed.get(field.column, f'"{field.column}"') for field in fields]
    is_seed = f'id <= {rows}' if table != 'issue' else _IS_SEED_ISSUE
    return (
        f'INSERT INTO codereview_{table} ({", ".join(columns)}) '
        f'SELECT {", ".join(values)} FROM codereview_{table} WHERE {is_seed}'
    )


#: Hashes of the seed have no letter but those of numbers to the base 16.
_IS_SEED_ISSUE = "substr(hash, 1, 1) < 'G' OR substr(hash, 1, 1) >= 'a'"
