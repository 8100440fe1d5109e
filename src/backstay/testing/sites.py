"""What a site serves: its collections of resources, and the ways that lead to each resource."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from backstay.resources import Resource
from backstay.testing.api import resource_at

Path = str


class Site:
    """The collections of a site, and the ways that lead to each resource."""

    def __init__(self, collections: Mapping[Path, type[Resource]]) -> None:
        self.collections = collections

    def of(self, resource: type[Resource]) -> list[Path]:
        """The collections of a resource."""
        return [path for path, each in self.collections.items() if each is resource]

    def below(self, resource: type[Resource], *, many: bool) -> list[tuple[Path, list[str]]]:
        """Relations that masks may go through to the resource, the last to many or to one."""
        return self._below.get((resource, many), [])

    def beside(self, resource: type[Resource]) -> list[tuple[Path, str, bool]]:
        """Relations by which filters reach the resource, and whether each leads to many."""
        return [
            (path, name, relation.many)
            for path, root in self.collections.items()
            for name, relation in root.relations().items()
            if relation.target is resource
        ]

    def behind(self, resource: type[Resource]) -> list[tuple[Path, str]]:
        """What filters name that lies two relations away."""
        return [
            (path, name)
            for path, root in self.collections.items()
            for name, hop in root.hops().items()
            if hop.target is resource
        ]

    @cached_property
    def _below(self) -> dict[tuple[type[Resource], bool], list[tuple[Path, list[str]]]]:
        found: dict[tuple[type[Resource], bool], list[tuple[Path, list[str]]]] = {}
        waiting: list[tuple[Path, type[Resource], list[str]]]
        waiting = [(path, resource, []) for path, resource in self.collections.items()]
        while waiting:
            path, resource, chain = waiting.pop(0)
            for name, relation in resource.relations().items():
                if relation.is_shown and len(chain) < 3:
                    found.setdefault((relation.target, relation.many), []).append(
                        (path, [*chain, name])
                    )
                    waiting.append((path, relation.target, [*chain, name]))
        return found


def collections_of_the_site() -> Iterator[str]:
    """The path of every collection of a resource that needs no value in its path."""
    yield from sorted({*_collections(get_resolver().url_patterns, '/')})


def _collections(patterns: list[Any], prefix: str) -> Iterator[str]:
    for each in patterns:
        path = prefix + str(each.pattern).removeprefix('^').removesuffix('$')
        if isinstance(each, URLResolver):
            yield from _collections(each.url_patterns, path)
        elif isinstance(each, URLPattern) and not {*'(<\\'} & {*path}:
            actions = getattr(each.callback, 'actions', None) or {}
            has_resource = hasattr(getattr(each.callback, 'cls', None), 'resource')
            if has_resource and actions.get('get') == 'list':
                yield path


def site_of(paths: Iterable[str]) -> Site:
    """The collections at these paths."""
    return Site({path: resource_at(path) for path in paths})
