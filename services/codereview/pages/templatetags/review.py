"""What the templates of the pages say: links that are safe to follow, and short forms."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils.timesince import timesince

from services.codereview.pages import links
from services.codereview.pages.reading import Row

register = template.Library()


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
def diff_name(diff: Row) -> str:
    """Return the name of a diff within its revision: Phabricator's number, or ours.

    >>> diff_name({'id': 3, 'number': 940012}), diff_name({'id': 3, 'number': None})
    ('Diff 940012', 'Diff 3 here')
    """
    number = diff['number']
    return f'Diff {diff["id"]} here' if number is None else f'Diff {number}'


@register.filter
def along(values: Sequence[Any], others: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pairs of the others and of the values at the same places."""
    return [*zip(others, values, strict=True)]


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
    """The lines of a place, or its line and column.

    >>> lines({'line': 3, 'nb_lines': 2, 'char': None}), lines({'line': None})
    ('3–4', 'File')
    >>> lines({'line': 3, 'nb_lines': 1, 'char': 7})
    '3:7'
    """  # noqa: RUF002 the dash of a range
    first, number = place['line'], place.get('nb_lines') or 1
    if first is None:
        return 'File'
    if number > 1:
        return f'{first}\N{EN DASH}{first + number - 1}'
    return str(first) if place['char'] is None else f'{first}:{place["char"]}'


register.filter(links.web)
register.simple_tag(links.of_file, name='source_url')
register.simple_tag(links.of_changeset, name='changeset_url')
register.simple_tag(links.of_jobs, name='jobs_url')
register.simple_tag(links.of_bug, name='bug_url')
register.simple_tag(links.of_task, name='task_url')
