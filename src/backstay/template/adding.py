"""`backstay add resource`: one more model of a service, with everything that goes with it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from backstay.template import TemplateError
from backstay.template.editing import (
    NoPlaceError,
    names_of,
    with_call,
    with_definition,
    with_import,
    with_member,
)
from backstay.template.nouns import Noun, noun_of
from backstay.template.stamp import read_stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The result of `add_resource`: the noun, and the files that it touched."""

    noun: Noun
    #: Files that were written or changed, below the folder of the service.
    files: tuple[str, ...]


def add_resource(service: Path, name: str, *, plural: str = '') -> Added:
    """Add a model with its resource, address, migration, seeds and tests.

    After a TemplateError the folder is as it was.
    """
    package = read_stamp(service).package
    noun = noun_of(name, plural)
    if find_spec('ruff') is None:
        raise TemplateError(
            'ruff is missing: run .venv/bin/backstay of the service, after `make test`'
        )
    make = ('makemigrations', package, '--no-header', '--noinput', '--name', noun.variable)
    edits = _edits(service, package, noun)
    with _all_or_nothing(service, edits, service / package / 'migrations') as written:
        tidy(service, *edits)
        _run(service, '-c', 'from backstay.cli import main; main()', *make)
        migrations = written()
        tidy(service, *migrations)
    return Added(noun=noun, files=(*edits, *migrations))


def _edits(service: Path, package: str, noun: Noun) -> dict[str, str]:
    """Return the new text of each file to write, by its path in the service."""
    found: dict[str, str] = {}
    editors: Mapping[str, Callable[[str, str, Noun], str]] = {
        'models.py': _in_models,
        'resources.py': _in_resources,
        'urls.py': _in_urls,
        'seeds.py': _in_seeds,
    }
    for file, edit in editors.items():
        path = f'{package}/{file}'
        try:
            source = (service / path).read_text()
            found[path] = edit(source, package, noun)
        except FileNotFoundError:
            raise TemplateError(
                f'{path} is missing; a service keeps its {file[:-3]} there'
            ) from None
        except (SyntaxError, NoPlaceError) as error:
            raise TemplateError(f'{path}: {error}; it is not changed') from None
    test = f'tests/test_{noun.variables}.py'
    if (service / test).exists():
        raise TemplateError(f'{test} is there already; choose another name')
    return {**found, test: _test(package, noun)}


def _refuse_taken(source: str, *names: str) -> None:
    if taken := {*names} & names_of(source):
        raise NoPlaceError(f'it has {taken.pop()} already, choose another name')


def _in_models(source: str, _package: str, noun: Noun) -> str:
    _refuse_taken(source, noun.model)
    return with_definition(
        with_import(source, 'django.db', 'models'),
        f"""class {noun.model}(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name
""",
    )


def _in_resources(source: str, package: str, noun: Noun) -> str:
    words = ('ALL', 'Grant', 'Resource', 'anyone', 'signed_in')
    source = with_import(source, 'backstay.resources', *words)
    _refuse_taken(source, noun.model, noun.resource)
    return with_definition(
        with_import(source, f'{package}.models', noun.model),
        f"""class {noun.resource}(Resource):
    class Meta:
        model = {noun.model}
        fields = ('id', 'name')

    grants = (
        Grant(anyone, read=ALL),
        Grant(signed_in, read=ALL, write=('name',), create=('name',), delete=True),
    )
""",
    )


def _in_urls(source: str, package: str, noun: Noun) -> str:
    if f"'{noun.plural}'" in source:
        raise NoPlaceError(f'it has the address {noun.plural} already, give another --plural')
    source = with_import(source, f'{package}.resources', noun.resource)
    return with_call(source, 'router', f"router.register('{noun.plural}', {noun.resource})")


def _in_seeds(source: str, package: str, noun: Noun) -> str:
    source = with_import(source, 'backstay.seeding', 'Seed')
    source = with_import(source, f'{package}.resources', noun.resource)
    return with_member(source, 'SEEDS', f"Seed({noun.resource}, rows={{'small': 3}})")


#: Classes that the tests of a resource import.
_OF_TESTS = frozenset({'Api', 'Callable'})


def _test(package: str, noun: Noun) -> str:
    # The fixture is called `first`, since a resource may well be called as one of pytest's.
    model, named = noun.model, noun.model
    if model in _OF_TESTS:
        model, named = f'{model}Model', f'{model} as {model}Model'
    return f'''"""{noun.words.capitalize()}, as those see it who ask for them."""

from collections.abc import Callable

import pytest
from backstay.testing import Api, statements

from {package}.models import {named}


@pytest.fixture
def first(db: None) -> {model}:
    return {model}.objects.create(name='First')


def test_everybody_sees_{noun.variables}(api: Api, first: {model}) -> None:
    api.list('/{noun.plural}/', [first])
    api.retrieve('/{noun.plural}/', first)


def test_a_list_is_one_statement(api: Api, first: {model}) -> None:
    with statements(1):
        api.list('/{noun.plural}/')


def test_guests_write_none(api: Api, first: {model}) -> None:
    api.create('/{noun.plural}/', {{'name': 'Second'}}, refused='token-missing')
    api.destroy('/{noun.plural}/', first, refused='token-missing')


def test_who_is_signed_in_writes_{noun.variables}(
    as_caller: Callable[..., Api], first: {model}
) -> None:
    member = as_caller(level=1)
    member.create('/{noun.plural}/', {{'name': 'Second'}})
    member.partial_update('/{noun.plural}/', first, {{'name': 'Third'}})
    member.destroy('/{noun.plural}/', first)


def test_pages_show_its_name() -> None:
    assert str({model}(name='First')) == 'First'
'''


@contextmanager
def _all_or_nothing(
    service: Path, edits: Mapping[str, str], migrations: Path
) -> Iterator[Callable[[], list[str]]]:
    """Write the files, and restore them and the migrations when the block fails.

    Yields a function that lists the migrations written meanwhile.
    """
    paths = {name: service / name for name in edits}
    before = {path: path.read_bytes() if path.exists() else None for path in paths.values()}
    had = {*migrations.glob('*.py')}
    try:
        for name, path in paths.items():
            path.write_text(edits[name])
        yield lambda: sorted(
            str(path.relative_to(service)) for path in {*migrations.glob('*.py')} - had
        )
    except BaseException:
        for path in {*migrations.glob('*.py')} - had:
            path.unlink()
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        raise


def tidy(service: Path, *files: str) -> None:
    """Sort the imports and format the files by the rules of the service, where ruff is there."""
    if find_spec('ruff') is None:
        return
    _run(service, '-m', 'ruff', 'check', '--quiet', '--no-cache', '--fix', '--select', 'I', *files)
    _run(service, '-m', 'ruff', 'format', '--quiet', '--no-cache', *files)


def _run(service: Path, *arguments: str) -> None:
    """Run this Python in the service's folder, with a database in memory."""
    forgotten = {'ENV': 'test', 'DATABASE_URL': 'sqlite://:memory:'}
    ran = subprocess.run(  # noqa: S603 our own interpreter and arguments
        [sys.executable, *arguments],
        cwd=service,
        env={**os.environ, 'DJANGO_SETTINGS_MODULE': 'config.settings', **forgotten},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        last = '\n'.join((ran.stderr or ran.stdout).strip().splitlines()[-5:])
        raise TemplateError(f'nothing was added, for this failed: {arguments[2]}\n{last}')
