"""The static files of a deployed site: those to collect, and those collected already.

Elsewhere the pages find them where they lie.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders


def uncollected() -> list[str]:
    """Return the static files that the manifest lacks: pages that need one answer 500."""
    collected = _manifest()
    return [name for name, _ in _sources() if name not in collected]


def outdated() -> list[str]:
    """Return the uncollected files, and those that changed since all were collected."""
    collected = _manifest()
    since = manifest_path().stat().st_mtime if collected else 0
    return [
        name
        for name, source in _sources()
        if name not in collected or source.stat().st_mtime > since
    ]


def manifest_path() -> Path:
    """Return the path of the manifest, which `collectstatic` writes last."""
    return Path(str(settings.STATIC_ROOT)) / 'staticfiles.json'


def _manifest() -> dict[str, str]:
    try:
        paths: dict[str, str] = json.loads(manifest_path().read_bytes())['paths']
    except FileNotFoundError:
        return {}
    return paths


def _sources() -> Iterator[tuple[str, Path]]:
    """Yield name and path of each file that the apps bring; of equal names, the first counts."""
    found: dict[str, Path] = {}
    for finder in get_finders():
        for path, storage in finder.list(None):
            prefix = getattr(storage, 'prefix', None)
            name = str(Path(prefix or '') / path)
            found.setdefault(name, Path(storage.path(path)))
    yield from found.items()
