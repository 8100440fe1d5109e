"""Modules that the template shrinks and people have added to: no conflict, and nothing lost."""

import doctest
from pathlib import Path

import pytest

from backstay.template import modules
from backstay.template.adding import add_resource
from backstay.template.modules import without_removed
from backstay.template.update import update
from tests.template.services import commit, content_of, make

BASE = """from a import x, y

T = (x, y)


def f():
    x()
"""


def test_the_example_goes_from_beside_a_resource_of_ones_own(tmp_path: Path) -> None:
    service = make(tmp_path / 'service')
    add_resource(service, 'line-item')
    commit(service)

    done = update(service, {'example': 'false'})

    assert done.conflicts == ()
    mentions = [path for path, text in content_of(service).items() if b'ruit' in text]
    assert mentions == ['billing/migrations/0001_initial.py']
    never = make(tmp_path / 'never', example=False)
    add_resource(never, 'line-item')
    for file in ('models', 'resources', 'urls', 'seeds'):
        path = f'billing/{file}.py'
        assert (service / path).read_text() == (never / path).read_text(), path


@pytest.mark.parametrize(
    ('ours', 'theirs', 'merged'),
    [
        (f'{BASE}\n\ndef g():\n    y()\n', 'from a import y\n', 'def g()'),
        (BASE.replace('x, y)', 'x, y, z)'), BASE.replace('(x, y)', '(y,)'), 'T = (y, z)'),
        (BASE.replace('x, y)', 'z, x, y)'), BASE.replace('(x, y)', '(x,)'), 'T = (z, x)'),
        # More than removals and additions: people decide.
        (BASE.replace('    x()', '    x(1)'), 'from a import x, y\n\nT = (x, y)\n', None),
        (BASE, BASE.replace('x()', 'x(2)'), None),
        (BASE, f'{BASE}\n\ndef new():\n    pass\n', None),
        (BASE.replace('x, y)', 'x)'), BASE.replace('(x, y)', '(x,)'), None),
        (BASE, BASE.replace('import x, y', 'import w, x, y'), None),
        ('def (', BASE, None),
    ],
)
def test_what_went_goes_and_the_rest_is_for_people(
    ours: str, theirs: str, merged: str | None
) -> None:
    found = without_removed(BASE, ours, theirs)

    assert found is None if merged is None else found and merged in found


def test_the_example_in_the_code_is_right() -> None:
    failed, tried = doctest.testmod(modules)

    assert tried >= 1
    assert failed == 0
