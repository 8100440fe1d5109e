"""What differs between databases, and the SQL that Django's ORM lacks.

`engine_of` is the one place that knows which database a connection leads to. A new database is one
module with its `Engine`, its settings and its tests.
"""

from typing import TYPE_CHECKING

from django.db.backends.base.base import BaseDatabaseWrapper

from backstay.engine.engine import Engine, Trouble
from backstay.engine.postgresql import PostgreSQL
from backstay.engine.sqlite import SQLite
from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.engine.comparisons import Bytewise, is_ilike

__all__ = ['Bytewise', 'Engine', 'Trouble', 'engine_of', 'is_ilike', 'prepare', 'trouble_of']

# It imports models, which settings must not.
__getattr__ = imported_later(__name__, {'Bytewise': 'comparisons', 'is_ilike': 'comparisons'})

_ENGINES: dict[str, Engine] = {engine.name: engine for engine in (PostgreSQL(), SQLite())}


def engine_of(connection: BaseDatabaseWrapper) -> Engine:
    """Return the engine of a connection. Raises KeyError for a database that has none."""
    return _ENGINES[connection.vendor]


def prepare(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Make a connection ready before its first statement: a receiver of `connection_created`."""
    engine_of(connection).prepare(connection)


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what an exception of a database means, whichever raised it; None when unknown."""
    found = (engine.trouble(error) for engine in _ENGINES.values())
    return next((trouble for trouble in found if trouble), None)
