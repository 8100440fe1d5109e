"""Tests of every operation of an OpenAPI document, with requests that schemathesis makes of it.

The requests of an operation are made when its test runs, not when each worker collects the tests.
Each engine calls one half of the operations, unless the tests run on one engine only. Requests that
cover the schema value by value are thousands: a run sends a share of them. `make prove` sends all,
to all operations, on both engines.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from itertools import count
from typing import Any

import pytest
from django.db import connection
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source

from tests.proofs import SHARE, half_of

load_all_checks()
#: Of so many requests that cover a schema, one is sent.
_OF = min(4, round(1 / SHARE)) if SHARE else 4

Test = Callable[..., None]


def each_operation(document: Any, *, on_one_engine: bool = False) -> Callable[[Test], Any]:
    """Let a test, which takes a `case`, run once for each operation of the document."""
    every = [found.ok() for found in document.get_all_operations()]
    chosen = every if on_one_engine else half_of(every)

    def decorate(test: Test) -> Any:
        def run(operation: Any, **fixtures: Any) -> None:
            document.hooks.apply(_chosen(), name='filter_case')(test)
            build_operation_test(
                config=document.config,
                operation=operation,
                test_func=test,
                given_kwargs={},
                feedback=FeedbackSources(
                    constants_value_source=make_constants_value_source(document)
                ),
            )(**fixtures)

        wanted = [name for name in signature(test).parameters if name != 'case']
        parameters = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ('operation', *wanted)]
        vars(run)['__signature__'] = signature(test).replace(parameters=parameters)
        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        return pytest.mark.parametrize('operation', chosen, ids=lambda each: each.label)(run)

    return decorate


def _chosen() -> Callable[..., bool]:
    """Tells of one case after the other whether it is sent."""
    first = 0 if connection.vendor == 'sqlite' else _OF // 2
    numbers = count(first)

    def is_sent(context: Any, case: Any) -> bool:
        covers = case.meta is not None and case.meta.phase.name == TestPhase.COVERAGE
        return not covers or next(numbers) % _OF == 0

    return is_sent
