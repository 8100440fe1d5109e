"""Questions for hypothesis: masks, filters, orders and pages, over the rows that there are."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.utils.duration import duration_string
from hypothesis import strategies as st

from backstay.resources import Many, Resource, kinds
from backstay.resources.declaration.shape import Field
from backstay.resources.kinds.operators import OF_MEMBERS
from backstay.resources.query.filters import MAX_GROUPS, MAX_MODELS
from backstay.resources.query.nodes import CountMode
from tests.resources import values
from tests.resources.oracle import Compare, Group, Junction, SortKey, Tree, related, target

Draw = Callable[[st.SearchStrategy[Any]], Any]
T = TypeVar('T')

_MAX_TEXT = 256
_SCALARS = (1, True, False, '1', 'true', 1.5, 'new', '{}', '["x"]')
_MEMBERS = ('', 'color', 'größe')


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; the properties spell it as a client does."""

    resource: type[Resource]
    mask: list[Any] | None
    trees: tuple[Tree, ...]
    keys: tuple[SortKey, ...]
    limit: int
    offset: int
    count: CountMode

    @property
    def mask_text(self) -> str | None:
        return None if self.mask is None else _mask_text(self.mask)

    @property
    def filter_spec(self) -> Any:
        return [_spec(tree, self.resource) for tree in self.trees]

    @property
    def sort_spec(self) -> Any:
        return [sort_spec(key, self.resource) for key in self.keys]


@st.composite
def questions(draw: Draw, resource: type[Resource], rows: Sequence[Any]) -> Question:
    """Questions to a resource that has these rows."""
    trees = tuple(_tree(draw, resource, rows, 2, 2) for _ in range(_pick(draw, (0, 1, 1, 1, 2))))
    return Question(
        resource=resource,
        mask=_mask(draw, resource, 3) if _pick(draw, range(5)) else None,
        trees=trees if _are_few(trees) else (),
        keys=tuple(sort_key(draw, resource) for _ in range(_pick(draw, (0, 1, 2, 3)))),
        limit=_pick(draw, (100, 100, 100, 100, 100, 100, 3, 2, 1, 0)),
        offset=_pick(draw, (0, 0, 0, 0, 0, 1, 2)),
        count=_pick(draw, ('exact', 'none', 'estimate')),
    )


def _pick(draw: Draw, options: Sequence[T]) -> T:
    return options[draw(_index(len(options)))]


def _flip(draw: Draw) -> bool:
    return bool(draw(_index(2)))


@lru_cache
def _index(length: int) -> st.SearchStrategy[int]:
    return st.integers(0, length - 1)


# Masks.


def _mask(draw: Draw, resource: type[Resource], depth: int) -> list[Any]:
    names = [*resource.fields(), *resource.relations()] + 3 * [*resource.relations()]
    names += ['*', 'nope']
    chosen = dict.fromkeys(_pick(draw, names) for _ in range(_pick(draw, range(8))))
    return [(name, _below(draw, resource, name, depth)) for name in chosen]


def _below(draw: Draw, resource: type[Resource], name: str, depth: int) -> list[Any] | None:
    if depth > 1 and name in resource.relations() and _pick(draw, range(3)):
        return _mask(draw, target(resource, name), depth - 1)
    field = resource.fields().get(name)
    if field and field.kind is kinds.JSON and not field.declared and _flip(draw):
        return _data_mask(draw, 2)
    return None


def _data_mask(draw: Draw, depth: int) -> list[Any]:
    names = ('color', 'größe', 'a', 'aa', '*')
    chosen = dict.fromkeys(_pick(draw, names) for _ in range(_pick(draw, (1, 2, 3))))
    return [
        (name, _data_mask(draw, 1) if depth > 1 and name != '*' and _flip(draw) else None)
        for name in chosen
    ]


def _mask_text(mask: list[Any]) -> str:
    return '{' + ','.join(_entry_text(name, below) for name, below in mask) + '}'


def _entry_text(name: str, below: list[Any] | None) -> str:
    return name if below is None else name + _mask_text(below)


# Filters.


def _tree(
    draw: Draw, resource: type[Resource], rows: Sequence[Any], depth: int, groups: int
) -> Tree:
    shape = _pick(draw, ('leaf', 'leaf', 'and', 'or', 'not')) if depth else 'leaf'
    if shape == 'leaf':
        return _leaf(draw, resource, rows, groups)
    count = 1 if shape == 'not' else _pick(draw, (1, 2, 3))
    return Junction(
        shape, tuple(_tree(draw, resource, rows, depth - 1, groups - 1) for _ in range(count))
    )


def _are_few(trees: Sequence[Tree]) -> bool:
    """Whether one request may ask all of it."""
    return len(_named(trees)) <= MAX_MODELS and _groups(trees) <= MAX_GROUPS


def _groups(trees: Sequence[Tree]) -> int:
    inner = (
        tree.parts if isinstance(tree, Junction) else getattr(tree, 'where', ()) for tree in trees
    )
    return sum(isinstance(tree, Group) for tree in trees) + sum(map(_groups, inner))


def _named(trees: Sequence[Tree], group: int = 0) -> set[tuple[int, str]]:
    """The models that leaves name, each with the group in which they do."""
    found: set[tuple[int, str]] = set()
    for tree in trees:
        match tree:
            case Compare(relation=relation) if relation:
                found.add((group, relation))
            case Junction(parts=parts):
                found |= _named(parts, group)
            case Group(where=where):
                found |= _named(where, id(tree))
    return found


def _leaf(draw: Draw, resource: type[Resource], rows: Sequence[Any], groups: int) -> Tree:
    relation = _pick(draw, ('', '', '', '', *resource.relations()))
    if not relation:
        return _compare(draw, resource, rows, '')
    inner = target(resource, relation)
    there = [each for row in rows for each in related(row, resource, relation)]
    if groups < 1 or _flip(draw):
        return _compare(draw, inner, there, relation)
    count = _pick(draw, (0, 1))
    where = tuple(_tree(draw, inner, there, 1, groups - 1) for _ in range(count))
    return Group(_pick(draw, ('some', 'none')), relation, where)


def _compare(draw: Draw, resource: type[Resource], rows: Sequence[Any], relation: str) -> Compare:
    fields = [field for field in resource.fields().values() if field.filterable]
    field = _pick(draw, fields)
    member = _pick(draw, _MEMBERS) if field.kind is kinds.JSON else ''
    ops = sorted(op.value for op in (OF_MEMBERS if member else field.kind.operators))
    op = _pick(draw, ops)
    value = _operand(draw, op, field, rows, member)
    return Compare(field=field.name, op=op, value=value, relation=relation, member=member)


def _operand(draw: Draw, op: str, field: Field, rows: Sequence[Any], member: str) -> Any:
    match op:
        case 'is_null' | 'is_not_null':
            return None
        case 'in' | 'not_in':
            count = _pick(draw, range(4))
            return [_value(draw, field, rows, member) for _ in range(count)]
        case 'like' | 'ilike' | 'not_ilike':
            return _pattern(draw, _value(draw, field, rows, member))
    return _value(draw, field, rows, member)


def _value(draw: Draw, field: Field, rows: Sequence[Any], member: str) -> Any:
    """A value to compare with: one that some row has, or another."""
    if _flip(draw):
        row_values = (_values_of(getattr(row, field.name), member) for row in rows)
        known = [value for found in row_values for value in found if _may_be_asked(value)]
        if known:
            return _pick(draw, known)
    if member or field.kind is kinds.ARRAY:
        return _pick(draw, _SCALARS)
    return draw(values.askable(field.model_field))


def _values_of(value: Any, member: str) -> list[Any]:
    if member:
        value = value.get(member) if isinstance(value, dict) else None
    return value if isinstance(value, list) else [value]


def _may_be_asked(value: Any) -> bool:
    """Whether a filter takes it: no NUL, 64 bits, scalars alone."""
    match value:
        case None | dict() | list():
            return False
        case str():
            return '\0' not in value and len(value) <= _MAX_TEXT
        case int():
            return -(2**63) <= value < 2**63
    return True


#: What a pattern makes of the two parts of a text, or of its letters in the other case.
_WAYS = ('%{0}%', '{0}%{1}', '_{1}', '{0}{1}', '%', '{0}_{1}', '\\%{0}', '%{2}%', '{2}')


def _pattern(draw: Draw, text: str) -> str:
    at = _pick(draw, range(len(text) + 1))
    parts = (text[:at], text[at:], text.swapcase()[: _MAX_TEXT // 2])
    escaped = [part.replace('\\', '\\\\').replace('%', '\\%').replace('_', '\\_') for part in parts]
    return _pick(draw, _WAYS).format(*escaped)


# Orders.


def sort_key(draw: Draw, resource: type[Resource]) -> SortKey:
    """A key by which the resource can be ordered."""
    relation, name = _pick(draw, _orderable(resource))
    return SortKey(name, relation, _flip(draw), _pick(draw, ('', 'first', 'last')))


@lru_cache
def _orderable(resource: type[Resource]) -> list[tuple[str, str]]:
    names = [('', name) for name, field in resource.fields().items() if field.orderable]
    for relation in resource.relations():
        if not isinstance(resource.declared[relation], Many):
            there = target(resource, relation).fields().items()
            names += [(relation, name) for name, field in there if field.orderable]
    return names


# Spelling.


def _spec(tree: Tree, resource: type[Resource]) -> Any:
    match tree:
        case Junction(word=word, parts=parts):
            return {word: [_spec(part, resource) for part in parts]}
        case Group(word=word, relation=relation, where=where):
            inner = target(resource, relation)
            model, specs = inner.options.name, [_spec(part, inner) for part in where]
            return {word: {'model': model, 'where': specs}}
        case Compare(field=field, op=op, member=member, relation=relation):
            spec = {'field': f'{field}.{member}' if member else field, 'op': op}
            if op not in ('is_null', 'is_not_null'):
                spec['value'] = _json(tree.value)
            if relation:
                spec['model'] = target(resource, relation).options.name
            return spec
    raise TypeError(tree)


def sort_spec(key: SortKey, resource: type[Resource]) -> Any:
    """A key as a client spells it."""
    spec: dict[str, Any] = {
        'field': key.field,
        'direction': 'desc' if key.descending else 'asc',
    }
    if key.relation:
        spec['model'] = target(resource, key.relation).options.name
    if key.nulls:
        spec[f'nulls{key.nulls}'] = True
    return spec


def _json(value: Any) -> Any:
    match value:
        case list():
            return [_json(each) for each in value]
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return duration_string(value)
        case Decimal() | UUID():
            return str(value)
    return value
