"""`backstay add resource`: what appears, and what stays where it refuses (contract T17)."""

import ast
import doctest
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backstay.template import TemplateError, editing
from backstay.template.adding import add_resource
from backstay.template.commands import main
from backstay.template.git import git
from backstay.template.nouns import noun_of
from tests.template.services import change, commit, content_of, make


@pytest.fixture(scope='module')
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp('written') / 'service')


@pytest.fixture
def service(written: Path, tmp_path: Path) -> Path:
    """A service with Fruit."""
    return shutil.copytree(written, tmp_path / 'service')


def source(service: Path, name: str) -> str:
    return (service / name).read_text()


def test_everything_that_goes_with_a_model_appears(
    service: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(service)
    assert main(['add', 'resource', 'line-item']) == 0

    assert 'Added LineItem, at /line-items/:' in capsys.readouterr().out
    assert 'class LineItem(models.Model):' in source(service, 'billing/models.py')
    assert 'class LineItemResource(Resource):' in source(service, 'billing/resources.py')
    assert "router.register('line-items', LineItemResource)" in source(service, 'billing/urls.py')
    assert "Seed(LineItemResource, rows={'small': 3})" in source(service, 'billing/seeds.py')
    assert "name='LineItem'" in source(service, 'billing/migrations/0002_line_item.py')
    assert 'def test_everybody_sees_line_items(' in source(service, 'tests/test_line_items.py')
    ruff = [sys.executable, '-m', 'ruff']
    for check in (['check'], ['format', '--check']):
        subprocess.run([*ruff, *check, '.'], cwd=service, check=True, capture_output=True)  # noqa: S603 ours


def test_the_first_of_a_service_without_example_needs_nothing_beside(tmp_path: Path) -> None:
    service = make(tmp_path / 'service', example=False)

    added = add_resource(service, 'box')

    assert added.noun.plural == 'boxes'
    assert added.files == (
        'billing/models.py',
        'billing/resources.py',
        'billing/urls.py',
        'billing/seeds.py',
        'tests/test_boxes.py',
        'billing/migrations/0001_box.py',
    )
    names = editing.names_of(source(service, 'billing/resources.py'))
    assert names == {'ALL', 'Box', 'BoxResource', 'Grant', 'Resource', 'anyone', 'signed_in'}


@pytest.mark.parametrize(
    ('name', 'plural', 'several'),
    [
        ('invoice', '', 'invoices'),
        ('category', '', 'categories'),
        ('day', '', 'days'),
        ('address', '', 'addresses'),
        ('batch', '', 'batches'),
        ('person', 'people', 'people'),
    ],
)
def test_several_of_it_have_a_name(name: str, plural: str, several: str) -> None:
    assert noun_of(name, plural).plural == several


@pytest.mark.parametrize(
    'name', ['Invoice', 'line_item', 'x', '1st', 'a--b', '', '../x', 'class', 'none']
)
def test_a_name_that_is_none_is_refused(name: str, service: Path) -> None:
    before = content_of(service)

    with pytest.raises(TemplateError):
        add_resource(service, name)

    assert content_of(service) == before


def leave(_service: Path) -> None:
    """As it is."""


def break_models(service: Path) -> None:
    (service / 'billing/models.py').write_text('class')


def break_the_site(service: Path) -> None:
    """Only the last step, that of the migration, finds out."""
    with (service / 'billing/tasks.py').open('a') as file:
        file.write('\nimport nothing_that_exists\n')
    with (service / 'billing/models.py').open('a') as file:
        file.write('\n\nimport billing.tasks\n')


def lose_seeds(service: Path) -> None:
    (service / 'billing/seeds.py').unlink()


def make_seeds_a_function(service: Path) -> None:
    (service / 'billing/seeds.py').write_text('def seeds(): ...\n')


def rename_router(service: Path) -> None:
    urls = service / 'billing/urls.py'
    urls.write_text(urls.read_text().replace('router', 'ours').replace('ours.urls', 'ours'))


def have_its_test(service: Path) -> None:
    (service / 'tests/test_invoices.py').write_text('')


def lose_stamp(service: Path) -> None:
    (service / '.backstay.yaml').unlink()


@pytest.mark.parametrize(
    ('prepare', 'name', 'told'),
    [
        (leave, 'fruit', 'billing/models.py: it has Fruit already, choose another name'),
        (leave, 'grant', 'billing/resources.py: it has Grant already, choose another name'),
        (break_models, 'invoice', 'billing/models.py: invalid syntax'),
        (break_the_site, 'invoice', "No module named 'nothing_that_exists'"),
        (lose_seeds, 'invoice', 'billing/seeds.py is missing'),
        (make_seeds_a_function, 'invoice', 'billing/seeds.py: no tuple is called SEEDS'),
        (rename_router, 'invoice', 'billing/urls.py: nothing is called router'),
        (have_its_test, 'invoice', 'tests/test_invoices.py is there already'),
        (lose_stamp, 'invoice', 'go to the folder of a service'),
    ],
)
def test_where_it_cannot_be_added_everything_stays(
    prepare: Callable[[Path], None], name: str, told: str, service: Path
) -> None:
    prepare(service)
    before = content_of(service)

    with pytest.raises(TemplateError, match=told):
        add_resource(service, name)

    assert content_of(service) == before


def test_what_people_wrote_stays(service: Path) -> None:
    """Comments, long tuples and imports in parentheses: only lines are added."""
    change(
        service / 'billing/seeds.py',
        '        expires_on=good_for_three_days,\n    ),\n',
        '        expires_on=good_for_three_days,\n    ),  # until we know more, so ö\n',
    )
    change(service / 'billing/urls.py', 'urlpatterns =', '# what is served\nurlpatterns =')
    commit(service)

    add_resource(service, 'invoice')

    diff = git(service, 'diff', '--unified=0')
    removed = [line for line in diff.splitlines() if line.startswith('-') and line[:3] != '---']
    assert [line for line in removed if 'import' not in line] == [
        '-    ),  # until we know more, so ö'
    ]
    assert '# what is served\nurlpatterns' in source(service, 'billing/urls.py')
    for path in ('billing/seeds.py', 'billing/urls.py'):
        assert ast.parse(source(service, path))


def test_the_examples_of_the_edits_are_right() -> None:
    failed, tried = doctest.testmod(editing)

    assert tried >= 3
    assert failed == 0


def test_an_edit_without_its_place_is_refused() -> None:
    for edit in (editing.with_call, editing.with_member):
        with pytest.raises(editing.NoPlaceError):
            edit('x = 1\n', 'y', '2')
