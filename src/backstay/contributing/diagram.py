"""The life of an issue as a state diagram in Mermaid, drawn from the moves that are made."""

from backstay.contributing.board import MOVES
from backstay.contributing.configuration import Board
from backstay.contributing.snapshot import Status

#: Columns between which only people move issues, in their usual order.
_BY_PEOPLE = (
    (Status.READY_FOR_REVIEW, Status.IN_REVIEW),
    (Status.STAGING, Status.PRODUCTION),
    (Status.PRODUCTION, Status.CLOSED),
)


def diagram() -> str:
    """Return the text of the diagram, in which our moves have their cause, and others `by hand`."""
    board = Board()
    lines = ['stateDiagram-v2', '    state "not on the board" as none']
    lines += [
        f'    state "{board.column(status)}" as {status.value}'
        for status in Status
        if status is not Status.OTHER
    ]
    for cause, (sources, target) in MOVES.items():
        lines += [
            f'    {source.value if source else "none"} --> {target.value}: {cause}'
            for source in sources
        ]
    lines += [f'    {source.value} --> {target.value}: by hand' for source, target in _BY_PEOPLE]
    return '\n'.join(lines) + '\n'
