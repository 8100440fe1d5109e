"""What a service's files say to GitHub and Docker, and whether those would understand."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.template.services import make

ROOT = Path(__file__).parents[2]
OURS = ROOT / '.github' / 'workflows'
#: What each calls.
WORKFLOWS = {'main': 'backend', 'contributing': 'contributing', 'upkeep': 'upkeep'}
#: From the least to the most.
_LEVELS = ('none', 'read', 'write')


@pytest.fixture(scope='module')
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp('made') / 'service', tasks='celery')


def load(path: Path) -> Any:
    """A workflow; YAML 1.1 takes its `on` for true."""
    content = yaml.safe_load(path.read_text())
    return {'on' if key is True else key: value for key, value in content.items()}


@pytest.mark.parametrize(
    ('schema', 'file'),
    [
        ('github-workflows', '.github/workflows/main.yaml'),
        ('github-workflows', '.github/workflows/contributing.yaml'),
        ('dependabot', '.github/dependabot.yml'),
        ('compose-spec', 'compose.yaml'),
    ],
)
def test_a_file_follows_its_schema(schema: str, file: str, service: Path) -> None:
    pytest.importorskip('check_jsonschema')
    command = [
        sys.executable,
        '-m',
        'check_jsonschema',
        '--builtin-schema',
        f'vendor.{schema}',
        file,
    ]

    ran = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)  # noqa: S603 ours

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize('name', WORKFLOWS)
class TestWorkflow:
    def test_calls_the_platform_by_its_contract(self, name: str, service: Path) -> None:
        (job,) = load(service / f'.github/workflows/{name}.yaml')['jobs'].values()

        assert job['uses'] == f'acme/backstay/.github/workflows/{WORKFLOWS[name]}.yaml@v1'

    def test_hands_secrets_over_by_name(self, name: str, service: Path) -> None:
        (job,) = load(service / f'.github/workflows/{name}.yaml')['jobs'].values()

        for secret, given in job.get('secrets', {}).items():
            assert given == f'${{{{ secrets.{secret} }}}}'

    def test_gives_no_right_by_itself(self, name: str, service: Path) -> None:
        assert load(service / f'.github/workflows/{name}.yaml')['permissions'] == {}

    def test_is_understood_by_what_it_calls(self, name: str, service: Path) -> None:
        """L69: the inputs are there, and every right that a job asks for is given."""
        (job,) = load(service / f'.github/workflows/{name}.yaml')['jobs'].values()
        called = load(OURS / Path(job['uses']).name.partition('@')[0])
        declared = called['on']['workflow_call'] or {}
        inputs = declared.get('inputs', {})

        assert job.get('with', {}).keys() <= inputs.keys()
        assert job.get('secrets', {}).keys() <= declared.get('secrets', {}).keys()
        assert {each for each, about in inputs.items() if about.get('required')} <= {
            *job.get('with', {})
        }
        assert [each for each in rights_of(called) if not gives(job['permissions'], *each)] == []


def rights_of(workflow: Any) -> set[tuple[str, str]]:
    """What its jobs ask for, each as what and how much."""
    return {
        (what, level)
        for job in workflow['jobs'].values()
        for what, level in (job.get('permissions', workflow.get('permissions')) or {}).items()
    }


def gives(permissions: dict[str, str], what: str, level: str) -> bool:
    return _LEVELS.index(permissions.get(what, 'none')) >= _LEVELS.index(level)


def test_a_comment_starts_no_build(service: Path) -> None:
    """L63."""
    started = load(service / '.github/workflows/main.yaml')['on']

    assert started.keys() == {'push', 'pull_request', 'merge_group', 'workflow_dispatch'}


def test_workflows_are_clean_by_the_check_that_ours_pass(
    service: Path, check_workflows: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted((service / '.github/workflows').glob('*.yaml'))
    assert len(files) == len(WORKFLOWS)

    assert check_workflows.main([*map(str, files)]) == 0, capsys.readouterr().out


def test_what_dependabot_raises_is_what_upkeep_does_not(service: Path) -> None:
    updates = yaml.safe_load((service / '.github/dependabot.yml').read_text())['updates']

    assert {each['package-ecosystem'] for each in updates} == {'github-actions', 'docker'}


@pytest.mark.parametrize('owners', ['', '@acme/billing @ann'])
def test_owners_of_the_code_are_those_that_were_named(owners: str, tmp_path: Path) -> None:
    made = make(tmp_path / 'service', owners=owners)
    lines = (made / '.github/CODEOWNERS').read_text().splitlines()

    assert [line for line in lines if not line.startswith('#')] == (
        [f'* {owners}'] if owners else []
    )


def test_forms_of_issues_have_what_github_asks_for(service: Path) -> None:
    for file in (service / '.github/ISSUE_TEMPLATE').glob('*.yaml'):
        form = yaml.safe_load(file.read_text())
        assert {'name', 'description', 'body'} <= form.keys()
        assert all({'type', 'attributes'} <= each.keys() for each in form['body'])


def test_the_makefile_has_the_verbs_that_pipelines_call(service: Path) -> None:
    makefile = (service / 'Makefile').read_text()

    for verb in ('run', 'test', 'check', 'lint', 'types', 'format', 'lock', 'pipeline', 'deploy'):
        assert f'\n{verb}: ' in makefile


def test_make_alone_prints_every_verb(service: Path) -> None:
    ran = subprocess.run(['make'], cwd=service, capture_output=True, text=True, check=True)  # noqa: S607 that of the machine
    shown = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith('  make ')]
    makefile = (service / 'Makefile').read_text()
    phony = makefile.partition('.PHONY: ')[2].partition('\n\n')[0].replace('\\', ' ').split()

    assert sorted(shown) == sorted(phony)


def test_uv_is_that_of_the_platform(service: Path) -> None:
    ours = (ROOT / 'requirements' / 'uv.lock').read_text()

    assert (service / 'requirements' / 'uv.lock').read_text() == ours


def test_every_process_of_the_image_is_one_that_there_is(service: Path) -> None:
    compose = yaml.safe_load((service / 'compose.yaml').read_text())['services']
    procfile = yaml.safe_load((service / 'Procfile').read_text())
    commands = {each['command'][0] for each in compose.values() if each.get('command')}

    assert commands == {'release', 'serve', 'work'}
    assert procfile == {
        'release': 'backstay release',
        'web': 'backstay serve',
        'worker': 'backstay work',
        'celery': 'celery --app backstay.tasks.celery_app worker',
    }
