"""Triggers that keep the counters of diffs, the sightings and the tallies, on PostgreSQL.

Each works on all rows of a statement at once. What two transactions may both touch is locked in one
order (sightings by issue and repository, then diffs), so that they wait and never deadlock; what is
counted anew is locked first and read by the next statement, which sees what others committed.
"""

# ruff: noqa: S608 only names of ours are put together

_DAY = "({}.created AT TIME ZONE 'UTC')::date"


def _sight(links: str) -> str:
    """Enter what some links say into the sightings, which only ever move to later days.

    `OFFSET 0` has each revision looked up by its key. PostgreSQL knows how many rows a transition
    table has and not how few revisions, and would read the whole table of revisions instead.
    """
    return f"""
    INSERT INTO codereview_sighting AS s (
        issue_id, repository_id, analyzer, analyzer_check, first_day, last_day, publishable_day
    )
    WITH revisions AS MATERIALIZED (
        SELECT r.id, r.head_repository_id, r.base_repository_id, {_DAY.format('r')} AS day
        FROM (SELECT DISTINCT revision_id FROM {links} l) l
        CROSS JOIN LATERAL (SELECT * FROM codereview_revision WHERE id = l.revision_id OFFSET 0) r
    )
    SELECT i.id, said.repository_id, i.analyzer, i.analyzer_check, {_DAY.format('i')},
           max(said.day), max(said.publishable)
    FROM {links} l
    JOIN revisions r ON r.id = l.revision_id
    JOIN codereview_issue i ON i.id = l.issue_id
    CROSS JOIN LATERAL (VALUES
        (r.head_repository_id, r.day, CASE WHEN l.in_patch OR i.level = 'error' THEN r.day END),
        (r.base_repository_id, NULL, NULL)
    ) said (repository_id, day, publishable)
    GROUP BY i.id, said.repository_id
    ORDER BY i.id, said.repository_id
    ON CONFLICT (issue_id, repository_id) DO UPDATE
    SET last_day = GREATEST(s.last_day, excluded.last_day),
        publishable_day = GREATEST(s.publishable_day, excluded.publishable_day)
    WHERE (s.last_day, s.publishable_day) IS DISTINCT FROM (
        GREATEST(s.last_day, excluded.last_day),
        GREATEST(s.publishable_day, excluded.publishable_day)
    );
    """


def _enter(rows: str, sign: int) -> str:
    """Enter sightings into the ledger, or take them out; most of a bulk are alike."""
    return f"""
    INSERT INTO codereview_tally (
        repository_id, analyzer, analyzer_check, day, first, last, publishable
    )
    SELECT repository_id, analyzer, analyzer_check, e.day,
           sum(n * e.first) * {sign}, sum(n * e.last) * {sign}, sum(n * e.publishable) * {sign}
    FROM (
        SELECT repository_id, analyzer, analyzer_check, first_day, last_day, publishable_day,
               count(*) AS n
        FROM {rows} GROUP BY 1, 2, 3, 4, 5, 6
    ) alike CROSS JOIN LATERAL (
        VALUES (first_day, 1, 0, 0), (last_day, 0, 1, 0), (publishable_day, 0, 0, 1)
    ) e (day, first, last, publishable)
    WHERE e.day IS NOT NULL GROUP BY repository_id, analyzer, analyzer_check, e.day;
    """


def _enter_issues(rows: str, sign: int) -> str:
    return f"""
    INSERT INTO codereview_tally (
        repository_id, analyzer, analyzer_check, day, first, last, publishable
    )
    SELECT NULL, i.analyzer, i.analyzer_check, {_DAY.format('i')}, count(*) * {sign}, 0, 0
    FROM {rows} i GROUP BY 2, 3, 4;
    """


_COUNTS = """
    count(*) AS nb_issues,
    count(*) FILTER (WHERE l.in_patch OR i.level = 'error') AS nb_issues_publishable,
    count(*) FILTER (WHERE i.level = 'warning') AS nb_warnings,
    count(*) FILTER (WHERE i.level = 'error') AS nb_errors
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

_COUNT_ANEW = f"""
CREATE FUNCTION codereview_count_anew(diffs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM codereview_diff WHERE id = ANY(diffs) ORDER BY id FOR NO KEY UPDATE;
    UPDATE codereview_diff d
    SET nb_issues = n.nb_issues, nb_issues_publishable = n.nb_issues_publishable,
        nb_warnings = n.nb_warnings, nb_errors = n.nb_errors
    FROM unnest(diffs) AS given(id) CROSS JOIN LATERAL (
        SELECT {_COUNTS} FROM codereview_issuelink l JOIN codereview_issue i ON i.id = l.issue_id
        WHERE l.diff_id = given.id
    ) n WHERE d.id = given.id;
END $$
"""

_LINKS_ADDED = f"""
CREATE FUNCTION codereview_links_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_sight('added')}
    UPDATE codereview_diff d
    SET nb_issues = d.nb_issues + n.nb_issues,
        nb_issues_publishable = d.nb_issues_publishable + n.nb_issues_publishable,
        nb_warnings = d.nb_warnings + n.nb_warnings,
        nb_errors = d.nb_errors + n.nb_errors
    FROM (
        SELECT l.diff_id, {_COUNTS} FROM added l JOIN codereview_issue i ON i.id = l.issue_id
        WHERE l.diff_id IS NOT NULL GROUP BY l.diff_id
    ) n WHERE d.id = n.diff_id;
    RETURN NULL;
END $$
"""

_LINKS_CHANGED = """
CREATE FUNCTION codereview_links_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM codereview_see_anew(array_agg(DISTINCT issue_id))
    FROM (SELECT issue_id FROM removed UNION SELECT issue_id FROM added) l;
    PERFORM codereview_count_anew(array_agg(DISTINCT diff_id))
    FROM (SELECT diff_id FROM removed UNION SELECT diff_id FROM added) l
    WHERE diff_id IS NOT NULL;
    RETURN NULL;
END $$
"""

_LINKS_REMOVED = """
CREATE FUNCTION codereview_links_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM codereview_see_anew(array_agg(DISTINCT issue_id)) FROM removed;
    PERFORM codereview_count_anew(array_agg(DISTINCT diff_id)) FROM removed
    WHERE diff_id IS NOT NULL;
    RETURN NULL;
END $$
"""

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
    PERFORM codereview_count_anew(array_agg(DISTINCT l.diff_id))
    FROM added a JOIN codereview_issuelink l ON l.issue_id = a.id WHERE l.diff_id IS NOT NULL;
    RETURN NULL;
END $$
"""

_REVISIONS_CHANGED = """
CREATE FUNCTION codereview_revisions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE codereview_diff d
    SET base_repository_id = a.base_repository_id, head_repository_id = a.head_repository_id
    FROM added a WHERE d.revision_id = a.id AND (d.base_repository_id, d.head_repository_id)
          IS DISTINCT FROM (a.base_repository_id, a.head_repository_id);
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
    _COUNT_ANEW,
    _LINKS_ADDED,
    _LINKS_CHANGED,
    _LINKS_REMOVED,
    _ISSUES_CHANGED,
    _REVISIONS_CHANGED,
    _DIFF_ADDED,
    _function('issues_added', _enter_issues('added', 1)),
    _function('issues_removed', _enter_issues('removed', -1)),
    _function('sightings_added', _enter('added', 1)),
    _function('sightings_changed', _enter('removed', -1) + _enter('added', 1)),
    _function('sightings_removed', _enter('removed', -1)),
    'CREATE TRIGGER codereview_diff_added BEFORE INSERT OR UPDATE OF revision_id '
    'ON codereview_diff FOR EACH ROW EXECUTE FUNCTION codereview_diff_added()',
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
    'sightings_added',
    'sightings_changed',
    'sightings_removed',
)
DROP = (
    *(f'DROP FUNCTION codereview_{name}() CASCADE' for name in _FUNCTIONS),
    'DROP FUNCTION codereview_see_anew(uuid[])',
    'DROP FUNCTION codereview_count_anew(bigint[])',
)
