"""A selection as JSON that the database writes, and the patches that only Python can make."""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Case, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable

from backstay.engine import Engine
from backstay.engine.json_text import (
    JsonMembers,
    JsonObject,
    JsonRows,
    JsonText,
    JsonUrl,
    Unless,
)
from backstay.engine.slots import TEXT as ORIGIN
from backstay.resources.declaration.fields import Computed, InPython, Url
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, column_as_field
from backstay.resources.kinds import TEXT
from backstay.resources.plan import rights
from backstay.resources.plan.order import ordering, sort_key
from backstay.resources.plan.stages import (
    Selection,
    ShowField,
    ShowMany,
    ShowOne,
)
from backstay.resources.plan.values import beside, computed, json_value, value_of
from backstay.resources.query.mask import apply
from backstay.resources.query.order import declared_order, default_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A value that Python replaces after the database wrote it."""

    #: Names from the row down to the value; lists on the way are entered element by element.
    path: tuple[str, ...]
    function: Callable[[Any], Any]


#: Rows of one list that an answer shows, over all rows that have the list.
MAX_LIST_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedList:
    """A list of related rows in the JSON of a row."""

    #: Names from the row down to the list; lists on the way are entered element by element.
    path: tuple[str, ...]
    #: Rows that each such list shows at most.
    cap: int
    #: Bytes below which an answer holds no more than `MAX_LIST_ROWS` rows of it.
    heavy_bytes: float


def json_object(selection: Selection, engine: Engine, prefix: str = '') -> Combinable:
    """Return the object of a row; `prefix` is the ORM path from the query's own row to it.

    Where the caller's grants show more of one row than of another, each row's decides.
    """
    members: dict[str, Combinable] = {}
    for name, member in selection.members:
        match member:
            case ShowField(field=field):
                members[name] = _value(field, selection, prefix)
            case ShowOne():
                members[name] = _one(member, engine, prefix)
            case ShowMany():
                members[name] = _rows(member, engine, prefix)
    if any(isinstance(member, ShowOne | ShowMany) for _, member in selection.members):
        return _pieced(members, selection.readable, prefix)
    *special, (_, common) = rights.shapes(selection.readable, list(members), prefix)
    whens = [When(covered, then=_object(members, shown)) for covered, shown in special]
    usual = _object(members, common)
    return Case(*whens, default=usual, output_field=ORIGIN) if whens else usual


def _object(members: Mapping[str, Combinable], shown: Collection[str]) -> JsonObject:
    return JsonObject([(name, value) for name, value in members.items() if name in shown])


def _pieced(members: Mapping[str, Combinable], readable: Readable, prefix: str) -> JsonObject:
    """Return the object, with a condition for each run of members.

    An object for each shape would write nested rows once for each, and theirs once for each of
    these: the statement would grow with the power of its depth.
    """
    pieces: list[tuple[str, Combinable] | Combinable] = []
    for covered, names in rights.runs(readable, list(members), prefix):
        run = [(name, members[name]) for name in names]
        if covered is True:
            pieces.extend(run)
        elif covered is not False:
            shown = When(covered, then=JsonMembers(run))
            pieces.append(Case(shown, default=Value(''), output_field=ORIGIN))
    return JsonObject(pieces)


def patches(selection: Selection) -> Iterator[Patch]:
    """Yield the patches that Python makes to every row, outermost first."""
    for name, member in selection.members:
        match member:
            case ShowField(field=field) if function := _function(field, selection):
                yield Patch(path=(name,), function=function)
            case ShowField(inner=inner) if inner is not None:
                yield Patch(path=(name,), function=partial(apply, mask=inner))
            case ShowOne(selection=nested) | ShowMany(selection=nested):
                for patch in patches(nested):
                    yield Patch(path=(name, *patch.path), function=patch.function)


def _function(field: Field, selection: Selection) -> Callable[[Any], Any] | None:
    """Return what Python makes of the JSON of a value; None where it shows it as it is."""
    if field.kind.reveal is not None:
        return partial(field.kind.reveal, field.model_field)
    if not isinstance(field.declared, InPython):
        return None
    fields = selection.readable.resource.fields()
    needed = {name: _function(fields[name], selection) for name in field.declared.needs}
    revealed = {name: reveal for name, reveal in needed.items() if reveal}
    return (
        partial(_in_python, field.declared.function, revealed)
        if revealed
        else (field.declared.function)
    )


def _in_python(
    function: Callable[[Any], Any], revealed: Mapping[str, Callable[[Any], Any]], found: Any
) -> Any:
    return function({**found, **{name: reveal(found[name]) for name, reveal in revealed.items()}})


def lists(selection: Selection, most: int, path: tuple[str, ...] = ()) -> Iterator[NestedList]:
    """Yield every list of a row, outer ones first; `most` rows of the selection are shown."""
    for name, member in selection.members:
        if isinstance(member, ShowOne):
            yield from lists(member.selection, most, (*path, name))
        elif isinstance(member, ShowMany):
            cap: int = member.relation.declared.cap  # type: ignore[union-attr]
            # The fewest bytes of a row: `{},` and its names, unless rows show different ones.
            names = [name for name, _ in member.selection.members]
            if len(member.selection.readable.grants) > 1:
                names = []
            least = len('{},') + sum(len(f'"{each}":0') for each in names) + max(len(names) - 1, 0)
            heavy = MAX_LIST_ROWS * least
            yield NestedList(
                path=(*path, name),
                cap=cap,
                heavy_bytes=heavy if most * cap > MAX_LIST_ROWS else math.inf,
            )
            yield from lists(member.selection, most * cap, (*path, name))


def _one(member: ShowOne, engine: Engine, prefix: str) -> Combinable:
    """Return the object of the related row; null where there is none that may be seen."""
    path = f'{prefix}{member.relation.source}__'
    value = json_object(member.selection, engine, path)
    visible = rights.visible(member.selection.readable, path)
    if not isinstance(visible, bool):
        present = Q((f'{path}pk__isnull', False)) & visible
        return Case(When(present, then=value), default=Value('null'), output_field=ORIGIN)
    optional = member.relation.nullable or bool(prefix)
    return Unless(F(f'{path}pk'), value) if optional else value


def _value(field: Field, selection: Selection, prefix: str) -> Combinable:
    match field.declared:
        case InPython(needs=needs):
            fields = selection.readable.resource.fields()
            return JsonObject([(name, _value(fields[name], selection, prefix)) for name in needs])
        case Url(path=path):
            return _url(path, selection.readable.resource.fields(), prefix)
    if isinstance(field.declared, Computed):
        value = json_value(computed(field), field)
        if not prefix:
            return value
        return beside(selection.readable, OuterRef(f'{prefix}pk'), value)
    value = json_value(value_of(field, selection.readable, prefix), field)
    if field.kind.reveal is None:
        return value
    members: list[tuple[str, Combinable]] = [('value', value)]
    for name, column in field.kind.beside(field.model_field).items():
        beside_it = column_as_field(name, column)
        members.append((name, json_value(F(f'{prefix}{column.attname}'), beside_it)))
    return JsonObject(members)


def _url(path: str, fields: Mapping[str, Field], prefix: str) -> JsonText:
    """Return the URL; null where a value in it is."""
    literals = re.split(r'\{\w+\}', path)
    parts = [fields[name] for name in re.findall(r'\{(\w+)\}', path)]
    columns = [F(f'{prefix}{part.attname}') for part in parts]
    values = [
        column if part.kind is TEXT else json_value(column, part, nullable=False)
        for column, part in zip(columns, parts, strict=True)
    ]
    url: JsonText = JsonUrl(TEXT.slot('origin', ORIGIN), literals, values)
    for column, part in zip(columns, parts, strict=True):
        url = Unless(column, url) if part.nullable else url
    return url


def _rows(member: ShowMany, engine: Engine, prefix: str) -> JsonRows:
    relation = member.relation
    declared = relation.declared
    target = member.selection.readable
    names = declared.ordering  # type: ignore[union-attr]
    order = declared_order(names, target) if names else default_order(target)
    keys = [sort_key(target, key) for key in order]
    rows = rights.rows(target).filter(**{relation.back: OuterRef(f'{prefix}{relation.local}')})
    rows = rows.order_by(*(ordering(key, engine) for key in keys))
    written = rows.annotate(json_=json_object(member.selection, engine)).values('json_')
    cap = declared.cap  # type: ignore[union-attr]
    return JsonRows(written[: cap + 1], cap)
