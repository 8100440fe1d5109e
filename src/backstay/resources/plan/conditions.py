"""Conditions of a filter as ORM expressions.

A relation is never joined: it becomes an EXISTS over the rows of its target that the caller may
see, so that no row is multiplied and no hidden row is asked. Leaves that name the same relation
speak of the same related row (rule F4): the innermost EXISTS holds them all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Case, Exists, ExpressionWrapper, F, OuterRef, Q, When
from django.db.models.expressions import Combinable

from backstay.engine import comparisons as sql
from backstay.engine.slots import TRUTH, AloneSlot, JsonSlot, ListSlot, PatternSlot, Slot
from backstay.resources.declaration.fields import Computed
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.plan import rights
from backstay.resources.plan.values import compared, computed, computed_beside
from backstay.resources.query.nodes import And, Condition, Leaf, Not, Op, Or, Related

_SQL = {Op.EQ: '=', Op.NE: '<>', Op.GT: '>', Op.LT: '<', Op.GE: '>=', Op.LE: '<='}


@dataclass(frozen=True, slots=True)
class _Level:
    """A resource of which a condition speaks, and how many subqueries out its rows are."""

    readable: Readable
    depth: int = 0

    def deeper(self, by: int = 1) -> '_Level':
        return _Level(self.readable, self.depth + by)

    def attribute(self, name: str) -> Combinable:
        """An attribute of its row, seen from the innermost query."""
        reference: Combinable = F(name)
        for _ in range(self.depth):
            reference = OuterRef(reference if isinstance(reference, OuterRef) else name)
        return reference

    def value(self, field: Field) -> Combinable:
        """A value of its row, seen from the innermost query."""
        if not isinstance(field.declared, Computed):
            return self.attribute(field.attname)
        if self.depth == 0:
            return computed(field)
        return computed_beside(field, self.readable, self.deeper().attribute('pk'))


def condition(where: Condition, readable: Readable) -> Q:
    """Return the condition over rows of a resource."""
    return _over_root(where, _Level(readable))


def _over_root(where: Condition, root: _Level) -> Q:
    """Return conjuncts on the root as they are, and all others in one nest of EXISTS."""
    conjuncts = where.parts if isinstance(where, And) else (where,)
    plain = [each for each in conjuncts if not any(_relations(each))]
    joined = tuple(each for each in conjuncts if any(_relations(each)))
    found = Q(*(_write(each, {'': root}) for each in plain))
    if joined:
        named = (root.readable.relations[name] for each in joined for name in _relations(each))
        names = [name for each in named for name in (each.via, each.name) if name]
        found &= _nest(tuple(dict.fromkeys(names)), And(joined), {'': root})
    return found


def _relations(where: Condition) -> Iterator[str]:
    """Yield the relations that the leaves name; `some` and `none` have theirs to themselves."""
    match where:
        case Leaf(relation=relation) if relation:
            yield relation
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _relations(part)
        case Not(part=part):
            yield from _relations(part)


def _nest(names: Sequence[str], where: Condition, levels: dict[str, _Level]) -> Q:
    """Return EXISTS in EXISTS, one for each relation, and the condition in the innermost."""
    name, *rest = names
    relation = levels[''].readable.relations[name]
    before = levels[relation.via]
    rows, levels = _enter(relation, levels)
    inner = _nest(rest, where, levels) if rest else _write(where, levels)
    return _guarded(Q(Exists(rows.filter(inner))), relation.step, before)


def _enter(
    relation: Relation, levels: dict[str, _Level]
) -> tuple[models.QuerySet, dict[str, _Level]]:
    """Return the visible rows of a relation, and the levels as seen from among them."""
    target = levels[''].readable.through(relation)
    outside = {each: level.deeper() for each, level in levels.items()}
    key = outside[relation.via].attribute(relation.local)
    rows = rights.rows(target).filter(**{relation.back: key})
    return rows, {**outside, relation.name: _Level(target)}


def _write(where: Condition, levels: dict[str, _Level]) -> Q:
    match where:
        case Leaf():
            level = levels[where.relation]
            return _guarded(_written(where, level), where.field, level)
        case And(parts=parts):
            return Q(*(_write(part, levels) for part in parts))
        case Or(parts=parts):
            return reduce(or_, (_write(part, levels) for part in parts))
        case Not(part=part):
            return ~_write(part, levels)
        case Related(relation=name, where=inner, negated=negated):
            return _related(name, inner, levels[''], negated=negated)


def _related(name: str, where: Condition, root: _Level, *, negated: bool) -> Q:
    relation = root.readable.relations[name]
    if relation.via:
        behind = Related(relation=relation.then, where=where, negated=False)
        return _related(relation.via, behind, root, negated=negated)
    rows, levels = _enter(relation, {'': root})
    exists = Exists(rows.filter(_over_root(where, levels[name])))
    return _guarded(Q(~exists if negated else exists), name, root)


def _guarded(asked: Q, name: str, level: _Level) -> Q:
    """Return a condition on a name that is unknown on rows that do not show it to the caller."""
    readable_on = rights.where_readable(level.readable, name)
    if readable_on is True:
        return asked
    if readable_on is False:
        readable_on = Q(sql.nowhere())
    elif level.depth:
        # The grants speak of a row further out: they are asked there.
        model = level.readable.resource.options.model
        row = model._base_manager.order_by().filter(pk=level.deeper().attribute('pk'))
        readable_on = Q(Exists(row.filter(readable_on)))
    return Q(Case(When(readable_on, then=ExpressionWrapper(asked, TRUTH))))


def _written(leaf: Leaf, level: _Level) -> Q:
    field = level.readable.fields[leaf.field]
    value = compared(level.value(field), field)
    operand = _Operand(leaf, field)
    if leaf.member:
        return _compare_member(leaf.op, value, sql.MemberName(leaf.member), operand)
    match leaf.op:
        case Op.IS_NULL:
            return Q(sql.is_null(value))
        case Op.IS_NOT_NULL:
            return Q(sql.is_null(value, negated=True))
        case Op.IN:
            return Q(sql.is_in(value, operand.listed()))
        case Op.NOT_IN:
            return ~Q(sql.is_in(value, operand.listed()))
        case Op.EQ if field.kind.digest_form:
            return Q(sql.is_in(value, operand.alone()))
        case Op.NE if field.kind.digest_form:
            return ~Q(sql.is_in(value, operand.alone()))
        case Op.LIKE:
            return Q(sql.is_like(value, operand.pattern(glob=True)))
        case Op.ILIKE:
            return Q(sql.is_ilike(value, operand.pattern()))
        case Op.NOT_ILIKE:
            return ~Q(sql.is_ilike(value, operand.pattern()))
        case Op.ANY:
            return Q(_has_element(value, operand))
        case Op.NOT_ANY:
            return ~Q(_has_element(value, operand))
    ordered = leaf.op not in (Op.EQ, Op.NE) and field.kind.is_bytewise
    return Q(sql.compare(sql.Bytewise(value) if ordered else value, _SQL[leaf.op], operand.one()))


@dataclass(frozen=True, slots=True)
class _Operand:
    """The bound side of a comparison, in the form that the operator takes."""

    leaf: Leaf
    field: Field

    @property
    def slot(self) -> int:
        if self.leaf.slot is None:
            raise ValueError(f'{self.leaf.op} without a slot')
        return self.leaf.slot

    def one(self) -> Slot:
        return self.field.kind.slot(self.slot, self.field.model_field)

    def listed(self) -> ListSlot:
        return self.field.kind.list_slot(self.slot, self.field.model_field)

    def alone(self) -> ListSlot:
        """One value as a list, of a kind that stores it in several forms."""
        return AloneSlot(self.slot, self.field.model_field, self.field.kind.bindings)

    def pattern(self, *, glob: bool = False) -> PatternSlot:
        return PatternSlot(self.slot, glob=glob)

    def json(self) -> JsonSlot:
        return JsonSlot(self.slot)


def _compare_member(op: Op, document: Combinable, member: sql.MemberName, operand: _Operand) -> Q:
    match op:
        case Op.IS_NULL:
            return Q(sql.json_member_is_null(document, member))
        case Op.IS_NOT_NULL:
            return ~Q(sql.json_member_is_null(document, member))
        case Op.IN:
            return Q(sql.json_member_is_in(document, member, operand.json()))
        case Op.NE:
            return ~Q(sql.json_member_equals(document, member, operand.json()))
    return Q(sql.json_member_equals(document, member, operand.json()))


def _has_element(array: Combinable, operand: _Operand) -> Combinable:
    base = getattr(operand.field.model_field, 'base_field', None)
    if base is None:
        return sql.json_has_element(array, operand.json())
    return sql.has_element(array, Slot(operand.slot, base))
