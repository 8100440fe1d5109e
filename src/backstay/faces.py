"""The face of a package: public names, each imported when it is first asked for.

Models and views cannot be imported before Django's apps are ready, and a declaration should not
load a web framework. A package that exports them says here where each one lives.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ['imported_later']


def imported_later(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, from its public names to the modules they live in.

    Modules are named from the package on: `{'Entry': 'models'}`.
    """

    def get(name: str) -> Any:
        if module := modules.get(name):
            return getattr(import_module(f'{package}.{module}'), name)
        raise AttributeError(f'module {package!r} has no attribute {name!r}')

    return get
