"""Rows of the cabinet, made at random, and the callers who ask for them."""

from random import Random
from typing import Any

from django.db import models

from backstay.caller import Caller, Held
from tests.cabinet.conditions import VALUES
from tests.cabinet.models import Case, Keyword, Room, Seal, Slip


def store_rows(random: Random) -> None:
    """Three rooms, and what stands in them."""
    _store(Room, [_values(random, id=key) for key in (1, 2, 3)])
    _store(Keyword, [_values(random, id=key) for key in (1, 2, 3)])
    cases = [_values(random, id=key, room_id=random.choice((1, 2, 3, None))) for key in range(1, 7)]
    for each in cases:
        each |= {name: random.choice(VALUES[name]) for name in ('version', 'deleted_at')}
    _store(Case, cases)
    keys = [each['id'] for each in cases]
    _store(Seal, [_values(random, case_id=key) for key in keys if random.random() < 0.7])
    slips = [
        _values(random, case_id=key, code=code, version=random.choice(VALUES['version']))
        for key in keys
        for code in random.sample(VALUES['code'], random.choice((0, 1, 4, 5)))
    ]
    _store(Slip, slips)
    links = Case.keywords.through
    pairs = [(key, each) for key in keys for each in (1, 2, 3) if random.random() < 0.4]
    links._base_manager.bulk_create(links(case_id=key, keyword_id=each) for key, each in pairs)


def _store(model: type[models.Model], rows: list[dict[str, Any]]) -> None:
    model._base_manager.bulk_create(model(**row) for row in rows)


def _values(random: Random, **given: Any) -> dict[str, Any]:
    own = ('version', 'deleted_at')
    made = {name: random.choice(values) for name, values in VALUES.items() if name not in own}
    return made | given


def _room(key: int | None, level: int, *, read_only: bool = False) -> Held:
    return Held(over='rooms', id=key, level=level, read_only=read_only)


#: Callers of every kind.
CALLERS: dict[str, Caller] = {
    'guest': Caller(),
    'customer': Caller(kind='account', account_id=1, name='ann', level=1),
    'operator': Caller(
        kind='account', account_id=2, name='bob', level=1, scopes=(_room(1, 2), _room(2, 1))
    ),
    'manager': Caller(
        kind='account', account_id=3, name='cat', level=1, scopes=(_room(1, 3), _room(2, 2))
    ),
    'auditor': Caller(
        kind='account', account_id=4, name='dan', level=1, scopes=(_room(None, 3, read_only=True),)
    ),
    'everywhere': Caller(
        kind='account', account_id=5, name='eve', level=1, scopes=(_room(None, 2),)
    ),
    'key': Caller(kind='key', name='robot', scopes=(_room(2, 2), _room(1, 2, read_only=True))),
    'level': Caller(kind='account', account_id=6, name='fay', level=3),
    'command': Caller(kind='command', name='seed'),
}
