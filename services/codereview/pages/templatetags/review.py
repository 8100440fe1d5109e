"""What the templates of the pages say: links that are safe to follow, and short forms."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.utils.timesince import timesince

from services.codereview.pages.reading import Row

register = template.Library()


@register.filter
def web(url: str | None) -> str:
    """The address, if a browser may follow it; a bot may name repositories of any scheme.

    >>> web('https://hg.mozilla.org/try'), web('javascript://hg.mozilla.org/%0Aalert(1)')
    ('https://hg.mozilla.org/try', '')
    """
    return url if url and re.match(r'https?://[^\s/]', url) else ''


@register.filter
def repository_name(url: str) -> str:
    """A repository's address without scheme and well-known host.

    >>> repository_name('https://hg.mozilla.org/try'), repository_name('https://a.test/x')
    ('try', 'a.test/x')
    """
    return re.sub(r'^https?://((hg\.mozilla\.org|github\.com)/)?', '', url)


@register.filter
def revision_name(revision: Row) -> str:
    """What people call it.

    >>> revision_name({'provider': 'phabricator', 'provider_id': 51}), revision_name(
    ...     {'provider': 'github', 'provider_id': 51})
    ('D51', '#51')
    """
    if revision['provider_id'] is None:
        return 'Push'
    sign = 'D' if revision['provider'] == 'phabricator' else '#'
    return f'{sign}{revision["provider_id"]}'


@register.filter
def grouped(number: int) -> str:
    """The number with a comma after every thousand."""
    return f'{number:,}'


@register.filter
def of(key: Any, values: dict[Any, Any]) -> Any:
    """What a mapping has for the key; None where it has nothing."""
    return values.get(key)


@register.filter
def moment(text: str) -> datetime:
    """The moment that the API spells."""
    return datetime.fromisoformat(text)


@register.filter
def ago(then: datetime) -> str:
    """How long ago it was, in one unit."""
    return f'{timesince(then, depth=1)} ago'


@register.filter
def lines(place: Row) -> str:
    """The lines of a place.

    >>> lines({'line': 3, 'nb_lines': 2}), lines({'line': None, 'nb_lines': None})
    ('3–4', 'File')
    """  # noqa: RUF002 the dash of a range
    first, number = place['line'], place['nb_lines'] or 1
    if first is None:
        return 'File'
    return str(first) if number < 2 else f'{first}–{first + number - 1}'  # noqa: RUF001 see above


@register.simple_tag
def source_url(source: Any, path: str, line: int | None = None) -> str:
    """Where the text of the file is shown, or nothing.

    Mercurial's and GitHub's addresses; other hosts are taken for Mercurial.
    """
    if source is None or not source.changeset or not web(source.repository):
        return ''
    file, changeset = quote(path.lstrip('/')), quote(source.changeset, safe='')
    if re.match(r'https?://github\.com/', source.repository):
        url = f'{source.repository.removesuffix(".git")}/blob/{changeset}/{file}'
        return url if line is None else f'{url}#L{line}'
    url = f'{source.repository}/file/{changeset}/{file}'
    return url if line is None else f'{url}#l{line}'


@register.simple_tag
def changeset_url(repository: str, changeset: str) -> str:
    """Where a changeset is shown, or nothing."""
    if not changeset or not web(repository):
        return ''
    word = 'commit' if re.match(r'https?://github\.com/', repository) else 'rev'
    return f'{repository.removesuffix(".git")}/{word}/{quote(changeset, safe="")}'
