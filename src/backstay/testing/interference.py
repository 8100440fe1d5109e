"""Non-interference: a change that a caller may not see changes no answer that the caller gets.

For each caller one row is changed in a way that leaves all that the caller may know as it was, and
questions about what was changed are asked before and after, in every position of a request: status,
headers and body must be the same bytes. A check is one question before and after one change.
Changes, and the writes among the questions, are undone.
"""

import gc
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import zip_longest
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import DataError, IntegrityError, transaction
from django.db.models.deletion import ProtectedError, RestrictedError
from rest_framework.test import APIClient

from backstay.caller import GUEST, Caller
from backstay.identity.callers import caller_of_account
from backstay.testing.callers import Who, user_of
from backstay.testing.knowledge import Model, Resources, Tables, knowledge_of, reachable
from backstay.testing.matrix import Matrix, MatrixCell
from backstay.testing.mutations import Mutation, Spot, spots_of
from backstay.testing.positions import POSITIONS
from backstay.testing.questions import Question, Subject
from backstay.testing.sites import Site, collections_of_the_site, site_of

Callers = Mapping[str, Who]
#: Headers that differ between any two answers.
_IGNORED = frozenset({'server-timing', 'x-request-id'})
#: Refusals that tell of rows that are not visible, as documented (rule L7, and `on_delete`).
TELLING = frozenset({'duplicate', 'in-use'})
#: Questions that are asked about one change: at most, and of one cell of the matrix.
_QUESTIONS, _OF_A_CELL = 40, 3
#: Of them, at most so many that were not asked before, unless they fill empty cells.
_NEW = 8
#: Ways to change something that a session takes, so that its statements are used often.
_SPOTS = 30
#: Changes that are tried in a row without a hidden one.
_TRIES = 200
_NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


def non_interference(
    *paths: str,
    rows: Callable[[], Any],
    callers: Callers | Callable[[], Callers],
    checks: int = 1_000,
    seed: int = 0,
) -> Callable[[], None]:
    """A test for pytest that these callers learn nothing of what they may not see.

        test_nothing_leaks = non_interference('/books/', rows=make_rows, callers=CALLERS)

    `paths` are collections of resources; without any it is every one that the site serves. `rows`
    stores a few rows of each kind; some of them, or some of their fields, must be hidden from
    somebody. `callers` are by name; where they need keys of rows, it is a function, called after
    `rows`. `checks` bounds the work, in all.
    """

    @pytest.mark.django_db
    def test() -> None:
        rows()
        named = callers() if callable(callers) else callers
        site = site_of(paths or collections_of_the_site())
        matrix = Matrix(site)
        for name, who in named.items():
            check_caller(name, who, site, matrix, Random(f'{seed} {name}'), checks // len(named))  # noqa: S311
        if not matrix.checks:
            raise AssertionError('nothing is hidden from any of the callers: nothing was checked')

    return test


def check_caller(
    name: str,
    who: Who,
    site: Site,
    matrix: Matrix,
    random: Random,
    checks: int,
    positions: Collection[str] = POSITIONS,
    kinds: Collection[str] = (),
) -> None:
    """Change, compare, undo, until this many checks were made or nothing more is hidden.

    `positions` and `kinds` of columns, all unless given, are those that are checked.
    """
    resources = reachable(site.collections.values())
    session = _Session(name, who, site, resources, matrix, random, positions, kinds)
    with ExitStack() as stack:
        stack.enter_context(_rare_collections())
        stack.enter_context(patch('time.time', _NOW.timestamp))
        stack.enter_context(patch('django.utils.timezone.now', lambda: _NOW))
        session.start()
        made = tries = 0
        while made < checks and tries < _TRIES:
            found = session.check_one_change(min(_QUESTIONS, checks - made))
            made += found
            tries = 0 if found else tries + 1


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Compiling makes and drops millions of objects, and hardly any cycle of them."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Session:
    """One caller, whose answers before any change are kept."""

    def __init__(
        self,
        name: str,
        who: Who,
        site: Site,
        resources: Resources,
        matrix: Matrix,
        random: Random,
        positions: Collection[str],
        kinds: Collection[str],
    ) -> None:
        self.kinds = kinds
        self.positions = {each: POSITIONS[each] for each in positions}
        self.name = name
        self.who = who
        self.site = site
        self.resources = resources
        self.matrix = matrix
        self.random = random
        self.client = APIClient(raise_request_exception=False)
        self.before: dict[Question, Any] = {}
        self.tried: Counter[Spot] = Counter()

    def start(self) -> None:
        """Find out what the caller knows, and what is left to hide."""
        if user := user_of(self.who):
            self.client.force_authenticate(user)
        self.caller = _caller(self.who)
        self.tables = Tables()
        self.known = knowledge_of(self.caller, self.resources, self.tables)
        self.subjects = {
            each: [*each.subjects(self.resources)] for each in spots_of(self.resources)
        }
        self.spots = [
            spot
            for spot, subjects in self.subjects.items()
            if any(not self.kinds or kind in self.kinds for *_, kind in subjects)
        ]
        self.left = {each: self._hidden_keys(each) for each in self.spots}
        self._note_what_is_open()
        left = [each for each in self.spots if self.left[each]]
        self.chosen = sorted(self.random.sample(left, len(left)), key=self._fullness)[:_SPOTS]

    def check_one_change(self, most: int) -> int:
        """Make a change; where it is hidden, ask about it; return the number of checks."""
        if not self.chosen:
            return 0
        spot = min(self.chosen, key=lambda each: self.tried[each])
        self.tried[spot] += 1
        shown = {key for model, key, _ in self.known.cells if model is spot.model}
        mutation = spot.choose(self.random, self.left[spot], shown)
        if mutation is None:
            return 0
        with transaction.atomic():
            is_hidden = self._make(mutation) and self.known == knowledge_of(
                self.caller, self.resources, mutation.tables(self.tables)
            )
            transaction.set_rollback(True)
        if not is_hidden:
            return 0
        asked = self._questions(mutation, most)
        before = [self._answer_before(question) for question, _ in asked]
        with transaction.atomic():
            self._make(mutation)
            for (question, cells), answers in zip(asked, before, strict=True):
                now = self._answers(question)
                if now != answers and not _is_documented(answers, now):
                    raise AssertionError(_said(self.name, mutation, question, answers, now))
                self.matrix.add(cells, now[0][0])
            transaction.set_rollback(True)
        return len(asked)

    def _fullness(self, spot: Spot) -> tuple[int, int]:
        """Less where more cells of its fields are empty, then where they have fewer checks."""
        fields = [(resource.__name__, kind) for resource, _, kind in self.subjects[spot]]
        empty = sum(
            not self.matrix.counts[resource, self.name, position, kind]
            and (resource, position, kind) not in self.matrix.reasons
            for resource, kind in fields
            for position in self.positions
        )
        return -empty, min(
            self.matrix.kinds[resource, self.name, kind] for resource, kind in fields
        )

    def _hidden_keys(self, spot: 'Spot') -> list[Any]:
        keys = spot.model._base_manager.order_by('pk').values_list('pk', flat=True)
        column = spot.column.attname if spot.column else 'pk'
        cells = self.known.cells
        return [key for key in keys if (spot.model, key, column) not in cells]

    def _note_what_is_open(self) -> None:
        for spot in self.spots:
            for resource, _, kind in self.subjects[spot]:
                kept = self.matrix.hidden if self.left[spot] else self.matrix.open
                kept.add((resource.__name__, self.name, kind))

    def _make(self, mutation: 'Mutation') -> bool:
        try:
            with transaction.atomic():
                mutation.apply()
        except (IntegrityError, DataError, ProtectedError, RestrictedError):
            return False
        return True

    def _questions(
        self, mutation: 'Mutation', most: int
    ) -> list[tuple[Question, list[MatrixCell]]]:
        """Questions about what changes, those first whose cells have the fewest checks."""
        found: dict[Question, list[MatrixCell]] = defaultdict(list)
        for resource, name, kind in self.subjects[mutation.spot]:
            own = resource.options.model is mutation.spot.model
            keys = (*[mutation.key] * own, *self._some_visible(resource.options.model))
            values = mutation.values_of(resource, name)
            subject = Subject(resource=resource, name=name, values=values, keys=keys)
            for position, ask in self.positions.items():
                questions = ask(self.site, subject)
                self.matrix.note((resource.__name__, position, kind), questions)
                for question in () if isinstance(questions, str) else questions:
                    found[question].append((resource.__name__, self.name, position, kind))
        return self._some_of(found, most)

    def _some_of(
        self, found: Mapping[Question, list[MatrixCell]], most: int
    ) -> list[tuple[Question, list[MatrixCell]]]:
        """Questions of empty cells, then what was asked before, then some that are new.

        What was asked before is compiled, and its answer is known: it costs a quarter.
        """
        counts, counted = self.matrix.counts, Counter[MatrixCell]()
        chosen: dict[Question, list[MatrixCell]] = {}

        def choose(questions: Sequence[Question], of_a_cell: int, more: int) -> None:
            until = min(most, len(chosen) + more)
            for each in questions:
                fewest = min(counted[cell] for cell in found[each])
                if len(chosen) < until and fewest < of_a_cell and each not in chosen:
                    chosen[each] = found[each]
                    counted.update(found[each])

        asked = self.random.sample([*found], len(found))
        asked.sort(key=lambda each: each not in self.before)
        choose([each for each in asked if any(not counts[cell] for cell in found[each])], 1, most)
        choose([each for each in asked if each in self.before], _OF_A_CELL, most)
        choose(asked, _OF_A_CELL, _NEW)
        return [*chosen.items()]

    def _some_visible(self, model: Model) -> list[Any]:
        keys = sorted({key for each, key, _ in self.known.cells if each is model}, key=repr)
        return keys[:1]

    def _answer_before(self, question: Question) -> Any:
        if question not in self.before:
            with transaction.atomic():
                self.before[question] = self._answers(question)
                transaction.set_rollback(True)
        return self.before[question]

    def _answers(self, question: Question) -> list[tuple[Any, ...]]:
        """What a client sees of the answer, and of those for the pages behind it."""
        cache.clear()
        address = question.path
        if question.parameters:
            address += f'?{urlencode(question.parameters)}'
        found = [self._answer(question, address)]
        if question.again and (etag := dict(found[0][1]).get('ETag')):
            found.append(self._answer(question, address, {'If-None-Match': etag}))
        for _ in range(question.pages - 1):
            following = json.loads(found[-1][2]).get('next') if found[-1][0] == 200 else None
            if following is None:
                break
            found.append(self._answer(question, following))
        return found

    def _answer(
        self, question: Question, address: str, more: Mapping[str, str] | None = None
    ) -> tuple[Any, ...]:
        headers = {**question.headers, **(more or {}), 'X-Request-Id': 'non-interference'}
        has_body = question.body is not None
        with transaction.atomic():
            response: Any = self.client.generic(
                question.method,
                address,
                json.dumps(question.body) if has_body else '',
                content_type='application/json' if has_body else '',
                headers=headers,
            )
            body = response.getvalue()
            if question.method != 'GET' or response.status_code >= 500:
                transaction.set_rollback(True)
        if question.method == 'POST' and response.status_code == 201:
            return 201, (), b''  # its key is the next number
        shown = sorted(each for each in response.items() if each[0].lower() not in _IGNORED)
        return response.status_code, shown, body


def _caller(who: Who) -> Caller:
    if who is None:
        return GUEST
    if isinstance(who, Caller):
        return who
    return caller_of_account(type(who)._default_manager.get(pk=who.pk))


def _is_documented(before: Sequence[Any], now: Sequence[Any]) -> bool:
    """Whether one of the answers is a refusal that may tell of hidden rows (rule L7)."""
    return any(
        status == 409 and json.loads(body).get('code') in TELLING
        for status, _, body in (*before, *now)
    )


def _said(
    name: str, mutation: 'Mutation', question: Question, before: Sequence[Any], now: Sequence[Any]
) -> str:
    nothing: tuple[Any, ...] = (0, [], b'')
    pairs = zip_longest(before, now, fillvalue=nothing)
    shown = '\n'.join(
        f'before: {_part(one, other)}\nafter:  {_part(other, one)}'
        for one, other in pairs
        if one != other
    )
    return f'{name} learns of {mutation} by {question.method} {question.path}\n{question}\n{shown}'


def _part(answer: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """What one answer has and the other has not, and the body around the first difference."""
    status, headers, body = answer
    at = next(
        (at for at, (one, two) in enumerate(zip(body, other[2], strict=False)) if one != two), 0
    )
    return (
        status,
        [each for each in headers if each not in other[1]],
        body[max(0, at - 200) : at + 200],
    )
