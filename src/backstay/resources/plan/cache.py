"""The plan cache: a plan is compiled once for each shape, and found again by it."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

from django.db.backends.base.base import BaseDatabaseWrapper
from prometheus_client import Counter, Gauge

from backstay.engine import engine_of
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.plan import Plan, make_plan
from backstay.resources.query.nodes import Shape

_lookups = Counter('backstay_plan_cache_lookups_total', 'Lookups in the plan cache.', ['result'])
_size = Gauge('backstay_plan_cache_plans', 'Plans in the cache.')
_hits, _misses = _lookups.labels('hit'), _lookups.labels('miss')


class PlanCache:
    """The plans used last, at most `capacity`; safe under threads.

    Two threads that miss the same shape at once both compile it: that costs a millisecond, where a
    lock around compiling would make every other miss wait for it.
    """

    def __init__(self, capacity: int = 2_000) -> None:
        self.capacity = capacity
        self._plans: OrderedDict[Hashable, Plan] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._plans)

    def plan(self, readable: Readable, shape: Shape, connection: BaseDatabaseWrapper) -> Plan:
        """The plan of a shape, compiled if it is not there."""
        key = (readable, shape, engine_of(connection).name)
        with self._lock:
            if plan := self._plans.get(key):
                self._plans.move_to_end(key)
                _hits.inc()
                return plan
        plan = make_plan(readable, shape, connection)
        self._keep(key, plan)
        return plan

    def clear(self) -> None:
        """Forget every plan."""
        with self._lock:
            self._plans.clear()
        _size.set(0)

    def _keep(self, key: Hashable, plan: Plan) -> None:
        with self._lock:
            self._plans[key] = plan
            while len(self._plans) > self.capacity:
                self._plans.popitem(last=False)
            _size.set(len(self._plans))
        _misses.inc()


plans = PlanCache()
