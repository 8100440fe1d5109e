"""Other ways to write the same answer in SQL: `python -m bench shapes` says what each costs.

The first shape is the one of `statements.py`; each of the others changes one thing about it.
"""

from collections.abc import Iterator

from bench.pgbench import Pgbench
from bench.statements import COUNT, CREATED_AT, IDS, JOINS, PAGE, POSTGRESQL, ROWS, SESSION

#: The shape that ratios refer to.
FIRST = 'concatenated'

PAIRS = {
    'id': 'p.id',
    'name': 'p.name',
    'slug': 'p.slug',
    'status': 'p.status',
    'price': 'p.price::text',
    'rating': 'p.rating',
    'released_on': 'p.released_on',
    'created_at': CREATED_AT,
}
VARIANT_PAIRS = {name: f'v.{name}' for name in ('id', 'product_id', 'sku', 'name')}
VARIANT_PAIRS |= {'price': 'v.price::text', 'stock': 'v.stock'}
OF_PRODUCT = 'FROM shop_variant v WHERE v.product_id = p.id'
IN_ORDER = 'ORDER BY v.position, v.id'
#: What is joined, and as what.
ALIASES = (('company', 'c'), ('category', 'g'))


def built(kind: str) -> dict[str, str]:
    """`json_build_object` or its JSONB twin, for each row."""

    def build(pairs: dict[str, str]) -> str:
        return f'{kind}_build_object({", ".join(f"{k!r}, {v}" for k, v in pairs.items())})'

    joined = {key: build({'id': f'{t}.id', 'name': f'{t}.name'}) for key, t in ALIASES}
    variants = f'(SELECT {kind}_agg({build(VARIANT_PAIRS)} {IN_ORDER}) {OF_PRODUCT})'
    return {
        name: f'SELECT {COUNT}, {kind}_agg(line)::text FROM (SELECT {build(PAIRS | joined | more)} '
        f'AS line FROM {JOINS} WHERE {PAGE} ORDER BY p.id DESC) lines'
        for name, more in (('list', {}), ('nested', {'variants': variants}))
    }


def aggregated() -> dict[str, str]:
    """`json_agg` over whole records of a subselect."""

    def record(columns: dict[str, str]) -> str:
        return ', '.join(f'{value} AS {name}' for name, value in columns.items())

    joined = {key: f'(SELECT r FROM (SELECT {t}.id, {t}.name) r)' for key, t in ALIASES}
    variants = (
        f'(SELECT json_agg(r) FROM (SELECT {record(VARIANT_PAIRS)} {OF_PRODUCT} {IN_ORDER}) r)'
    )
    return {
        name: f'SELECT {COUNT}, json_agg(r)::text FROM '
        f'(SELECT {record(PAIRS | joined | more)} FROM {JOINS} WHERE {PAGE} ORDER BY p.id DESC) r'
        for name, more in (('list', {}), ('nested', {'variants': variants}))
    }


LAST = 'p.status = :status\n    ORDER BY p.id DESC LIMIT :limit OFFSET :offset'
JOINED = JOINS.replace('shop_product p', 'shop_product p ON p.id = page.id')
TABLE = f'({IDS}) page JOIN {JOINED}'


def shapes() -> Iterator[Pgbench]:
    """All shapes, each with the two list cases."""

    def shape(
        name: str, title: str, statements: dict[str, str], *, plans: str = '', rows: bool = False
    ) -> Pgbench:
        session = SESSION | ({'plan_cache_mode': plans} if plans else {})
        return Pgbench(
            name=name, title=title, statements=statements, writes_json=not rows, session=session
        )

    own = {name: POSTGRESQL[name] for name in ('list', 'nested')}
    old = f'WHERE {PAGE}\n    ORDER BY p.id DESC'
    joined_first = {name: text.replace(old, f'WHERE {LAST}') for name, text in own.items()}
    old = f'FROM {JOINS}\n    WHERE {PAGE}'
    as_table = {name: text.replace(old, f'FROM {TABLE}') for name, text in own.items()}
    yield shape(FIRST, 'texts joined by `\\|\\|`, page cut first', own)
    yield shape('rows', 'plain rows', ROWS, rows=True)
    yield shape('planned', 'the first, `plan_cache_mode=auto`', own, plans='auto')
    yield shape('joined-first', 'the first, page cut after the joins', joined_first)
    yield shape('as-table', 'the first, page joined as a table', as_table)
    yield shape('records', '`json_agg` of records', aggregated())
    yield shape('built', '`json_build_object`', built('json'))
    yield shape('binary', '`jsonb_build_object`', built('jsonb'))
