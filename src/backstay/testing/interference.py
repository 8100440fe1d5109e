"""Non-interference: a change that a caller may not see changes no answer that the caller gets.

For each caller one row is changed in a way that leaves all that the caller may know as it was, and
questions about what was changed are asked before and after, in every position of a request: status,
headers and body must be the same bytes. A check is one question before and after one change.
Changes, and the writes among the questions, are undone.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import zip_longest
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import DataError, IntegrityError, models, transaction
from django.db.models.deletion import ProtectedError, RestrictedError
from django.db.models.fields.files import FieldFile
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from backstay.caller import GUEST, Caller
from backstay.identity.callers import caller_of_account
from backstay.resources import Computed, InPython, Resource, Url
from backstay.testing.api import resource_at
from backstay.testing.callers import Who, user_of
from backstay.testing.knowledge import Model, Resources, knowledge_of, reachable
from backstay.testing.positions import POSITIONS, Question, Site, Subject

Callers = Mapping[str, Who]
#: Resource, caller, position, kind of column.
MatrixCell = tuple[str, str, str, str]
#: Headers that differ between any two answers.
_IGNORED = frozenset({'server-timing', 'x-request-id'})
#: Refusals that tell of rows that are not visible, as documented (rule L7, and `on_delete`).
TELLING = frozenset({'duplicate', 'in-use'})
#: Questions that are asked about one change.
_QUESTIONS = 40
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


def collections_of_the_site() -> Iterator[str]:
    """The path of every collection of a resource that needs no value in its path."""
    yield from sorted({*_collections(get_resolver().url_patterns, '/')})


def _collections(patterns: list[Any], prefix: str) -> Iterator[str]:
    for each in patterns:
        path = prefix + str(each.pattern).removeprefix('^').removesuffix('$')
        if isinstance(each, URLResolver):
            yield from _collections(each.url_patterns, path)
        elif isinstance(each, URLPattern) and not {*'(<\\'} & {*path}:
            actions = getattr(each.callback, 'actions', None) or {}
            has_resource = hasattr(getattr(each.callback, 'cls', None), 'resource')
            if has_resource and actions.get('get') == 'list':
                yield path


def site_of(paths: Iterable[str]) -> Site:
    """The collections at these paths."""
    return Site({path: resource_at(path) for path in paths})


# What was checked.


@dataclass
class Matrix:
    """Checks by resource, caller, position and kind of column, and the cells that cannot be."""

    site: Site
    counts: Counter[MatrixCell] = field(default_factory=Counter)
    #: Checks by the status of the answer.
    statuses: Counter[int] = field(default_factory=Counter)
    #: Resource, position and kind that no question fits, with the reason.
    reasons: dict[tuple[str, str, str], str] = field(default_factory=dict)
    #: Resource, caller and kind of which some caller sees every value.
    open: set[tuple[str, str, str]] = field(default_factory=set)
    #: The same of which something is hidden.
    hidden: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def checks(self) -> int:
        """How many checks were made."""
        return self.statuses.total()

    def add(self, cells: Sequence[MatrixCell], status: int) -> None:
        """Count one check, in each cell that it is about."""
        self.counts.update(cells)
        self.statuses[status] += 1

    def empty(self) -> list[MatrixCell]:
        """The cells that could be and were never checked."""
        cells = {
            (resource, caller, position, kind)
            for resource, caller, kind in self.hidden | self.open
            for position in POSITIONS
            if (resource, position, kind) not in self.reasons
        }
        return sorted(
            cell for cell in cells - {*self.counts} if (cell[0], cell[1], cell[3]) in self.hidden
        )

    def lines(self) -> Iterator[str]:
        """The matrix as text: a block for each resource, kinds by positions, checks by callers."""
        callers = sorted({cell[1] for cell in self.counts})
        for resource in sorted({cell[0] for cell in self.counts}):
            yield f'{resource}: least and most checks of {len(callers)} callers'
            kinds = sorted({cell[3] for cell in self.counts if cell[0] == resource})
            for kind in kinds:
                shown = [
                    f'{position} {self._span(resource, callers, position, kind)}'
                    for position in POSITIONS
                ]
                yield f'  {kind}: {", ".join(shown)}'
        for (resource, position, kind), reason in sorted(self.reasons.items()):
            yield f'  cannot be: {resource}, {position}, {kind}: {reason}'
        for resource, caller, kind in sorted(self.open - self.hidden):
            yield f'  cannot be: {resource}, {caller}, {kind}: nothing of it is hidden'

    def _span(self, resource: str, callers: Sequence[str], position: str, kind: str) -> str:
        if (resource, position, kind) in self.reasons:
            return '-'
        counts = [
            self.counts[resource, caller, position, kind]
            for caller in callers
            if (resource, caller, kind) in self.hidden
        ]
        return f'{min(counts)}..{max(counts)}' if counts else '-'


# Checks.


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
        stack.enter_context(patch('time.time', _NOW.timestamp))
        stack.enter_context(patch('django.utils.timezone.now', lambda: _NOW))
        session.start()
        made = tries = 0
        while made < checks and tries < _TRIES:
            found = session.check_one_change(min(_QUESTIONS, checks - made))
            made += found
            tries = 0 if found else tries + 1


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
        self.known = knowledge_of(self.caller, self.resources)
        self.spots = [
            spot
            for spot in spots_of(self.resources)
            if not self.kinds
            or any(kind in self.kinds for *_, kind in spot.subjects(self.resources))
        ]
        self.left = {each: self._hidden_keys(each) for each in self.spots}
        self._note_what_is_open()

    def check_one_change(self, most: int) -> int:
        """Make a change; where it is hidden, ask about it; return the number of checks."""
        spots = [each for each in self.spots if self.left[each]]
        if not spots:
            return 0
        fewest = min(self.tried[each] for each in spots)
        spot = self.random.choice([each for each in spots if self.tried[each] == fewest])
        self.tried[spot] += 1
        mutation = spot.choose(self.random, self.left[spot])
        if mutation is None:
            return 0
        with transaction.atomic():
            is_hidden = (
                self._make(mutation) and knowledge_of(self.caller, self.resources) == self.known
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

    def _is_wanted(self, spot: 'Spot') -> bool:
        kinds = {kind for *_, kind in spot.subjects(self.resources)}
        return not self.kinds or not kinds.isdisjoint(self.kinds)

    def _hidden_keys(self, spot: 'Spot') -> list[Any]:
        keys = spot.model._base_manager.order_by('pk').values_list('pk', flat=True)
        column = spot.column.attname if spot.column else 'pk'
        cells = self.known.cells
        return [key for key in keys if (spot.model, key, column) not in cells]

    def _note_what_is_open(self) -> None:
        for spot in self.spots:
            for resource, _, kind in spot.subjects(self.resources):
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
        for resource, name, kind in mutation.spot.subjects(self.resources):
            own = resource.options.model is mutation.spot.model
            keys = (*[mutation.key] * own, *self._some_visible(resource.options.model))
            values = mutation.values_of(resource, name)
            subject = Subject(resource=resource, name=name, values=values, keys=keys)
            for position, ask in self.positions.items():
                questions = ask(self.site, subject)
                if isinstance(questions, str):
                    self.matrix.reasons[resource.__name__, position, kind] = questions
                    continue
                for question in questions:
                    found[question].append((resource.__name__, self.name, position, kind))
        asked = [*found.items()]
        self.random.shuffle(asked)
        counted: Counter[MatrixCell] = Counter()
        chosen: list[tuple[Question, list[MatrixCell]]] = []
        # A few of each cell, the emptiest cells first.
        asked.sort(key=lambda each: min(self.matrix.counts[cell] for cell in each[1]))
        for question, cells in asked:
            if len(chosen) < most and min(counted[cell] for cell in cells) < 3:
                chosen.append((question, cells))
                counted.update(cells)
        return chosen

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
            if question.method != 'GET':
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


# Changes.


@dataclass(frozen=True, slots=True)
class Spot:
    """What of a table can be changed: a column of one row, or a row that comes or goes."""

    model: Model
    #: None for a row that comes or goes.
    column: models.Field | None

    def subjects(self, resources: Resources) -> Iterator[tuple[type[Resource], str, str]]:
        """The fields that it may concern: resource, name and kind of column."""
        for resource in resources:
            if self.column is None:
                for relation in resource.relations().values():
                    if relation.many_to_many and self.model is _links(resource, relation.source):
                        yield relation.target, relation.target.options.lookup, 'link'
            if resource.options.model is not self.model:
                continue
            for name, each in resource.fields().items():
                if self.column is None:
                    if name == resource.options.lookup:
                        yield resource, name, 'row'
                elif each.attname == self.column.attname or _is_made_of(
                    resource, name, self.column.name
                ):
                    yield resource, name, kind_of_column(resource, name)

    def choose(self, random: Random, keys: Sequence[Any]) -> 'Mutation | None':
        """What becomes of one row; None where its value would be what it is."""
        row = self.model._base_manager.get(pk=random.choice(keys))
        if self.column is None:
            gone = random.random() < 0.5
            return Mutation(self, row, None, is_gone=gone)
        value = another(random, row, self.column)
        if value == getattr(row, self.column.attname):
            return None
        return Mutation(self, row, value)


@dataclass(frozen=True)
class Mutation:
    """One change of one row."""

    spot: Spot
    row: models.Model
    value: Any
    is_gone: bool = False

    @property
    def key(self) -> Any:
        """The primary key of the row."""
        return self.row.pk

    def values_of(self, resource: type[Resource], name: str) -> tuple[Any, ...]:
        """What a field shows of the row before, and of the column what it is to be."""
        if self.spot.column is None:
            return (self.key,)
        declared = resource.fields()[name]
        if isinstance(declared.declared, Computed):
            rows = self.spot.model._base_manager.filter(pk=self.key)
            return (
                *rows.annotate(value_=declared.declared.expression).values_list(
                    'value_', flat=True
                ),
            )
        if declared.attname != self.spot.column.attname:
            return (getattr(self.row, declared.attname, None),)
        was = getattr(self.row, self.spot.column.attname)
        plain = was.name if isinstance(was, FieldFile) else was
        return (plain, self.value)

    def apply(self) -> None:
        """Change the database."""
        rows = self.spot.model._base_manager
        if self.spot.column is not None:
            rows.filter(pk=self.key).update(**{self.spot.column.attname: self.value})
        elif self.is_gone:
            rows.filter(pk=self.key).delete()
        else:
            copied = rows.get(pk=self.key)
            copied.pk = None
            rows.bulk_create([copied])

    def __str__(self) -> str:
        name = f'{self.spot.model.__name__} {self.key}'
        if self.spot.column is not None:
            return f'{self.spot.column.name} of {name}, which becomes {self.value!r}'
        return f'{name}, which goes' if self.is_gone else f'a copy of {name}'


def spots_of(resources: Resources) -> Iterator[Spot]:
    """Every way of changing the tables of these resources, and those that link their rows."""
    found: dict[Model, None] = {each.options.model: None for each in resources}
    for resource in resources:
        for relation in resource.relations().values():
            if relation.many_to_many:
                found[_links(resource, relation.source)] = None
    for model in sorted(found, key=str):
        yield Spot(model, None)
        for column in model._meta.concrete_fields:
            if not (column.primary_key or column.generated):
                yield Spot(model, column)


def _links(resource: type[Resource], source: str) -> Model:
    """The table behind a relation of many to many."""
    for each in (*resource.options.model._meta.many_to_many, *_reverse(resource)):
        if each.name == source:
            edge: Any = each.remote_field if isinstance(each, models.ManyToManyField) else each
            through: Model = edge.through
            return through
    raise LookupError(source)


def _reverse(resource: type[Resource]) -> list[Any]:
    return [each for each in resource.options.model._meta.related_objects if each.many_to_many]


def _is_made_of(resource: type[Resource], name: str, column: str) -> bool:
    """Whether a field is computed from a column."""
    match resource.fields()[name].declared:
        case Computed(expression=expression):
            return f'F({column})' in repr(expression)
        case InPython(needs=needs):
            return column in needs
        case Url(path=path):
            return f'{{{column}}}' in path
    made_of = getattr(resource.fields()[name].model_field, 'expression', None)
    return f'F({column})' in repr(made_of)  # a column that the database generates


def kind_of_column(resource: type[Resource], name: str) -> str:
    """The kind of column that a field shows: its class, or the way in which it is declared."""
    declared = resource.declared.get(name)
    if declared is not None:
        return type(declared).__name__
    attname = resource.fields()[name].attname
    for column in resource.options.model._meta.concrete_fields:
        if column.attname == attname:
            chosen = ' of choices' if column.choices else ''
            return type(column).__name__.removesuffix('Field') + chosen
    raise LookupError(name)


def another(random: Random, row: models.Model, column: models.Field) -> Any:
    """Another value for a column: one that it has elsewhere, one made up, or none."""
    source, name = type(row)._base_manager, column.attname
    if isinstance(column, models.ForeignKey):
        source, name = column.related_model._base_manager, column.target_field.attname
    values = [*source.order_by('pk').values_list(name, flat=True)[:50]]
    now = getattr(row, column.attname)
    if not column.is_relation:
        values += [choice for choice, _ in column.flatchoices] or _near(column, now)
    values += [None] if column.null else []
    return random.choice(values or [now])


def _near(column: models.Field, now: Any) -> list[Any]:
    """Values that are like one, and are not it."""
    match now:
        case bool():
            return [not now]
        case int():
            return [now + 1, now + 1_000]
        case float() | Decimal():
            return [now + 1]
        case str() if not isinstance(column, models.GenericIPAddressField):
            return [(now + 'x')[-(column.max_length or 200) :]]
        case datetime() | date():
            return [now + timedelta(days=1)]
        case time():
            return [time(23 - now.hour, now.minute)]
        case timedelta():
            return [now + timedelta(hours=1)]
        case UUID():
            return [UUID(int=now.int ^ 1)]
        case list():
            return [[*now, 'x'], []]
        case dict():
            return [{**now, 'color': 'mauve'}, {}]
        case bytes() | memoryview():
            return [bytes(now) + b'x']
        case FieldFile():
            return [f'{now.name}x']
    return []
