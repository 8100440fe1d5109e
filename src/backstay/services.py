"""Services: the declaration of a back end, and the choice of those that a site mounts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.conf import settings

__all__ = ['Service', 'find', 'mounted']


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One back end of a site: a Django app (or several) under URL prefixes of its own."""

    #: Its name in `SERVICES`: lower case, digits and single hyphens.
    name: str
    #: The title of its documentation.
    title: str
    #: One or two sentences, shown in its documentation.
    description: str = ''
    version: str = '1.0.0'
    #: Django apps to install.
    apps: tuple[str, ...]
    #: URL prefix, such as `api/v1/`, to the module with its URL patterns.
    urls: Mapping[str, str]
    #: Path of its own Swagger page and of its own OpenAPI document; empty for none.
    docs_path: str = ''
    openapi_path: str = ''
    #: Whether browsers of every origin may call it (CORS without credentials).
    any_origin: bool = False
    #: Dotted path of a function without arguments that loads demo data; it runs once.
    demo: str = ''
    #: Dotted path of a sequence of `backstay.seeding.Seed`s: what `backstay seed` writes, and
    #: `backstay run` in its size `small`, once and before `demo`.
    seeds: str = ''
    #: Dotted path of a function from the id of an account (a value or an expression) to a query set
    #: of the levels that the account holds: `values_list(over, id, level, read_only)`. It runs
    #: inside the statement that loads the account.
    scopes: str = ''
    #: Dotted path of a function from the id of an account to `Held`s, for rules that no query set
    #: can express. It runs beside that statement, and may make any number of its own.
    scopes_in_python: str = ''
    #: Dotted path of a `backstay.identity.PersonalData`: what it holds about an account, to be told
    #: and to be erased.
    personal_data: str = ''
    #: Django settings of its own, added to the site's.
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject mistakes that would only show as an address that nothing answers."""
        if not re.fullmatch(r'[a-z][a-z0-9]*(-[a-z0-9]+)*', self.name):
            raise ValueError(f'{self.name!r}: use lower case, digits and single hyphens')
        for prefix in self.urls:
            if prefix and not re.fullmatch(r'([^/]+/)+', prefix):
                raise ValueError(f'{self.name}: the prefix {prefix!r} must be like "api/v1/"')

    def owns(self, path: str) -> bool:
        """Whether the URL path (with its leading slash) lies under one of the prefixes."""
        return any(path.startswith(f'/{prefix}') for prefix in self.urls)


def find(modules: Mapping[str, str], names: Sequence[str]) -> tuple[Service, ...]:
    """Return the services `names` among `modules` (name to module); all when none is named.

    A module keeps its declaration in `<module>.service`, as `service`. Raises LookupError naming
    what exists when a name is unknown, ValueError when two services want the same prefix.
    """
    unknown = [name for name in names if name not in modules]
    if unknown:
        known = ', '.join(sorted(modules))
        raise LookupError(f'unknown: {", ".join(unknown)}; this site has: {known}')
    found = [import_module(f'{modules[name]}.service').service for name in names or modules]
    owner: dict[str, str] = {}
    for service in found:
        for prefix in service.urls:
            if other := owner.get(prefix):
                raise ValueError(f'{service.name} and {other} both claim the prefix {prefix!r}')
            owner[prefix] = service.name
    return tuple(found)


def mounted() -> tuple[Service, ...]:
    """Return the services of the running site."""
    return tuple(settings.BACKSTAY_SERVICES)
