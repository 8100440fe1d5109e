"""A service of the wheel, not of the source tree, from nothing to green.

The wheel is built as a release builds it. What it needs comes from this environment, so that
nothing is fetched; `make test-template` has each service fetch what it locks.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.template.services import commit
from tests.test_documents import wait_for

ROOT = Path(__file__).parents[2]
ANSWERS = ('--data', 'organisation=acme', '--data', 'service=billing')

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope='module')
def uv() -> Path:
    """That of this environment, or where a built wheel is tested, that of the checkout."""
    beside = Path(sys.executable).with_name('uv')
    return beside if beside.exists() else ROOT / '.venv' / 'bin' / 'uv'


@pytest.fixture(scope='module')
def wheel(uv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('dist')
    subprocess.run([uv, 'build', '--quiet', '--wheel', '--out-dir', folder, ROOT], check=True)  # noqa: S603 ours
    (built,) = folder.glob('*.whl')
    return built


@pytest.fixture(scope='module')
def installed(uv: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with this wheel, in front of what ours has."""
    ours, folder = Path(sys.executable).parent, tmp_path_factory.mktemp('venv')
    install = ('pip', 'install', '--quiet', '--offline', '--no-deps', '--python', folder)
    for command in (('venv', '--quiet', '--python', sys.executable, folder), (*install, wheel)):
        subprocess.run([uv, *command], check=True)  # noqa: S603 ours
    (packages,) = folder.glob('lib/python*/site-packages')
    (packages / 'ours.pth').write_text(sysconfig.get_path('purelib'))
    (folder / 'bin' / 'ruff').symlink_to(ours / 'ruff')
    return folder / 'bin'


@pytest.fixture(scope='module')
def run(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of that environment, which must succeed."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ('DJANGO_SETTINGS_MODULE', 'PYTHONPATH', 'DATABASE_URL', 'ENV')
        and not name.startswith(('PYTEST', 'COV'))
    }
    nowhere = tmp_path_factory.mktemp('nowhere')

    def run(
        program: str, *arguments: str | Path, cwd: Path = nowhere, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(  # noqa: S603 ours
            [installed / program, *arguments],
            cwd=cwd,
            env={**inherited, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran

    return run


@pytest.fixture(scope='module')
def service(run: Run, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('made') / 'service'
    run('backstay', 'new', '--yes', *ANSWERS, '--backstay', wheel, folder)
    return commit(folder)


def test_the_package_is_that_of_the_wheel(run: Run, installed: Path) -> None:
    code = 'import backstay; print(backstay.__file__)'

    assert run('python', '-c', code).stdout.startswith(str(installed.parent))


def test_a_new_service_with_one_more_resource_is_green(run: Run, service: Path) -> None:
    run('backstay', 'add', 'resource', 'invoice', cwd=service)
    run('ruff', 'check', '--no-cache', '.', cwd=service)
    run('ruff', 'format', '--no-cache', '--check', '.', cwd=service)
    run('backstay', 'doctor', '--ignore', 'behind', cwd=service, ENV='local')

    tested = run('python', '-m', 'backstay.testing', '-q', cwd=service)

    sqlite, _, postgresql = tested.stdout.partition('the same on PostgreSQL')
    assert '14 passed' in sqlite
    assert '14 passed' in postgresql


def test_one_without_the_example_is_green(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / 'service'
    run('backstay', 'new', '--yes', *ANSWERS, '--no-example', '--data', 'tasks=celery', folder)
    commit(folder)

    assert '2 passed' in run('python', '-m', 'pytest', '-q', cwd=folder).stdout


def test_it_serves_fruit_with_documentation_and_admin(installed: Path, service: Path) -> None:
    environment = {'PATH': str(installed), 'ENV': 'local', 'PORT': '0'}
    command: list[str | Path] = [installed / 'backstay', 'run']
    with subprocess.Popen(  # noqa: S603 ours
        command,
        cwd=service,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as server:
        try:
            assert server.stdout
            lines = iter(server.stdout.readline, 'Ctrl-C stops it.\n')
            address = re.search(r'on (http://\S+)', ''.join(lines))
            assert address, 'the server did not start'
            wait_for(address[1])
            with httpx.Client(base_url=address[1], trust_env=False) as client:
                fruit = client.get('/fruits/').json()['results']
                assert [each['name'] for each in fruit] == ['Orange', 'Apple', 'Lemon']
                assert client.get('/docs/').status_code == 200
                assert '/fruits/' in client.get('/docs.json').json()['paths']
                assert client.get('/admin/login/').status_code == 200
            port = {'PORT': str(urlsplit(address[1]).port)}
            assert subprocess.run(health_check(service), env=port, check=False).returncode == 0  # noqa: S603 ours
        finally:
            os.killpg(server.pid, signal.SIGINT)
    assert server.returncode == 0


def health_check(service: Path) -> list[str]:
    """What Docker runs to ask a container whether it is well."""
    command = re.search(r'^  CMD (\[.*\])$', (service / 'Dockerfile').read_text(), re.MULTILINE)
    assert command
    _python, *arguments = json.loads(command[1])
    return [sys.executable, *arguments]


@pytest.fixture(scope='module')
def image(service: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of an image: what `Dockerfile` copies and `.dockerignore` lets through."""
    folder = tmp_path_factory.mktemp('image')
    last_stage = (service / 'Dockerfile').read_text().rpartition('\nFROM ')[2]
    for name in re.findall(r'^COPY (\w+)/ \1/$', last_stage, re.MULTILINE):
        secrets = shutil.ignore_patterns('*.secrets')
        shutil.copytree(service / name, folder / name, ignore=secrets)
    return folder


@pytest.mark.parametrize(
    ('variables', 'told'),
    [
        ({}, 'ENV: is not set'),
        ({'ENV': 'production', 'ALLOWED_HOSTS': 'example.com'}, 'SECRET_KEY: is required'),
    ],
)
def test_an_image_that_is_not_told_enough_refuses_to_start(
    variables: dict[str, str], told: str, image: Path, installed: Path
) -> None:
    """T6, T10."""
    ran = subprocess.run(  # noqa: S603 ours
        [installed / 'backstay', 'serve'],
        cwd=image,
        env={'PATH': str(installed), **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert told in ran.stderr
    assert 'Traceback' not in ran.stderr
