"""No service has the name of a package that it locks, whatever is installed where it is made."""

import os
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backstay.template import TemplateError
from backstay.template.new import Order, new
from backstay.template.rendering import HERE
from tests.template.services import ANSWERS, make

FILE = HERE / 'reserved.txt'


def asked_for(service: Path, root: Path) -> list[Requirement]:
    """What the service asks for, with every extra that the package has."""
    content = tomllib.loads((service / 'pyproject.toml').read_text())
    extras = tomllib.loads((root / 'pyproject.toml').read_text())['project'][
        'optional-dependencies'
    ]
    development = content['dependency-groups']['dev']
    return [Requirement(each) for each in (f'backstay[{",".join(extras)}]', 'uv', *development)]


def closure_of(asked: list[Requirement]) -> set[str]:
    """The names of all that is needed, on every machine, as far as it is installed here."""
    found: dict[str, set[str]] = {}
    while asked:
        requirement = asked.pop()
        name = canonicalize_name(requirement.name)
        new_extras = {'', *requirement.extras} - found.get(name, set())
        if new_extras:
            found.setdefault(name, set()).update(new_extras)
            asked += needs_of(name, new_extras)
    return {*found}


def needs_of(name: str, extras: set[str]) -> Iterator[Requirement]:
    try:
        needs = [Requirement(each) for each in requires(name) or ()]
    except PackageNotFoundError:  # it is for other machines than this one
        return
    for need in needs:
        marker = need.marker if 'extra' in str(need.marker) else None
        if marker is None or any(marker.evaluate({'extra': extra}) for extra in extras):
            yield need


def test_the_names_are_those_of_all_that_a_service_locks(root: Path, tmp_path: Path) -> None:
    locked = closure_of(asked_for(make(tmp_path / 'service'), root))
    imported = {
        name
        for name, distributions in packages_distributions().items()
        if {canonicalize_name(each) for each in distributions} & locked
    }
    names = {each.replace('-', '_') for each in locked} | imported
    wanted = {each for each in names if re.fullmatch('[a-z][a-z0-9_]*', each)}
    if os.environ.get('REWRITE_GOLDEN_SQL'):
        FILE.write_text('\n'.join(sorted({*FILE.read_text().split(), *wanted})) + '\n')

    assert wanted - {*FILE.read_text().split()} == set()


@pytest.mark.parametrize(
    'name', ['requests', 'psycopg', 'coverage', 'redis', 'pytest', 'celery', 'virtualenv', 'yaml']
)
def test_they_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=f'service: {name} is the name of something else'):
        new(Order(folder=tmp_path / 'service', answers={**ANSWERS, 'service': name}))

    assert [*tmp_path.iterdir()] == []


def test_what_is_installed_here_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in (
        tmp_path / 'elsewhere' / 'billing',
        tmp_path / 'elsewhere' / 'billing.dist-info',
    ):
        package.mkdir(parents=True)
        (package / '__init__.py').touch()
    about = tmp_path / 'elsewhere' / 'billing.dist-info'
    (about / 'METADATA').write_text('Metadata-Version: 2.1\nName: billing\nVersion: 1\n')
    (about / 'top_level.txt').write_text('billing\n')
    monkeypatch.syspath_prepend(str(tmp_path / 'elsewhere'))
    assert 'billing' in packages_distributions()

    assert make(tmp_path / 'service').is_dir()
