"""Running: one event, or the daily sweep of a repository. Read, decide, perform."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backstay.contributing import agreement
from backstay.contributing.commands import Assign, Command, Noop
from backstay.contributing.configuration import Config
from backstay.contributing.decide import decide, why_not
from backstay.contributing.events import Assigned, Commented, Event, IssueSwept, PullSwept
from backstay.contributing.github import queries
from backstay.contributing.github.boards import project_of
from backstay.contributing.github.client import CallFailed, GitHub
from backstay.contributing.github.facts import checked_pull_of, issue_of
from backstay.contributing.github.paging import with_all_comments, with_all_commits
from backstay.contributing.github.performing import perform
from backstay.contributing.github.reading import (
    Reading,
    Where,
    config_of,
    places_of,
    read,
    team_exists,
)
from backstay.contributing.github.stores import StoreFile, read_store
from backstay.contributing.snapshot import Snapshot, Store

#: Issues or pull requests on one page of a sweep; halved while GitHub cannot answer that many.
PAGE = 100


@dataclass(slots=True, kw_only=True)
class Report:
    """The result of a run."""

    #: Place and command, in the order in which they were performed, or would be.
    done: list[tuple[str, Command]] = field(default_factory=list)
    #: Place and reason of each failure.
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The dependencies of a run: GitHub, the repository, and the clock."""

    github: GitHub
    where: Where
    clock: Callable[[], datetime]
    #: Whether the plan is only printed.
    dry: bool = False


async def run(runner: Runner, event: Event) -> Report:
    """Answer one event. Raises CallFailed when its facts cannot be read."""
    report = Report()
    reason = why_not(event)
    if reason:
        report.done.append((f'#{event.number}', Noop(reason=reason)))
        return report
    reading = await read(runner.github, runner.where, event)
    await _answer(runner, event, reading, report)
    return report


async def sweep(runner: Runner) -> Report:
    """Look at every open issue and, when there is an agreement, at every open pull request.

    The failure of one is reported and does not stop the others. Raises CallFailed when the
    repository itself cannot be read.
    """
    github, where, report = runner.github, runner.where, Report()
    start = await github.query(queries.START_OF_SWEEP, where.variables, optional=('board',))
    config = config_of(start)
    exists = await team_exists(github, config)
    issues = _issues(runner, start, config, exists, report)
    async for event, reading in issues:
        await _answer(runner, event, reading, report)
    if config.agreement:
        store, file = await read_store(github, config, where.repository)
        me = start['viewer']['login']
        async for pull, reading in _pulls(runner, me, config, store, file, report):
            await _answer(runner, pull, reading, report)
    return report


async def _answer(runner: Runner, event: Event, reading: Reading, report: Report) -> None:
    """Decide and perform; after an assignment, decide again on the new state."""
    place = f'#{event.number}'
    plan = decide(event, reading.snapshot, reading.config, runner.clock())
    for command in plan:
        if not runner.dry:
            try:
                reading = await perform(runner.github, runner.where.repository, reading, command)
            except CallFailed as error:
                report.failed.append((place, str(error)))
                return
        report.done.append((place, command))
    if isinstance(event, Commented) and isinstance(plan[-1], Assign) and not runner.dry:
        after = Assigned(number=event.number, comment_id=event.comment_id, author=event.author)
        await _answer(runner, after, reading, report)


async def _issues(
    runner: Runner,
    start: Mapping[str, Any],
    config: Config,
    exists: bool | None,
    report: Report,
) -> AsyncIterator[tuple[Event, Reading]]:
    project = project_of(start['board'], config.board)
    async for data in _pages(runner, queries.OPEN_ISSUES, {}):
        places = places_of(((data['board'] or {}).get('issues') or {}).get('nodes') or [], project)
        for part in data['repository']['issues']['nodes']:
            number = part['number']
            try:
                whole = await with_all_comments(runner.github, part)
            except CallFailed as error:
                report.failed.append((f'#{number}', str(error)))
                continue
            issue = issue_of(whole, config.board, places.get(number))
            me = start['viewer']['login']
            yield (
                IssueSwept(number=number),
                Reading(
                    config=config,
                    snapshot=Snapshot(me=me, issue=issue, team_exists=exists),
                    issue_ids={number: part['id']},
                    places=places,
                ),
            )


async def _pulls(
    runner: Runner, me: str, config: Config, store: Store | None, file: StoreFile, report: Report
) -> AsyncIterator[tuple[Event, Reading]]:
    async for data in _pages(runner, queries.OPEN_PULLS, {'check': agreement.CHECK}):
        for part in data['repository']['pullRequests']['nodes']:
            number = part['number']
            try:
                whole = await with_all_comments(runner.github, part)
                whole = await with_all_commits(runner.github, whole)
            except CallFailed as error:
                report.failed.append((f'#{number}', str(error)))
                continue
            snapshot = Snapshot(me=me, pull=checked_pull_of(whole), store=store)
            reading = Reading(config=config, snapshot=snapshot, store=file)
            yield PullSwept(number=number), reading


async def _pages(
    runner: Runner, document: str, variables: Mapping[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """Yield page after page; a page that GitHub cannot assemble in time is halved."""
    after, size = None, PAGE
    owner, _, name = runner.where.repository.partition('/')
    while True:
        asked = {**variables, 'owner': owner, 'name': name, 'size': size, 'after': after}
        try:
            data = await runner.github.query(document, asked, optional=('board',))
        except CallFailed:
            if size < PAGE // 8:
                raise
            size //= 2
            continue
        yield data
        repository = data['repository']
        page = (repository.get('issues') or repository['pullRequests'])['pageInfo']
        if not page['hasNextPage']:
            return
        after = page['endCursor']
