"""Triggers that keep counters, sightings and tallies, on SQLite.

SQLite calls a trigger for every row, and runs one transaction that writes at a time.
"""

# ruff: noqa: S608 only names of ours are put together

_SIGHTING = """
    repository_id, issue_id, analyzer, analyzer_check, created, last_day, publishable_day,
    last_link_id, is_publishable
"""


def _later(column: str) -> str:
    """The later of what is stored and what comes; either may be NULL."""
    return f"""{column} = max(
        coalesce({column}, excluded.{column}), coalesce(excluded.{column}, {column})
    )"""


def _enter_sightings(select: str) -> str:
    return f"""
    INSERT INTO codereview_sighting ({_SIGHTING})
    {select}
    ON CONFLICT (issue_id, repository_id) DO UPDATE SET
        {_later('last_day')}, {_later('publishable_day')}, {_later('last_link_id')},
        is_publishable = max(is_publishable, excluded.is_publishable)
    WHERE excluded.last_day > coalesce(last_day, '')
       OR excluded.publishable_day > coalesce(publishable_day, '')
       OR excluded.last_link_id > coalesce(last_link_id, 0)
       OR excluded.is_publishable > is_publishable;
    """


#: The sighting of all repositories (0) comes first: the others have from it whether some occurrence
#: anywhere can be published.
_ANYWHERE = """(
    SELECT is_publishable FROM codereview_sighting WHERE issue_id = i.id AND repository_id = 0
)"""


def _sight(links: str, where: str) -> str:
    """Enter links into the sightings: of all repositories, of the head, and of the base."""
    issue = 'i.id, i.analyzer, i.analyzer_check, i.created'
    joined = (
        f'FROM {links} l JOIN codereview_revision r ON r.id = l.revision_id '
        f'JOIN codereview_issue i ON i.id = l.issue_id WHERE {where}'
    )
    publishable = "(l.in_patch OR i.level = 'error')"
    seen = f'max(date(r.created)), max(CASE WHEN {publishable} THEN date(r.created) END)'
    anywhere = f'max(coalesce({publishable}, 0))'
    return (
        _enter_sightings(f'SELECT 0, {issue}, {seen}, NULL, {anywhere} {joined} GROUP BY i.id')
        + _enter_sightings(
            f'SELECT r.head_repository_id, {issue}, {seen}, max(l.id), {_ANYWHERE} {joined} '
            'GROUP BY i.id, r.head_repository_id'
        )
        + _enter_sightings(
            f'SELECT r.base_repository_id, {issue}, NULL, NULL, NULL, {_ANYWHERE} {joined} '
            'GROUP BY i.id, r.base_repository_id'
        )
    )


_LINKS = 'codereview_issuelink'


def _see_anew(issue: str) -> str:
    return f'DELETE FROM codereview_sighting WHERE issue_id = {issue};' + _sight(
        _LINKS, f'l.issue_id = {issue}'
    )


_SPREAD = """
    UPDATE codereview_sighting SET is_publishable = 1
    WHERE issue_id = NEW.issue_id AND NEW.in_patch AND NOT is_publishable;
"""

#: Where a link is counted: the table, and the condition.
_COUNTED = {'diff': '1', 'revision': 'l.diff_id IS NULL'}


def _count_anew(table: str, which: str) -> str:
    def count(where: str) -> str:
        return (
            '(SELECT count(*) FROM codereview_issuelink l JOIN codereview_issue i '
            f'ON i.id = l.issue_id WHERE l.{table}_id = codereview_{table}.id '
            f'AND {_COUNTED[table]} AND {where})'
        )

    return f"""
    UPDATE codereview_{table} SET
        nb_issues = {count('1')},
        nb_issues_publishable = {count("(l.in_patch OR i.level = 'error')")},
        nb_warnings = {count("i.level = 'warning'")},
        nb_errors = {count("i.level = 'error'")}
    WHERE {which};
    """


def _count_link_anew(row: str) -> str:
    """Count anew where a link is counted: in its diff, or else in its revision."""
    return _count_anew('diff', f'id = {row}.diff_id') + _count_anew(
        'revision', f'{row}.diff_id IS NULL AND id = {row}.revision_id'
    )


def _count_one_more(table: str, which: str) -> str:
    level = '(SELECT level FROM codereview_issue WHERE id = NEW.issue_id)'
    return f"""
    UPDATE codereview_{table} SET
        nb_issues = nb_issues + 1,
        nb_issues_publishable = nb_issues_publishable
            + (coalesce(NEW.in_patch, 0) OR {level} = 'error'),
        nb_warnings = nb_warnings + ({level} = 'warning'),
        nb_errors = nb_errors + ({level} = 'error')
    WHERE {which};
    """


_TALLY = """
    repository_id, analyzer, analyzer_check, day, is_sum,
    first, last, publishable, found, found_publishable
"""


def _enter(row: str, sign: int, where: str = '1') -> str:
    """Enter a sighting into the ledger, or take it out."""
    key = f'nullif({row}.repository_id, 0), {row}.analyzer, {row}.analyzer_check'
    is_found = f'{row}.last_day IS NOT NULL'
    return f"""
    INSERT INTO codereview_tally ({_TALLY})
    SELECT {key}, date({row}.created), 0, {sign} * ({row}.repository_id <> 0), 0, 0,
           {sign} * ({is_found}), {sign} * ({is_found} AND {row}.is_publishable)
    WHERE {where} AND ({row}.repository_id <> 0 OR {is_found});
    INSERT INTO codereview_tally ({_TALLY})
    SELECT {key}, {row}.last_day, 0, 0, {sign}, 0, 0, 0 WHERE {where} AND {is_found};
    INSERT INTO codereview_tally ({_TALLY})
    SELECT {key}, {row}.publishable_day, 0, 0, 0, {sign}, 0, 0
    WHERE {where} AND {row}.publishable_day IS NOT NULL;
    """


def _enter_issue(row: str, sign: int) -> str:
    return f"""
    INSERT INTO codereview_tally ({_TALLY})
    VALUES (
        NULL, {row}.analyzer, {row}.analyzer_check, date({row}.created), 0, {sign}, 0, 0, 0, 0
    );
    """


_ISSUE_CHANGED = (
    _enter_issue('OLD', -1)
    + _enter_issue('NEW', 1)
    + _see_anew('NEW.id')
    + _count_anew('diff', f'id IN (SELECT diff_id FROM {_LINKS} WHERE issue_id = NEW.id)')
    + _count_anew('revision', f'id IN (SELECT revision_id FROM {_LINKS} WHERE issue_id = NEW.id)')
)

_REPOSITORIES = """
    UPDATE codereview_diff SET (base_repository_id, head_repository_id) = (
        SELECT base_repository_id, head_repository_id FROM codereview_revision
        WHERE id = codereview_diff.revision_id
    )
"""


def _write_texts(which: str) -> str:
    """Keep the text that diffs are searched by: their ids, the name of the revision, its bug and title."""
    return f"""
    INSERT INTO codereview_difftext (diff_id, text)
    SELECT d.id, d.id || char(10) || d.provider_id || char(10) || coalesce(
        CASE r.provider WHEN 'phabricator' THEN 'D' ELSE '#' END || r.provider_id || char(10), ''
    ) || coalesce(r.bugzilla_id || char(10), '') || r.title
    FROM codereview_diff d JOIN codereview_revision r ON r.id = d.revision_id WHERE {which}
    ON CONFLICT (diff_id) DO UPDATE SET text = excluded.text;
    """


_OF_REVISION = f'(SELECT issue_id FROM {_LINKS} WHERE revision_id = NEW.id)'
_REVISION_CHANGED = (
    f'{_REPOSITORIES} WHERE revision_id = NEW.id;'
    f'DELETE FROM codereview_sighting WHERE issue_id IN {_OF_REVISION};'
) + _sight(_LINKS, f'l.issue_id IN {_OF_REVISION}')


def _update_of(*columns: str) -> tuple[str, str]:
    """The event, and the condition that a value has changed: Django sets all that it saves."""
    changed = ' OR '.join(f'OLD.{column} IS NOT NEW.{column}' for column in columns)
    return f'UPDATE OF {", ".join(columns)}', f'WHEN {changed}'


#: Name, table, event, what it does.
_TRIGGERS = (
    (
        'link_added',
        'issuelink',
        'INSERT',
        _sight(_LINKS, 'l.id = NEW.id')
        + _SPREAD
        + _count_one_more('diff', 'id = NEW.diff_id')
        + _count_one_more('revision', 'NEW.diff_id IS NULL AND id = NEW.revision_id'),
    ),
    (
        'link_changed',
        'issuelink',
        'UPDATE',
        _see_anew('OLD.issue_id')
        + _see_anew('NEW.issue_id')
        + _count_link_anew('OLD')
        + _count_link_anew('NEW'),
    ),
    ('link_removed', 'issuelink', 'DELETE', _see_anew('OLD.issue_id') + _count_link_anew('OLD')),
    (
        'diff_added',
        'diff',
        'INSERT',
        f'{_REPOSITORIES} WHERE id = NEW.id;' + _write_texts('d.id = NEW.id'),
    ),
    (
        'diff_moved',
        'diff',
        'UPDATE OF revision_id, provider_id',
        f'{_REPOSITORIES} WHERE id = NEW.id;' + _write_texts('d.id = NEW.id'),
    ),
    ('diff_removed', 'diff', 'DELETE', 'DELETE FROM codereview_difftext WHERE diff_id = OLD.id;'),
    (
        'revision_renamed',
        'revision',
        _update_of('provider', 'provider_id', 'bugzilla_id', 'title'),
        _write_texts('d.revision_id = NEW.id'),
    ),
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
    (
        'sighting_changed',
        'sighting',
        # Not of the link that is the latest.
        _update_of(
            'analyzer', 'analyzer_check', 'created', 'last_day', 'publishable_day', 'is_publishable'
        ),
        _enter('OLD', -1) + _enter('NEW', 1),
    ),
    ('sighting_removed', 'sighting', 'DELETE', _enter('OLD', -1)),
)


def _create(name: str, table: str, event: str | tuple[str, str], body: str) -> str:
    event, when = event if isinstance(event, tuple) else (event, '')
    head = f'CREATE TRIGGER codereview_{name} AFTER {event} ON codereview_{table} {when}'
    return f'{head} BEGIN {body} END'


CREATE = tuple(_create(*each) for each in _TRIGGERS)
DROP = tuple(f'DROP TRIGGER IF EXISTS codereview_{name}' for name, *_ in _TRIGGERS)


def _count_all(table: str) -> str:
    """Count the links of all diffs, or of all revisions, whose counters are 0."""
    return f"""
    UPDATE codereview_{table} SET
        nb_issues = n.issues, nb_issues_publishable = n.publishable,
        nb_warnings = n.warnings, nb_errors = n.errors
    FROM (
        SELECT l.{table}_id AS key, count(*) AS issues,
               sum(coalesce(l.in_patch, 0) OR i.level = 'error') AS publishable,
               sum(i.level = 'warning') AS warnings, sum(i.level = 'error') AS errors
        FROM codereview_issuelink l JOIN codereview_issue i ON i.id = l.issue_id
        WHERE l.{table}_id IS NOT NULL AND {_COUNTED[table]} GROUP BY l.{table}_id
    ) n WHERE codereview_{table}.id = n.key
    """


_SEEN = 'FROM codereview_sighting GROUP BY 1, 2, 3, 4'

#: Make all that triggers keep, from links and issues. There are no triggers meanwhile, and no
#: sightings, no tallies, and no counters but 0 before.
FILL = (
    _REPOSITORIES,
    _write_texts('1'),
    _count_all('diff'),
    _count_all('revision'),
    *(each for each in _sight(_LINKS, '1').split(';') if each.strip()),
    f"""
    INSERT INTO codereview_tally ({_TALLY})
    SELECT nullif(repository_id, 0), analyzer, analyzer_check, day, 1,
           sum(first), sum(last), sum(publishable), sum(found), sum(found_publishable)
    FROM (
        SELECT repository_id, analyzer, analyzer_check, date(created) AS day,
               sum(repository_id <> 0) AS first, 0 AS last, 0 AS publishable,
               sum(last_day IS NOT NULL) AS found,
               sum(last_day IS NOT NULL AND is_publishable) AS found_publishable {_SEEN}
        UNION ALL
        SELECT repository_id, analyzer, analyzer_check, last_day, 0, count(*), 0, 0, 0 {_SEEN}
        UNION ALL
        SELECT repository_id, analyzer, analyzer_check, publishable_day, 0, 0, count(*), 0, 0
        {_SEEN}
        UNION ALL
        SELECT 0, analyzer, analyzer_check, date(created), count(*), 0, 0, 0, 0
        FROM codereview_issue GROUP BY 1, 2, 3, 4
    ) WHERE day IS NOT NULL GROUP BY 1, 2, 3, 4
    """,
)
