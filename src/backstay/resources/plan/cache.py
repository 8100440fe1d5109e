"""The plan cache: a plan is compiled once for each shape, and found again by it."""

from collections.abc import Hashable

from django.db.backends.base.base import BaseDatabaseWrapper
from prometheus_client import Counter, Gauge

from backstay.engine import engine_of
from backstay.engine.recent import Recent
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.plan import Plan, make_plan
from backstay.resources.query.nodes import Shape

_lookups = Counter('backstay_plan_cache_lookups_total', 'Lookups in the plan cache.', ['result'])
_size = Gauge('backstay_plan_cache_plans', 'Plans in the cache.')
_hits, _misses = _lookups.labels('hit'), _lookups.labels('miss')


#: Characters of SQL that all plans have in all; the rest of a plan is some three times as much.
MAX_SQL = 8 * 1024 * 1024


class PlanCache:
    """The plans used last, as far as their SQL fits; safe under threads.

    Two threads that miss the same shape at once both compile it: that costs a millisecond, where a
    lock around compiling would make every other miss wait for it.
    """

    def __init__(self, max_sql: int = MAX_SQL) -> None:
        self._plans: Recent[Hashable, Plan] = Recent(max_sql)

    def __len__(self) -> int:
        return len(self._plans)

    def plan(self, readable: Readable, shape: Shape, connection: BaseDatabaseWrapper) -> Plan:
        """Return the plan of a shape, compiled if it is not there."""
        key = (readable, shape, engine_of(connection).name)
        if plan := self._plans.get(key):
            _hits.inc()
            return plan
        plan = make_plan(readable, shape, connection)
        self._plans.keep(key, plan, size=len(plan.sql))
        _size.set(len(self._plans))
        _misses.inc()
        return plan

    def clear(self) -> None:
        """Forget every plan."""
        self._plans.clear()
        _size.set(0)


plans = PlanCache()
