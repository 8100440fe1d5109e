"""Storing issues and where they occur: two statements, or three where some are known already.

What is sent goes to the database as one JSON array. Rows are inserted in the order of their keys,
so that two transactions with the same issues wait for one another and never deadlock.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from services.codereview.models import Level

_ISSUE = ('id', 'path', 'level', 'analyzer_check', 'message', 'analyzer', 'hash')
_PLACE = ('in_patch', 'new_for_revision', 'line', 'nb_lines', 'char')
#: Types on PostgreSQL of what is not text.
_TYPES = {
    'id': 'uuid',
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
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        cursor.execute(_insert_issues(), [now, now, _json(issues.values())])
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
    """The issues by hash, each as the first element with its hash has it."""
    issues: dict[str, dict[str, Any]] = {}
    for each in elements:
        if each['hash'] not in issues:
            issues[each['hash']] = {
                'id': str(each.get('id') or uuid4()),
                'path': each['path'],
                'level': each['level'],
                'analyzer_check': each.get('check'),
                'message': each.get('message'),
                'analyzer': each['analyzer'],
                'hash': each['hash'],
            }
    return issues


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
    return json.dumps([*rows], ensure_ascii=False, separators=(',', ':'))


# SQL: the rows that were sent are a table called `sent` on both engines.


def _sent(names: Sequence[str]) -> str:
    if connection.vendor == 'postgresql':
        columns = ', '.join(f'"{name}" {_TYPES.get(name, "text")}' for name in names)
        return f'json_to_recordset(%s) AS sent({columns})'
    columns = ', '.join(f'{_extracted(name)} AS "{name}"' for name in names)
    return f'(SELECT {columns} FROM json_each(%s)) AS sent'  # noqa: S608 our own names


def _extracted(name: str) -> str:
    """A value of a row on SQLite, which stores UUIDs without hyphens."""
    value = f"json_extract(value, '$.{name}')"
    return f"replace({value}, '-', '')" if _TYPES.get(name) == 'uuid' else value


def _listed(names: Sequence[str]) -> str:
    return ', '.join(f'"{name}"' for name in names)


def _insert_issues() -> str:
    return (
        f'INSERT INTO codereview_issue (created, updated, {_listed(_ISSUE)}) '  # noqa: S608
        f'SELECT {_moment()}, {_moment()}, {_listed(_ISSUE)} FROM {_sent(_ISSUE)} WHERE 1 = 1 '
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


def _moment() -> str:
    return 'CAST(%s AS timestamptz)' if connection.vendor == 'postgresql' else '%s'
