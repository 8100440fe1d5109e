"""Seeding: rows for trying, showing and measuring, the same on every machine."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backstay.seeding.database import tidy
    from backstay.seeding.draws import Draw
    from backstay.seeding.errors import SeedError
    from backstay.seeding.factory import Row
    from backstay.seeding.seed import Seed, Zipf
    from backstay.seeding.values import Values

__all__ = ['Draw', 'Row', 'Seed', 'SeedError', 'Values', 'Zipf', 'tidy']

_MODULES = {
    'Draw': 'draws',
    'Row': 'factory',
    'Seed': 'seed',
    'SeedError': 'errors',
    'Values': 'values',
    'Zipf': 'seed',
    'tidy': 'database',
}


def __getattr__(name: str) -> Any:
    """Imported when first asked for: draws, words and values need no Django, the rest does."""
    from importlib import import_module

    if module := _MODULES.get(name):
        return getattr(import_module(f'{__name__}.{module}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
