"""What may run where (L70): the decisions, and the history that GitHub keeps."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backstay.pipelines.__main__ import main
from backstay.pipelines.deployments import Deployment, previous, refuse_unless_ready
from backstay.pipelines.errors import RefusedError
from backstay.pipelines.git import Repository
from backstay.pipelines.github import TASK, Deployments, GitHubApi
from backstay.pipelines.versions import Version

A, B, C = (f'ghcr.io/o/s@sha256:{letter * 64}' for letter in 'abc')


def deployed(image: str, environment: str = 'staging', *, succeeded: bool = True) -> Deployment:
    return Deployment(environment=environment, version='1.0.0', image=image, succeeded=succeeded)


class TestDeploying:
    def test_staging_takes_what_was_built(self) -> None:
        refuse_unless_ready([], 'staging', A)

    def test_production_takes_what_passed_staging(self) -> None:
        refuse_unless_ready([deployed(B), deployed(A)], 'production', A)

    @pytest.mark.parametrize(
        'history',
        [[], [deployed(B)], [deployed(A, succeeded=False)], [deployed(A, 'production')]],
        ids=['nothing', 'another version', 'it failed there', 'it only was in production'],
    )
    def test_production_takes_nothing_else(self, history: list[Deployment]) -> None:
        with pytest.raises(RefusedError, match='has not passed staging; deploy it there first'):
            refuse_unless_ready(history, 'production', A)

    def test_a_tag_is_no_image(self) -> None:
        with pytest.raises(RefusedError, match='names no digest'):
            refuse_unless_ready([], 'staging', 'ghcr.io/o/s:1.0.0')

    def test_other_environments_are_named(self) -> None:
        with pytest.raises(RefusedError, match='no environment; there are: staging, production'):
            refuse_unless_ready([], 'prod', A)
        with pytest.raises(RefusedError, match='no environment; there are: staging, production'):
            previous([], 'prod')


class TestRollingBack:
    def test_brings_back_what_ran_before(self) -> None:
        history = [deployed(C), deployed(B, succeeded=False), deployed(A)]
        assert previous(history, 'staging').image == A

    def test_passes_over_repeats_and_other_environments(self) -> None:
        history = [deployed(B), deployed(B), deployed(C, 'production'), deployed(A)]
        assert previous(history, 'staging').image == A

    @pytest.mark.parametrize('history', [[], [deployed(A)], [deployed(A), deployed(A)]])
    def test_needs_another_version(self, history: list[Deployment]) -> None:
        with pytest.raises(RefusedError, match='has had no other version'):
            previous(history, 'staging')


class GitHub(BaseHTTPRequestHandler):
    """The addresses of deployments, as GitHub documents them, in memory."""

    records: list[dict[str, Any]]
    releases: Sequence[dict[str, Any]] = ()
    broken = False

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if self.broken:
            self._answer(502, {})
        elif path.endswith('/statuses'):
            self._answer(200, self._record(path)['statuses'][::-1])
        elif path == '/identity':
            assert self.headers['Authorization'] == 'Bearer of the run'
            self._answer(200, {'value': f'token for {query["audience"][0]}'})
        elif path == '/repos/o/s/releases':
            size, page = int(query['per_page'][0]), int(query['page'][0])
            self._answer(200, self.releases[size * (page - 1) : size * page])
        else:
            found = [
                each
                for each in reversed(self.records)
                if each['environment'] == query['environment'][0]
                and each['task'] == query['task'][0]
            ]
            self._answer(200, found)

    def do_POST(self) -> None:
        assert self.headers['Authorization'] == 'Bearer a token'
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        path = urlsplit(self.path).path
        if path.endswith('/statuses'):
            self._record(path)['statuses'].append(body)
        else:
            self.records.append({**body, 'id': len(self.records) + 1, 'statuses': []})
        self._answer(201, self.records[-1])

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _record(self, path: str) -> dict[str, Any]:
        assert path.startswith('/repos/o/s/deployments/')
        return self.records[int(path.split('/')[5]) - 1]

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[GitHub]]:
    handler = type('Handler', (GitHub,), {'records': []})
    server = HTTPServer(('127.0.0.1', 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv('GITHUB_API_URL', f'http://127.0.0.1:{server.server_port}')
    monkeypatch.setenv('GITHUB_REPOSITORY', 'o/s')
    monkeypatch.setenv('GITHUB_TOKEN', 'a token')
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(
    github: type[GitHub], repository: Repository, program: Any, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Runs `deploy` or `rollback` in a service whose `make deploy` notes what it is given."""
    monkeypatch.chdir(repository.folder)
    calls = program('make', 'echo "$ENVIRONMENT $VERSION $IMAGE" >> deployed.txt; exit ${FAILS:-0}')

    def step(verb: str, environment: str, image: str = '', **variables: str) -> int:
        given = {'ENVIRONMENT': environment, 'VERSION': '1.0.0', 'IMAGE': image, **variables}
        with monkeypatch.context() as patch:
            for name, value in given.items():
                patch.setenv(name, value)
            return main([verb])

    step.calls = calls  # type: ignore[attr-defined]
    return step


def came(folder: Path) -> list[str]:
    path = folder / 'deployed.txt'
    return path.read_text().splitlines() if path.exists() else []


class TestTheSteps:
    def test_lead_a_version_through_staging_to_production_and_back(
        self, run: Any, repository: Repository, github: type[GitHub]
    ) -> None:
        for image in (A, B):
            assert run('deploy', 'staging', image) == 0
            assert run('deploy', 'production', image) == 0
        assert run('rollback', 'production') == 0

        assert came(repository.folder) == [
            f'staging 1.0.0 {A}',
            f'production 1.0.0 {A}',
            f'staging 1.0.0 {B}',
            f'production 1.0.0 {B}',
            f'production 1.0.0 {A}',
        ]
        newest = github.records[-1]
        assert newest['ref'] == repository.head()
        assert [each['state'] for each in newest['statuses']] == ['in_progress', 'success']
        assert {each['task'] for each in github.records} == {TASK}

    def test_refuse_production_before_staging_and_do_nothing(
        self, run: Any, repository: Repository, github: type[GitHub], capsys: Any
    ) -> None:
        assert run('deploy', 'production', A) == 1
        assert 'refused: ' in capsys.readouterr().err
        assert came(repository.folder) == github.records == []

    def test_fail_with_the_service_and_record_it(self, run: Any, github: type[GitHub]) -> None:
        assert run('deploy', 'staging', A, FAILS='3') != 0
        assert [each['state'] for each in github.records[0]['statuses']] == [
            'in_progress',
            'failure',
        ]
        assert run('deploy', 'production', A) == 1

    def test_say_when_github_does_not_answer(
        self, run: Any, github: type[GitHub], capsys: Any, repository: Repository
    ) -> None:
        github.broken = True
        assert run('deploy', 'staging', A) == 1
        assert 'GitHub answers 502 to GET deployments' in capsys.readouterr().err
        assert 'a token' not in capsys.readouterr().err
        assert came(repository.folder) == []

    def test_take_text_of_strangers_for_text(
        self, run: Any, repository: Repository, tmp_path: Path
    ) -> None:
        assert run('deploy', '$(touch gone)', A) == 1
        assert run('deploy', 'staging', f'x;touch gone;{A}') == 0
        assert not (repository.folder / 'gone').exists()


def test_the_history_is_of_our_own_records_alone(github: type[GitHub]) -> None:
    """GitHub adds one of its own for each job with an environment."""
    github.records.append(
        {'id': 1, 'environment': 'staging', 'task': 'deploy', 'payload': {}, 'statuses': []}
    )
    assert Deployments().history('staging') == []


def test_every_page_of_releases_is_read_and_no_draft_counts(github: type[GitHub]) -> None:
    kept = [{'tag_name': f'v1.{minor}.0', 'draft': False} for minor in range(230)]
    draft, other = ({'tag_name': name, 'draft': name == 'v2.0.0'} for name in ('v2.0.0', 'nightly'))
    github.releases = [*kept, draft, other]

    assert GitHubApi().published() == {Version(1, minor, 0) for minor in range(230)}


class TestTheIdentityOfARun:
    def test_is_written_for_its_owner_alone(
        self, github: type[GitHub], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        address = f'{os.environ["GITHUB_API_URL"]}/identity?api-version=2.0'
        monkeypatch.setenv('ACTIONS_ID_TOKEN_REQUEST_URL', address)
        monkeypatch.setenv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'of the run')
        file = tmp_path / 'identity'
        file.write_text('of an earlier run')
        file.chmod(0o644)

        assert main(['identity', 'sts.example.com', str(file)]) == 0

        assert file.read_text() == 'token for sts.example.com'
        assert file.stat().st_mode & 0o777 == 0o600

    def test_needs_a_right_of_the_job(self, capsys: Any, tmp_path: Path) -> None:
        assert main(['identity', 'sts.example.com', str(tmp_path / 'identity')]) == 1
        assert 'the job needs `id-token: write`' in capsys.readouterr().err
