"""The reads as single statements: the database writes the JSON and the server passes it on.

Hand-written ASGI, pgbench, and the placeholder of Backstay share these texts. Values are named
`:status`, `:limit`, `:offset`, `:id`, as pgbench writes them; `positional` and `named` write them
for the drivers. `HH24":"MI` is quoted so that pgbench does not take `:MI` for a value.

What made a statement cheap, in database CPU on this data (figures in `bench/README.md`):

* the page of ids is found first, from the index alone, and joined afterwards;
* `||` of texts, with `to_json` only where a value needs escaping, costs less than
  `json_build_object`;
* the session runs with `plan_cache_mode=force_generic_plan`: with LIMIT as a parameter PostgreSQL
  would otherwise plan anew for each request.
"""

import re

#: What a session needs for these statements: times are written in UTC, plans are made once.
SESSION = {'TimeZone': 'UTC', 'plan_cache_mode': 'force_generic_plan'}

VALUE = re.compile(r'(?<!:):(status|limit|offset|id)\b')

# As DRF writes it: six digits of microseconds, or none at all when they are zero.
CREATED_AT = (
    """replace(to_char(p.created_at, 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"'), '.000000Z', 'Z')"""
)
RELEASED_ON = """coalesce('"' || p.released_on || '"', 'null')"""

OBJECT = f"""
SELECT '{{"id":' || p.id || ',"company_id":' || p.company_id || ',"category_id":' || p.category_id
    || ',"name":' || to_json(p.name) || ',"slug":' || to_json(p.slug)
    || ',"status":' || to_json(p.status) || ',"price":"' || p.price || '","rating":' || p.rating
    || ',"released_on":' || {RELEASED_ON} || ',"created_at":"' || {CREATED_AT} || '"}}'
FROM shop_product p
WHERE p.id = :id
"""

ROW = f"""'{{"id":' || p.id || ',"name":' || to_json(p.name) || ',"slug":' || to_json(p.slug)
        || ',"status":' || to_json(p.status) || ',"price":"' || p.price || '","rating":' || p.rating
        || ',"released_on":' || {RELEASED_ON} || ',"created_at":"' || {CREATED_AT}
        || '","company":{{"id":' || c.id || ',"name":' || to_json(c.name)
        || '}},"category":{{"id":' || g.id || ',"name":' || to_json(g.name) || '}}'"""

VARIANTS = """(
            SELECT string_agg(line, ',') FROM (
                SELECT '{"id":' || v.id || ',"product_id":' || v.product_id
                    || ',"sku":' || to_json(v.sku) || ',"name":' || to_json(v.name)
                    || ',"price":"' || v.price || '","stock":' || v.stock || '}' AS line
                FROM shop_variant v
                WHERE v.product_id = p.id
                ORDER BY v.position, v.id
            ) lines
        )"""

JOINS = """shop_product p
    JOIN shop_company c ON c.id = p.company_id
    JOIN shop_category g ON g.id = p.category_id"""

IDS = """SELECT p.id FROM shop_product p
        WHERE p.status = :status ORDER BY p.id DESC LIMIT :limit OFFSET :offset"""

# As an array the page counts for ten rows in the plan. As a table it would count for a tenth of
# what the filter leaves, LIMIT being unknown, and reading whole tables might look cheaper.
PAGE = f"""p.id = ANY(ARRAY(
        {IDS}
    ))"""

COUNT = '(SELECT count(*) FROM shop_product p WHERE p.status = :status)'


def listing(row: str) -> str:
    """The count and the page in one statement, so from one snapshot."""
    return f"""
SELECT {COUNT} AS count, '[' || coalesce(string_agg(line, ','), '') || ']' AS results
FROM (
    SELECT {row} AS line
    FROM {JOINS}
    WHERE {PAGE}
    ORDER BY p.id DESC
) lines
"""


POSTGRESQL = {
    'object': OBJECT,
    'list': listing(f"""{ROW} || '}}'"""),
    'nested': listing(f"""{ROW} || ',"variants":[' || coalesce({VARIANTS}, '') || ']}}'"""),
}

#: The same rows as plain columns: what the database spends without writing JSON.
ROWS = {
    'object': """
SELECT id, company_id, category_id, name, slug, status, price, rating, released_on, created_at
FROM shop_product WHERE id = :id
""",
    'list': f"""
SELECT {COUNT}, p.id, p.name, p.slug, p.status, p.price, p.rating, p.released_on, p.created_at,
    c.id, c.name, g.id, g.name
FROM {JOINS}
WHERE {PAGE}
ORDER BY p.id DESC
""",
    'nested': f"""
SELECT {COUNT}, p.id, p.name, p.slug, p.status, p.price, p.rating, p.released_on, p.created_at,
    c.id, c.name, g.id, g.name, v.id, v.product_id, v.sku, v.name, v.price, v.stock
FROM {JOINS}
LEFT JOIN shop_variant v ON v.product_id = p.id
WHERE {PAGE}
ORDER BY p.id DESC, v.position, v.id
""",
}


def sqlite(text: str) -> str:
    """The statement in SQLite's words: how a value becomes text is all that differs.

    `%` is doubled because Django takes the text with named values.
    """
    text = text.replace(PAGE, f'p.id IN ({IDS})')
    text = text.replace(CREATED_AT, "replace(p.created_at, ' ', 'T') || 'Z'")
    text = re.sub(r'\b([pv])\.price\b', r"printf('%%.2f', \1.price)", text)
    return text.replace('to_json(', 'json_quote(').replace('string_agg(', 'group_concat(')


SQLITE = {name: sqlite(text) for name, text in POSTGRESQL.items()}


def positional(text: str, *names: str) -> str:
    """The statement as asyncpg takes it: `$1` for the first of the names, and so on."""
    return VALUE.sub(lambda found: f'${names.index(found[1]) + 1}', text)


def named(text: str) -> str:
    """The statement as psycopg and Django take it."""
    return VALUE.sub(r'%(\1)s', text)
