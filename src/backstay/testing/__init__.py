"""Tools for the tests of services: a client that checks, statements, tasks, and non-interference.

With the package comes a pytest plugin, whose fixtures are `api` and `as_caller`; `python -m
backstay.testing` runs a suite on SQLite and on a real PostgreSQL.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backstay.testing.api import Api
    from backstay.testing.callers import Who, caller
    from backstay.testing.counting import statements
    from backstay.testing.interference import non_interference
    from backstay.testing.tasks import run_tasks

__all__ = ['Api', 'Who', 'caller', 'non_interference', 'run_tasks', 'statements']

_LATER = {
    'Api': 'backstay.testing.api',
    'Who': 'backstay.testing.callers',
    'caller': 'backstay.testing.callers',
    'non_interference': 'backstay.testing.interference',
    'run_tasks': 'backstay.testing.tasks',
    'statements': 'backstay.testing.counting',
}


def __getattr__(name: str) -> Any:
    """What needs settings is imported when it is first asked for: pytest loads this before them."""
    if module := _LATER.get(name):
        return getattr(import_module(module), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
