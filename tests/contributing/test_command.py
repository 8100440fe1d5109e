"""`backstay contributing`: what it prints, how it ends, and that it runs as a workflow runs it."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from backstay.contributing.command import FAILED, FINE, REFUSED, main
from tests.contributing.github.events import commented, issue_changed, published
from tests.contributing.github.simulator import GitHub

ENVIRON = {'GITHUB_TOKEN': 'secret-token', 'GITHUB_REPOSITORY': 'acme/portal'}


@pytest.fixture
def event(tmp_path: Path) -> Any:
    """Writes an event file; gives the variables of a workflow that it started."""

    def write(name: str, payload: Any) -> dict[str, str]:
        file = tmp_path / 'event.json'
        file.write_text(payload if isinstance(payload, str) else json.dumps(payload))
        return {**ENVIRON, 'GITHUB_EVENT_NAME': name, 'GITHUB_EVENT_PATH': str(file)}

    return write


class TestRun:
    def test_answers_the_event_of_the_workflow(
        self, github: GitHub, event: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        issue = github.add_issue()
        variables = event('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert main(['run'], variables, github.transport) == FINE

        assert issue.assignees == ['alice']
        assert capsys.readouterr().out.splitlines()[:2] == [
            'acme/portal #7 Assign issue=7 login="alice"',
            'acme/portal #7 SetStatus issue=7 status="in_progress"',
        ]

    def test_c77_ends_green_for_an_ordinary_comment(
        self, github: GitHub, event: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        issue = github.add_issue()
        variables = event('issue_comment', commented(issue, github.comment(issue, 'Thanks!')))

        assert main(['run'], variables, github.transport) == FINE

        assert capsys.readouterr().out == 'acme/portal #7 Noop reason="the comment is no prompt"\n'

    def test_c106_a_dry_run_writes_nothing(self, github: GitHub, event: Any) -> None:
        issue = github.add_issue(body='')
        variables = event('issues', issue_changed('opened', issue))

        assert main(['run', '--dry-run'], variables, github.transport) == FINE

        assert github.writes == []
        assert issue.body == ''

    def test_c105_the_log_is_ascii_on_its_own_lines(
        self, github: GitHub, event: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad = 'bug\n::add-mask::x\u202e'
        github.configure(
            f'[[labels.groups]]\nname = "type"\nlabels = ["doc", {json.dumps(bad[:3])}]\n'
            'single = true'
        )
        issue = github.add_issue(body='x\n::error::y\n\u202e')
        main(['run'], event('issues', issue_changed('opened', issue)), github.transport)

        out = capsys.readouterr().out

        assert out.isascii()
        assert [line for line in out.splitlines() if not line.startswith('acme/portal #7 ')] == []

    def test_ends_red_and_says_which_call_failed(
        self, github: GitHub, event: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        issue = github.add_issue(state='CLOSED')
        github.fault = lambda request: (
            httpx.Response(410, json={'message': 'no\nmore'})
            if request.url.path.endswith('/comments')
            else None
        )
        variables = event('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert main(['run'], variables, github.transport) == FAILED

        told = capsys.readouterr().err
        assert 'acme/portal #7: POST /repos/' in told
        assert len(told.splitlines()) == 1
        assert 'secret-token' not in told

    def test_a_mistake_in_the_configuration_is_named(
        self, github: GitHub, event: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        github.configure('[limits]\nper_isue = 2')
        issue = github.add_issue()
        variables = event('issue_comment', commented(issue, github.comment(issue, 'assign me')))

        assert main(['run'], variables, github.transport) == FAILED

        assert 'limits.per_isue' in capsys.readouterr().err
        assert github.writes == []

    @pytest.mark.parametrize('name', ['issue_comment', 'issues', 'pull_request'])
    def test_takes_every_event_as_github_publishes_it(
        self, github: GitHub, event: Any, name: str
    ) -> None:
        for payload in published()[name]:
            payload = {**payload, 'repository': {'full_name': 'acme/portal'}}
            assert main(['run'], event(name, payload), github.transport) == FINE

    @pytest.mark.parametrize(
        ('name', 'payload'),
        [
            ('issue_comment', '{'),
            ('issue_comment', '[]'),
            ('issue_comment', {'repository': {'full_name': 'acme/portal'}, 'action': 'created'}),
            ('issues', {'action': 'opened'}),
        ],
    )
    def test_refuses_what_is_no_event(
        self, github: GitHub, event: Any, name: str, payload: Any
    ) -> None:
        assert main(['run'], event(name, payload), github.transport) == REFUSED
        assert github.calls == []

    def test_says_which_variable_is_missing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(['run'], {}) == REFUSED
        assert 'GITHUB_EVENT_NAME' in capsys.readouterr().err
        assert main(['sweep'], {}) == REFUSED
        assert 'GITHUB_TOKEN' in capsys.readouterr().err


class TestSweep:
    def test_sweeps_an_organisation_and_one_repository_that_fails_stops_no_other(
        self, github: GitHub, capsys: pytest.CaptureFixture[str]
    ) -> None:
        github.configure('nonsense = 1', github.add_repository('api'))
        github.add_repository('zoo')

        code = main(['sweep', '--organisation', 'acme'], ENVIRON, github.transport)

        assert code == FAILED
        assert 'acme/api: ' in capsys.readouterr().err
        assert [call for call in github.calls if call == 'OpenIssues'] == ['OpenIssues'] * 2

    def test_refuses_a_name_that_is_no_repository(self, github: GitHub) -> None:
        options = ['sweep', '--repository', 'acme/portal/../x']

        assert main(options, ENVIRON, github.transport) == REFUSED
        assert github.calls == []

    def test_knows_no_such_organisation(self, github: GitHub) -> None:
        assert main(['sweep', '--organisation', 'x'], ENVIRON, github.transport) == REFUSED


class TestLabels:
    def test_makes_and_mends_them_and_leaves_others_alone(
        self, github: GitHub, capsys: pytest.CaptureFixture[str]
    ) -> None:
        labels = github.repository.labels
        labels += [
            {'name': ':ROBOT:', 'color': '000000', 'description': None},
            {'name': 'theirs', 'color': '123456', 'description': 'x'},
        ]

        assert main(['labels'], ENVIRON, github.transport) == FINE
        first = capsys.readouterr().out
        assert main(['labels'], ENVIRON, github.transport) == FINE

        assert 'change :robot:' in first
        assert 'make :soap:' in first
        assert capsys.readouterr().out == ''
        names = [label['name'] for label in labels]
        assert len(names) == len(set(names))
        assert {':robot:', ':soap:', 'theirs'} <= set(names)

    def test_c106_a_dry_run_makes_none(self, github: GitHub) -> None:
        assert main(['labels', '--dry-run'], ENVIRON, github.transport) == FINE

        assert github.repository.labels == []


class TestSimulate:
    def test_decides_on_files_without_github(
        self, tmp_path: Path, event: Any, capsys: pytest.CaptureFixture[str], github: GitHub
    ) -> None:
        issue = github.add_issue()
        variables = event('issue_comment', commented(issue, github.comment(issue, 'assign me')))
        bob = {'login': 'bob', 'id': 102}
        snapshot = tmp_path / 'snapshot.json'
        facts = {'repository': 'acme/portal', 'number': 7, 'author': bob, 'open': False}
        snapshot.write_text(json.dumps({'issue': facts}))
        options = ['--event', variables['GITHUB_EVENT_PATH'], '--snapshot', str(snapshot)]

        assert main(['simulate', '--name', 'issue_comment', *options], {}) == FINE

        assert (
            capsys.readouterr().out
            == f'#7 Comment number=7 key="answer:{issue.comments[0].id}" text=closed\n'
        )

    def test_a_schedule_is_a_sweep(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bob = {'login': 'bob', 'id': 102}
        assigned = {'issue': 7, 'login': 'bob', 'at': '2026-01-01T00:00:00Z'}
        facts = {'repository': 'a/b', 'number': 7, 'author': bob, 'assignments': [assigned]}
        (tmp_path / 's.json').write_text(json.dumps({'issue': facts}))
        (tmp_path / 'c.toml').write_text('[inactivity]\nwarn_after_days = 3')
        options = ['--snapshot', str(tmp_path / 's.json'), '--configuration']
        options += [str(tmp_path / 'c.toml'), '--now', '2026-01-05T00:00:00Z']

        assert main(['simulate', '--name', 'schedule', *options], {}) == FINE

        assert 'text=idle-warning' in capsys.readouterr().out

    @pytest.mark.parametrize(
        ('options', 'told'),
        [
            (('--now', 'yesterday'), '--now yesterday: give a time such as 2026-02-01'),
            (('--configuration', 'none.toml'), 'none.toml: No such file or directory'),
            (('--configuration', '.'), 'Is a directory'),
            (('--configuration', 'latin.toml'), 'latin.toml is no text in UTF-8'),
            (('--snapshot', 'none.json'), 'none.json: No such file or directory'),
            (
                ('--snapshot', 'zoneless.json'),
                'issue.assignments.0.at: Input should',
            ),
            (('--snapshot', 'latin.toml'), 'latin.toml is no text in UTF-8'),
            (('--event', 'none.json', '--name', 'issues'), 'none.json cannot be read as JSON'),
        ],
    )
    def test_says_in_one_line_what_is_wrong(
        self,
        options: tuple[str, ...],
        told: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / 's.json').write_text(SNAPSHOT)
        (tmp_path / 'zoneless.json').write_text(SNAPSHOT.replace('Z"', '"'))
        (tmp_path / 'latin.toml').write_bytes(b'# \xe9')
        first = ('simulate', '--name', 'schedule', '--snapshot', 's.json')

        assert main([*first, *options], {}) == REFUSED

        (line,) = capsys.readouterr().err.splitlines()
        assert told in line

    def test_a_day_is_a_time_and_one_without_a_zone_is_in_utc(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / 's.json').write_text(SNAPSHOT)
        options = ('simulate', '--name', 'schedule', '--snapshot', str(tmp_path / 's.json'))
        said = []
        for now in ('2026-02-01', '2026-02-01T00:00:00', '2026-02-01T01:00:00+01:00'):
            assert main([*options, '--now', now], {}) == FINE
            said.append(capsys.readouterr().out)

        assert 'text=idle-warning' in said[0]
        assert said[0] == said[1] == said[2]

    @pytest.mark.parametrize('text', ['{', '{"issue": {"number": "x"}}'])
    def test_names_what_is_wrong_in_a_snapshot(
        self, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / 's.json').write_text(text)

        options = ['--name', 'schedule', '--snapshot', str(tmp_path / 's.json')]

        assert main(['simulate', *options], {}) == REFUSED
        assert 's.json' in capsys.readouterr().err


def test_the_page_shows_a_snapshot_and_what_is_decided_on_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (root / 'docs/how-to/contributing.md').read_text()
    (snapshot,) = re.findall(r'```json\n(.*?)```', page, re.DOTALL)
    asked = re.findall(r'^\$ backstay contributing (simulate .*)\n(#.*)$', page, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    Path('snapshot.json').write_text(snapshot)
    assert len(asked) == 2

    for command, decided in asked:
        assert main(command.split(), {}) == FINE
        assert capsys.readouterr().out == f'{decided}\n'


SNAPSHOT = json.dumps(
    {
        'issue': {
            'repository': 'a/b',
            'number': 7,
            'author': {'login': 'bob', 'id': 102},
            'assignments': [{'issue': 7, 'login': 'bob', 'at': '2026-01-01T00:00:00Z'}],
        }
    }
)


@pytest.fixture
def served(github: GitHub) -> Iterator[str]:
    """The simulated GitHub at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers['content-length']))
            headers = {name: self.headers[name] for name in ('authorization', 'user-agent')}
            request = httpx.Request(
                'POST', f'http://github{self.path}', content=content, headers=headers
            )
            answer = github.answer(request)
            self.send_response(answer.status_code)
            self.send_header('Content-Type', 'application/json; charset=utf-8')
            self.send_header('Content-Length', str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its signature
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_runs_as_a_workflow_runs_it_without_a_site(
    github: GitHub, event: Any, served: str, run_python: Any, tmp_path: Path
) -> None:
    issue = github.add_issue()
    variables = event('issue_comment', commented(issue, github.comment(issue, 'assign me')))

    ran = run_python(
        '-c',
        'from backstay.cli import main; main()',
        'contributing',
        'run',
        cwd=tmp_path,
        **variables,
        GITHUB_API_URL=served,
        NO_PROXY='*',
        ENV=None,
        DJANGO_SETTINGS_MODULE=None,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith('acme/portal #7 Assign')
    assert issue.assignees == ['alice']
