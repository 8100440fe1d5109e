"""What one run of the bench may vary; the same values hold for every contender."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `python -m bench reads`."""

    #: `postgresql` or `sqlite`.
    engine: str = 'postgresql'
    #: Server processes of each contender.
    workers: int = 2
    #: Database connections of each contender, over all of its processes.
    connections: int = 8
    #: Connections that the load generator keeps open.
    clients: int = 16
    #: Length of one measured block.
    seconds: float = 2.0
    #: Blocks for each contender and case.
    rounds: int = 7
    #: Load before the first block of a contender and case.
    warmup: float = 1.0
    #: Orders the blocks and draws the bootstrap samples.
    seed: int = 1
    #: Names of the contenders and of the cases to run; empty for all.
    contenders: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    @property
    def pool(self) -> int:
        """Connections, and threads, of one process."""
        return max(1, self.connections // self.workers)


def parse(arguments: argparse.Namespace) -> Options:
    """The options of a parsed command line."""
    values = vars(arguments)
    return Options(**{name: values[name] for name in Options.__dataclass_fields__})


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each option, with its default."""
    usual = Options()
    parser.add_argument('--engine', choices=('postgresql', 'sqlite'), default=usual.engine)
    for name in ('workers', 'connections', 'clients', 'rounds', 'seed'):
        parser.add_argument(f'--{name}', type=int, default=getattr(usual, name))
    for name in ('seconds', 'warmup'):
        parser.add_argument(f'--{name}', type=float, default=getattr(usual, name))
    for name in ('contenders', 'cases'):
        parser.add_argument(f'--{name}', type=lambda text: tuple(text.split(',')), default=())
