"""The matrix of checks: by resource, caller, position of a request and kind of column."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backstay.testing.positions import POSITIONS, Found
from backstay.testing.sites import Site

#: Resource, caller, position, kind of column.
MatrixCell = tuple[str, str, str, str]


@dataclass
class Matrix:
    """Checks by resource, caller, position and kind of column, and the cells that cannot be."""

    site: Site
    counts: Counter[MatrixCell] = field(default_factory=Counter)
    #: Checks by the status of the answer.
    statuses: Counter[int] = field(default_factory=Counter)
    #: Checks by resource, caller and kind of column, in all positions.
    kinds: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    #: Resource, position and kind that no question fits, with the reason.
    reasons: dict[tuple[str, str, str], str] = field(default_factory=dict)
    #: The same that some question fits: what grants make impossible, others may make possible.
    possible: set[tuple[str, str, str]] = field(default_factory=set)
    #: Resource, caller and kind of which some caller sees every value.
    open: set[tuple[str, str, str]] = field(default_factory=set)
    #: The same of which something is hidden.
    hidden: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def checks(self) -> int:
        """How many checks were made."""
        return self.statuses.total()

    def add(self, cells: Sequence[MatrixCell], status: int) -> None:
        """Count one check, in each cell that it is about."""
        self.counts.update(cells)
        self.kinds.update((resource, caller, kind) for resource, caller, _, kind in cells)
        self.statuses[status] += 1

    def note(self, cells: tuple[str, str, str], found: Found) -> None:
        """Note whether some question fits a resource, position and kind, or why none does."""
        if isinstance(found, str):
            if cells not in self.possible:
                self.reasons[cells] = found
        elif found:
            self.possible.add(cells)
            self.reasons.pop(cells, None)

    def empty(self) -> list[MatrixCell]:
        """The cells that could be and were never checked."""
        cells = {
            (resource, caller, position, kind)
            for resource, caller, kind in self.hidden | self.open
            for position in POSITIONS
            if (resource, position, kind) not in self.reasons
        }
        return sorted(
            cell for cell in cells - {*self.counts} if (cell[0], cell[1], cell[3]) in self.hidden
        )

    def lines(self) -> Iterator[str]:
        """The matrix as text: a block for each resource, kinds by positions, checks by callers."""
        callers = sorted({cell[1] for cell in self.counts})
        for resource in sorted({cell[0] for cell in self.counts}):
            yield f'{resource}: least and most checks of {len(callers)} callers'
            kinds = sorted({cell[3] for cell in self.counts if cell[0] == resource})
            for kind in kinds:
                shown = [
                    f'{position} {self._span(resource, callers, position, kind)}'
                    for position in POSITIONS
                ]
                yield f'  {kind}: {", ".join(shown)}'
        for (resource, position, kind), reason in sorted(self.reasons.items()):
            yield f'  cannot be: {resource}, {position}, {kind}: {reason}'
        for resource, caller, kind in sorted(self.open - self.hidden):
            yield f'  cannot be: {resource}, {caller}, {kind}: nothing of it is hidden'

    def _span(self, resource: str, callers: Sequence[str], position: str, kind: str) -> str:
        if (resource, position, kind) in self.reasons:
            return '-'
        counts = [
            self.counts[resource, caller, position, kind]
            for caller in callers
            if (resource, caller, kind) in self.hidden
        ]
        return f'{min(counts)}..{max(counts)}' if counts else '-'
