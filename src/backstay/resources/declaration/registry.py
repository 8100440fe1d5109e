"""Every declared resource, and how relations name them."""

from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from backstay.resources.errors import DeclarationError

if TYPE_CHECKING:
    from backstay.resources.declaration.resource import Resource


def register(resource: 'type[Resource]') -> None:
    """Make a resource known, by its dotted path."""
    _registry[_path(resource)] = resource


_registry: 'dict[str, type[Resource]]' = {}


def resources() -> 'tuple[type[Resource], ...]':
    """Return every declared resource; what follows from them all is kept by the tuple."""
    return tuple(_registry.values())


def resolve(target: 'type[Resource] | str', beside: str = '') -> 'type[Resource]':
    """Return the resource that a relation names: a class, its dotted path, or its name.

    A name is looked up in the module `beside` first, where it was written, then everywhere. Raises
    DeclarationError where there is no such resource, or more than one.
    """
    if not isinstance(target, str):
        return target
    if found := _registry.get(target) or _registry.get(f'{beside}.{target}'):
        return found
    named = [each for each in resources() if each.__name__ == target]
    if len(named) == 1:
        return named[0]
    if named:
        paths = ', '.join(sorted(_path(each) for each in named))
        raise DeclarationError(f'{target!r} may be any of {paths}: give its dotted path')
    if '.' in target:
        imported: type[Resource] = import_string(target)
        return imported
    raise DeclarationError(f'there is no resource called {target!r}')


def _path(resource: 'type[Resource]') -> str:
    return f'{resource.__module__}.{resource.__qualname__}'
