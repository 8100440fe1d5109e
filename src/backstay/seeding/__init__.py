"""Seeding: rows for trying, showing and measuring, the same on every machine."""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.seeding.database import tidy
    from backstay.seeding.draws import Draw
    from backstay.seeding.errors import SeedError
    from backstay.seeding.factory import Row
    from backstay.seeding.seed import Seed, Zipf
    from backstay.seeding.values import Values, people

__all__ = ['Draw', 'Row', 'Seed', 'SeedError', 'Values', 'Zipf', 'people', 'tidy']

__getattr__ = imported_later(
    __name__,
    {
        'Draw': 'draws',
        'Row': 'factory',
        'Seed': 'seed',
        'SeedError': 'errors',
        'Values': 'values',
        'Zipf': 'seed',
        'people': 'values',
        'tidy': 'database',
    },
)
