"""Callers of every kind, and callers made at random."""

from random import Random

from backstay.caller import GUEST, Caller, Held


def _house(key: int | None, level: int, *, read_only: bool = False) -> Held:
    return Held(over='houses', id=key, level=level, read_only=read_only)


def _country(key: str | None, level: int) -> Held:
    return Held(over='countries', id=key, level=level)


CALLERS: dict[str, Caller] = {
    'guest': GUEST,
    'customer': Caller(kind='account', account_id=1, name='ann', level=1),
    'stranger': Caller(kind='account', account_id=77, name='eve', level=1),
    'operator': Caller(
        kind='account', account_id=2, name='bob', level=1, scopes=(_house(1, 2), _house(2, 1))
    ),
    'manager': Caller(
        kind='account',
        account_id=3,
        name='cat',
        level=1,
        scopes=(_house(1, 3), _house(2, 2), _country('aa', 3)),
    ),
    'auditor': Caller(
        kind='account',
        account_id=4,
        name='dan',
        level=1,
        scopes=(_house(None, 2, read_only=True), _country('bb', 3)),
    ),
    'key': Caller(kind='key', name='robot', scopes=(_house(2, 2, read_only=True),)),
    'owner': Caller(kind='account', account_id=5, name='fay', level=4, scopes=(_house(3, 4),)),
    'root': Caller(
        kind='account',
        account_id=6,
        name='root',
        level=5,
        scopes=(_house(None, 5), _country(None, 5)),
    ),
    'command': Caller(kind='command', name='seed'),
}


def any_caller(random: Random) -> Caller:
    """One of those, or one with other scopes."""
    if random.random() < 0.4:
        return random.choice([*CALLERS.values()])
    houses = (_house(random.choice((1, 2, 3, 4, None)), random.randint(1, 3)) for _ in range(3))
    countries = (
        _country(random.choice(('aa', 'bb', None)), random.choice((1, 3))) for _ in range(1)
    )
    scopes = (*houses, *countries)
    kind = random.choice(('account', 'key'))
    return Caller(
        kind=kind,
        account_id=random.randint(1, 5) if kind == 'account' else None,
        name='any',
        level=random.randint(0, 4),
        scopes=tuple(random.sample(scopes, random.randint(0, len(scopes)))),
    )
