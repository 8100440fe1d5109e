"""The scopes that accounts hold, queried from the mounted services within another statement."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import OuterRef, Subquery, TextField
from django.utils.module_loading import import_string

from backstay.caller import Held
from backstay.engine import engine_of
from backstay.services import mounted

Provider = Callable[[Any], Any]


def scope_columns(account_id: str) -> tuple['_HeldRows', ...]:
    """Return a column for each service with scopes; `account_id` names the account's column."""
    return tuple(_HeldRows(provider(OuterRef(account_id))) for provider in _providers('scopes'))


def held_by(account_id: Any, columns: Sequence[str | None]) -> tuple[Held, ...]:
    """Return the scopes of the account: those in the columns, and those computed in Python."""
    held = [
        Held(over=over, id=key, level=level, read_only=bool(read_only))
        for column in columns
        if column
        for over, key, level, read_only in json.loads(column)
    ]
    for provider in _providers('scopes_in_python'):
        held.extend(provider(account_id))
    return tuple(held)


def within(wanted: Iterable[Held], held: Sequence[Held]) -> tuple[Held, ...]:
    """Return the wanted scopes, each lowered to the held one; those not held are left out.

    >>> mine = (Held(over='companies', id=7, level=3), Held(over='companies', id=8, level=1))
    >>> wanted = (Held(over='companies', id=7, level=2), Held(over='companies', id=9, level=2))
    >>> [(each.id, each.level) for each in within(wanted, mine)]
    [(7, 2)]
    """
    by_thing = defaultdict(list)
    for each in held:
        by_thing[each.over, each.id].append(each)
    lowered = (
        Held(
            over=each.over,
            id=each.id,
            level=min(each.level, has.level),
            read_only=each.read_only or has.read_only,
        )
        for each in wanted
        for key in {each.id, None}
        for has in by_thing.get((each.over, key), ())
    )
    return tuple(dict.fromkeys(lowered))


def _providers(kind: str) -> Iterator[Provider]:
    paths = (getattr(service, kind) for service in mounted())
    return (import_string(path) for path in paths if path)


def provider_paths() -> tuple[str, ...]:
    """Return the paths of the providers on which statements with scope columns depend."""
    return tuple(service.scopes for service in mounted() if service.scopes)


class _HeldRows(Subquery):
    """The rows of a query set of four columns, as one JSON array of arrays; NULL without any."""

    def __init__(self, rows: Any) -> None:
        super().__init__(rows, output_field=TextField())

    def as_sql(
        self, compiler: Any, connection: BaseDatabaseWrapper, *_: Any, **context: Any
    ) -> Any:
        aggregate = engine_of(connection).array_of_rows('abcd')
        template = f'(WITH rows_(a, b, c, d) AS (%(subquery)s) SELECT {aggregate} FROM rows_)'  # noqa: S608 constants
        return super().as_sql(compiler, connection, template=template, **context)
