"""The measuring loop: blocks of load by turns, in an order that is drawn for each round.

It knows contenders only by what `Running` names, and cases only as data.
"""

import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from bench import cpu
from bench.cases import Case
from bench.load import Load
from bench.options import Options


class Running(Protocol):
    """A contender that is ready for load."""

    @property
    def contender(self) -> Any: ...
    def check(self, case: Case) -> str | None: ...
    def drive(self, case: Case, seconds: float) -> Load: ...
    def cpu(self) -> float: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One contender under load for one case, in one round."""

    case: str
    contender: str
    round: int
    load: Load
    #: Seconds of CPU of the application's processes, and of the database's where they can be seen.
    application: float
    database: float | None
    #: Seconds of CPU that the machine spent on none of application, database and load generator.
    foreign: float
    #: Seconds that the hypervisor kept.
    stolen: float

    @property
    def void(self) -> bool:
        """An error makes a block worthless: a failing server is fast."""
        return self.load.errors > 0 or self.load.requests == 0


@dataclass(frozen=True, slots=True)
class Meter:
    """Clocks that are read before and after a block."""

    running: Running
    database: int | None

    def read(self) -> dict[str, float]:
        """All clocks, in seconds of CPU."""
        whole = cpu.machine()
        mine = os.times()
        return {
            'application': self.running.cpu(),
            'database': cpu.tree(self.database) if self.database else 0.0,
            'busy': whole.busy,
            'stolen': whole.stolen,
            'harness': mine.user + mine.system + mine.children_user + mine.children_system,
        }


def differing(running: Sequence[Running], cases: Sequence[Case]) -> list[str]:
    """What is answered wrongly, by whom; nobody is measured while this is not empty."""
    found = []
    for one in running:
        for case in cases:
            if wrong := one.check(case):
                found.append(f'{one.contender.name}, {case.name}: {wrong}')
    return found


def measured(running: Sequence[Running], cases: Sequence[Case], options: Options) -> list[Block]:
    """All blocks of a run, with one line of progress for each."""
    draw = random.Random(options.seed)
    root = cpu.database_root()
    blocks = []
    for case in cases:
        for one in running:
            one.drive(case, options.warmup)
        for number in range(options.rounds):
            for one in draw.sample(list(running), len(running)):
                blocks.append(block(one, case, number, root, options.seconds))
                print(line(blocks[-1]), flush=True)
    return blocks


def block(one: Running, case: Case, number: int, root: int | None, seconds: float) -> Block:
    """One block of load between two readings of the clocks."""
    meter = Meter(one, root)
    before = meter.read()
    load = one.drive(case, seconds)
    # The database may take a moment to wait for the sessions that a generator closed.
    time.sleep(0.1)
    spent = {name: value - before[name] for name, value in meter.read().items()}
    known = spent['application'] + spent['database'] + spent['harness']
    return Block(
        case=case.name,
        contender=one.contender.name,
        round=number,
        load=load,
        application=spent['application'],
        database=spent['database'] if root else None,
        foreign=max(0.0, spent['busy'] - known),
        stolen=spent['stolen'],
    )


def line(block: Block) -> str:
    """A line of progress."""
    load = block.load
    each = 1e6 / max(1, load.requests)
    database = f'{block.database * each:6.0f}' if block.database is not None else '     -'
    return (
        f'{block.case:7} {block.round + 1:2} {block.contender:12}'
        f'{load.requests / load.seconds:9.0f} req/s  p50 {load.p50:6.2f}  p99 {load.p99:7.2f} ms'
        f'  CPU us/request: app {block.application * each:6.0f}  db {database}'
        f'  foreign {block.foreign:4.1f} s{"  VOID" if block.void else ""}'
    )


def as_json(block: Block) -> dict[str, Any]:
    """A block as it is stored."""
    return asdict(block)


def from_json(stored: dict[str, Any]) -> Block:
    """A block as it was stored."""
    return Block(**stored | {'load': Load(**stored['load'])})
