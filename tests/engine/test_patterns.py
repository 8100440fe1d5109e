"""Patterns of filters: what they match, and that none of them makes the database search forever."""

import random
import re
import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from backstay.engine import Trouble, engine_of, trouble_of
from backstay.engine.comparisons import is_ilike, is_like
from backstay.engine.slots import PatternSlot, bind
from tests.bookshop.models import Book

pytestmark = pytest.mark.django_db

_LETTERS = 'aB%_\\e'


def _book(title: str) -> Book:
    return Book(title=title, slug='x', created_at=timezone.now())


def _search(pattern: str, *, any_case: bool, seconds: float | None = None) -> list[Any]:

    is_such = is_ilike if any_case else is_like
    found = Book.objects.filter(is_such(F('title'), PatternSlot(0, glob=not any_case)))
    sql, params = found.values('id').query.sql_with_params()
    columns = engine_of(connection).columns(connection, sql, bind(params, [pattern], {}), seconds)
    return list(columns[0]) if columns else []


def _expected(text: str, pattern: str) -> bool:
    """What LIKE means, as an expression that goes back; good enough for short texts."""
    written, characters = [], iter(pattern)
    for each in characters:
        literal = next(characters, '\\') if each == '\\' else each
        wildcard = {'%': '.*', '_': '.'}.get(each)
        written.append(wildcard or re.escape(literal))
    return re.fullmatch(''.join(written), text, re.DOTALL) is not None


def test_patterns_mean_the_same_on_every_engine() -> None:
    draw = random.Random(12)
    texts = {''.join(draw.choices(_LETTERS, k=draw.randint(0, 6))) for _ in range(300)}
    Book.objects.bulk_create(_book(text) for text in texts)
    names = dict(Book.objects.values_list('pk', 'title'))
    for _ in range(300):
        pattern = ''.join(draw.choices('aB%_\\e%', k=draw.randint(0, 6)))
        exact = {names[int(pk)] for pk in _search(pattern, any_case=False)}
        folded = {names[int(pk)] for pk in _search(pattern, any_case=True)}
        assert exact == {text for text in texts if _expected(text, pattern)}, pattern
        lower = pattern.lower()
        assert folded == {text for text in texts if _expected(text.lower(), lower)}, pattern


@pytest.mark.parametrize('any_case', [True, False])
@pytest.mark.parametrize(
    'pattern',
    [
        '%e%e%e%e%e%e%e%zq',
        '%e' * 60 + '%z',
        '%_e' * 60 + 'z%',
        '%' + 'e' * 100 + 'z%',
        'e%' * 100 + 'z',
        '%e_' * 60 + '%z',
        '%\\%' * 60,
        '%[' + '%e' * 60 + ']',
    ],
)
def test_no_pattern_goes_back_again_and_again(pattern: str, any_case: bool) -> None:
    """A text four times as long costs four times as much, or sixteen; going back, 4^7 times."""

    def seconds(length: int) -> float:
        Book.objects.all().delete()
        _book('e' * length).save()
        return min(_timed(pattern, any_case) for _ in range(3))  # others may have the processor

    assert seconds(300) < max(0.05, 64 * seconds(75))


def _timed(pattern: str, any_case: bool) -> float:
    started = time.perf_counter()
    assert not _search(pattern, any_case=any_case)
    return time.perf_counter() - started


def test_the_time_limit_counts_what_functions_of_ours_take() -> None:
    """Each call is short, and a statement makes as many as it has rows."""
    Book.objects.bulk_create(_book('e' * 200) for _ in range(6_000))
    pattern = '%' + 'e_' * 90 + '%' + 'e' * 40 + 'z%'
    began = time.process_time()
    assert not _search(pattern, any_case=True)
    whole = time.process_time() - began

    with pytest.raises(OperationalError) as refused:
        _search(pattern, any_case=True, seconds=0.001)

    assert trouble_of(refused.value) is Trouble.TIMEOUT
    if connection.vendor == 'sqlite':  # which runs in this process
        assert time.process_time() - began - whole < whole / 2
