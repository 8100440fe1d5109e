"""Tools for the tests of services: a client that checks, statements, tasks, and non-interference.

With the package comes a pytest plugin, whose fixtures are `api` and `as_caller`; `python -m
backstay.testing` runs a suite on SQLite and on a real PostgreSQL.
"""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.testing.api import Api
    from backstay.testing.callers import Who, caller
    from backstay.testing.counting import statements
    from backstay.testing.interference import non_interference
    from backstay.testing.tasks import run_tasks

__all__ = ['Api', 'Who', 'caller', 'non_interference', 'run_tasks', 'statements']

__getattr__ = imported_later(
    __name__,
    {
        'Api': 'api',
        'Who': 'callers',
        'caller': 'callers',
        'non_interference': 'interference',
        'run_tasks': 'tasks',
        'statements': 'counting',
    },
)
