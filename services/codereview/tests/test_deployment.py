"""This service alone, as `Procfile` and `app.json` have it run: released, served behind a proxy."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from django.core.management import get_commands

from backstay.operations.static_files import _sources
from backstay.settings import load
from services.codereview.tests import data

pytestmark = pytest.mark.engine_free  # it has a database of its own

ROOT = Path(__file__).resolve().parents[3]
#: What the proxy in front tells of the request that it was asked.
PROXY = {'X-Forwarded-Proto': 'https', 'Host': 'review.example'}
#: An account without any right, and a key of the lowest level.
MAKES_BOT = (
    'from backstay.identity.models import Account; from backstay.identity.keys import create_key; '
    'print(create_key(Account.objects.create_user("bot"), "publishing", level=1)[1])'
)


def processes() -> dict[str, str]:
    """The commands of `Procfile`, by the names of their processes."""
    lines = (ROOT / 'Procfile').read_text().splitlines()
    return dict(re.fullmatch(r'(\w+): (.+)', line).groups() for line in lines)  # type: ignore[misc,union-attr]


def config() -> dict[str, str]:
    """What `app.json` sets, with what Heroku and whoever deploys add to it."""
    told: dict[str, dict[str, Any]] = json.loads((ROOT / 'app.json').read_text())['env']
    return {name: each['value'] for name, each in told.items() if 'value' in each} | {
        'SECRET_KEY': 'not-so-secret-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP',
        'ALLOWED_HOSTS': 'review.example',
        'DATABASE_URL': 'postgres://review@database/review',
    }


class Deployed(NamedTuple):
    """A copy of the site, and the environment of its processes."""

    folder: Path
    environment: Mapping[str, str]

    def start(self, line: str) -> 'subprocess.Popen[str]':
        """A line of `Procfile`: variables, `backstay`, arguments."""
        words = shlex.split(line)
        at = words.index('backstay')
        variables = dict(word.split('=', 1) for word in words[:at])
        return subprocess.Popen(  # noqa: S603 our own interpreter and arguments
            [sys.executable, 'manage.py', *words[at + 1 :]],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, line: str) -> str:
        """What it prints, once it ends well."""
        with self.start(line) as process:
            printed = process.communicate(timeout=60)[0]
        assert process.returncode == 0, printed
        return printed


@pytest.fixture(scope='module')
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The site as a build leaves it: collecting the static files, which takes 40 s, is feigned."""
    folder = tmp_path_factory.mktemp('deployed')
    for name in ('config', 'services'):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__', 'tests')
        )
    shutil.copy(ROOT / 'manage.py', folder)
    (folder / 'var' / 'static').mkdir(parents=True)
    names = {name: name for name, _ in _sources()}
    manifest = {'version': '1.1', 'paths': names, 'hash': ''}
    (folder / 'var' / 'static' / 'staticfiles.json').write_text(json.dumps(manifest))
    environment = {
        **config(),
        'BACKSTAY_TRUSTED_PROXIES': '127.0.0.1',
        'BACKSTAY_PROCESSES': '1',
        'DATABASE_URL': f'sqlite:///{folder}/db.sqlite3',
        'BACKSTAY_SQLITE_IN_PRODUCTION': '1',
        'PATH': os.environ['PATH'],
        'PORT': '0',
        'PYTHONUNBUFFERED': '1',
    }
    return Deployed(folder, environment)


@pytest.fixture(scope='module')
def bot(deployed: Deployed) -> tuple[str, str]:
    """What the bot of the released site is configured with."""
    assert 'collected already' in deployed.run(processes()['release'])
    key = deployed.run(f'backstay shell --no-imports -c {shlex.quote(MAKES_BOT)}').split()[-1]
    return 'bot', key


@pytest.fixture(scope='module')
def site(deployed: Deployed, bot: tuple[str, str]) -> Iterator[httpx.Client]:
    """A client behind the proxy of the site."""
    with deployed.start(processes()['web']) as server:
        try:
            assert server.stdout
            port = re.search(r'Serving on http://127.0.0.1:(\d+)', server.stdout.readline())
            assert port, server.stdout.read()
            address = f'http://127.0.0.1:{port.group(1)}'
            with httpx.Client(base_url=address, headers=PROXY, trust_env=False) as client:
                wait_for(client)
                yield client
        finally:
            server.terminate()


def wait_for(client: httpx.Client) -> None:
    """Return when the server answers, or fail after 20 seconds."""
    deadline = time.monotonic() + 20
    while True:
        try:
            client.get('/livez')
        except httpx.ConnectError:
            assert time.monotonic() < deadline, 'the server does not answer'
            time.sleep(0.05)
        else:
            return


def test_every_process_is_a_command_that_exists() -> None:
    found = processes()

    assert set(found) == {'release', 'web', 'worker'}
    commands = {re.search(r'backstay (\w+)', line).group(1) for line in found.values()}  # type: ignore[union-attr]
    assert commands <= set(get_commands())


def test_its_variables_are_those_that_the_site_knows(tmp_path: Path) -> None:
    environment = load(tmp_path, config())

    assert environment.env == 'production'
    assert environment.services == ('codereview',)
    assert not environment.sign_up


def test_only_this_service_is_served(site: httpx.Client) -> None:
    assert site.get('/v1/repository/').json()['count'] == 0
    assert site.get('/review/', headers={'Accept': 'text/html'}).status_code == 200
    assert site.get('/api/v1/two-list-sum/').status_code == 404
    document = site.get('/docs/', headers={'Accept': 'application/json'}).json()
    assert document['info']['title'] == 'Mozilla Code Review API'
    assert site.get('/__heartbeat__').json() == {'status': 'ok'}


def test_urls_in_bodies_are_those_that_the_proxy_was_asked_for(
    site: httpx.Client, bot: tuple[str, str]
) -> None:
    outside = 'https://review.example'
    body = data.revision_body()

    revision = site.post('/v1/revision/', json=body, auth=bot).json()
    assert revision['diffs_url'] == f'{outside}/v1/revision/{revision["id"]}/diffs/'
    assert revision['issues_bulk_url'] == f'{outside}/v1/revision/{revision["id"]}/issues/'

    diffs = revision['diffs_url'].removeprefix(outside)
    diff = site.post(diffs, json=data.diff_body(), auth=bot).json()
    assert diff['issues_url'] == f'{outside}/v1/diff/PHID-DIFF-aaa/issues/'

    site.post('/v1/revision/', json={**body, 'provider_id': 2}, auth=bot).raise_for_status()
    page = site.get('/v1/revision/', params={'limit': 1}).json()
    assert page['next'] == f'{outside}/v1/revision/?limit=1&offset=1'
    assert set(site.get('/v1/').json().values()) == {
        f'{outside}/v1/{name}/' for name in ('repository', 'revision', 'diff')
    }


def test_who_comes_without_https_is_led_to_it(site: httpx.Client) -> None:
    answer = site.get('/v1/', headers={'X-Forwarded-Proto': 'http'})

    assert answer.status_code == 301
    assert answer.headers['Location'] == 'https://review.example/v1/'


def test_a_host_that_is_not_ours_is_refused(site: httpx.Client) -> None:
    assert site.get('/v1/', headers={'Host': 'evil.example'}).status_code == 400
