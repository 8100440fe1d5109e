"""The rows of a grant as typed conditions, parsed once for each model and read by everything else.

A grant says its rows as Django's `Q`. `parse` makes a small frozen tree of it whose paths are
resolved against the model. The tree tells what a standing alone decides (`settle`), which columns
it depends on, whether it reads other tables, and whether it lies within another. The pass that
writes it as an ORM expression is in `backstay.resources.plan.rights`.

Everything in it speaks of the resource's own row, wherever the row stands: listed, nested, asked
about in a filter, or an order's key. Where a name does not exist, or something cannot be said of
a row, `parse` raises DeclarationError.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Col
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.sql.datastructures import Join
from django.db.models.sql.query import Query

from backstay.caller import Standing
from backstay.encryption.declared import EncryptedField
from backstay.resources.errors import DeclarationError


def _refuse_to_resolve(value: object) -> Any:
    raise DeclarationError(
        f'{value!r} stands inside an expression or a queryset. It can only be the whole value of '
        f'a lookup in `rows` or `check`, such as Q(owner_id=CallerValue("account_id")).'
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """In `rows`: the things over which the caller holds at least a level.

    `Q(company_id__in=Scope('companies', level=2))`. Bound as one array per request.
    """

    over: str
    level: int = 0

    def resolve_expression(self, *_: Any, **__: Any) -> Any:
        """Refuse to be part of a query of Django, which would take it for a constant."""
        return _refuse_to_resolve(self)


@dataclass(frozen=True, slots=True)
class CallerValue:
    """In `rows`: a value of the caller, such as `Q(owner_id=CallerValue('account_id'))`.

    It is NULL, and so equal to nothing, where the caller has no such value.
    """

    name: str

    def resolve_expression(self, *_: Any, **__: Any) -> Any:
        """Refuse to be part of a query of Django, which would take it for a constant."""
        return _refuse_to_resolve(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The columns and rows that a part of a condition reads, as Django resolves it."""

    #: Attributes of the own row on which it depends.
    columns: frozenset[str] = frozenset()
    #: Whether it looks at rows of other tables too.
    leaves: bool = False
    #: Whether it follows a path to many, whose join would multiply the own row.
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPath:
    """A path from the own row to a value, with the transforms behind it: `created_at__year`."""

    #: As lookups spell it.
    name: str
    #: The type of the value at its end; of a relation, of the key that it points at.
    field: models.Field
    #: The attribute of the own row that it is; '' for everything further away or transformed.
    attname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A value of the row, or of a related one, compared with a constant, column or expression."""

    path: RowPath
    #: Name of Django's lookup, such as `exact` or `gte`.
    lookup: str
    #: A constant, a CallerValue, or what Django can resolve over the own row.
    value: Any
    reach: Reach

    @property
    def names_row(self) -> bool:
        """Whether its value names the own row in a way that no prefix can be put before."""
        return type(self.value) is not F and bool(_expressions(self.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """A value of the row, or of a related one, that is one of those that the caller holds."""

    path: RowPath
    scope: Scope
    reach: Reach
    names_row = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressed:
    """A boolean expression over the row, such as an `Exists` whose `OuterRef` is the row."""

    expression: Any
    reach: Reach
    names_row = True


@dataclass(frozen=True, slots=True)
class AllOf:
    """The rows that every part covers."""

    parts: tuple['GrantCondition', ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The rows that some part covers."""

    parts: tuple['GrantCondition', ...]


@dataclass(frozen=True, slots=True)
class Complement:
    """The rows that a part does not cover, also where it is unknown for them."""

    part: 'GrantCondition'


Comparing = Compared | Among | Expressed
GrantCondition = Comparing | AllOf | AnyOf | Complement
#: The rows that are covered: all, none, or those of which a condition holds.
Covered = GrantCondition | bool


def parse(rows: Q, model: type[models.Model]) -> Covered:
    """Return the condition that a `Q` of a grant states about rows of a model.

    Raises DeclarationError for a name that does not exist, with those that do, and for what is
    no condition on one row.
    """
    parts = [_part(child, model) for child in rows.children]
    if not parts:
        found: Covered = True
    elif rows.connector == Q.OR:
        found = _any_of(parts)
    elif rows.connector == Q.XOR:
        found = False
        for part in parts:
            found = _any_of((_all_of((found, _not(part))), _all_of((_not(found), part))))
    else:
        found = _all_of(parts)
    return _not(found) if rows.negated else found


def settle(condition: Covered, standing: Standing) -> Covered:
    """Return the condition as far as a standing does not decide it.

    A scope that the caller holds over everything is true for every row, and falls away.
    """
    match condition:
        case Among(scope=scope):
            held = (level for over, level in standing.everywhere if over == scope.over)
            return any(level >= scope.level for level in held) or condition
        case AllOf(parts=parts):
            return _all_of([settle(part, standing) for part in parts])
        case AnyOf(parts=parts):
            return _any_of([settle(part, standing) for part in parts])
        case Complement(part=part):
            return _not(settle(part, standing))
    return condition


def leaves_of(condition: Covered) -> Iterator[Comparing]:
    """Yield every comparison and expression in a condition."""
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from leaves_of(part)
        case Complement(part=part):
            yield from leaves_of(part)
        case Compared() | Among() | Expressed():
            yield condition


def depends_on(condition: Covered, written: Iterable[str]) -> bool:
    """Return whether the condition may change once these attributes of a row are written.

    Rows of other tables may have been written with it.
    """
    changed = frozenset(written)
    return any(
        each.reach.leaves or not changed.isdisjoint(each.reach.columns)
        for each in leaves_of(condition)
    )


def is_within(inner: Covered, outer: Covered) -> bool:
    """Return whether rows are among others for certain: a level includes those below it."""
    match inner, outer:
        case (AllOf(parts=some), AllOf(parts=others)) | (AnyOf(parts=some), AnyOf(parts=others)):
            return len(some) == len(others) and all(map(is_within, some, others))
        case Among(path=path, scope=high), Among(path=other, scope=low):
            return path.name == other.name and high.over == low.over and high.level >= low.level
    return bool(inner == outer)


def _all_of(parts: Iterable[Covered]) -> Covered:
    kept: list[GrantCondition] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.append(part)
    return AllOf(tuple(kept)) if len(kept) > 1 else kept[0] if kept else True


def _any_of(parts: Iterable[Covered]) -> Covered:
    kept: list[GrantCondition] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.append(part)
    return AnyOf(tuple(kept)) if len(kept) > 1 else kept[0] if kept else False


def _not(part: Covered) -> Covered:
    if isinstance(part, bool):
        return not part
    return part.part if isinstance(part, Complement) else Complement(part)


# Reading a `Q`.


def _part(child: Any, model: type[models.Model]) -> Covered:
    if isinstance(child, Q):
        return parse(child, model)
    if not isinstance(child, tuple):
        return Expressed(expression=child, reach=reach_of([child], model, type(child).__name__))
    name, value = child
    path, lookup = _path(name, model)
    reach = reach_of([F(path.name), *_expressions(value)], model, name)
    if isinstance(value, Scope | CallerValue) and isinstance(path.field, _UNCOMPARED):
        kind = type(path.field).__name__
        raise DeclarationError(f'`{name}` is a {kind}, which no {type(value).__name__} equals')
    if isinstance(value, Scope):
        if lookup != 'in':
            raise DeclarationError(f'`{name}` compares with a Scope: write `{path.name}__in`')
        return Among(path=path, scope=value, reach=reach)
    if lookup == 'in' and isinstance(value, list | tuple | set | frozenset) and not value:
        return False
    return Compared(path=path, lookup=lookup, value=value, reach=reach)


#: Columns that have no one spelling as a bound value.
_UNCOMPARED = (models.JSONField, models.BinaryField)


def _path(lookup: str, model: type[models.Model]) -> tuple[RowPath, str]:
    """Return the path at the start of a lookup, as Django resolves it, and the lookup's name."""
    query = Query(model)
    try:
        behind, parts, _ = query.solve_lookup_type(lookup)
        name, operator = '__'.join(parts), 'exact'
        value: Any = F(name).resolve_expression(query)
        for at, each in enumerate(behind, 1):
            if at == len(behind) and value.get_lookup(each):
                operator = each
            else:
                if at == 1 and query.names_to_path(parts, model._meta)[1].is_relation:
                    # It names no field; Django then says which there are.
                    query.names_to_path([*parts, each], model._meta, fail_on_missing=True)
                value = query.try_transform(value, each)
                name = f'{name}__{each}'
    except FieldError as error:
        raise DeclarationError(f'`{lookup}` names nothing of {model.__name__}. {error}') from None
    is_own = isinstance(value, Col) and value.alias == query.get_initial_alias()
    field: models.Field = value.output_field
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    attname = value.target.attname if is_own else ''
    return RowPath(name=name, field=field, attname=attname), operator


def _expressions(value: Any) -> list[Any]:
    """Return what Django has to resolve in a lookup's value: expressions and querysets."""
    values = value if isinstance(value, list | tuple) else (value,)
    return [
        each
        for each in values
        if hasattr(each, 'resolve_expression') and not isinstance(each, Scope | CallerValue)
    ]


def reach_of(expressions: Iterable[Any], model: type[models.Model], name: str) -> Reach:
    """Return the reach of expressions over a row, resolved as Django does in a query of it.

    Raises DeclarationError for names that do not exist, and for what needs more rows than one.
    """
    query = Query(model)
    own = query.get_initial_alias()
    try:
        resolved = [each.resolve_expression(query, allow_joins=True) for each in expressions]
    except FieldError as error:
        raise DeclarationError(f'`{name}` names nothing of {model.__name__}. {error}') from None
    if any(each.contains_aggregate or each.contains_over_clause for each in resolved):
        raise DeclarationError(
            f'`{name}` counts over several rows. Count them in a Subquery with OuterRef("pk").'
        )
    nodes = [node for each in resolved for node in _nodes(each)]
    for node in nodes:
        if isinstance(node, Col) and isinstance(node.target, EncryptedField):
            raise DeclarationError(
                f'`{name}` reads {node.target.name!r}, which is encrypted: only Python can.'
            )
    edges = [
        join.join_field
        for alias, join in query.alias_map.items()
        if isinstance(join, Join) and query.alias_refcount[alias]
    ]
    return Reach(
        columns=frozenset(
            attname
            for node in nodes
            if isinstance(node, Col) and node.alias == own
            for attname in _made_of(node.target)
        ),
        leaves=bool(edges) or any(isinstance(node, Query) for node in nodes),
        many=any(isinstance(edge, ForeignObjectRel) and not edge.one_to_one for edge in edges),
    )


def _nodes(resolved: Any) -> Iterator[Any]:
    """Yield a resolved expression and all of its parts; subqueries are not entered."""
    yield resolved
    sources = resolved.get_source_expressions() if not isinstance(resolved, Query) else []
    listed = getattr(resolved, 'rhs', None)
    for each in (*sources, *(listed if isinstance(listed, list | tuple) else ())):
        if hasattr(each, 'get_source_expressions'):
            yield from _nodes(each)


def _made_of(column: models.Field) -> Iterator[str]:
    """Yield the attribute of a column, and of those of which the database makes it."""
    yield column.attname
    if column.generated:
        expression = column.expression  # type: ignore[attr-defined]
        yield from reach_of([expression], column.model, column.name).columns
