"""The page that explains the architecture says what really happens, in its order."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import backstay
from backstay.resources.plan.cache import plans
from tests.lending.models import Branch
from tests.writes.conftest import Ask

PACKAGE = Path(backstay.__file__).parent
PAGE = (PACKAGE.parents[1] / 'docs' / 'explanation' / 'architecture.md').read_text()
_STEP = re.compile(r'^\| \d+ \| `([\w/.]+)` \| `(\w+)` \|', re.MULTILINE)
Step = tuple[str, str]


def steps(title: str) -> list[Step]:
    """The file and function of each step below a title of the page."""
    section = PAGE.partition(f'\n## {title}\n')[2].partition('\n## ')[0]
    return _STEP.findall(section)


@contextmanager
def calls() -> Iterator[list[Step]]:
    """The functions of the package that are called within, in their order."""
    found: list[Step] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == 'call' and frame.f_code.co_filename.startswith(str(PACKAGE)):
            file = Path(frame.f_code.co_filename).relative_to(PACKAGE).as_posix()
            found.append((file, frame.f_code.co_name))

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def first_missing(wanted: list[Step], found: list[Step]) -> Step | None:
    """The first step that is not called after the one before it; None where all are."""
    left = iter(found)
    return next((step for step in wanted if step not in left), None)


@pytest.mark.django_db
def test_a_read_takes_the_steps_of_the_page(ask: Ask, make_item: Callable[..., Any]) -> None:
    make_item(price=3)
    plans.clear()
    with calls() as found:
        answer = ask('helper', 'get', '/items/?price__gte=2&ordering=-price,title&count=exact')

    assert answer.json()['count'] == 1
    assert len(steps('A read')) == 19
    assert first_missing(steps('A read'), found) is None


@pytest.mark.django_db
def test_a_write_takes_the_steps_of_the_page(ask: Ask, north: Branch) -> None:
    body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}
    with calls() as found:
        answer = ask('helper', 'post', '/items/', body, HTTP_IDEMPOTENCY_KEY='monday')

    assert answer.status_code == 201
    assert len(steps('A write')) == 18
    assert first_missing(steps('A write'), found) is None


def test_every_part_of_the_package_has_its_floor() -> None:
    named = set(re.findall(r'`(\w+)`', PAGE.partition('\n## Floors\n')[2].partition('\n## ')[0]))
    parts = {file.stem for file in PACKAGE.iterdir() if file.suffix == '.py' or file.is_dir()}

    assert parts - named - {'__init__', '__pycache__', 'py'} == set()
