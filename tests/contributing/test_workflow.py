"""The reusable workflow: which events it answers, with which rights, and what it never does."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from backstay.contributing.prompts import Wish
from tests.contributing.github.extract import OPERATIONS


@pytest.fixture
def workflow(root: Path) -> dict[Any, Any]:
    """The workflow as YAML reads it."""
    loaded: dict[Any, Any] = yaml.safe_load(
        (root / '.github' / 'workflows' / 'contributing.yaml').read_text()
    )
    return loaded


@pytest.fixture
def caller(root: Path) -> dict[Any, Any]:
    """What a service has to call it with."""
    template = root / 'src/backstay/template/service/.github/workflows/contributing.yaml.jinja'
    loaded: dict[Any, Any] = yaml.safe_load(template.read_text().replace('[= platform =]', 'o/r'))
    return loaded


def test_a_caller_gives_the_rights_that_the_jobs_ask_for(workflow: Any, caller: Any) -> None:
    (job,) = caller['jobs'].values()
    given = job['permissions']

    for each in workflow['jobs'].values():
        for right, level in each['permissions'].items():
            assert given[right] in {level, 'write'}, right


def test_a_caller_listens_to_every_event_that_is_answered(workflow: Any, caller: Any) -> None:
    conditions = ' '.join(job['if'] for job in workflow['jobs'].values())

    for event in caller[True]:
        assert f"'{event}'" in conditions
    # The rights of a pull request from a fork are those of a reader.
    assert 'pull_request' not in caller[True]


def test_only_itself_is_checked_out(workflow: Any) -> None:
    for job in workflow['jobs'].values():
        (checkout,) = [step for step in job['steps'] if 'checkout' in step.get('uses', '')]
        assert checkout['with']['repository'] == '${{ job.workflow_repository }}'
        assert checkout['with']['ref'] == '${{ job.workflow_sha }}'


def test_every_prompt_gets_a_runner(workflow: Any) -> None:
    """GitHub's `contains` does not tell capitals apart."""
    words = ('sign', 'review', 'changes', 'link')
    for word in words:
        assert f"contains(github.event.comment.body, '{word}')" in workflow['jobs']['issue']['if']

    for wish in Wish:
        assert any(word in wish.value for word in words)
    assert "'sign'" in workflow['jobs']['pull']['if']
    assert 'sign' in Wish.SIGN.value


def test_issues_are_answered_without_the_right_to_write_code(workflow: Any) -> None:
    assert workflow['jobs']['issue']['permissions']['contents'] == 'read'
    assert 'checks' not in workflow['jobs']['issue']['permissions']


def test_what_is_called_needs_no_other_right(workflow: Any) -> None:
    kinds = {path.split('/')[4] for _method, path in OPERATIONS}

    assert kinds == {'issues', 'labels', 'pulls', 'check-runs', 'git', 'contents'}
    assert set(workflow['jobs']['sweep']['permissions']) == {
        'issues',
        'pull-requests',
        'checks',
        'contents',
    }


@pytest.mark.parametrize(
    ('variables', 'told'),
    [
        ({}, 'GITHUB_EVENT_NAME'),
        ({'CONFIGURATION': 'no repository', 'DRY_RUN': 'true'}, "'no repository'"),
    ],
)
def test_the_script_of_the_workflow_hands_its_options_on(
    root: Path, tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    event = tmp_path / 'event.json'
    event.write_text(
        '{"action": "opened", "repository": {"full_name": "acme/portal"}, "issue": '
        '{"number": 1, "user": {"login": "ann", "id": 1, "type": "User"}}}'
    )
    workflow = {'GITHUB_EVENT_NAME': 'issues', 'GITHUB_EVENT_PATH': str(event)} if variables else {}

    ran = subprocess.run(  # noqa: S603 our own script
        [root / '.ci' / 'contributing', 'run'],
        env={'PATH': '/usr/bin:/bin', 'GITHUB_TOKEN': 'x', **workflow, **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert told in ran.stderr
