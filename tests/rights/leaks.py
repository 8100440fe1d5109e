"""Leaks that are planted, so that the proof of non-interference shows that it finds each.

Every leak takes one guard away, in one position. Nothing of it is in the package: what a leak
changes is changed for the length of one test.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from unittest.mock import patch
from zlib import crc32

from django.db.models import ExpressionWrapper, F, Q

from backstay.caller import Caller, Facts
from backstay.errors import Problem
from backstay.resources.declaration.conditions import Compared, Complement
from backstay.resources.declaration.readable import Readable
from backstay.resources.http import answers, envelope, view_set
from backstay.resources.plan import cache, conditions, counts, objects, order, plan, rights
from backstay.resources.query.nodes import Leaf, Op
from backstay.resources.write import permissions
from tests.cabinet.models import Case, Room, Seal, Slip

COMMAND = Caller(kind='command', name='leak')
TRUSTED = COMMAND.standing()


@dataclass(frozen=True, slots=True)
class Leak:
    """One guard that is taken away."""

    #: The rule of `docs/reference/rules.md` that it breaks.
    rule: str
    #: In which position.
    where: str
    plant: Callable[[], AbstractContextManager[Any]]
    #: Callers among whom it shows, by name; all of them unless given.
    among: tuple[str, ...] = ('manager', 'key', 'guest')
    #: Kinds of column that it shows; all of them unless given.
    kinds: tuple[str, ...] = ()


def replaced(target: Any, name: str, value: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Put something else in the place of an attribute."""
    return lambda: patch.object(target, name, value)


def of_rights(module: ModuleType, **changed: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Let one module alone see other rights."""
    seen = ModuleType('rights')
    vars(seen).update({**vars(rights), **changed})
    return lambda: patch.object(module, 'rights', seen)


def every_row(readable: Readable) -> Any:
    return rights.rows_of(readable, True)


def everywhere(*_args: Any, **_named: Any) -> bool:
    return True


# Guards of filters.


def unguarded_where(when: Callable[[str, Any], bool]) -> Callable[[], AbstractContextManager[Any]]:
    """Let comparisons of some kind alone be asked of rows that do not show the field."""
    whole = conditions._write

    def write(where: Any, levels: Any) -> Q:
        if isinstance(where, Leaf):
            level = levels[where.relation]
            if when(where, level.readable.fields[where.field]):
                return conditions._written(where, level)
        return whole(where, levels)

    return replaced(conditions, '_write', write)


def unguarded_relation(asked: Q, name: str, level: Any) -> Q:
    if name in level.readable.relations:
        return asked
    return _guarded(asked, name, level)


_guarded = conditions._guarded


# Rows and fields.


def shapes_of_all(_readable: Readable, names: Any, _prefix: str = '') -> Any:
    return [(True, frozenset(names))]


def runs_of_all(_readable: Readable, names: Any, _prefix: str = '') -> Any:
    return [(True, [*names])]


def shapes_added_up(readable: Readable, names: Any, prefix: str = '') -> Any:
    """Fields of every grant below the one that covers the row."""
    found = rights_shapes(readable, names, prefix)
    return [
        (covered, frozenset().union(*(shown for _, shown in found[at:])))
        for at, (covered, _) in enumerate(found)
    ]


rights_shapes = rights.shapes


def deleted_for_all(readable: Readable, grant: Any, prefix: str) -> Any:
    model = readable.resource.options.model
    if readable.restoring:
        return rights.cover_rows(readable, grant.covers(model), prefix)
    return _cover(readable, grant, prefix)


def deleted_behind_relations(readable: Readable, grant: Any, prefix: str) -> Any:
    if prefix:
        return rights.cover_rows(readable, grant.covers(readable.resource.options.model), prefix)
    return _cover(readable, grant, prefix)


_cover = rights._cover


def has_complement(granted: Any) -> bool:
    return isinstance(granted, Complement) or any(
        map(has_complement, getattr(granted, 'parts', ()))
    )


def all_grants_cover(readable: Readable, granted: Any, prefix: str = '') -> Any:
    """A condition with a complement is dropped."""
    covered = cover_rows(readable, granted, prefix)
    return True if has_complement(granted) else covered


cover_rows = rights.cover_rows


def unprefixed(self: Any, condition: Any) -> Any:
    """The columns of a condition are looked for in the row around it."""
    if isinstance(condition, Compared) and type(condition.value) is F:
        around = ExpressionWrapper(F(condition.value.name), condition.path.field)
        return _write(self, replace(condition, value=around))
    return _write(self, condition)


_write = rights._Writer.write


def readable_if(when: Callable[[Any], bool]) -> Any:
    """Fields of some kind are readable on every row."""

    def where_readable(readable: Readable, name: str, prefix: str = '') -> Any:
        field = readable.fields.get(name)
        if field is not None and when(field):
            return True
        return _where_readable(readable, name, prefix)

    return where_readable


_where_readable = rights.where_readable


def trusted_through(_self: Readable, relation: Any) -> Readable:
    return Readable(relation.target, TRUSTED)


# Values that are bound.


def level_ignored(self: Facts, key: str) -> Any:
    kind, _, name = key.partition(':')
    if kind == 'scope':
        return self._caller.ids(name.partition(':')[0], 0)
    return _missing(self, key)


def another_account(self: Facts, key: str) -> Any:
    return 2 if key == 'caller:account_id' else _missing(self, key)


_missing = Facts.__missing__


# Answers.


def shared_plan(self: Any, readable: Readable, shape: Any, connection: Any) -> Any:
    """Plans are kept for everybody: the first who asks decides."""
    return _plan(self, replace(readable, standing=TRUSTED), shape, connection)


_plan = cache.PlanCache.plan


def hidden_sum() -> int:
    """A number that every stored value has a part in."""
    tables = (each._base_manager.order_by('pk').values_list() for each in (Room, Case, Seal, Slip))
    rows = [[bytes(value) if isinstance(value, memoryview) else value for value in row]
            for table in tables for row in table]  # fmt: skip
    return crc32(repr(rows).encode()) % 10_000


def telling_tag(text: bytes, version: int | None = None) -> str:
    return f'{_etag_of(text, version)}{hidden_sum()}'


_etag_of = view_set.etag_of


def telling_headers(response: Any, clock: Any) -> None:
    _add_headers(response, clock)
    response['X-Sum'] = str(hidden_sum())


_add_headers = answers.add_headers


def telling_cursor(*args: Any, **named: Any) -> str:
    return _encrypt(*args, **named) + 'A' * (hidden_sum() % 16)


_encrypt = envelope.encrypt


def telling_absence(self: Any, request: Any, **path: str) -> Any:
    try:
        return _retrieve(self, request, **path)
    except Problem as problem:
        key = path[self.lookup_url_kwarg]
        if problem.answer_status == 404 and self.resource.options.model._base_manager.filter(
            pk=key
        ):
            raise Problem('This is not yours.', status=403, code='not-permitted') from None
        raise


_retrieve = view_set.ResourceViewSet.retrieve


def trusted_csv(self: Any, request: Any, asked: Any, clock: Any) -> Any:
    return _answer_csv(self, request, replace(asked, caller=COMMAND), clock)


_answer_csv = view_set.ResourceViewSet._answer_csv


def trusted_query(request: Any, *args: Any) -> Any:
    asked = _read_of(request, *args)
    return replace(asked, caller=COMMAND) if request.method == 'POST' else asked


_read_of = view_set.read_of


def telling_envelope(request: Any, query: Any, rows: Any, seal: Any) -> bytes:
    """A next page wherever any row is left that the caller may not see."""
    text = _envelope(request, query, rows, seal)
    return text.replace(b'"next":null', b'"next":"%d"' % hidden_sum())


_envelope = view_set.envelope


def telling_permission(detail: str = '') -> Problem:
    return Problem(f'{hidden_sum()} are not yours.', status=403, code='not-permitted')


def every_count(readable: Readable, shape: Any, rows: Any) -> Any:
    """A count of rows that nobody asked about rights."""
    where = conditions.condition(shape.where, readable)
    return _count_rows(readable, shape, every_row(readable).filter(where))


_count_rows = counts.count_rows


def every_estimate(readable: Readable, shape: Any, rows: Any) -> Any:
    if shape.count != 'estimate':
        return _count_rows(readable, shape, rows)
    return every_count(readable, shape, rows)


def is_computed(field: Any) -> bool:
    return not field.attname


def nested_order(readable: Readable, key: Any) -> Any:
    with patch.object(order.rights, 'where_readable', everywhere):
        return _sort_key(readable, key)


_sort_key = order.sort_key


LEAKS: Mapping[str, Leak] = {
    'rows of lists': Leak('L1', 'list', of_rights(plan, rows=every_row)),
    'rows of nested lists': Leak('L1', 'many', of_rights(objects, rows=every_row)),
    'rows behind a relation to one': Leak('L1', 'one', of_rights(objects, visible=everywhere)),
    'rows behind filters': Leak('L1', 'some, none', of_rights(conditions, rows=every_row)),
    'rows behind orders': Leak('L1', 'order', of_rights(order, visible=everywhere)),
    'rows of CSV': Leak(
        'L1', 'CSV', replaced(view_set.ResourceViewSet, '_answer_csv', trusted_csv)
    ),
    'rows of posted queries': Leak(
        'L1', 'POST query', replaced(view_set, 'read_of', trusted_query)
    ),
    'fields of objects': Leak('R1', 'object', of_rights(objects, shapes=shapes_of_all)),
    'fields of objects with relations': Leak('R1', 'many', of_rights(objects, runs=runs_of_all)),
    'fields of lower grants': Leak('R1', 'list', of_rights(objects, shapes=shapes_added_up)),
    'comparisons': Leak('L3', 'filter', unguarded_where(lambda leaf, _: leaf.op is Op.EQ)),
    'questions for NULL': Leak(
        'L3', 'parameter', unguarded_where(lambda leaf, _: leaf.op is Op.IS_NULL)
    ),
    'comparisons with a list': Leak(
        'L3', 'filter', unguarded_where(lambda leaf, _: leaf.op is Op.NOT_IN)
    ),
    'members of JSON': Leak(
        'L3', 'filter', unguarded_where(lambda leaf, _: bool(leaf.member)), kinds=('JSON',)
    ),
    'elements of arrays': Leak(
        'L3', 'filter', unguarded_where(lambda leaf, _: leaf.op is Op.ANY), kinds=('Array',)
    ),
    'comparisons of related rows': Leak(
        'L3', 'related', unguarded_where(lambda leaf, _: bool(leaf.relation))
    ),
    'computed values in filters': Leak(
        'L13', 'filter', unguarded_where(lambda _, field: is_computed(field)), kinds=('Computed',)
    ),
    'relations of filters': Leak(
        'L4',
        'some, none',
        replaced(conditions, '_guarded', unguarded_relation),
        among=('manager', 'operator', 'level'),
        kinds=('link', 'ForeignKey'),
    ),
    'keys of orders': Leak('L3', 'order', of_rights(order, where_readable=everywhere)),
    'keys of nested orders': Leak(
        'L3',
        'many',
        replaced(objects, 'sort_key', nested_order),
        kinds=('Char', 'Integer', 'Date', 'Decimal'),
    ),
    'computed values in orders': Leak(
        'L13',
        'cursor',
        of_rights(order, where_readable=readable_if(is_computed)),
        kinds=('Computed',),
    ),
    'rights of the row around': Leak('L5', 'many', replaced(Readable, 'through', trusted_through)),
    'counts': Leak('L14', 'count', replaced(plan, 'count_rows', every_count)),
    'estimates': Leak('L14', 'estimate', replaced(plan, 'count_rows', every_estimate)),
    'links to the next page': Leak('L14', 'list', replaced(view_set, 'envelope', telling_envelope)),
    'lengths of cursors': Leak('L9', 'cursor', replaced(envelope, 'encrypt', telling_cursor)),
    'entity tags': Leak('L10', 'ETag', replaced(view_set, 'etag_of', telling_tag)),
    'headers': Leak('L8', 'object', replaced(answers, 'add_headers', telling_headers)),
    'absence': Leak(
        'L8',
        'object',
        replaced(view_set.ResourceViewSet, 'retrieve', telling_absence),
        kinds=('row',),
    ),
    'plans that are shared': Leak('L12', 'list', replaced(cache.PlanCache, 'plan', shared_plan)),
    'refusals of writes': Leak(
        'L11', 'write', replaced(permissions, 'not_permitted', telling_permission)
    ),
    'deleted rows': Leak('R9', 'deleted', replaced(rights, '_cover', deleted_for_all)),
    'deleted rows behind relations': Leak(
        'R9', 'one', replaced(rights, '_cover', deleted_behind_relations)
    ),
    'complements': Leak('R2', 'list', replaced(rights, 'cover_rows', all_grants_cover)),
    'columns of conditions': Leak('R2', 'one', replaced(rights._Writer, 'write', unprefixed)),
    'levels of scopes': Leak('R4', 'list', replaced(Facts, '__missing__', level_ignored)),
    'values of the caller': Leak('R3', 'list', replaced(Facts, '__missing__', another_account)),
}
