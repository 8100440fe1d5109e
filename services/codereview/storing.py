"""Storing issues and where they occur: two statements, or three where some are known already.

What is sent goes to the database as one JSON array. Rows are inserted in the order of their keys,
so that two transactions with the same issues wait for one another and never deadlock.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from pydantic_core import to_json

from backstay.engine import engine_of
from services.codereview.models import Level

_ISSUE = ('id', 'path', 'level', 'analyzer_check', 'message', 'analyzer', 'hash')
_NEW = (*_ISSUE, 'created')
_PLACE = ('in_patch', 'new_for_revision', 'line', 'nb_lines', 'char')
#: Types on PostgreSQL of what is not text.
_TYPES = {
    'id': 'uuid',
    'created': 'timestamptz',
    'issue_id': 'uuid',
    'new_for_revision': 'boolean',
    'in_patch': 'boolean',
    'line': 'integer',
    'nb_lines': 'integer',
    'char': 'integer',
}

Elements = Sequence[Mapping[str, Any]]


class Unstored(Exception):
    """Somebody deleted an issue while it was stored: try again."""


def store(revision: int, diff: int | None, elements: Elements) -> list[dict[str, Any]]:
    """Store elements of a bulk and give what became of each, in their order.

    An issue whose hash is known stays as it is. A place that is known is not stored again. It must
    run in a transaction. Raises Unstored, and IntegrityError when ids are taken or what is pointed
    at is gone.
    """
    if not elements:
        return []
    issues = _first_of_each_hash(elements)
    with connection.cursor() as cursor:
        cursor.execute(_insert_issues(), [_json(issues.values())])
        new = {hash_ for (hash_,) in cursor.fetchall()}
        if known := [hash_ for hash_ in issues if hash_ not in new]:
            cursor.execute(_select_issues(), [_json([{'hash': each} for each in known])])
            found = {row[-1]: dict(zip(_ISSUE, row, strict=True)) for row in cursor.fetchall()}
            if len(found) < len(known):
                raise Unstored
            issues |= found
        links = [_link(issues[each['hash']], each) for each in elements]
        cursor.execute(_insert_links(), [revision, diff, _json(links)])
    return [_shown(issues[each['hash']], each) for each in elements]


def _first_of_each_hash(elements: Elements) -> dict[str, dict[str, Any]]:
    """The issues by hash, each as the first element with its hash has it.

    A microsecond lies between any two, so that lists have them in the order that they came in.
    """
    issues: dict[str, dict[str, Any]] = {}
    now = timezone.now()
    keys = ordered_ids(now)
    for each in elements:
        if each['hash'] not in issues:
            created = now + timedelta(microseconds=len(issues))
            issues[each['hash']] = {
                'id': str(each.get('id') or next(keys)),
                'path': each['path'],
                'level': each['level'],
                'analyzer_check': each.get('check'),
                'message': each.get('message'),
                'analyzer': each['analyzer'],
                'hash': each['hash'],
                'created': str(connection.ops.adapt_datetimefield_value(created)),
            }
    return issues


def ordered_ids(moment: datetime) -> Iterator[UUID]:
    """Ids that begin with a moment and count on from a random number (UUIDv7, RFC 9562, 5.7).

    Those of a bulk stand side by side in every index: random ones touch as many pages as there are
    issues, of which the database writes whole ones to its log.
    """
    start = int(moment.timestamp() * 1000) << 80 | secrets.randbits(73)
    while True:
        # The random part has 74 bits, 12 of them before the variant and 62 behind it.
        high, low = start >> 62 & 0xFFF, start & (1 << 62) - 1
        yield UUID(int=start >> 80 << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
        start += 1


def _link(issue: Mapping[str, Any], element: Mapping[str, Any]) -> dict[str, Any]:
    """A link as it is sent; what is null is left out."""
    link = {name: element[name] for name in _PLACE if element.get(name) is not None}
    return {'issue_id': _key(issue), **link}


def _shown(issue: Mapping[str, Any], element: Mapping[str, Any]) -> dict[str, Any]:
    """An issue as the API shows it, at the place of an element."""
    in_patch = element.get('in_patch')
    return {
        'id': _key(issue),
        'hash': issue['hash'],
        'analyzer': issue['analyzer'],
        'path': issue['path'],
        'level': issue['level'],
        'check': issue['analyzer_check'],
        'message': issue['message'],
        'publishable': in_patch is True or issue['level'] == Level.ERROR.value,
        'in_patch': in_patch,
        'new_for_revision': element.get('new_for_revision'),
        'line': element.get('line'),
        'nb_lines': element.get('nb_lines'),
        'char': element.get('char'),
    }


def _key(issue: Mapping[str, Any]) -> str:
    """The id in its usual spelling; SQLite has it without hyphens."""
    key: Any = issue['id']
    return str(key) if isinstance(key, UUID) or len(key) == 36 else str(UUID(key))


def _json(rows: Iterable[Mapping[str, Any]]) -> str:
    return to_json([*rows]).decode()


# SQL: the rows that were sent are a table called `sent`.


def _sent(names: Sequence[str]) -> str:
    return engine_of(connection).sent_rows({name: _TYPES.get(name, 'text') for name in names})


def _listed(names: Sequence[str]) -> str:
    return ', '.join(f'"{name}"' for name in names)


def _insert_issues() -> str:
    return (
        f'INSERT INTO codereview_issue ({_listed(_NEW)}, updated) '  # noqa: S608
        f'SELECT {_listed(_NEW)}, created FROM {_sent(_NEW)} WHERE 1 = 1 '
        'ORDER BY hash ON CONFLICT (hash) DO NOTHING RETURNING hash'
    )


def _select_issues() -> str:
    return (
        f'SELECT {_listed(_ISSUE)} FROM codereview_issue '  # noqa: S608
        f'WHERE hash IN (SELECT hash FROM {_sent(("hash",))})'
    )


def _insert_links() -> str:
    columns = ('issue_id', *_PLACE)
    return (
        f'INSERT INTO codereview_issuelink (revision_id, diff_id, {_listed(columns)}) '  # noqa: S608
        f'SELECT CAST(%s AS bigint), CAST(%s AS bigint), {_listed(columns)} '
        f'FROM {_sent(columns)} WHERE 1 = 1 ORDER BY {_listed(columns)} ON CONFLICT DO NOTHING'
    )
