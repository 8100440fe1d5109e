"""`cleanup_issues`, `load_issues` and `load_in_patch`."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision
from services.codereview.patches import is_in_patch, parse
from services.codereview.tests import data


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Gives what commands have logged since it was last called."""
    caplog.set_level(logging.INFO)

    def heard() -> list[str]:
        ours = [each for each in caplog.records if each.name.startswith('services.codereview')]
        caplog.clear()
        return [each.getMessage() for each in ours]

    return heard


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


@pytest.mark.django_db
class TestCleanup:
    def test_nothing_to_do(self, said: Any) -> None:
        data.stored_revision()

        call_command('cleanup_issues')

        assert said() == ["Didn't find any old revision to delete."]

    def test_old_revisions_go_with_what_nobody_else_has(self, said: Any) -> None:
        old = data.stored_revision(created=ago(31))
        young = data.stored_revision(provider_id=2, created=ago(29))
        diff = data.stored_diff(old)
        kept = data.stored_diff(young, 'bbb')
        shared, alone, never = (data.stored_issue(each) for each in '123')
        for line in (1, 2):
            data.link(alone, old, diff, line=line)
        data.link(shared, old)
        data.link(shared, young, kept)
        unused = data.repository('unused')

        call_command('cleanup_issues')

        assert said() == [
            'Deleted 1 unused Repository.',
            'Retrieved 1 old revisions to be deleted.',
            'Page 1/1.',
            'Deleted 3 IssueLink, 1 Diff, 1 Issue, 1 Revision.',
        ]
        assert list(Revision.objects.all()) == [young]
        assert list(Diff.objects.all()) == [kept]
        assert set(Issue.objects.all()) == {shared, never}
        assert list(IssueLink.objects.values_list('issue', 'revision')) == [(shared.pk, young.pk)]
        assert not Repository.objects.filter(pk=unused.pk).exists()

    def test_repositories_left_behind_go_in_the_next_run(self, said: Any) -> None:
        data.stored_revision(created=ago(400))

        call_command('cleanup_issues', '--nb-days=365')
        assert Repository.objects.count() == 2
        said()
        call_command('cleanup_issues', '--nb-days=365')

        assert said() == [
            'Deleted 2 unused Repository.',
            "Didn't find any old revision to delete.",
        ]
        assert Repository.objects.count() == 0

    def test_pages(self, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from services.codereview.management.commands import cleanup_issues

        monkeypatch.setattr(cleanup_issues, '_PAGE', 2)
        shared = data.stored_issue('1')
        for number in range(5):
            data.link(shared, data.stored_revision(provider_id=number + 1, created=ago(50)))

        call_command('cleanup_issues')

        assert said()[1:] == [
            'Page 1/3.',
            'Page 2/3.',
            'Page 3/3.',
            'Deleted 5 IssueLink, 0 Diff, 1 Issue, 5 Revision.',
        ]

    def test_issues_without_a_link_go_when_asked(self, said: Any) -> None:
        data.stored_issue('old', created=ago(31))
        young = data.stored_issue('young')
        linked = data.stored_issue('linked', created=ago(31))
        data.link(linked, data.stored_revision())

        call_command('cleanup_issues', '--link-less')

        assert said()[-1] == 'Deleted 1 Issue without any IssueLink.'
        assert set(Issue.objects.all()) == {young, linked}

    @pytest.mark.parametrize('days', ['x', '1.5', ''])
    def test_days_that_are_no_number(self, days: str) -> None:
        with pytest.raises(CommandError):
            call_command('cleanup_issues', f'--nb-days={days}')

    def test_more_days_than_the_calendar_has(self) -> None:
        call_command('cleanup_issues', '--nb-days=99999999')


class Site:
    """A server on this machine that answers what it was told to, and remembers who asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, list[str]], str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                agent = self.headers.get('User-Agent', '')
                site.asked.append((url.path, parse_qs(url.query), agent))
                answer = site.answers.get(self.path, site.answers.get(url.path))
                text = answer if isinstance(answer, str) else json.dumps(answer)
                self.send_response(404 if answer is None else 200)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.server.shutdown()
    served.server.server_close()


PATCH = """\
# HG changeset patch
diff --git a/dir/a.py b/dir/a.py
--- a/dir/a.py
+++ b/dir/a.py
@@ -1,3 +1,4 @@
 one
-two
+2
+2b
 three
@@ -10,2 +11,1 @@
 ten
-eleven
diff --git a/old b/new
rename from old
rename to new
diff --git a/gone b/gone
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
--- a line that looks like a header
"""


class TestPatches:
    def test_lines_that_are_new(self) -> None:
        assert parse(PATCH) == {'dir/a.py': frozenset({2, 3}), 'new': frozenset()}

    @pytest.mark.parametrize(
        'text',
        [
            'diff --git a/a b/c b/a b/c\nnew file mode 100644\n',
            'diff --git a/a b/c b/a b/c\nnew file mode 100644\nGIT binary patch\nliteral 0\n',
            'diff --git a/a b/c b/a b/c\nold mode 100644\nnew mode 100755\n',
        ],
    )
    def test_files_without_a_hunk(self, text: str) -> None:
        assert parse(text) == {'a b/c': frozenset()}

    def test_a_file_that_goes_is_not_in_the_new_state(self) -> None:
        assert parse('diff --git a/x b/x\ndeleted file mode 100644\n') == {}

    def test_lines_that_look_like_headers(self) -> None:
        text = '--- a/x\n+++ b/x\n@@ -1,1 +1,2 @@\n--- b/y\n+++ b/y\n+@@ -1 +1 @@\n'
        assert parse(text) == {'x': frozenset({1, 2})}

    def test_mercurials_own_form(self) -> None:
        text = '--- a/x y\tThu Jan 01 1970\n+++ b/x y\tThu Jan 01 1970\n@@ -0,0 +1,1 @@\n+a\n'
        assert parse(text + '\\ No newline at end of file\n') == {'x y': frozenset({1})}

    @pytest.mark.parametrize(
        ('path', 'line', 'nb_lines', 'found'),
        [
            ('dir/a.py', 1, 1, False),
            ('dir/a.py', 1, 2, True),
            ('dir/a.py', 3, None, True),
            ('dir/a.py', 4, 1, False),
            ('dir/a.py', 3, 0, True),
            ('dir/a.py', None, None, True),
            ('new', None, 1, True),
            ('new', 1, 1, False),
            ('other', None, None, False),
            ('other', 2, 1, False),
        ],
    )
    def test_places(self, path: str, line: int | None, nb_lines: int | None, found: bool) -> None:
        assert is_in_patch(parse(PATCH), path, line, nb_lines) is found


EXPECTED: dict[str, bool | None] = {
    'in': True,
    'out': False,
    'file': True,
    'elsewhere': False,
    'told': True,
    'no diff': None,
}


@pytest.mark.django_db
class TestInPatch:
    @pytest.fixture
    def diff(self, site: Site) -> Diff:
        revision = data.stored_revision()
        repository = data.repository('hg', f'{site.url}/hg')
        site.answers = {
            f'/hg/json-rev/{"c" * 40}': {'desc': 'Bug 1', 'parents': ['p1']},
            f'/hg/raw-rev/{"c" * 40}': PATCH,
        }
        return data.stored_diff(revision, repository=repository)

    @pytest.fixture
    def links(self, diff: Diff) -> dict[str, IssueLink]:
        here = data.stored_issue('1', path='dir/a.py')
        elsewhere = data.stored_issue('2', path='other')
        return {
            'in': data.link(here, diff.revision, diff, line=2),
            'out': data.link(here, diff.revision, diff, line=9),
            'file': data.link(here, diff.revision, diff),
            'elsewhere': data.link(elsewhere, diff.revision, diff, line=2),
            'told': data.link(elsewhere, diff.revision, diff, line=5, in_patch=True),
            'no diff': data.link(here, diff.revision, line=2),
        }

    def found(self, links: dict[str, IssueLink]) -> dict[str, bool | None]:
        return {name: IssueLink.objects.get(pk=link.pk).in_patch for name, link in links.items()}

    def test_links_are_told_from_the_patch(
        self, site: Site, links: dict[str, IssueLink], diff: Diff
    ) -> None:
        call_command('load_in_patch')

        assert self.found(links) == EXPECTED
        agents = {agent for _, _, agent in site.asked}
        assert len(agents) == 1
        assert agents.pop().startswith('code-review-backend/')
        diff.refresh_from_db()
        assert (diff.nb_issues, diff.nb_issues_publishable) == (5, 3)

    def test_several_processes_go_on_after_a_patch_that_fails(
        self, site: Site, links: dict[str, IssueLink], diff: Diff, said: Any
    ) -> None:
        lost = data.stored_diff(
            data.stored_revision(provider_id=7, created=ago(9)),
            'lost',
            mercurial_hash='d' * 40,
            repository=diff.repository,
        )
        Diff.objects.filter(pk=lost.pk).update(id=diff.pk - 1)  # it is the first to be looked at
        IssueLink.objects.create(
            issue=links['in'].issue, revision=lost.revision, diff_id=diff.pk - 1
        )

        call_command('load_in_patch', '--nb-processes=2')

        (told,) = said()
        assert told.startswith(f'No patch for diff {diff.pk - 1}: HTTPStatusError: ')
        assert self.found(links) == EXPECTED

    def test_a_push_that_only_says_what_to_try(
        self, site: Site, links: dict[str, IssueLink]
    ) -> None:
        told = f'/hg/json-rev/{"c" * 40}'
        site.answers = {
            told: {'desc': 'try_task_config for x', 'parents': ['p1', 'p2']},
            '/hg/raw-rev/p1': PATCH,
        }

        call_command('load_in_patch')

        assert self.found(links) == EXPECTED

    @pytest.mark.parametrize('answer', ['', '<html>Try again later.</html>'])
    def test_an_answer_that_is_no_patch_leaves_the_links_unknown(
        self, site: Site, links: dict[str, IssueLink], diff: Diff, said: Any, answer: str
    ) -> None:
        site.answers[f'/hg/raw-rev/{"c" * 40}'] = answer

        call_command('load_in_patch')

        assert said() == [f'No patch for diff {diff.pk}: the answer is not a patch']
        assert set(self.found(links).values()) == {None, True}  # what was told stays

    def test_a_diff_without_a_patch_is_left_out(
        self, site: Site, links: dict[str, IssueLink], diff: Diff, said: Any
    ) -> None:
        lost = data.stored_diff(
            diff.revision, 'lost', mercurial_hash='d' * 40, repository=diff.repository
        )
        link = data.link(data.stored_issue('9'), diff.revision, lost)

        call_command('load_in_patch')

        (told,) = said()
        assert told.startswith(f'No patch for diff {lost.pk}: HTTPStatusError: ')
        assert IssueLink.objects.get(pk=link.pk).in_patch is None
        assert self.found(links) == EXPECTED

    def test_a_place_that_is_there_already_is_not_kept_twice(
        self, diff: Diff, links: dict[str, IssueLink]
    ) -> None:
        twin = data.link(links['in'].issue, diff.revision, diff, line=2, in_patch=True)

        call_command('load_in_patch')

        kept = IssueLink.objects.filter(issue=links['in'].issue, diff=diff, line=2)
        assert list(kept) == [twin]


def report(**changed: Any) -> dict[str, Any]:
    return {
        'revision': {
            'id': 7,
            'title': 'A title',
            'bugzilla_id': 5,
            'target_repository': data.CENTRAL,
            'repository': 'https://hg.mozilla.org/a/new',
            'diff_phid': 'PHID-DIFF-x',
            'diff_id': 70,
            'mercurial_revision': 'f' * 40,
        }
        | changed,
        'issues': [
            {'hash': None, 'analyzer': 'a', 'path': 'p', 'line': 1},
            {'hash': 'h2', 'analyzer': 'a', 'path': 'p', 'line': 2, 'kind': 'K', 'check': 'C'},
            {'hash': '', 'analyzer': 'a', 'path': 'p', 'line': 3},
            {
                'hash': 'h4',
                'analyzer': 'a',
                'path': 'p',
                'line': 4,
                'nb_lines': 3,
                'char': 1,
                'level': 'error',
                'check': 'C',
                'message': 'm',
            },
        ],
    }


@pytest.mark.django_db
class TestReports:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
        folder = tmp_path / 'code-review-reports' / 'production'
        folder.mkdir(parents=True)
        return folder

    def test_a_report_is_loaded(self, folder: Path, said: Any) -> None:
        (folder / 'task1').write_text(json.dumps(report()))

        call_command('load_issues', '--offline')

        assert said() == ['Loaded 2 issues of task task1.']
        diff = Diff.objects.select_related('revision', 'repository').get()
        assert (diff.provider_id, diff.number, diff.review_task_id) == ('PHID-DIFF-x', 70, 'task1')
        assert (diff.repository.slug, diff.revision.provider_id) == ('a_new', 7)
        places = IssueLink.objects.order_by('line').values_list(
            'issue__hash',
            'issue__level',
            'issue__analyzer_check',
            'line',
            'nb_lines',
            'char',
            'in_patch',
            'new_for_revision',
        )
        assert list(places) == [
            ('h2', 'warning', 'K', 2, 1, None, None, True),
            ('h4', 'error', 'C', 4, 3, 1, None, True),
        ]

    def test_a_report_without_a_bug_is_loaded(self, folder: Path) -> None:
        (folder / 'task1').write_text(json.dumps(report(bugzilla_id='')))

        call_command('load_issues', '--offline')

        assert Revision.objects.get().bugzilla_id is None

    def test_again_only_replaces_the_links_of_the_diff(self, folder: Path, said: Any) -> None:
        (folder / 'task1').write_text(json.dumps(report()))
        call_command('load_issues', '--offline')
        first = dict(Issue.objects.values_list('hash', 'pk'))
        elsewhere = data.link(Issue.objects.get(hash='h2'), data.stored_revision())

        call_command('load_issues', '--offline')

        assert dict(Issue.objects.values_list('hash', 'pk')) == first
        assert IssueLink.objects.filter(pk=elsewhere.pk).exists()
        assert IssueLink.objects.count() == 3

    def test_what_an_older_diff_had_is_not_new(self, folder: Path) -> None:
        (folder / 'task1').write_text(json.dumps(report()))
        call_command('load_issues', '--offline')
        Diff.objects.update(created=ago(1))
        later = report(diff_phid='PHID-DIFF-y')
        later['issues'].append({'hash': 'h5', 'analyzer': 'a', 'path': 'p', 'line': 9})
        (folder / 'task2').write_text(json.dumps(later))
        (folder / 'task1').unlink()

        call_command('load_issues', '--offline')

        links = IssueLink.objects.filter(diff__provider_id='PHID-DIFF-y').order_by('line')
        assert list(links.values_list('issue__hash', 'new_for_revision')) == [
            ('h2', False),
            ('h4', False),
            ('h5', True),
        ]

    def test_reports_that_cannot_be_loaded_are_left_out(self, folder: Path, said: Any) -> None:
        (folder / 'a-broken').write_text('{')
        (folder / 'b-empty').write_text('{}')
        (folder / 'c-foreign').write_text(json.dumps(report(repository='https://x.test/y')))
        bad = report(diff_phid='PHID-DIFF-bad')
        bad['issues'][1]['level'] = None
        bad['issues'][3]['line'] = 'x'
        (folder / 'd-bad').write_text(json.dumps(bad))
        (folder / 'e-good').write_text(json.dumps(report()))

        call_command('load_issues', '--offline')

        assert said() == [
            'Skipped task a-broken.',
            'Skipped task b-empty.',
            'Skipped task c-foreign: the repository https://x.test/y is not allowed.',
            'Skipped task d-bad.',
            'Loaded 2 issues of task e-good.',
        ]
        assert list(Diff.objects.values_list('provider_id', flat=True)) == ['PHID-DIFF-x']

    def test_reports_come_from_taskcluster(
        self, folder: Path, site: Site, said: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv('TASKCLUSTER_ROOT_URL', site.url)
        index = '/api/index/v1/tasks/project.relman.production.code-review.phabricator.diff'
        artifact = '/api/queue/v1/task/{}/artifacts/public/results/report.json'
        site.answers = {
            f'{index}?limit=200': {
                'tasks': [
                    {'taskId': 'task1', 'data': {'issues': 2}},
                    {'taskId': 'task2', 'data': {'issues': 0}},
                ],
                'continuationToken': 'more',
            },
            f'{index}?limit=200&continuationToken=more': {
                'tasks': [{'taskId': 'task3', 'data': {'issues': 1}}]
            },
            artifact.format('task1'): report(),
        }

        call_command('load_issues', '-e', 'production')

        heard = said()
        assert heard[0] == 'Loaded 2 issues of task task1.'
        assert heard[1].startswith('No report of task task3')
        assert [file.name for file in (folder.parent / 'production').iterdir()] == ['task1']
        assert artifact.format('task2') not in [path for path, _, _ in site.asked]
