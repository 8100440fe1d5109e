"""What the state machine chooses from, and the requests that its choices come to."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.writes.library import NORTH, SOUTH, Asked, Library

TITLES = ('Atlas', 'Bible', 'comics', 'Dune', 'forbidden')
PRICES = ('0.00', '1.50', '99.99', None, '1.50', '-1.00')
CODES = st.sampled_from('abcdef')
STAMPS = st.sampled_from('xyz')
BRANCHES = st.sampled_from((NORTH, NORTH, SOUTH))
CALLERS = st.sampled_from(('manager',) * 4 + ('owner',) * 3 + ('helper',) * 3 + ('reader', 'guest'))
MATCHES = st.sampled_from(('none', 'none', 'right', 'right', 'stale', 'any', 'future'))
KEYS = st.sampled_from((None, None, 'k1', 'k2', 'k3'))
PLACES = st.integers(0, 30)
#: A place that no row has.
NOWHERE = 30


def bodies(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some members of an item, most of them right."""
    usual = {
        'title': st.sampled_from(TITLES),
        'price': st.sampled_from(PRICES),
        'pages': st.integers(0, 3),
        'status': st.sampled_from(('draft', 'draft', 'open', 'lost')),
        **more,
    }
    rare = {
        'details': st.sampled_from(({'a': 1}, {'a': None, 'b': [1, 2]}, None, 'text')),
        'cost': st.sampled_from(('1.00', None)),
        'secret': st.sampled_from(('', 'hush')),
        'colour': st.just('red'),
    }
    names = st.lists(st.sampled_from([*usual, *usual, *usual, *rare]), max_size=4, unique=True)
    every = usual | rare
    return names.flatmap(lambda chosen: st.fixed_dictionaries({n: every[n] for n in chosen}))


NOTES = st.none() | st.lists(st.sampled_from(('keep', 'change', 'new')), max_size=3)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            'op': st.sampled_from(('create', 'update', 'update', 'delete', 'upsert', 'upsert')),
            'place': PLACES,
            'match': MATCHES,
            'body': bodies(),
            'branch': BRANCHES,
            'code': CODES,
        }
    ),
    min_size=1,
    max_size=5,
)
STAMP_OPERATIONS = st.lists(
    st.tuples(STAMPS, st.sampled_from(('create', 'delete', 'upsert', 'anew'))),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each[0],
)


def pick(library: Library, place: int, *, deleted: bool = False) -> int:
    """The key of an item: most often of one that is there, or is deleted; now and then of none."""
    every = list(library.items)
    wanted = [key for key, row in library.items.items() if row.is_deleted is deleted]
    keys = wanted if wanted and place % 5 else every
    return keys[place % len(keys)] if keys and place != NOWHERE else 10**9


def version(library: Library, number: int, match: str) -> int:
    """The version of an item that a request means."""
    row = library.items.get(number)
    return (row.version if row else 1) + {'stale': -1, 'future': 1}.get(match, 0)


def tag(library: Library, number: int, match: str) -> str | None:
    """The If-Match of a request."""
    if match == 'none':
        return None
    return '*' if match == 'any' else f'"{version(library, number, match)}"'


def notes(library: Library, number: int, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """A list of children: some that are there, and new ones where no other stays."""
    row = library.items.get(number)
    there = row.notes.items() if row else ()
    kept: dict[int, dict[str, Any]] = {}
    taken = set()
    for (key, (_, position)), what in zip(there, wanted, strict=False):
        if what != 'new':
            text = {'text': f'changed at {position}'} if what == 'change' else {}
            kept[key] = {'id': key, **text}
            taken.add(position)
    free = [position for position in range(9) if position not in taken]
    new = [{'text': 'new', 'position': free[at]} for at in range(wanted.count('new'))]
    return [*kept.values(), *new]


def operations(
    library: Library, chosen: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[Asked]]:
    """A bulk request about items, no two of its operations about one row, and what it asks."""
    asked: list[Asked] = []
    rows: set[int] = set()
    codes: set[str] = set()
    for each in chosen:
        body, number, code = dict(each['body']), pick(library, each['place']), each['code']
        if each['op'] in ('create', 'upsert'):
            body['branch_id'] = library.branches[each['branch']]
            found = [key for key, row in library.items.items() if row.code == code]
            number = found[0] if found else -len(asked) - 1
        if number in rows or code in codes:
            continue
        rows.add(number)
        codes.add(code)
        match = 'none' if each['match'] == 'any' or each['op'] == 'create' else each['match']
        asked.append(Asked(each['op'], number, code, body, match))
    return [_operation(library, each) for each in asked], asked


def _operation(library: Library, asked: Asked) -> dict[str, Any]:
    operation: dict[str, Any] = {'op': asked.op}
    if asked.op == 'create':
        operation['body'] = {'code': asked.code, **asked.body}
    elif asked.op == 'upsert':
        operation |= {'key': asked.code, 'body': asked.body}
    else:
        operation['id'] = asked.number
    if asked.op == 'update':
        operation['body'] = asked.body
    if asked.match != 'none':
        operation['if_version'] = version(library, asked.number, asked.match)
    return operation


def stamp_operations(chosen: Sequence[tuple[str, str]], amount: int) -> list[dict[str, Any]]:
    """A bulk request about stamps; `anew` is a row and the end of the one with its key."""
    made: list[dict[str, Any]] = []
    for code, op in chosen:
        row = {'label': 'L', 'amount': amount}
        if op in ('create', 'anew'):
            made.append({'op': 'create', 'body': {'code': code, **row}})
        if op in ('delete', 'anew'):
            made.append({'op': 'delete', 'id': code})
        if op == 'upsert':
            made.append({'op': op, 'key': code, 'body': row})
    return made
