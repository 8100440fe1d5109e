"""What the blocks of a run say: medians, and ratios of paired blocks with a bootstrap interval."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.measure import Block

SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median ratio and the interval that holds 95 % of its bootstrap samples."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f'{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One contender in one case."""

    contender: str
    blocks: int
    void: int
    rate: float
    p50: float
    p99: float
    #: Seconds of CPU for each 1 000 requests.
    application: float
    database: float | None
    #: Requests per second of the reference over those of this contender, round by round.
    rate_ratio: Ratio | None
    #: CPU of this contender, application and database, over that of the reference.
    cpu_ratio: Ratio | None

    @property
    def cpu(self) -> float:
        """Application and database together."""
        return self.application + (self.database or 0.0)


def rate(block: Block) -> float:
    """Requests per second."""
    return block.load.requests / block.load.seconds


def cpu(block: Block) -> float:
    """Seconds of CPU for each 1 000 requests, application and database."""
    return (block.application + (block.database or 0.0)) / block.load.requests * 1000


def summaries(blocks: Sequence[Block], case: str, reference: str) -> list[Summary]:
    """The contenders of a case, best rate first; `reference` is the one that ratios refer to."""
    own = [block for block in blocks if block.case == case]
    names = dict.fromkeys(block.contender for block in own)
    found = (summary([b for b in own if b.contender == name], own, reference) for name in names)
    return sorted(filter(None, found), key=lambda one: -one.rate)


def summary(mine: Sequence[Block], own: Sequence[Block], reference: str) -> Summary | None:
    """A contender's blocks in short; None when all of them are void."""
    good = [block for block in mine if not block.void]
    if not good:
        return None
    theirs = {b.round: b for b in own if b.contender == reference and not b.void}
    pairs = [(theirs[b.round], b) for b in good if b.round in theirs]
    seen = [b.database for b in good if b.database is not None]

    def middle(value: Callable[[Block], float]) -> float:
        return statistics.median(map(value, good))

    return Summary(
        contender=good[0].contender,
        blocks=len(good),
        void=len(mine) - len(good),
        rate=middle(rate),
        p50=middle(lambda b: b.load.p50),
        p99=middle(lambda b: b.load.p99),
        application=middle(lambda b: b.application / b.load.requests * 1000),
        database=middle(lambda b: (b.database or 0.0) / b.load.requests * 1000) if seen else None,
        rate_ratio=ratio([rate(a) / rate(b) for a, b in pairs]),
        cpu_ratio=ratio([cpu(b) / cpu(a) for a, b in pairs]),
    )


def ratio(values: Sequence[float]) -> Ratio | None:
    """The median of the values and how far it moves when rounds are drawn anew."""
    if not values:
        return None
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(SAMPLES))
    low, high = medians[int(SAMPLES * 0.025)], medians[int(SAMPLES * 0.975)]
    return Ratio(statistics.median(values), low, high)
