"""Random writes by several callers, each beside a plain model that says what must come of it.

The model (`tests.writes.library`) is dictionaries: it predicts the status of every answer and the
rows that are there then. After each step the database is compared with it, the journal is replayed,
and what was refused must have left no entry.

    pytest tests/writes/test_state_machine.py                         30 s, the same on each run
    PROVE=1 pytest tests/writes/test_state_machine.py -s   1 000 others, half an hour

The second prints how many writes of each kind there were, by the status of their answers.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backstay.caller import Caller, Held
from backstay.journal.models import Entry
from tests.lending.models import Branch, Item, Note, Stamp
from tests.proofs import record_proof, size
from tests.rights.site import MADE
from tests.writes import choices
from tests.writes.choices import BRANCHES, CALLERS, CODES, KEYS, MATCHES, PLACES, bodies
from tests.writes.library import (
    DEFAULTS,
    LEVELS,
    NORTH,
    SOUTH,
    Library,
    Refusal,
    highest,
    status_of_all,
)
from tests.writes.replaying import assert_gapless, differences

pytestmark = pytest.mark.django_db

EXAMPLES = size(0, 1_000)
PROFILE = settings(
    max_examples=EXAMPLES or 25,
    stateful_step_count=60 if EXAMPLES else 40,
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
#: How often each kind of write ended with each status.
COUNTS: Counter[tuple[str, int]] = Counter()
#: Statuses of refusals that a key keeps; of 422 those whose code is no fault of the body.
KEPT = (404, 409, 412)
PASSING = (
    'validation-failed',
    'unknown-field',
    'field-not-writable',
    'reference-not-found',
    'bulk-refused',
)
USUAL = {'create': 201, 'stamp': 201, 'delete': 204}


class Lending(RuleBasedStateMachine):
    """The library, asked over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        branches = {name: Branch.objects.create(name=name).pk for name in (NORTH, SOUTH)}
        self.library = Library(branches)
        #: Answers that a key brings back: what it came with, the status and the text.
        self.kept: dict[tuple[str, ...], tuple[str, int, bytes]] = {}
        #: The requests that got them: the kind, and what `_ask` takes.
        self.sent: dict[tuple[str, ...], tuple[str, tuple[Any, ...]]] = {}
        self.serial = 0
        for number, (word, held) in enumerate(LEVELS.items()):
            scopes = tuple(
                Held(over='branches', id=branches[branch], level=level)
                for branch, level in held.items()
            )
            if word != 'guest':
                MADE[word] = Caller(kind='account', account_id=number, name=word, scopes=scopes)

    def teardown(self) -> None:
        """Take everything back."""
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def begin_with_a_few(self) -> None:
        for branch, code in ((NORTH, 'a'), (NORTH, 'b'), (SOUTH, 'c')):
            self.create('owner', branch, code, {}, True, 1, None)

    @rule(
        word=CALLERS,
        branch=BRANCHES,
        code=CODES,
        body=bodies(),
        has_title=st.sampled_from((True, True, True, False)),
        notes=st.integers(-1, 2),
        key=KEYS,
    )
    def create(
        self,
        word: str,
        branch: str,
        code: str,
        body: Mapping[str, Any],
        has_title: bool,
        notes: int,
        key: str | None,
    ) -> None:
        body = {'branch_id': self.library.branches[branch], 'code': code, **body}
        if has_title:
            body = {'title': 'Made', **body}
        if notes >= 0:
            body['notes'] = [{'text': f'n{at}', 'position': at} for at in range(notes)]
        self._one(
            'create', word, 'post', '/items/', body, key, lambda: self.library.create(word, body)
        )

    @rule(
        kind=st.sampled_from(('patch', 'put')),
        word=CALLERS,
        place=PLACES,
        body=bodies(code=CODES, branch_id=BRANCHES),
        has_all=st.sampled_from((True, True, False)),
        notes=choices.NOTES,
        match=MATCHES,
        key=KEYS,
    )
    def update(
        self,
        kind: str,
        word: str,
        place: int,
        body: Mapping[str, Any],
        has_all: bool,
        notes: Sequence[str] | None,
        match: str,
        key: str | None,
    ) -> None:
        number = choices.pick(self.library, place)
        row, body = self.library.items.get(number), dict(body)
        if 'branch_id' in body:
            body['branch_id'] = self.library.branches[body['branch_id']]
        if notes is not None:
            body['notes'] = choices.notes(self.library, number, notes)
        if kind == 'put' and has_all and row is not None:
            branch = self.library.branches[row.branch]
            body = {'branch_id': branch, 'code': row.code, 'title': 'Put', **body}
        is_put = kind == 'put'
        self._one(
            kind,
            word,
            kind,
            f'/items/{number}/',
            body,
            key,
            lambda: self.library.update(word, number, body, match, replace=is_put),
            choices.tag(self.library, number, match),
        )

    @rule(word=CALLERS, place=PLACES, match=MATCHES, key=KEYS)
    def delete(self, word: str, place: int, match: str, key: str | None) -> None:
        number = choices.pick(self.library, place)
        self._one(
            'delete',
            word,
            'delete',
            f'/items/{number}/',
            None,
            key,
            lambda: self.library.delete(word, number, match),
            choices.tag(self.library, number, match),
        )

    @rule(word=CALLERS, place=PLACES, match=MATCHES, key=KEYS)
    def restore(self, word: str, place: int, match: str, key: str | None) -> None:
        number = choices.pick(self.library, place, deleted=True)
        self._one(
            'restore',
            word,
            'post',
            f'/items/{number}/restore/',
            None,
            key,
            lambda: self.library.restore(word, number, match),
            choices.tag(self.library, number, match),
        )

    @rule(word=CALLERS, chosen=choices.OPERATIONS, atomic=st.booleans(), key=KEYS)
    def bulk(
        self, word: str, chosen: Sequence[Mapping[str, Any]], atomic: bool, key: str | None
    ) -> None:
        operations, asked = choices.operations(self.library, chosen)
        acts = [lambda each=each: self.library.item(word, each) for each in asked]
        needs = max(3 if each.op == 'delete' else 2 for each in asked)
        status = 401 if word == 'guest' else 403 if highest(word) < needs else None
        self._many(word, '/items/bulk/', operations, atomic, key, acts, status)

    @rule(
        word=st.sampled_from(('stranger', 'stranger', 'stranger', 'guest')),
        chosen=choices.STAMP_OPERATIONS,
        amount=st.integers(0, 2),
        atomic=st.booleans(),
    )
    def stamps(
        self, word: str, chosen: Sequence[tuple[str, str]], amount: int, atomic: bool
    ) -> None:
        """Rows that are gone for good, and whose keys are used again, even in one request."""
        operations = choices.stamp_operations(chosen, amount)
        is_anew = any(op == 'anew' for _, op in chosen)
        gone = {each['id'] for each in operations if each['op'] == 'delete'} if is_anew else set()
        gone &= self.library.stamps.keys()
        acts = [lambda each=each: self.library.stamp(word, each, gone) for each in operations]
        # Of a row and the end of its key, the one may be refused for the other.
        atomic = atomic or is_anew
        status = 401 if word == 'guest' else None
        self._many(word, '/stamps/bulk/', operations, atomic, None, acts, status)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES)
    def repeat(self, place: int) -> None:
        """Send a request again, as it was sent, whatever has happened since."""
        slot = [*self.sent][place % len(self.sent)]
        kind, request = self.sent[slot]
        self._compare_repeated(kind, _ask(*request), slot, self.kept[slot][0])

    @precondition(lambda self: len(self.library.stamps) < 3)
    @rule(word=st.sampled_from(('stranger',) * 9 + ('guest',)), code=choices.STAMPS)
    def stamp(self, word: str, code: str) -> None:
        body = {'code': code, 'label': 'L', 'amount': 0}
        operation = {'op': 'create', 'body': body}
        self._one(
            'stamp',
            word,
            'post',
            '/stamps/',
            body,
            None,
            lambda: self.library.stamp(word, operation),
        )

    # Asking, and comparing the answer with what the model says.

    def _one(
        self,
        kind: str,
        word: str,
        method: str,
        path: str,
        body: Any,
        key: str | None,
        expect: Callable[[], Any],
        match: str | None = None,
    ) -> None:
        outcome = _outcome(expect)
        answer = _ask(word, method, path, body, key, match)
        slot, said = (word, method, path, str(key)), json.dumps([body, match], sort_keys=True)
        is_known = not isinstance(outcome, Refusal) or outcome.phase > 0
        if is_known and slot in self.kept:
            self._compare_repeated(kind, answer, slot, said)
            return
        COUNTS[kind, answer.status_code] += 1
        is_refused = isinstance(outcome, Refusal)
        expected = outcome.status if is_refused else USUAL.get(kind, 200)
        assert answer.status_code == expected, (word, path, body, match, answer.content)
        if not is_refused:
            where = answer.headers.get('Location', '').rstrip('/').rpartition('/')[2]
            outcome(int(where) if where.isdigit() else 0)
        if key is not None and is_known:
            self._keep(answer, slot, said, (kind, (word, method, path, body, key, match)))

    def _many(
        self,
        word: str,
        path: str,
        operations: Sequence[Mapping[str, Any]],
        atomic: bool,
        key: str | None,
        acts: Sequence[Callable[[], Any]],
        refused: int | None,
    ) -> None:
        self.serial += 1
        key = key or f'serial-{self.serial}'
        body = {'operations': operations, 'atomic': atomic}
        outcomes = [_outcome(act) for act in acts]
        answer = _ask(word, 'post', path, body, key, None)
        kind = 'bulk' if atomic else 'bulk, each by itself'
        slot, said = (word, 'post', path, key), json.dumps(body, sort_keys=True)
        if refused is None and slot in self.kept:
            self._compare_repeated(kind, answer, slot, said)
            return
        COUNTS[kind, answer.status_code] += 1
        refusals = [each for each in outcomes if isinstance(each, Refusal)]
        if refused is not None or (atomic and refusals):
            status = refused or status_of_all(refusals)
            assert answer.status_code == status, (word, body, answer.content)
        else:
            assert answer.status_code == 200, (word, body, answer.content)
            _do(answer.json()['results'], operations, outcomes)
        if refused is None:
            self._keep(answer, slot, said, (kind, (word, 'post', path, body, key, None)))

    def _keep(
        self,
        answer: Any,
        slot: tuple[str, ...],
        said: str,
        request: tuple[str, tuple[Any, ...]],
    ) -> None:
        status = answer.status_code
        if status < 400 or status in KEPT or _is_rule(answer):
            self.kept[slot] = (said, status, answer.content)
            self.sent[slot] = request

    def _compare_repeated(self, kind: str, answer: Any, slot: tuple[str, ...], said: str) -> None:
        COUNTS[f'{kind}, key used before', answer.status_code] += 1
        first, status, text = self.kept[slot]
        if first != said:
            assert answer.status_code == 422, answer.content
            assert answer.json()['code'] == 'idempotency-key-reused'
            return
        assert answer.status_code == status, answer.content
        assert answer['Idempotency-Replayed'] == 'true'
        if status >= 400:
            assert answer.json()['code'] == json.loads(text)['code']
        elif answer.content and text:  # a repeat shows rows as they are now, if they are in sight
            assert _named(answer.content) == _named(text)

    # What is true after every step.

    @invariant()
    def items_are_those_of_the_model(self) -> None:
        found = {}
        for row in Item.objects.values(
            'pk', 'branch_id', 'code', 'version', 'deleted_at', *DEFAULTS
        ):
            row |= {name: _text(row[name]) for name in ('price', 'cost')}
            row['deleted_at'] = row['deleted_at'] is not None
            found[row.pop('pk')] = row
        assert found == {
            key: {
                **row.values,
                'branch_id': self.library.branches[row.branch],
                'code': row.code,
                'version': row.version,
                'deleted_at': row.is_deleted,
            }
            for key, row in self.library.items.items()
        }

    @invariant()
    def children_and_stamps_are_those_of_the_model(self) -> None:
        found: dict[int, dict[int, tuple[str, int]]] = {key: {} for key in self.library.items}
        for item, key, text, position in Note.objects.values_list(
            'item_id', 'pk', 'text', 'position'
        ):
            found[item][key] = (text, position)
        assert found == {key: row.notes for key, row in self.library.items.items()}
        stamps = {row.pop('code'): row for row in Stamp.objects.values('code', 'label', 'amount')}
        assert stamps == self.library.stamps

    @invariant()
    def the_journal_tells_of_every_change_and_of_no_other(self) -> None:
        assert Entry.objects.count() == self.library.entries
        assert_gapless()
        assert differences(Item, Note, Stamp) == []

    @invariant()
    def a_version_is_the_number_of_changes(self) -> None:
        told = Entry.objects.filter(aggregate='lending.item').values_list('object_id', flat=True)
        versions = {str(key): row.version for key, row in self.library.items.items()}
        assert Counter(told) == versions


def _ask(word: str, method: str, path: str, body: Any, key: str | None, match: str | None) -> Any:
    headers = {'HTTP_AUTHORIZATION': f'Caller {word}'}
    if key is not None:
        headers['HTTP_IDEMPOTENCY_KEY'] = key
    if match is not None:
        headers['HTTP_IF_MATCH'] = match
    text = '' if body is None else json.dumps(body)
    return Client().generic(method.upper(), path, text, 'application/json', **headers)


def _outcome(act: Callable[[], Any]) -> Any:
    """What changes the model, or the refusal."""
    try:
        return act()
    except Refusal as refusal:
        return refusal


def _do(
    results: Sequence[Mapping[str, Any]],
    operations: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Any],
) -> None:
    """Compare the result of each operation, and change the model, by deletions first."""
    assert [each['index'] for each in results] == list(range(len(outcomes)))
    done = []
    for operation, outcome, result in zip(operations, outcomes, results, strict=True):
        if isinstance(outcome, Refusal):
            assert result['status'] == outcome.status, (operation, result)
        else:
            assert result['status'] < 300, (operation, result)
            done.append((operation['op'] != 'delete', outcome, result['id']))
    for _, outcome, key in sorted(done, key=lambda each: each[0]):
        outcome(key)


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f'{price:.2f}'


def _named(text: bytes) -> Any:
    """Which rows an answer is about, and what became of each."""
    told = json.loads(text)
    if 'results' not in told:
        return told.get('id')
    return [(result['index'], result['status']) for result in told['results']]


def _is_rule(answer: Any) -> bool:
    return answer.status_code == 422 and answer.json()['code'] not in PASSING


@pytest.fixture(autouse=True)
def _no_callers_are_left() -> Iterator[None]:
    yield
    for word in LEVELS:
        MADE.pop(word, None)


def test_any_writes_in_any_order_do_what_the_model_says(request: pytest.FixtureRequest) -> None:
    run_state_machine_as_test(Lending, settings=PROFILE)
    told = ', '.join(f'{kind} {status}: {n}' for (kind, status), n in sorted(COUNTS.items()))
    record_proof(request, f'{COUNTS.total()} writes: {told}')
    kinds = ('create', 'patch', 'delete', 'restore', 'bulk', 'bulk, each by itself')
    for kind in (*kinds, 'put') if EXAMPLES else kinds:
        assert any(found == kind and status < 300 for found, status in COUNTS), kind
    assert any('key used before' in kind and status < 300 for kind, status in COUNTS)
    for status in (401, 403, 404, 409, 412, 422):
        assert any(found == status for _, found in COUNTS), f'no {status} was ever answered'
