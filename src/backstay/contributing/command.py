"""`backstay contributing`: run, sweep, labels and simulate. It needs no Django settings."""

import argparse
import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import TypeAdapter, ValidationError

from backstay.contributing.configuration import Config, ConfigurationProblem, read_configuration
from backstay.contributing.decide import decide
from backstay.contributing.events import Event, IssueSwept, PullSwept
from backstay.contributing.github import queries
from backstay.contributing.github.client import CallFailed, GitHub
from backstay.contributing.github.labelling import keep_labels
from backstay.contributing.github.payloads import PayloadProblem, read_payload
from backstay.contributing.github.reading import Where
from backstay.contributing.github.running import Report, Runner, run, sweep
from backstay.contributing.printing import inert, line_of
from backstay.contributing.snapshot import Snapshot

#: Exit codes: everything went well; something failed; the command cannot begin.
FINE, FAILED, REFUSED = 0, 1, 2
_REPOSITORY = re.compile(r'[A-Za-z0-9-]{1,39}/[A-Za-z0-9_.-]{1,100}')
_SNAPSHOT = TypeAdapter(Snapshot)
_Transport = httpx.AsyncBaseTransport | None


class CommandRefused(Exception):
    """The command cannot begin; the text says what is missing."""


def main(arguments: Sequence[str], environ: Mapping[str, str], transport: _Transport = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    verbs: dict[str, Callable[[], int]] = {
        'run': lambda: asyncio.run(_run(options, environ, transport)),
        'sweep': lambda: asyncio.run(_each(options, environ, transport, _sweep)),
        'labels': lambda: asyncio.run(_each(options, environ, transport, _labels)),
        'simulate': lambda: _simulate(options),
    }
    try:
        return verbs[options.verb]()
    except (CommandRefused, PayloadProblem, ConfigurationProblem, CallFailed) as error:
        _tell(f'backstay contributing: {inert(str(error))}')
        return REFUSED if isinstance(error, CommandRefused | PayloadProblem) else FAILED


async def _run(
    options: argparse.Namespace, environ: Mapping[str, str], transport: _Transport
) -> int:
    name = options.name or _variable(environ, 'GITHUB_EVENT_NAME')
    path = Path(options.event or _variable(environ, 'GITHUB_EVENT_PATH'))
    payload = read_payload(name, path)
    if payload.event is None:
        _say(f'{payload.repository}: nothing is done about this event')
        return FINE
    async with _client(environ, transport) as client:
        runner = _runner(options, environ, client, payload.repository)
        return _told(payload.repository, await run(runner, payload.event))


async def _each(
    options: argparse.Namespace,
    environ: Mapping[str, str],
    transport: _Transport,
    look_after: Callable[[Runner], Awaitable[int]],
) -> int:
    """Look after every requested repository; one that fails does not stop the others."""
    async with _client(environ, transport) as client:
        codes = [FINE]
        for repository in await _repositories(options, environ, client):
            try:
                codes.append(await look_after(_runner(options, environ, client, repository)))
            except (CallFailed, ConfigurationProblem) as error:
                _tell(f'{repository}: {inert(str(error))}')
                codes.append(FAILED)
        return max(codes)


async def _sweep(runner: Runner) -> int:
    return _told(runner.where.repository, await sweep(runner))


async def _labels(runner: Runner) -> int:
    done, failed = await keep_labels(runner)
    for line in done:
        _say(f'{runner.where.repository}: {inert(line)}')
    for name, reason in failed:
        _tell(f'{runner.where.repository}: {inert(name)}: {inert(reason)}')
    return FAILED if failed else FINE


def _simulate(options: argparse.Namespace) -> int:
    """Decide on an event and a snapshot from files, without GitHub."""
    now = _time_of(options.now) if options.now else datetime.now(UTC)
    snapshot = _snapshot_of(Path(options.snapshot))
    config = Config()
    if options.configuration:
        config = read_configuration(_text_of(Path(options.configuration)))
    event: Event | None = None
    if options.name != 'schedule':
        if not options.event:
            raise CommandRefused('name the file of the event: --event')
        event = read_payload(options.name, Path(options.event)).event
    elif snapshot.issue:
        event = IssueSwept(number=snapshot.issue.number)
    elif snapshot.pull:
        event = PullSwept(number=snapshot.pull.number)
    if event is None:
        _say('nothing is done about this event')
        return FINE
    for command in decide(event, snapshot, config, now):
        _say(line_of(f'#{event.number}', command))
    return FINE


def _time_of(text: str) -> datetime:
    """Return the time that somebody gave; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CommandRefused(
            f'--now {text}: give a time such as 2026-02-01 or 2026-02-01T12:00:00Z'
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _snapshot_of(path: Path) -> Snapshot:
    try:
        return _SNAPSHOT.validate_json(_text_of(path))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = '.'.join(str(part) for part in fault['loc'])
        raise CommandRefused(f'{path.name}: {where}: {fault["msg"]}') from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8')
    except OSError as error:
        raise CommandRefused(f'{path.name}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise CommandRefused(f'{path.name} is no text in UTF-8') from None


async def _repositories(
    options: argparse.Namespace, environ: Mapping[str, str], client: httpx.AsyncClient
) -> list[str]:
    """Return the repositories that are named, or all of an organisation."""
    if not options.organisation:
        names = options.repository or [_variable(environ, 'GITHUB_REPOSITORY')]
        return [_named(name) for name in names]
    github, login = _github(environ, client), options.organisation
    found, after = list[str](), None
    while True:
        data = await github.query(queries.REPOSITORIES, {'login': login, 'after': after})
        if data['repositoryOwner'] is None:
            raise CommandRefused(f'GitHub knows no {login}')
        page = data['repositoryOwner']['repositories']
        found += [node['nameWithOwner'] for node in page['nodes']]
        if not page['pageInfo']['hasNextPage']:
            return found
        after = page['pageInfo']['endCursor']


def _runner(
    options: argparse.Namespace,
    environ: Mapping[str, str],
    client: httpx.AsyncClient,
    repository: str,
) -> Runner:
    home = _named(options.configuration) if options.configuration else repository
    return Runner(
        github=_github(environ, client),
        where=Where(repository=_named(repository), home=home),
        clock=lambda: datetime.now(UTC),
        dry=options.dry_run,
    )


def _github(environ: Mapping[str, str], client: httpx.AsyncClient) -> GitHub:
    api = environ.get('GITHUB_API_URL', 'https://api.github.com')
    return GitHub(
        client,
        token=_variable(environ, 'GITHUB_TOKEN'),
        api=api,
        graphql=environ.get('GITHUB_GRAPHQL_URL', f'{api}/graphql'),
    )


def _client(environ: Mapping[str, str], transport: _Transport) -> httpx.AsyncClient:
    _variable(environ, 'GITHUB_TOKEN')
    return httpx.AsyncClient(transport=transport)


def _told(repository: str, report: Report) -> int:
    for place, command in report.done:
        _say(f'{repository} {line_of(place, command)}')
    for place, reason in report.failed:
        _tell(f'{repository} {place}: {inert(reason)}')
    return FAILED if report.failed else FINE


def _named(repository: str) -> str:
    if not _REPOSITORY.fullmatch(repository):
        raise CommandRefused(f'{repository!r} is no repository: write owner/name')
    return repository


def _variable(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise CommandRefused(f'the variable {name} is not set')


def _say(line: str) -> None:
    sys.stdout.write(f'{line}\n')


def _tell(line: str) -> None:
    sys.stderr.write(f'{line}\n')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='backstay contributing', description='Look after the contributors of repositories.'
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('--dry-run', action='store_true', help='print the plan, change nothing')
    common.add_argument(
        '--configuration', metavar='OWNER/NAME', help='the repository that holds the configuration'
    )
    several = argparse.ArgumentParser(add_help=False)
    chosen = several.add_mutually_exclusive_group()
    chosen.add_argument(
        '--repository', action='append', metavar='OWNER/NAME', help='may be given several times'
    )
    chosen.add_argument('--organisation', metavar='NAME', help='every repository that it has')
    running = verbs.add_parser('run', parents=[common], help='answer one event')
    verbs.add_parser('sweep', parents=[common, several], help='the daily look at what is open')
    verbs.add_parser('labels', parents=[common, several], help='make and change labels')
    simulating = verbs.add_parser('simulate', help='decide on files, without GitHub')
    for verb in (running, simulating):
        verb.add_argument('--event', metavar='FILE', help='the payload of the event, as JSON')
    running.add_argument('--name', help='the name of the event, such as issue_comment')
    simulating.add_argument('--name', required=True, help='the name of the event, or schedule')
    simulating.add_argument('--snapshot', metavar='FILE', required=True, help='what is true: JSON')
    simulating.add_argument('--configuration', metavar='FILE', help='a contributing.toml')
    simulating.add_argument('--now', metavar='TIME', help='the time of the decision, ISO 8601')
    return parser
