"""Labels of a repository: those of the configuration are made or changed, no others."""

from collections.abc import Mapping
from typing import Any

from backstay.contributing.github import queries
from backstay.contributing.github.client import CallFailed
from backstay.contributing.github.reading import config_of
from backstay.contributing.github.running import PAGE, Runner

_LABELS = '/repos/{owner}/{name}/labels'


async def keep_labels(runner: Runner) -> tuple[list[str], list[tuple[str, str]]]:
    """Make or change labels; return what was done, and what failed and why. Raises CallFailed."""
    github, where = runner.github, runner.where
    start = await github.query(queries.START_OF_SWEEP, where.variables, optional=('board',))
    owner, _, name = where.repository.partition('/')
    there = await _there(runner, owner, name)
    done, failed = list[str](), list[tuple[str, str]]()
    for label in config_of(start).labels.all():
        old = there.get(label.name.casefold())
        wanted = (label.name, label.color.lower(), label.description)
        if old and (old['name'], old['color'].lower(), old['description'] or '') == wanted:
            continue
        data = {'color': label.color, 'description': label.description}
        at = {'owner': owner, 'name': name}
        try:
            if not runner.dry and old is None:
                await github.call('POST', _LABELS, {'name': label.name, **data}, **at)
            elif not runner.dry and old:
                path, new = f'{_LABELS}/{{label}}', {'new_name': label.name, **data}
                await github.call('PATCH', path, new, **at, label=old['name'])
            done.append(f'{"change" if old else "make"} {label.name}')
        except CallFailed as error:
            failed.append((label.name, str(error)))
    return done, failed


async def _there(runner: Runner, owner: str, name: str) -> dict[str, Mapping[str, Any]]:
    """Return the labels of the repository by their names in lower case."""
    found, page = list[Mapping[str, Any]](), 1
    while True:
        path = f'{_LABELS}?per_page={PAGE}&page={page}'
        some = await runner.github.call('GET', path, owner=owner, name=name)
        found += some
        if len(some) < PAGE:
            return {label['name'].casefold(): label for label in found}
        page += 1
