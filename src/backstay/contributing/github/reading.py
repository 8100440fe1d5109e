"""Reading: the facts that the engine needs for an event, in one call where possible.

A `Reading` is a snapshot with the ids that writing its parts needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backstay.contributing import agreement, configuration
from backstay.contributing.configuration import Agreement, Config, read_configuration
from backstay.contributing.events import (
    Commented,
    Event,
    IssueOpened,
    PullChanged,
    PullQueued,
)
from backstay.contributing.github import queries
from backstay.contributing.github.boards import Place, Project, place_of, project_of
from backstay.contributing.github.client import CallFailed, GitHub
from backstay.contributing.github.facts import (
    assignments_of,
    checked_pull_of,
    issue_of,
    pull_of,
)
from backstay.contributing.github.paging import with_all_comments, with_all_commits
from backstay.contributing.github.stores import StoreFile, read_store, store_variables
from backstay.contributing.linking import repository_of
from backstay.contributing.prompts import Wish, read_prompt
from backstay.contributing.snapshot import Assignment, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The repository of a run, and the repository with its configuration."""

    repository: str
    #: `owner/name`; the repository itself unless several share one configuration.
    home: str

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of a GraphQL query."""
        owner, _, name = self.repository.partition('/')
        home_owner, _, home_name = self.home.partition('/')
        return {
            'owner': owner,
            'name': name,
            'homeOwner': home_owner,
            'homeName': home_name,
            'configuration': f'HEAD:{configuration.PATH}',
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A snapshot with the configuration and the ids for writing."""

    config: Config
    snapshot: Snapshot
    #: Node ids of issues by their number.
    issue_ids: Mapping[int, str] = field(default_factory=dict)
    #: Node ids of accounts by their login.
    user_ids: Mapping[str, str] = field(default_factory=dict)
    #: Places of issues on the board by their number; empty without a board.
    places: Mapping[int, Place] = field(default_factory=dict)
    store: StoreFile = field(default_factory=StoreFile)


async def read(github: GitHub, where: Where, event: Event) -> Reading:
    """Return the reading for an event. Raises CallFailed, ConfigurationProblem."""
    if isinstance(event, Commented) and not event.on_pull:
        return await _comment_on_issue(github, where, event)
    if isinstance(event, PullChanged) and event.merged:
        return await _merged_pull(github, where, event.number)
    if isinstance(event, Commented | PullChanged | PullQueued):
        return await _pull(github, where, event.number)
    return await _issue(github, where, event)


def config_of(data: Mapping[str, Any]) -> Config:
    """Return the configuration in an answer; the defaults when there is no file."""
    blob = (data['home'] or {}).get('configuration') or {}
    if blob.get('isTruncated'):
        raise configuration.ConfigurationProblem(f'{configuration.PATH} is too large')
    return read_configuration(blob.get('text') or '')


def after_assigning(reading: Reading, data: Mapping[str, Any], login: str) -> Reading:
    """Return the reading with the facts in the answer to an assignment; the board is unchanged."""
    issue = data['addAssigneesToAssignable']['assignable']
    place = reading.places.get(issue['number'])
    fresh = replace(
        reading.snapshot,
        issue=issue_of(issue, reading.config.board, place),
        elsewhere=_elsewhere(issue['home'], issue['number'], login),
    )
    return replace(reading, snapshot=fresh)


async def _comment_on_issue(github: GitHub, where: Where, event: Commented) -> Reading:
    prompt = read_prompt(event.text)
    linking = prompt is not None and prompt.wish in {Wish.LINK, Wish.UNLINK}
    named = repository_of(prompt, where.repository) if prompt and linking else where.repository
    variables = {
        **where.variables,
        'number': event.number,
        'login': event.author.login,
        'pullName': named.partition('/')[2],
        'pullNumber': prompt.pull if prompt else 0,
        # We cannot write to repositories of another owner.
        'withPull': linking and _owner(named) == _owner(where.repository),
    }
    data = await github.query(
        queries.COMMENT_ON_ISSUE, variables, optional=('board', 'named', 'user')
    )
    config, issue = config_of(data), (data['repository'] or {}).get('issue')
    if issue is None:
        return Reading(config=config, snapshot=Snapshot())
    project = project_of(data['board'], config.board)
    place = place_of((data['board'] or {}).get('issue'), project)
    issue = await with_all_comments(github, issue, since=event.comment_id)
    pull = (data.get('named') or {}).get('pullRequest')
    snapshot = Snapshot(
        me=data['viewer']['login'],
        issue=issue_of(issue, config.board, place),
        reacted=_reacted(issue, event.comment_id),
        elsewhere=_elsewhere(data['repository'], event.number, event.author.login),
        named=pull_of(pull) if pull else None,
    )
    return Reading(
        config=config,
        snapshot=snapshot,
        issue_ids={event.number: issue['id']},
        user_ids={event.author.login: data['user']['id']} if data['user'] else {},
        places={event.number: place} if place else {},
    )


async def _issue(github: GitHub, where: Where, event: Event) -> Reading:
    data = await github.query(queries.ISSUE, {**where.variables, 'number': event.number})
    config, issue = config_of(data), (data['repository'] or {}).get('issue')
    if issue is None:
        return Reading(config=config, snapshot=Snapshot())
    issue = await with_all_comments(github, issue)
    facts = issue_of(issue, config.board)
    exists = await team_exists(github, config) if isinstance(event, IssueOpened) else None
    return Reading(
        config=config,
        snapshot=Snapshot(me=data['viewer']['login'], issue=facts, team_exists=exists),
    )


async def _pull(github: GitHub, where: Where, number: int) -> Reading:
    guess = Agreement(version='0.0.0', link='https://example.com')
    variables = {
        **where.variables,
        **store_variables(guess, where.repository),
        'number': number,
        'check': agreement.CHECK,
    }
    data = await github.query(queries.PULL, variables, optional=('store',))
    config, pull = config_of(data), (data['repository'] or {}).get('pullRequest')
    if pull is None:
        return Reading(config=config, snapshot=Snapshot())
    store, file = await read_store(github, config, where.repository, guess=(guess, data))
    pull = await with_all_commits(github, await with_all_comments(github, pull))
    snapshot = Snapshot(me=data['viewer']['login'], pull=checked_pull_of(pull), store=store)
    return Reading(config=config, snapshot=snapshot, store=file)


async def _merged_pull(github: GitHub, where: Where, number: int) -> Reading:
    variables = {**where.variables, 'number': number}
    data = await github.query(queries.MERGED_PULL, variables, optional=('board',))
    config, pull = config_of(data), (data['repository'] or {}).get('pullRequest')
    if pull is None:
        return Reading(config=config, snapshot=Snapshot())
    project = project_of(data['board'], config.board)
    closing = ((data['board'] or {}).get('pullRequest') or {}).get('closingIssuesReferences') or {}
    places = places_of(closing.get('nodes') or [], project)
    mine = [
        each
        for each in pull['closingIssuesReferences']['nodes']
        if each['repository']['nameWithOwner'] == where.repository
    ]
    snapshot = Snapshot(
        me=data['viewer']['login'],
        pull=pull_of(pull),
        closes=tuple(issue_of(each, config.board, places.get(each['number'])) for each in mine),
    )
    ids = {each['number']: each['id'] for each in mine}
    return Reading(config=config, snapshot=snapshot, issue_ids=ids, places=places)


async def team_exists(github: GitHub, config: Config) -> bool | None:
    """Return whether GitHub knows the configured team; None without a team or an answer."""
    organisation, _, team = config.description.team.partition('/')
    if not team:
        return None
    try:
        data = await github.query(queries.TEAM, {'organisation': organisation, 'team': team})
    except CallFailed:
        return None
    return bool((data['organization'] or {}).get('team'))


def places_of(parts: Iterable[Mapping[str, Any]], project: Project | None) -> dict[int, Place]:
    """Return the places of issues by their number; empty without a board."""
    found = {part['number']: place_of(part, project) for part in parts if part}
    return {number: place for number, place in found.items() if place}


def _elsewhere(data: Mapping[str, Any], here: int, login: str) -> tuple[Assignment, ...]:
    return tuple(
        assignment
        for issue in data['elsewhere']['nodes']
        if issue['number'] != here
        for assignment in assignments_of(issue)
        if assignment.login == login
    )


def _reacted(issue: Mapping[str, Any], comment_id: int) -> bool:
    for comment in issue['comments']['nodes']:
        if comment['databaseId'] == comment_id:
            groups = comment.get('reactionGroups') or []
            return any(
                group['content'] == 'THUMBS_UP' and group['viewerHasReacted'] for group in groups
            )
    return False


def _owner(repository: str) -> str:
    return repository.partition('/')[0].casefold()
