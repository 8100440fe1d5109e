"""What can be measured: contenders, cases, and the contender that ratios refer to."""

from dataclasses import dataclass

from bench.cases import CASES, Case
from bench.contenders import CONTENDERS, OURS, Contender, against
from bench.shapes import FIRST, shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One command of `python -m bench`."""

    name: str
    title: str
    contenders: tuple[Contender, ...]
    reference: str
    cases: tuple[Case, ...]

    def taking_part(self, engine: str, names: tuple[str, ...]) -> list[Contender]:
        """Those that run on an engine; `names` keeps only some."""
        known = {contender.name for contender in self.contenders}
        if unknown := set(names) - known:
            raise SystemExit(f'unknown: {", ".join(unknown)}; there are {", ".join(known)}')
        able = (one for one in self.contenders if engine in one.engines)
        return [one for one in able if not names or one.name in names]


SUITES = (
    Suite(
        name='reads',
        title='Contenders',
        contenders=CONTENDERS,
        reference=OURS,
        cases=CASES,
    ),
    Suite(
        name='against',
        title='This tree and another',
        contenders=against(),
        reference=OURS,
        cases=CASES,
    ),
    Suite(
        name='shapes',
        title='Shapes of the statement',
        contenders=tuple(shapes()),
        reference=FIRST,
        cases=CASES[1:],
    ),
)
