"""Labels of a repository: made and kept as the configuration has them; others are left alone."""

from collections.abc import Mapping
from typing import Any

from backstay.contributing.configuration import Label
from backstay.contributing.github import queries
from backstay.contributing.github.client import CallFailed
from backstay.contributing.github.reading import config_of
from backstay.contributing.github.running import PAGE, Runner

_LABELS = '/repos/{owner}/{name}/labels'


async def keep_labels(runner: Runner) -> tuple[list[str], list[tuple[str, str]]]:
    """What was made or changed, and what failed with its reason. Raises CallFailed."""
    github, where = runner.github, runner.where
    start = await github.query(queries.START_OF_SWEEP, where.variables, optional=('board',))
    owner, _, name = where.repository.partition('/')
    there = await _there(runner, owner, name)
    done, failed = list[str](), list[tuple[str, str]]()
    for label in config_of(start).labels.all():
        verb = _verb(label, there.get(label.name.casefold()))
        if verb is None:
            continue
        try:
            if not runner.dry:
                await _write(runner, owner, name, label, there)
            done.append(f'{verb} {label.name}')
        except CallFailed as error:
            failed.append((label.name, str(error)))
    return done, failed


async def _there(runner: Runner, owner: str, name: str) -> dict[str, Mapping[str, Any]]:
    found, page = list[Mapping[str, Any]](), 1
    while True:
        path = f'{_LABELS}?per_page={PAGE}&page={page}'
        some = await runner.github.call('GET', path, owner=owner, name=name)
        found += some
        if len(some) < PAGE:
            return {label['name'].casefold(): label for label in found}
        page += 1


def _verb(label: Label, there: Mapping[str, Any] | None) -> str | None:
    if there is None:
        return 'make'
    same = (
        there['name'] == label.name
        and there['color'].lower() == label.color.lower()
        and (there['description'] or '') == label.description
    )
    return None if same else 'change'


async def _write(
    runner: Runner, owner: str, name: str, label: Label, there: Mapping[str, Mapping[str, Any]]
) -> None:
    data = {'color': label.color, 'description': label.description}
    at = {'owner': owner, 'name': name}
    old = there.get(label.name.casefold())
    if old is None:
        await runner.github.call('POST', _LABELS, {'name': label.name, **data}, **at)
    else:
        path, new = f'{_LABELS}/{{label}}', {'new_name': label.name, **data}
        await runner.github.call('PATCH', path, new, **at, label=old['name'])
