"""Triggers that keep counters, sightings and tallies, on PostgreSQL.

Each works on all rows of a statement at once. What two transactions may both touch is locked in one
order (sightings by issue and repository, then diffs, then revisions), so that they wait and never
deadlock; what is counted anew is locked first and read by the next statement, which sees what others
committed. The first sighting of an issue is that of all repositories (0): whoever writes of an issue
waits there for others who do.
"""

# ruff: noqa: S608 only names of ours are put together

_DAY = "({}.created AT TIME ZONE 'UTC')::date"


def _sight(links: str) -> str:
    """Enter what some links say into the sightings, which only ever move to later days.

    `OFFSET 0` has rows looked up by their keys. PostgreSQL knows how many rows a transition table has
    and not how few revisions, and would read the whole table of revisions instead; and it keeps the
    plan that it made when there were few sightings.
    """
    columns = """
        issue_id, repository_id, analyzer, analyzer_check, created, last_day, publishable_day,
        last_link_id, is_publishable
    """
    revisions = f"""
    WITH revisions AS MATERIALIZED (
        SELECT r.id, r.head_repository_id, r.base_repository_id, {_DAY.format('r')} AS day
        FROM (SELECT DISTINCT revision_id FROM {links} l) l
        CROSS JOIN LATERAL (SELECT * FROM codereview_revision WHERE id = l.revision_id OFFSET 0) r
    )
    """
    publishable = "l.in_patch OR i.level = 'error'"
    changed = """
    ON CONFLICT (issue_id, repository_id) DO UPDATE
    SET last_day = GREATEST(s.last_day, excluded.last_day),
        publishable_day = GREATEST(s.publishable_day, excluded.publishable_day),
        last_link_id = GREATEST(s.last_link_id, excluded.last_link_id),
        is_publishable = s.is_publishable OR excluded.is_publishable
    WHERE (s.last_day, s.publishable_day, s.last_link_id, s.is_publishable) IS DISTINCT FROM (
        GREATEST(s.last_day, excluded.last_day),
        GREATEST(s.publishable_day, excluded.publishable_day),
        GREATEST(s.last_link_id, excluded.last_link_id),
        s.is_publishable OR excluded.is_publishable
    );
    """
    return f"""
    INSERT INTO codereview_sighting AS s ({columns})
    {revisions}
    SELECT i.id, 0, i.analyzer, i.analyzer_check, i.created, max(r.day),
           max(r.day) FILTER (WHERE {publishable}), NULL::bigint,
           COALESCE(bool_or({publishable}), false)
    FROM {links} l JOIN revisions r ON r.id = l.revision_id
    JOIN codereview_issue i ON i.id = l.issue_id
    GROUP BY i.id ORDER BY i.id
    {changed}
    INSERT INTO codereview_sighting AS s ({columns})
    {revisions}
    SELECT i.id, said.repository_id, i.analyzer, i.analyzer_check, i.created,
           max(said.day), max(said.publishable), max(said.link), a.is_publishable
    FROM {links} l
    JOIN revisions r ON r.id = l.revision_id
    JOIN codereview_issue i ON i.id = l.issue_id
    CROSS JOIN LATERAL (
        SELECT is_publishable FROM codereview_sighting
        WHERE issue_id = i.id AND repository_id = 0 OFFSET 0
    ) a
    CROSS JOIN LATERAL (VALUES
        (r.head_repository_id, r.day, CASE WHEN {publishable} THEN r.day END, l.id),
        (r.base_repository_id, NULL, NULL, NULL)
    ) said (repository_id, day, publishable, link)
    GROUP BY i.id, said.repository_id, a.is_publishable
    ORDER BY i.id, said.repository_id
    {changed}
    UPDATE codereview_sighting s SET is_publishable = true
    FROM (SELECT DISTINCT issue_id FROM {links} l WHERE l.in_patch) l
    CROSS JOIN LATERAL (
        SELECT issue_id, repository_id FROM codereview_sighting
        WHERE issue_id = l.issue_id AND NOT is_publishable OFFSET 0
    ) other
    WHERE s.issue_id = other.issue_id AND s.repository_id = other.repository_id;
    """


_TALLY = """
    repository_id, analyzer, analyzer_check, day, is_sum,
    first, last, publishable, found, found_publishable
"""


def _enter(*rows: tuple[str, int]) -> str:
    """Enter sightings into the ledger, or take them out; most of a bulk are alike.

    Nothing is entered where those that come and those that go say the same.
    """
    sightings = ' UNION ALL '.join(
        f"""
        SELECT repository_id, analyzer, analyzer_check, {_DAY.format(table)} AS first_day,
               last_day, publishable_day, is_publishable, {sign} AS sign FROM {table}
        """
        for table, sign in rows
    )
    return f"""
    INSERT INTO codereview_tally ({_TALLY})
    SELECT NULLIF(repository_id, 0), analyzer, analyzer_check, e.day, false,
           sum(n * e.first), sum(n * e.last), sum(n * e.publishable),
           sum(n * e.found), sum(n * e.found_publishable)
    FROM (
        SELECT repository_id, analyzer, analyzer_check, first_day, last_day, publishable_day,
               is_publishable, sum(sign) AS n
        FROM ({sightings}) entered GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(sign) <> 0
    ) alike CROSS JOIN LATERAL (VALUES
        (first_day, (repository_id <> 0)::int, 0, 0, (last_day IS NOT NULL)::int,
         (last_day IS NOT NULL AND is_publishable)::int),
        (last_day, 0, 1, 0, 0, 0),
        (publishable_day, 0, 0, 1, 0, 0)
    ) e (day, first, last, publishable, found, found_publishable)
    WHERE e.day IS NOT NULL GROUP BY repository_id, analyzer, analyzer_check, e.day
    HAVING (sum(n * e.first), sum(n * e.last), sum(n * e.publishable), sum(n * e.found),
            sum(n * e.found_publishable)) <> (0, 0, 0, 0, 0);
    """


def _enter_issues(rows: str, sign: int) -> str:
    return f"""
    INSERT INTO codereview_tally ({_TALLY})
    SELECT NULL, i.analyzer, i.analyzer_check, {_DAY.format('i')}, false,
           count(*) * {sign}, 0, 0, 0, 0
    FROM {rows} i GROUP BY 2, 3, 4;
    """


_COUNTERS = ('nb_issues', 'nb_issues_publishable', 'nb_warnings', 'nb_errors')
_COUNTS = """
    count(*) AS nb_issues,
    count(*) FILTER (WHERE l.in_patch OR i.level = 'error') AS nb_issues_publishable,
    count(*) FILTER (WHERE i.level = 'warning') AS nb_warnings,
    count(*) FILTER (WHERE i.level = 'error') AS nb_errors
"""
#: Where a link is counted: the table, and the condition.
_COUNTED = {'diff': 'true', 'revision': 'l.diff_id IS NULL'}


def _count_added(table: str) -> str:
    more = ', '.join(f'{name} = t.{name} + n.{name}' for name in _COUNTERS)
    return f"""
    UPDATE codereview_{table} t SET {more}
    FROM (
        SELECT l.{table}_id, {_COUNTS} FROM added l JOIN codereview_issue i ON i.id = l.issue_id
        WHERE l.{table}_id IS NOT NULL AND {_COUNTED[table]} GROUP BY l.{table}_id
    ) n WHERE t.id = n.{table}_id;
    """


def _count_anew(table: str) -> str:
    """A function that counts the links of some diffs, or of some revisions, anew."""
    counted = ', '.join(f'{name} = n.{name}' for name in _COUNTERS)
    return f"""
    CREATE FUNCTION codereview_count_{table}s(keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM codereview_{table} WHERE id = ANY(keys) ORDER BY id FOR NO KEY UPDATE;
        UPDATE codereview_{table} t SET {counted}
        FROM unnest(keys) AS given(id) CROSS JOIN LATERAL (
            SELECT {_COUNTS}
            FROM codereview_issuelink l JOIN codereview_issue i ON i.id = l.issue_id
            WHERE l.{table}_id = given.id AND {_COUNTED[table]}
        ) n WHERE t.id = given.id;
    END $$
    """


def _counted_of(links: str) -> str:
    """Count anew what some links are counted in."""
    return f"""
    PERFORM codereview_count_diffs(array_agg(DISTINCT diff_id)) FROM ({links}) l
    WHERE diff_id IS NOT NULL;
    PERFORM codereview_count_revisions(array_agg(DISTINCT revision_id)) FROM ({links}) l
    WHERE diff_id IS NULL;
    """


#: See the sightings of some issues anew, from all links that they still have.
_SEE_ANEW = f"""
CREATE FUNCTION codereview_see_anew(issues uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM codereview_sighting WHERE issue_id = ANY(issues)
    ORDER BY issue_id, repository_id FOR UPDATE;
    DELETE FROM codereview_sighting WHERE issue_id = ANY(issues);
    {_sight('(SELECT * FROM codereview_issuelink WHERE issue_id = ANY(issues))')}
END $$
"""

_LINKS_ADDED = f"""
CREATE FUNCTION codereview_links_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_sight('added')}
    {_count_added('diff')}
    {_count_added('revision')}
    RETURN NULL;
END $$
"""

_BOTH = 'SELECT diff_id, revision_id FROM removed UNION SELECT diff_id, revision_id FROM added'
_LINKS_CHANGED = f"""
CREATE FUNCTION codereview_links_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM codereview_see_anew(array_agg(DISTINCT issue_id))
    FROM (SELECT issue_id FROM removed UNION SELECT issue_id FROM added) l;
    {_counted_of(_BOTH)}
    RETURN NULL;
END $$
"""

_LINKS_REMOVED = f"""
CREATE FUNCTION codereview_links_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM codereview_see_anew(array_agg(DISTINCT issue_id)) FROM removed;
    {_counted_of('SELECT diff_id, revision_id FROM removed')}
    RETURN NULL;
END $$
"""

_OF_ISSUES = (
    'SELECT l.diff_id, l.revision_id FROM added a JOIN codereview_issuelink l ON l.issue_id = a.id'
)
_ISSUES_CHANGED = f"""
CREATE FUNCTION codereview_issues_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM added a JOIN removed r USING (id)
        WHERE (a.analyzer, a.analyzer_check, a.level, a.created)
              IS DISTINCT FROM (r.analyzer, r.analyzer_check, r.level, r.created)
    ) THEN
        RETURN NULL;
    END IF;
    {_enter_issues('removed', -1)}
    {_enter_issues('added', 1)}
    PERFORM codereview_see_anew(array_agg(id)) FROM added;
    {_counted_of(_OF_ISSUES)}
    RETURN NULL;
END $$
"""

_REVISIONS_CHANGED = """
CREATE FUNCTION codereview_revisions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE codereview_diff d
    SET base_repository_id = a.base_repository_id, head_repository_id = a.head_repository_id
    FROM added a JOIN removed r USING (id)
    WHERE d.revision_id = a.id AND (a.base_repository_id, a.head_repository_id)
          IS DISTINCT FROM (r.base_repository_id, r.head_repository_id);
    PERFORM codereview_write_texts(array_agg(d.id))
    FROM added a JOIN removed r USING (id) JOIN codereview_diff d ON d.revision_id = a.id
    WHERE (a.provider, a.provider_id, a.bugzilla_id, a.title)
          IS DISTINCT FROM (r.provider, r.provider_id, r.bugzilla_id, r.title);
    PERFORM codereview_see_anew(array_agg(DISTINCT l.issue_id))
    FROM added a JOIN removed r USING (id) JOIN codereview_issuelink l ON l.revision_id = a.id
    WHERE (a.created, a.head_repository_id, a.base_repository_id)
          IS DISTINCT FROM (r.created, r.head_repository_id, r.base_repository_id);
    RETURN NULL;
END $$
"""


_DIFF_ADDED = """
CREATE FUNCTION codereview_diff_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT base_repository_id, head_repository_id
    INTO NEW.base_repository_id, NEW.head_repository_id
    FROM codereview_revision WHERE id = NEW.revision_id;
    RETURN NEW;
END $$
"""


#: What diffs are searched by: their ids, the name of the revision, its bug and title.
_TEXT = """concat_ws(
    E'\\n', d.id, d.provider_id,
    CASE r.provider WHEN 'phabricator' THEN 'D' ELSE '#' END || r.provider_id,
    r.bugzilla_id, r.title
)"""


def _write_texts(which: str) -> str:
    return f"""
    INSERT INTO codereview_difftext AS t (diff_id, text)
    SELECT d.id, {_TEXT}
    FROM codereview_diff d JOIN codereview_revision r ON r.id = d.revision_id WHERE {which}
    ON CONFLICT (diff_id) DO UPDATE SET text = excluded.text WHERE t.text <> excluded.text;
    """


_WRITE_TEXTS = f"""
CREATE FUNCTION codereview_write_texts(keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN {_write_texts('d.id = ANY(keys)')} END $$
"""


def _function(name: str, body: str) -> str:
    return (
        f'CREATE FUNCTION codereview_{name}() RETURNS trigger LANGUAGE plpgsql AS '
        f'$$ BEGIN {body} RETURN NULL; END $$'
    )


def _trigger(table: str, event: str, function: str) -> str:
    tables = {
        'INSERT': 'NEW TABLE AS added',
        'UPDATE': 'NEW TABLE AS added OLD TABLE AS removed',
        'DELETE': 'OLD TABLE AS removed',
    }
    return (
        f'CREATE TRIGGER codereview_{function} AFTER {event} ON codereview_{table} '
        f'REFERENCING {tables[event]} FOR EACH STATEMENT EXECUTE FUNCTION codereview_{function}()'
    )


CREATE = (
    _SEE_ANEW,
    _WRITE_TEXTS,
    _count_anew('diff'),
    _count_anew('revision'),
    _LINKS_ADDED,
    _LINKS_CHANGED,
    _LINKS_REMOVED,
    _ISSUES_CHANGED,
    _REVISIONS_CHANGED,
    _DIFF_ADDED,
    _function('issues_added', _enter_issues('added', 1)),
    _function('issues_removed', _enter_issues('removed', -1)),
    _function('sightings_added', _enter(('added', 1))),
    _function('sightings_changed', _enter(('removed', -1), ('added', 1))),
    _function('sightings_removed', _enter(('removed', -1))),
    _function('diffs_added', 'PERFORM codereview_write_texts(array_agg(id)) FROM added;'),
    _function(
        'diffs_changed',
        'PERFORM codereview_write_texts(array_agg(a.id)) FROM added a JOIN removed r USING (id) '
        'WHERE (a.provider_id, a.revision_id) IS DISTINCT FROM (r.provider_id, r.revision_id);',
    ),
    _function(
        'diffs_removed',
        'DELETE FROM codereview_difftext WHERE diff_id IN (SELECT id FROM removed);',
    ),
    'CREATE TRIGGER codereview_diff_added BEFORE INSERT OR UPDATE OF revision_id '
    'ON codereview_diff FOR EACH ROW EXECUTE FUNCTION codereview_diff_added()',
    _trigger('diff', 'INSERT', 'diffs_added'),
    _trigger('diff', 'UPDATE', 'diffs_changed'),
    _trigger('diff', 'DELETE', 'diffs_removed'),
    _trigger('issuelink', 'INSERT', 'links_added'),
    _trigger('issuelink', 'UPDATE', 'links_changed'),
    _trigger('issuelink', 'DELETE', 'links_removed'),
    _trigger('issue', 'INSERT', 'issues_added'),
    _trigger('issue', 'UPDATE', 'issues_changed'),
    _trigger('issue', 'DELETE', 'issues_removed'),
    _trigger('revision', 'UPDATE', 'revisions_changed'),
    _trigger('sighting', 'INSERT', 'sightings_added'),
    _trigger('sighting', 'UPDATE', 'sightings_changed'),
    _trigger('sighting', 'DELETE', 'sightings_removed'),
)

_FUNCTIONS = (
    'links_added',
    'links_changed',
    'links_removed',
    'issues_added',
    'issues_changed',
    'issues_removed',
    'revisions_changed',
    'diff_added',
    'diffs_added',
    'diffs_changed',
    'diffs_removed',
    'sightings_added',
    'sightings_changed',
    'sightings_removed',
)
DROP = (
    *(f'DROP FUNCTION IF EXISTS codereview_{name}() CASCADE' for name in _FUNCTIONS),
    'DROP FUNCTION IF EXISTS codereview_see_anew(uuid[])',
    'DROP FUNCTION IF EXISTS codereview_write_texts(bigint[])',
    'DROP FUNCTION IF EXISTS codereview_count_diffs(bigint[])',
    'DROP FUNCTION IF EXISTS codereview_count_revisions(bigint[])',
    # Its name until 0004.
    'DROP FUNCTION IF EXISTS codereview_count_anew(bigint[])',
)


def _count_all(table: str) -> str:
    """Count the links of all diffs, or of all revisions, whose counters are 0."""
    counted = ', '.join(f'{name} = n.{name}' for name in _COUNTERS)
    return f"""
    UPDATE codereview_{table} t SET {counted}
    FROM (
        SELECT l.{table}_id, {_COUNTS}
        FROM codereview_issuelink l JOIN codereview_issue i ON i.id = l.issue_id
        WHERE l.{table}_id IS NOT NULL AND {_COUNTED[table]} GROUP BY l.{table}_id
    ) n WHERE t.id = n.{table}_id
    """


#: Make all that triggers keep, from links and issues. There are no triggers meanwhile, and no
#: sightings, no tallies, and no counters but 0 before.
FILL = (
    """
    UPDATE codereview_diff d
    SET base_repository_id = r.base_repository_id, head_repository_id = r.head_repository_id
    FROM codereview_revision r WHERE r.id = d.revision_id
          AND (d.base_repository_id, d.head_repository_id)
              IS DISTINCT FROM (r.base_repository_id, r.head_repository_id)
    """,
    _write_texts('true'),
    _count_all('diff'),
    _count_all('revision'),
    *(each for each in _sight('codereview_issuelink').split(';') if each.strip()),
    _enter(('codereview_sighting', 1)),
    _enter_issues('codereview_issue', 1),
)
