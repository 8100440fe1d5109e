"""What the workflows promise: to those who call them, and about what they may do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from backstay.pipelines import CONTRACT
from backstay.pipelines.__main__ import _parser

WORKFLOWS = Path(__file__).parents[2] / '.github' / 'workflows'
FILES = sorted(WORKFLOWS.glob('*.y*ml'))
PINNED = re.compile(r'[\w.-]+/[\w./-]+@[0-9a-f]{40}')
#: The first major version of each action that runs on Node 24; GitHub takes Node 20 away.
NODE_24 = {
    'actions/cache': 5,
    'actions/checkout': 5,
    'actions/create-github-app-token': 3,
    'actions/download-artifact': 7,
    'actions/setup-python': 6,
    'actions/upload-artifact': 6,
}
#: By name: the only workflow that listens to what people write.
LISTENING = 'contributing.yaml'


def load(file: Path) -> dict[Any, Any]:
    """A workflow; YAML 1.1 reads its `on` as true."""
    loaded: dict[Any, Any] = yaml.safe_load(file.read_text())
    return loaded


def jobs_of(file: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = load(file)['jobs']
    return jobs


def steps_of(file: Path) -> list[dict[str, Any]]:
    return [step for job in jobs_of(file).values() for step in job.get('steps', [])]


def run_make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make there."""
    make = shutil.which('make')
    assert make
    return subprocess.run(  # noqa: S603 arguments of the tests
        [make, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.name)
class TestEveryWorkflow:
    def test_begins_with_no_right_but_reading(self, file: Path) -> None:
        assert load(file)['permissions'] in ({}, {'contents': 'read'})

    def test_says_what_else_each_job_may_and_why(self, file: Path) -> None:
        for line in re.findall(
            r'^ +(?!permission-)[a-z-]+: write.*$', file.read_text(), re.MULTILINE
        ):
            assert re.search(r': write # \w+', line), line

    def test_names_actions_by_their_commit_and_version(self, file: Path) -> None:
        """L69: what is called cannot change, nor be missing here."""
        for line in re.findall(r'uses: (.+)$', file.read_text(), re.MULTILINE):
            action, _, version = line.partition(' # ')
            version = version.partition(' ')[0]
            if action.startswith('./'):
                assert (WORKFLOWS.parents[1] / action).exists(), action
            else:
                assert PINNED.fullmatch(action), line
                assert re.fullmatch(r'v\d+\.\d+\.\d+', version), line
                if known := NODE_24.get(action.partition('@')[0]):
                    assert int(version[1:].partition('.')[0]) >= known, line

    def test_puts_no_expression_into_a_shell(self, file: Path) -> None:
        assert [step['run'] for step in steps_of(file) if '${{' in step.get('run', '')] == []

    def test_keeps_no_credentials_in_a_checkout(self, file: Path) -> None:
        for step in steps_of(file):
            if 'actions/checkout' in step.get('uses', ''):
                assert step['with']['persist-credentials'] is False

    def test_inherits_no_secrets(self, file: Path) -> None:
        assert 'secrets: inherit' not in file.read_text()

    def test_ends(self, file: Path) -> None:
        for name, job in jobs_of(file).items():
            assert 'uses' in job or job['timeout-minutes'] <= 30, name

    def test_is_not_started_by_comments_unless_it_is_about_them(self, file: Path) -> None:
        """L63."""
        events = {*load(file)[True]}
        assert file.name == LISTENING or not events & {'issue_comment', 'issues'}
        assert 'pull_request_target' not in events or file.name == LISTENING

    def test_takes_inputs_as_text(self, file: Path) -> None:
        """L62: YAML would make 3.1 of the number 3.10."""
        called = (load(file)[True] or {}).get('workflow_call') or {}
        for name, asked in (called.get('inputs') or {}).items():
            assert asked['type'] == 'string', name
            assert isinstance(asked.get('default', ''), str), name


#: What a caller of v1 may hand over by name.
SECRETS = {1: {'PACKAGE_INDEX', 'DEPLOY_TOKEN'}}
#: What the jobs of v1 ask a caller for.
RIGHTS = {1: {'contents', 'packages', 'deployments', 'id-token'}}


class TestBackend:
    FILE = WORKFLOWS / 'backend.yaml'
    #: Name and default of what a caller of v1 may say; none is required.
    INPUTS = {  # noqa: RUF012 a table
        1: {
            'python-version': '3.12',
            'image': 'true',
            'deploy': '',
            'rollback': '',
            'runs-on': 'ubuntu-24.04',
        }
    }

    def test_keeps_what_it_promised_to_its_callers(self) -> None:
        """L69: an input may be added; what is taken away or asked for raises the contract."""
        called = load(self.FILE)[True]['workflow_call']
        offered = {name: asked['default'] for name, asked in called['inputs'].items()}
        assert self.INPUTS[CONTRACT].items() <= offered.items()
        assert SECRETS[CONTRACT] <= called['secrets'].keys()
        assert not any(each['required'] for each in called['secrets'].values())
        asked = [job['permissions'] for job in jobs_of(self.FILE).values()]
        assert {name for each in asked for name in each} <= RIGHTS[CONTRACT]

    def test_runs_where_the_caller_says(self) -> None:
        """L4: on runners of one's own too."""
        for name, job in jobs_of(self.FILE).items():
            assert job['runs-on'] == '${{ inputs.runs-on }}', name

    @pytest.mark.parametrize('job', ['staging', 'production', 'rollback'])
    def test_can_deliver(self, job: str) -> None:
        """L1: to clouds without a stored secret, or with one of the environment."""
        found = jobs_of(self.FILE)[job]
        assert found['permissions'] == {
            'contents': 'read',
            'deployments': 'write',
            'id-token': 'write',
            'packages': 'read',
        }
        assert found['environment'] in (job, '${{ inputs.rollback }}')
        assert found['env']['DEPLOY_TOKEN'] == '${{ secrets.DEPLOY_TOKEN }}'

    def test_takes_packages_from_a_private_index_everywhere(self) -> None:
        """L1."""
        for name, job in jobs_of(self.FILE).items():
            for variable in ('PIP_EXTRA_INDEX_URL', 'UV_INDEX'):
                assert job['env'][variable] == '${{ secrets.PACKAGE_INDEX }}', name

    def test_two_callers_in_one_repository_do_not_meet(self) -> None:
        for name, job in jobs_of(self.FILE).items():
            assert '${{ github.workflow }}' in job['concurrency']['group'], name

    @pytest.mark.parametrize('version', ['3.10', '3.12'])
    def test_hands_the_python_on_as_it_came(self, version: str) -> None:
        """L62."""
        called = yaml.safe_load(f"with: {{python-version: '{version}'}}")['with']
        assert called['python-version'] == version
        for step in steps_of(self.FILE):
            if 'setup-python' in step.get('uses', ''):
                assert step['with']['python-version'] == '${{ inputs.python-version }}'

    def test_calls_verbs_and_decides_nothing(self) -> None:
        verbs = {*_parser()._subparsers._group_actions[0].choices}  # type: ignore[union-attr,arg-type]
        for file in (self.FILE, WORKFLOWS / 'release.yaml'):
            for step in steps_of(file):
                run = step.get('run', 'make check')
                if found := re.fullmatch(r"make pipeline ARGS='?([a-z-]+)[^']*'?", run):
                    assert found[1] in verbs
                else:
                    assert re.fullmatch(
                        r'make (--keep-going )?(check|dist|test-wheel)|mkdir bill && mv .*', run
                    )

    def test_reports_every_check_before_it_fails(self) -> None:
        """L58."""
        _checkout, _python, _cache, check, *others, _plan = jobs_of(self.FILE)['check']['steps']
        assert check['run'] == 'make --keep-going check'
        assert all('!cancelled()' in step['if'] for step in others)

    def test_checks_forks_with_the_same_steps_and_the_right_to_read(self) -> None:
        """L59, L61: nothing of it asks whose repository it is; a fork gets no secret of it."""
        job = jobs_of(self.FILE)['check']
        assert job['permissions'] == {'contents': 'read', 'packages': 'read'}
        text = yaml.safe_dump(job)
        assert {*re.findall(r'secrets\.(\w+)', text)} == {'PACKAGE_INDEX'}
        given = [
            step.get('name') for step in job['steps'] if 'github.token' in yaml.safe_dump(step)
        ]
        assert given == ['Image', 'Is it released?']
        assert 'repository_owner' not in text
        assert 'fork' not in text

    def test_releases_only_what_passed_its_checks(self) -> None:
        release = jobs_of(self.FILE)['release']
        assert release['needs'] == 'check'
        assert release['if'] == "needs.check.outputs.release == 'true'"

    def test_plans_the_release_while_no_other_is_running(self) -> None:
        """L71: two that were checked at once would both take the version that was next then."""
        _checkout, _python, plan, claim, *_ = jobs_of(self.FILE)['release']['steps']
        assert plan['run'] == 'make pipeline ARGS=plan'
        assert claim['env']['VERSION'] == f'${{{{ steps.{plan["id"]}.outputs.version }}}}'

    def test_leads_to_production_by_way_of_staging_with_approval(self) -> None:
        """L70."""
        jobs = jobs_of(self.FILE)
        assert 'staging' in jobs['production']['needs']
        assert (jobs['staging']['environment'], jobs['production']['environment']) == (
            'staging',
            'production',
        )
        image = '${{ needs.release.outputs.image }}'
        assert jobs['staging']['env']['IMAGE'] == jobs['production']['env']['IMAGE'] == image

    def test_does_nothing_else_when_it_rolls_back(self) -> None:
        """L70: one step."""
        jobs = jobs_of(self.FILE)
        assert jobs['check']['if'] == "inputs.rollback == ''"
        assert 'needs' not in jobs['rollback']
        assert [step['run'] for step in jobs['rollback']['steps'] if 'run' in step] == [
            'make pipeline ARGS=rollback'
        ]

    @pytest.mark.parametrize('job', ['release', 'staging', 'production', 'rollback'])
    def test_does_one_thing_at_a_time_where_order_matters(self, job: str) -> None:
        concurrency = jobs_of(self.FILE)[job]['concurrency']
        assert concurrency['cancel-in-progress'] is False
        assert concurrency['group']
        assert concurrency['queue'] == 'max', 'a third would cancel the second, which waits'


class TestUpkeep:
    FILE = WORKFLOWS / 'upkeep.yaml'

    def test_looks_for_vulnerabilities_and_proposes_what_is_new(self) -> None:
        jobs = jobs_of(self.FILE)
        assert [step['run'] for job in jobs.values() for step in job['steps'] if 'run' in step] == [
            "make pipeline ARGS='scan requirements/run.lock requirements/dev.lock'",
            'make pipeline ARGS=upkeep',
        ]
        assert jobs['scan']['permissions'] == {'contents': 'read'}
        assert jobs['raise']['permissions'] == {'contents': 'write', 'pull-requests': 'write'}

    def test_asks_for_nothing(self) -> None:
        called = load(self.FILE)[True]['workflow_call']
        assert all('default' in each for each in called['inputs'].values())
        assert not any(each['required'] for each in called['secrets'].values())


class TestCheck:
    FILE = WORKFLOWS / 'check.yaml'

    def test_reports_to_merge_queues(self) -> None:
        assert 'merge_group' in load(self.FILE)[True]

    def test_is_cancelled_for_pull_requests_alone(self) -> None:
        cancelled = load(self.FILE)['concurrency']['cancel-in-progress']
        assert cancelled == "${{ github.event_name == 'pull_request' }}"


class TestRelease:
    FILE = WORKFLOWS / 'release.yaml'

    def test_waits_for_the_checks(self) -> None:
        jobs = jobs_of(self.FILE)
        assert jobs['check']['uses'] == './.github/workflows/check.yaml'
        assert jobs['plan']['needs'] == 'check'
        assert jobs['build']['needs'] == 'plan'

    def test_tests_and_publishes_the_wheel_that_was_built_once(self) -> None:
        jobs = jobs_of(self.FILE)
        built = [name for name in jobs if 'make dist' in yaml.safe_dump(jobs[name])]
        taken = [name for name in jobs if 'download-artifact' in yaml.safe_dump(jobs[name])]
        assert (built, taken) == (['build'], ['test', 'publish', 'announce'])

    def test_claims_its_version_before_anything_is_published(self) -> None:
        """L67."""
        jobs = jobs_of(self.FILE)
        assert 'test' in jobs['claim']['needs']
        assert jobs['publish']['needs'] == 'claim'
        assert 'publish' in jobs['announce']['needs']

    def test_publishes_without_a_stored_secret(self) -> None:
        assert 'secrets.' not in self.FILE.read_text()
        publish = jobs_of(self.FILE)['publish']
        assert {*publish['permissions']} == {'id-token', 'attestations'}
        assert publish['environment'] == 'pypi'
        (upload,) = [step for step in publish['steps'] if 'pypi-publish' in step.get('uses', '')]
        assert upload['with'] == {'skip-existing': True}

    def test_brings_the_bill_of_materials_along(self) -> None:
        """`make dist` writes it beside the wheel; PyPI is not given it, GitHub's release is."""
        build, publish, announce = (
            jobs_of(self.FILE)[name]['steps'] for name in ('build', 'publish', 'announce')
        )
        (kept,) = [step['with'] for step in build if 'upload-artifact' in step.get('uses', '')]
        assert (kept['name'], kept['path']) == ('dist', 'dist/')
        proven, moved, _ = publish[1:]
        assert proven['with'] == {'subject-path': 'dist/*'}
        assert moved['run'] == 'mkdir bill && mv dist/*.cdx.json bill/'
        taken = [step['with'] for step in announce if 'download-artifact' in step.get('uses', '')]
        assert taken == [{'name': 'dist', 'path': 'dist/'}]
        assert "make pipeline ARGS='announce dist/*'" in [step.get('run') for step in announce]

    def test_of_two_runs_one_waits(self) -> None:
        assert load(self.FILE)['concurrency'] == {
            'group': 'release',
            'cancel-in-progress': False,
            'queue': 'max',
        }


class TestScan:
    FILE = WORKFLOWS / 'scan.yaml'

    def test_comes_every_week_and_when_asked(self) -> None:
        events = load(self.FILE)[True]
        assert {*events} == {'schedule', 'workflow_dispatch'}
        (when,) = events['schedule']
        assert re.fullmatch(r'\d+ \d+ \* \* [0-6]', when['cron'])

    def test_calls_one_verb_with_the_right_to_read(self) -> None:
        (job,) = jobs_of(self.FILE).values()
        assert job['permissions'] == {'contents': 'read'}
        assert [step['run'] for step in job['steps'] if 'run' in step] == ['make scan']

    def test_reads_every_lock_with_its_hashes(self, root: Path, tmp_path: Path) -> None:
        """What make would do, with a program in the place of the scanner."""
        told = tmp_path / 'told'
        scanner = tmp_path / 'python'
        scanner.write_text(
            f'#!/bin/sh\necho "$@" >> {told}\ncase "$*" in *run.lock) exit 1; esac\n'
        )
        scanner.chmod(0o755)
        ran = run_make(root, '-o', '.venv/dev', 'scan', f'BIN={tmp_path}')

        locks = [*root.glob('requirements/*.lock'), root / 'bench/requirements.lock']
        asked = {f'-m backstay.pipelines scan {each.relative_to(root)}' for each in locks}
        assert len(asked) >= 5
        assert {*told.read_text().splitlines()} == asked
        assert ran.returncode != 0, 'one that has a vulnerability fails the run, after all others'


def test_make_reports_all_that_fail_and_fails_once(tmp_path: Path) -> None:
    """L58: why the pipelines say `--keep-going`."""
    (tmp_path / 'Makefile').write_text(
        'check: imports test types\nimports:\n\t@echo order is wrong; false\n'
        'test:\n\t@echo one failed; false\ntypes:\n\t@echo types are right\n'
    )
    ran = run_make(tmp_path, '--keep-going', 'check')
    assert ran.returncode != 0
    assert [line for line in ran.stdout.splitlines() if not line.startswith('make')] == [
        'order is wrong',
        'one failed',
        'types are right',
    ]


@pytest.mark.parametrize('name', ['Makefile', 'src/backstay/template/service/Makefile.jinja'])
def test_check_is_made_of_checks_that_do_not_wait_for_each_other(root: Path, name: str) -> None:
    found = re.search(r'^check: (.+?) ##.*\n(?!\t)', (root / name).read_text(), re.MULTILINE)
    assert found, 'a recipe of its own would not run after a failure'
    assert {'lint', 'types'} <= {*found[1].split()}
