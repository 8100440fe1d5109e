"""Filters, orders and masks in Python, over objects of the ORM: what the database must agree with.

Written from rules M4, M6, M13, F3 to F6, F10 and F11 of `docs/reference/rules.md`; it
shares no code with the compiler. A truth is True, False, or None where SQL says unknown.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import ip_address
from itertools import product
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models

from backstay.resources import Many, One, Resource
from backstay.resources.declaration.registry import resolve

Truth = bool | None
#: The rows that leaves speak of: the listed one under '', one for each model that is named.
Rows = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A leaf of a filter."""

    field: str
    op: str
    value: Any = None
    #: Relation whose model the leaf names.
    relation: str = ''
    member: str = ''


@dataclass(frozen=True, slots=True)
class Junction:
    """`and`, `or` or `not` over parts."""

    word: str
    parts: tuple['Tree', ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`some` or `none`."""

    word: str
    relation: str
    where: 'tuple[Tree, ...]'


Tree = Compare | Junction | Group


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order; `nulls` is 'first', 'last', or '' for the default."""

    field: str
    relation: str = ''
    descending: bool = False
    nulls: str = ''


# Filters.


def passes(trees: Sequence[Tree], row: Any, resource: type[Resource]) -> bool:
    """Whether one combination of related rows satisfies all of it (rules F3 and F4)."""
    names = sorted({name for tree in trees for name in _relations(tree)})
    whole = Junction('and', tuple(trees))
    return any(
        _truth(whole, {'': row, **dict(zip(names, combination, strict=True))}, resource) is True
        for combination in product(*(related(row, resource, name) for name in names))
    )


def related(row: Any, resource: type[Resource], name: str) -> list[Any]:
    """The rows that a relation leads to."""
    declared = resource.declared[name]
    source = getattr(declared, 'source', None) or name
    if isinstance(declared, Many):
        return sorted(getattr(row, source).all(), key=lambda each: each.pk)
    try:
        found = getattr(row, source)
    except ObjectDoesNotExist:
        return []
    return [] if found is None else [found]


def target(resource: type[Resource], name: str) -> type[Resource]:
    """The resource that a relation leads to."""
    declared = resource.declared[name]
    if not isinstance(declared, One | Many):
        raise TypeError(f'{name} is no relation')
    return resolve(declared.resource, 'tests.bookshop.resources')


def _relations(tree: Tree) -> Iterator[str]:
    match tree:
        case Compare(relation=relation) if relation:
            yield relation
        case Junction(parts=parts):
            for part in parts:
                yield from _relations(part)


def _truth(tree: Tree, rows: Rows, resource: type[Resource]) -> Truth:
    match tree:
        case Compare():
            return _compare(tree, rows[tree.relation])
        case Group(word=word, relation=relation, where=where):
            inner = target(resource, relation)
            found = any(passes(where, row, inner) for row in related(rows[''], resource, relation))
            return found == (word == 'some')
        case Junction(word='and', parts=parts):
            return _all([_truth(part, rows, resource) for part in parts])
        case Junction(word='or', parts=parts):
            return _not(_all([_not(_truth(part, rows, resource)) for part in parts]))
        case Junction(parts=(part,)):
            return _not(_truth(part, rows, resource))
    raise TypeError(tree)


def _all(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    '==': operator.eq,
    '!=': operator.ne,
    '>': operator.gt,
    '<': operator.lt,
    '>=': operator.ge,
    '<=': operator.le,
    'like': lambda text, pattern: _matches(text, pattern),
    'ilike': lambda text, pattern: _matches(_lower(text), _lower(pattern)),
    'not_ilike': lambda text, pattern: not _matches(_lower(text), _lower(pattern)),
    'any': lambda array, value: _is_among(array, value),
    'not_any': lambda array, value: not _is_among(array, value),
}


def _compare(leaf: Compare, row: Any) -> Truth:
    value = getattr(row, leaf.field)
    if leaf.member:
        value = _scalar(_member(value, leaf.member))
    elif isinstance(_column(row, leaf.field), models.GenericIPAddressField) and value is not None:
        return _compare_values(leaf.op, ip_address(value), _addresses(leaf.value))
    if leaf.member:
        return _compare_values(leaf.op, value, _scalars(leaf.value))
    return _compare_values(leaf.op, value, leaf.value)


def _compare_values(op: str, value: Any, other: Any) -> Truth:
    match op:
        case 'is_null':
            return value is None
        case 'is_not_null':
            return value is not None
        case 'in' | 'not_in' if not other:
            return op == 'not_in'
    if value is None:
        return None
    if op in ('in', 'not_in'):
        return (value in other) == (op == 'in')
    return _COMPARISONS[op](value, other)


def _column(row: Any, name: str) -> models.Field | None:
    return next((each for each in row._meta.concrete_fields if each.attname == name), None)


def _addresses(value: Any) -> Any:
    if isinstance(value, list):
        return [ip_address(each) for each in value]
    return value and ip_address(value)


def _member(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None


def _scalar(value: Any) -> Any:
    """JSON's scalars so that true is not 1; an object or array equals no scalar."""
    if value is None:
        return None
    if isinstance(value, bool | str):
        return type(value), value
    return (float, value) if isinstance(value, int | float) else object()


def _scalars(value: Any) -> Any:
    return [_scalar(each) for each in value] if isinstance(value, list) else _scalar(value)


def _is_among(array: Any, value: Any) -> bool:
    return _scalar(value) in [_scalar(each) for each in array]


def _lower(text: str) -> str:
    """Each letter by itself, as towlower has it."""
    return ''.join(
        letter.lower()[0] if letter.isascii() or folds_every_letter() else letter for letter in text
    )


@cache
def folds_every_letter() -> bool:
    """Whether ILIKE does. PostgreSQL asks LC_CTYPE of the database, which may be C: ASCII alone."""
    if connection.vendor == 'sqlite':
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower('ÉΣ') = 'éσ'")
        return bool(cursor.fetchone()[0])


def _matches(text: str, pattern: str) -> bool:
    return _like(text, _tokens(pattern))


def _like(text: str, tokens: tuple[str, ...]) -> bool:
    """Whether the text matches: the lengths of prefix that each token may end at, step by step."""
    ends = {0}
    for token in tokens:
        if token == 'many':
            ends = set(range(min(ends), len(text) + 1)) if ends else ends
        else:
            ends = {at + 1 for at in ends if at < len(text) and token in ('one', text[at])}
    return len(text) in ends


@lru_cache
def _tokens(pattern: str) -> tuple[str, ...]:
    characters = iter(pattern)
    wildcards = {'%': 'many', '_': 'one'}
    return tuple(
        next(characters) if each == '\\' else wildcards.get(each, each) for each in characters
    )


# Orders.


def in_order(rows: Sequence[Any], keys: Sequence[SortKey], resource: type[Resource]) -> list[Any]:
    """The rows by these keys, then by primary key in the direction of the last."""
    ordered = sorted(rows, key=lambda row: row.pk, reverse=bool(keys) and keys[-1].descending)
    for key in reversed(keys):
        values = {id(row): _sort_value(row, key, resource) for row in ordered}
        known = [row for row in ordered if values[id(row)] is not None]
        unknown = [row for row in ordered if values[id(row)] is None]
        known.sort(key=lambda row: values[id(row)], reverse=key.descending)
        first = key.nulls == 'first' if key.nulls else key.descending
        ordered = [*unknown, *known] if first else [*known, *unknown]
    return ordered


def declared_keys(names: Sequence[str]) -> list[SortKey]:
    """A declared order, such as ('-stars', 'id')."""
    return [SortKey(name.removeprefix('-'), descending=name[0] == '-') for name in names]


def _sort_value(row: Any, key: SortKey, resource: type[Resource]) -> Any:
    if not key.relation:
        return row.pk if key.field == 'pk' else getattr(row, key.field)
    rows = related(row, resource, key.relation)
    return getattr(rows[0], key.field) if rows else None


# Masks.


def shown(resource: type[Resource], mask: Sequence[Any] | None) -> list[tuple[str, Any]]:
    """The members that a mask shows, in order (rule M4); None stands for the default mask.

    A mask is a list of pairs of a name and the mask below it, if there is one.
    """
    known = [*resource.fields(), *resource.relations()]
    if mask is None:
        default = resource.options.default_mask.strip('{}')
        mask = [(name, None) for name in default.split(',') if name] or [
            (name, None) for name in resource.fields()
        ]
    entries = {name: below for name, below in mask if name in known}
    if any(name == '*' for name, _ in mask):
        entries |= {name: None for name in known if name not in entries}
    return list(entries.items())


def filtered(data: Any, mask: Sequence[Any]) -> Any:
    """What a mask leaves of plain data (rule M13)."""
    if isinstance(data, list):
        return [filtered(each, mask) for each in data]
    if not isinstance(data, dict):
        return data
    left = {}
    for name, below in dict(mask).items():
        if name != '*' and name in data and not (below is not None and data[name] is None):
            left[name] = data[name] if below is None else filtered(data[name], below)
    if '*' in dict(mask):
        left |= {name: value for name, value in data.items() if name not in left}
    return left
