"""Triggers that keep the counters of diffs, the sightings and the tallies, on SQLite.

SQLite calls a trigger for every row, and runs one transaction that writes at a time.
"""

# ruff: noqa: S608 only names of ours are put together


def _sight(head: str, base: str) -> str:
    """Enter links into the sightings: as seen in the head repository, and in the base."""
    return ''.join(
        f"""
        INSERT INTO codereview_sighting (
            repository_id, issue_id, analyzer, analyzer_check, first_day, last_day, publishable_day
        )
        {select}
        ON CONFLICT (issue_id, repository_id) DO UPDATE SET
            last_day = max(
                coalesce(last_day, excluded.last_day), coalesce(excluded.last_day, last_day)
            ),
            publishable_day = max(
                coalesce(publishable_day, excluded.publishable_day),
                coalesce(excluded.publishable_day, publishable_day)
            )
        WHERE excluded.last_day > coalesce(last_day, '')
           OR excluded.publishable_day > coalesce(publishable_day, '');
        """
        for select in (head, base)
    )


def _seen(links: str, where: str) -> str:
    columns = 'i.id, i.analyzer, i.analyzer_check, date(i.created)'
    joined = (
        f'FROM {links} JOIN codereview_revision r ON r.id = l.revision_id '
        f'JOIN codereview_issue i ON i.id = l.issue_id WHERE {where}'
    )
    publishable = "CASE WHEN l.in_patch OR i.level = 'error' THEN date(r.created) END"
    return _sight(
        f'SELECT r.head_repository_id, {columns}, date(r.created), {publishable} {joined}',
        f'SELECT r.base_repository_id, {columns}, NULL, NULL {joined}',
    )


_NEW = 'codereview_issuelink l'


def _see_anew(issue: str) -> str:
    return f'DELETE FROM codereview_sighting WHERE issue_id = {issue};' + _seen(
        _NEW, f'l.issue_id = {issue}'
    )


def _count_anew(which: str) -> str:
    def count(where: str) -> str:
        return (
            '(SELECT count(*) FROM codereview_issuelink l JOIN codereview_issue i '
            f'ON i.id = l.issue_id WHERE l.diff_id = codereview_diff.id AND {where})'
        )

    return f"""
    UPDATE codereview_diff SET
        nb_issues = {count('1')},
        nb_issues_publishable = {count("(l.in_patch OR i.level = 'error')")},
        nb_warnings = {count("i.level = 'warning'")},
        nb_errors = {count("i.level = 'error'")}
    WHERE {which};
    """


def _count_one_more() -> str:
    level = '(SELECT level FROM codereview_issue WHERE id = NEW.issue_id)'
    return f"""
    UPDATE codereview_diff SET
        nb_issues = nb_issues + 1,
        nb_issues_publishable = nb_issues_publishable
            + (coalesce(NEW.in_patch, 0) OR {level} = 'error'),
        nb_warnings = nb_warnings + ({level} = 'warning'),
        nb_errors = nb_errors + ({level} = 'error')
    WHERE id = NEW.diff_id;
    """


_COLUMNS = 'repository_id, analyzer, analyzer_check, day, first, last, publishable'


def _enter(row: str, sign: int) -> str:
    """Enter a sighting into the ledger, or take it out."""
    key = f'{row}.repository_id, {row}.analyzer, {row}.analyzer_check'
    return f"""
    INSERT INTO codereview_tally ({_COLUMNS}) VALUES ({key}, {row}.first_day, {sign}, 0, 0);
    INSERT INTO codereview_tally ({_COLUMNS})
    SELECT {key}, {row}.last_day, 0, {sign}, 0 WHERE {row}.last_day IS NOT NULL;
    INSERT INTO codereview_tally ({_COLUMNS})
    SELECT {key}, {row}.publishable_day, 0, 0, {sign} WHERE {row}.publishable_day IS NOT NULL;
    """


def _enter_issue(row: str, sign: int) -> str:
    return f"""
    INSERT INTO codereview_tally ({_COLUMNS})
    VALUES (NULL, {row}.analyzer, {row}.analyzer_check, date({row}.created), {sign}, 0, 0);
    """


_ISSUE_CHANGED = (
    _enter_issue('OLD', -1)
    + _enter_issue('NEW', 1)
    + _see_anew('NEW.id')
    + _count_anew('id IN (SELECT diff_id FROM codereview_issuelink WHERE issue_id = NEW.id)')
)

_REPOSITORIES = """
    UPDATE codereview_diff SET (base_repository_id, head_repository_id) = (
        SELECT base_repository_id, head_repository_id FROM codereview_revision
        WHERE id = codereview_diff.revision_id
    )
"""

_REVISION_CHANGED = (
    f'{_REPOSITORIES} WHERE revision_id = NEW.id;'
    'DELETE FROM codereview_sighting WHERE issue_id IN '
    '(SELECT issue_id FROM codereview_issuelink WHERE revision_id = NEW.id);'
) + _seen(
    _NEW,
    'l.issue_id IN (SELECT issue_id FROM codereview_issuelink WHERE revision_id = NEW.id)',
)


def _update_of(*columns: str) -> tuple[str, str]:
    """The event, and the condition that a value has changed: Django sets all that it saves."""
    changed = ' OR '.join(f'OLD.{column} IS NOT NEW.{column}' for column in columns)
    return f'UPDATE OF {", ".join(columns)}', f'WHEN {changed}'


#: Name, table, event, what it does.
_TRIGGERS = (
    ('link_added', 'issuelink', 'INSERT', _seen(_NEW, 'l.id = NEW.id') + _count_one_more()),
    (
        'link_changed',
        'issuelink',
        'UPDATE',
        _see_anew('OLD.issue_id')
        + _see_anew('NEW.issue_id')
        + _count_anew('id = OLD.diff_id')
        + _count_anew('id = NEW.diff_id'),
    ),
    (
        'link_removed',
        'issuelink',
        'DELETE',
        _see_anew('OLD.issue_id') + _count_anew('id = OLD.diff_id'),
    ),
    ('diff_added', 'diff', 'INSERT', f'{_REPOSITORIES} WHERE id = NEW.id;'),
    ('diff_moved', 'diff', 'UPDATE OF revision_id', f'{_REPOSITORIES} WHERE id = NEW.id;'),
    ('issue_added', 'issue', 'INSERT', _enter_issue('NEW', 1)),
    (
        'issue_changed',
        'issue',
        _update_of('analyzer', 'analyzer_check', 'level', 'created'),
        _ISSUE_CHANGED,
    ),
    ('issue_removed', 'issue', 'DELETE', _enter_issue('OLD', -1)),
    (
        'revision_changed',
        'revision',
        _update_of('created', 'head_repository_id', 'base_repository_id'),
        _REVISION_CHANGED,
    ),
    ('sighting_added', 'sighting', 'INSERT', _enter('NEW', 1)),
    ('sighting_changed', 'sighting', 'UPDATE', _enter('OLD', -1) + _enter('NEW', 1)),
    ('sighting_removed', 'sighting', 'DELETE', _enter('OLD', -1)),
)


def _create(name: str, table: str, event: str | tuple[str, str], body: str) -> str:
    event, when = event if isinstance(event, tuple) else (event, '')
    head = f'CREATE TRIGGER codereview_{name} AFTER {event} ON codereview_{table} {when}'
    return f'{head} BEGIN {body} END'


CREATE = tuple(_create(*each) for each in _TRIGGERS)
DROP = tuple(f'DROP TRIGGER codereview_{name}' for name, *_ in _TRIGGERS)
