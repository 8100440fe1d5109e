"""The checks of `backstay doctor`: each reads files, asks git, and yields its findings.

The last one starts the site. None changes anything.
"""

import os
import re
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from urllib.parse import urlsplit

from dotenv import dotenv_values
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from backstay import __version__
from backstay.settings.environment import ENVIRONMENTS, SettingsError, load
from backstay.settings.local_secret import LOCAL_SECRETS
from backstay.template import TemplateError
from backstay.template.dockerignore import is_sent
from backstay.template.findings import Check, Finding, Patient
from backstay.template.git import run_git
from backstay.template.update import is_under_way

_LOCKS = ('requirements/run.lock', 'requirements/dev.lock')
#: Variables that a deployed service is given, so its files need not have them.
_GIVEN = {
    'ALLOWED_HOSTS': 'example.com',
    'BACKSTAY_SQLITE_IN_PRODUCTION': '1',
    'DATABASE_URL': 'sqlite:///x',
}


def template_is_current(service: Patient) -> Iterator[Finding]:
    """Check that the stamp is that of the installed package."""
    stamp = service.stamp.version
    if service.in_git and is_under_way(service.folder):
        yield Finding(
            kind='behind', what='an update waits to be ended', mend='backstay update --continue'
        )
    elif Version(stamp) < Version(__version__):
        yield Finding(
            kind='behind',
            what=f'the template is of {stamp}, and backstay {__version__} is installed',
            mend='backstay update',
        )
    elif Version(stamp) > Version(__version__):
        yield Finding(
            kind='behind',
            what=f'backstay {__version__} is installed, and the template is of {stamp}',
            mend='make lock test',
        )


def locks_are_current(service: Patient) -> Iterator[Finding]:
    """Check that the lock files exist and meet the requirements of `pyproject.toml`."""
    for lock in _LOCKS:
        text = service.text(lock)
        if not text:
            yield Finding(kind='behind', what=f'there is no {lock}', mend='make lock')
        elif unmet := sorted(_unmet(service, text, with_dev='dev' in lock)):
            yield Finding(
                kind='behind',
                what=f'{lock} does not lock what pyproject.toml asks for: {", ".join(unmet)}',
                mend='make lock',
            )
        elif service.in_git and not service.tracked(lock):
            yield Finding(
                kind='behind',
                what=f'{lock} is not in git: others install other versions',
                mend=f'git add {lock}',
            )


def platform_is_the_locked_one(service: Patient) -> Iterator[Finding]:
    """Check that the lock files name the installed package, and the newest wheel of `wheels/`."""
    locked = _locked(service.text('requirements/dev.lock')).get('backstay')
    if locked is None:
        return
    if locked != Version(__version__):
        yield Finding(
            kind='behind',
            what=f'requirements/dev.lock locks backstay {locked}, and {__version__} is installed',
            mend='make lock' if locked < Version(__version__) else 'make test',
        )
    wheels = (service.folder / 'wheels').glob('backstay-*.whl')
    newest = max((Version(wheel.name.split('-')[1]) for wheel in wheels), default=locked)
    if newest > locked:
        yield Finding(
            kind='behind',
            what=f'wheels/ has backstay {newest}, and requirements/dev.lock locks {locked}',
            mend='raise both requirements of backstay in pyproject.toml, then make lock',
        )


def _unmet(service: Patient, lock: str, *, with_dev: bool) -> Iterator[str]:
    """Yield the requirements of `pyproject.toml` that the text of a lock file does not meet."""
    locked = _locked(lock)
    try:
        content = tomllib.loads(service.text('pyproject.toml'))
        groups = content.get('dependency-groups', {}) if with_dev else {}
        asked = [*content['project'].get('dependencies', ()), *groups.get('dev', ())]
        required = [Requirement(each) for each in asked if isinstance(each, str)]
    except (tomllib.TOMLDecodeError, KeyError, InvalidRequirement) as error:
        raise TemplateError(f'pyproject.toml cannot be read: {error}') from None
    for requirement in required:
        if requirement.marker and not requirement.marker.evaluate():
            continue  # of other machines than this one
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            yield str(requirement)
        for needed in _needs_of_extras(requirement):
            if canonicalize_name(needed) not in locked:
                yield f'{needed}, for {requirement.name}[{",".join(sorted(requirement.extras))}]'


def _locked(lock: str) -> dict[str, Version]:
    """Return the versions that the text of a lock file names."""
    pinned = r'^([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)'
    found = re.findall(pinned, lock, re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


def _needs_of_extras(requirement: Requirement) -> Iterator[str]:
    """Yield the packages that the extras of a requirement need here, where it is installed."""
    try:
        needs = [Requirement(each) for each in requires(requirement.name) or ()]
    except PackageNotFoundError:
        return
    for need in needs:
        marker = need.marker
        if marker is None or marker.evaluate({'extra': ''}):
            continue
        if any(marker.evaluate({'extra': extra}) for extra in requirement.extras):
            yield need.name


def git_keeps_it(service: Patient) -> Iterator[Finding]:
    """Check that the service is in a repository, which updates and half of the checks need."""
    if not service.in_git:
        yield Finding(
            kind='misconfigured', what='this is no git repository', mend='git init && git add .'
        )


def no_conflict_is_left(service: Patient) -> Iterator[Finding]:
    """Check that no file has the marks of a conflict."""
    if not service.in_git:
        return
    marked = run_git(service.folder, 'grep', '--files-with-matches', '-zIE', '^(<{7}|>{7}) ')
    for name in filter(None, marked.stdout.split('\0')):
        yield Finding(
            kind='misconfigured',
            what=f'{name} has marks of a conflict',
            mend=f'choose in an editor what stays, then git add {name}',
        )


def environments_can_be_read(service: Patient) -> Iterator[Finding]:
    """Check the files in `env/` for mistakes, in each of their environments."""
    for env in ENVIRONMENTS:
        files = {
            name
            for file in ('.env', f'.env.{env}', f'.env.{env}.secrets')
            for name in dotenv_values(service.folder / 'env' / file, interpolate=False)
        }
        # Given ones are not made and kept in the service's own folder.
        given = {**_GIVEN, **{name: make() for name, make in LOCAL_SECRETS.items()}}
        process = {name: value for name, value in given.items() if name not in files}
        try:
            load(service.folder, {'ENV': env, **process})
        except SettingsError as error:
            for variable, mistake in sorted(error.mistakes.items()):
                yield Finding(
                    kind='misconfigured',
                    what=f'{variable} for ENV={env}: {mistake}',
                    mend=f'grep -n {variable} env/.env env/.env.{env}*, and correct it',
                )


def secrets_stay_out_of_git(service: Patient) -> Iterator[Finding]:
    """Check that git keeps no secret and would take none."""
    for name in service.tracked('env/*.secrets'):
        yield Finding(
            kind='unsafe',
            what=f'git keeps {name}',
            mend=f'git rm --cached {name}, and give every secret in it a new value',
        )
    ignored = run_git(service.folder, 'check-ignore', '--quiet', 'env/.env.any.secrets')
    if service.in_git and ignored.returncode:
        yield Finding(
            kind='unsafe',
            what='git does not ignore env/*.secrets',
            mend="echo '/env/*.secrets' >> .gitignore",
        )
    for name in service.tracked('env/.env*'):
        if name.endswith('.secrets'):
            continue
        values = dotenv_values(service.folder / name, interpolate=False)
        for variable in sorted(each for each, value in values.items() if _is_secret(each, value)):
            yield Finding(
                kind='unsafe',
                what=f'{name} gives away {variable}: git keeps this file',
                mend=f"sed -i '/^{variable}=/d' {name}, and give it a new value",
            )


def _is_secret(variable: str, value: str | None) -> bool:
    if not value:
        return False
    named = re.search(r'(SECRET|PASSWORD|PRIVATE_KEY|API_KEY|TOKEN)', variable)
    return bool(named or ('://' in value and urlsplit(value).password))


def secrets_are_for_their_owner(service: Patient) -> Iterator[Finding]:
    """Check that nobody else on the machine may read the files with secrets."""
    for file in sorted((service.folder / 'env').glob('.env*.secrets')):
        if file.stat().st_mode & 0o077:
            yield Finding(
                kind='unsafe',
                what=f'env/{file.name} can be read by others on this machine',
                mend=f'chmod 600 env/{file.name}',
            )


def image_is_safe(service: Patient) -> Iterator[Finding]:
    """Check that the image does not run as root and gets no secret."""
    image, ignored = service.text('Dockerfile'), service.text('.dockerignore')
    users = re.findall(r'^USER\s+(\S+)', image.rpartition('\nFROM ')[2], re.MULTILINE)
    if image and (not users or users[-1].partition(':')[0] in ('root', '0')):
        yield Finding(
            kind='unsafe',
            what='the image runs as root',
            mend="put `USER app` before ENTRYPOINT in Dockerfile, behind the line that makes 'app'",
        )
    if image and any(is_sent(ignored, f'env/.env.{env}.secrets') for env in ENVIRONMENTS):
        yield Finding(
            kind='unsafe',
            what='an image built here takes the secrets of this machine with it',
            mend="echo 'env/*.secrets' >> .dockerignore",  # the last line that matches decides
        )


def workflows_call_what_they_mean(service: Patient) -> Iterator[Finding]:
    """Check that workflows name other workflows by versions that nobody can move."""
    platform = f'{service.stamp.answers.get("platform", "")}/'
    for name in service.tracked('.github/workflows/*'):
        for used in re.findall(r'^\s*-?\s*uses:\s*([^\s#]+)', service.text(name), re.MULTILINE):
            what, _, version = used.partition('@')
            if what.startswith(platform) and not re.fullmatch(
                r'v\d+(\.\d+)*|[0-9a-f]{40}', version
            ):
                yield Finding(
                    kind='unsafe',
                    what=f'{name} calls {used}, which changes under it',
                    mend=f"sed -i 's#{used}#{what}@v1#' {name}",
                )
            elif (
                not what.startswith(('./', platform))
                and not re.fullmatch(r'[0-9a-f]{40}', version)
                and '@sha256:' not in used
            ):
                yield Finding(
                    kind='unsafe',
                    what=f'{name} calls {used} by a name that others can move',
                    mend=f'git ls-remote https://github.com/{what} {version}, and use the commit',
                )


def workflows_are_where_github_looks(service: Patient) -> Iterator[Finding]:
    """Check that the service is the top of its repository, or has no workflows below it."""
    below = run_git(service.folder, 'rev-parse', '--show-prefix').stdout.strip()
    if service.in_git and below and service.tracked('.github/workflows/*'):
        yield Finding(
            kind='misconfigured',
            what=f'GitHub reads no workflow in {below}.github: it looks at the top alone',
            mend='make a repository of its own of this folder, or write a workflow at the top '
            'whose steps run `make` here',
        )


def the_document_is_in_git(service: Patient) -> Iterator[Finding]:
    """Check that git keeps the OpenAPI document with which the pipeline compares the API."""
    if service.in_git and service.text('openapi.json') and not service.tracked('openapi.json'):
        yield Finding(
            kind='behind',
            what='openapi.json is not in git: the pipeline has nothing to compare with',
            mend='git add openapi.json',
        )


def site_passes_its_checks(service: Patient) -> Iterator[Finding]:
    """Run Django's checks under production settings, and check migrations and OpenAPI document."""
    production = {
        'DJANGO_SETTINGS_MODULE': 'config.settings',
        'ENV': 'production',
        'ALLOWED_HOSTS': 'example.com',
        'DATABASE_URL': 'sqlite:///var/check.sqlite3',
        'BACKSTAY_SQLITE_IN_PRODUCTION': '1',
        'SECRET_KEY': secrets.token_urlsafe(48),
    }
    ran = subprocess.run(  # noqa: S603 our own interpreter and arguments
        [sys.executable, '-c', _CHECK, 'check', '--deploy', '--fail-level', 'WARNING'],
        cwd=service.folder,
        env={**os.environ, **production},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        yield Finding(
            kind='misconfigured',
            what=f'the site does not pass its checks for production:\n{ran.stderr.strip()}',
            mend='backstay makemigrations' if 'makemigrations' in ran.stderr else 'make run',
        )


_CHECK = 'from backstay.cli import main; main()'

CHECKS: tuple[Check, ...] = (
    template_is_current,
    locks_are_current,
    platform_is_the_locked_one,
    the_document_is_in_git,
    git_keeps_it,
    no_conflict_is_left,
    environments_can_be_read,
    secrets_stay_out_of_git,
    secrets_are_for_their_owner,
    image_is_safe,
    workflows_call_what_they_mean,
    workflows_are_where_github_looks,
    site_passes_its_checks,
)
