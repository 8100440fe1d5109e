"""Questions made at random: masks, filters and orders that a caller may ask."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from backstay.resources import Many, Resource, kinds
from backstay.resources.query.filters import MAX_MODELS
from tests.resources.oracle import Compare, Group, Junction, SortKey, Tree
from tests.rights.oracle import View, relations_of, target
from tests.rights.world import choices_of

Below = Mapping[str, Any]
_COMPARED = frozenset(
    {
        kinds.TEXT,
        kinds.CHOICE,
        kinds.INTEGER,
        kinds.FLOAT,
        kinds.DECIMAL,
        kinds.DATE,
        kinds.LONG_TEXT,
    }
)


def any_mask(random: Random, resource: type[Resource], depth: int = 4) -> Below:
    """A mask of names that the resource has, some of which the caller may not read."""
    names = [*resource.fields(), *(resource.relations() if depth else ())]
    chosen = random.sample(names, random.randint(1, len(names)))
    return {
        name: any_mask(random, target(resource, name), depth - 1)
        if name in resource.relations()
        else None
        for name in chosen
    }


def whole_mask(resource: type[Resource], depth: int = 4) -> Below:
    """A mask of everything."""
    relations = resource.relations() if depth else ()
    below = {name: whole_mask(target(resource, name), depth - 1) for name in relations}
    return dict.fromkeys(resource.fields()) | below


def mask_text(mask: Below) -> str:
    """The mask as a client writes it."""
    parts = (name if below is None else name + mask_text(below) for name, below in mask.items())
    return '{' + ','.join(parts) + '}'


# Filters that the caller may ask.


def any_filter(random: Random, view: View, resource: type[Resource]) -> list[Tree]:
    """One tree or two, that have to hold together and name no more models than is allowed."""
    while True:
        trees = [_tree(random, view, resource, 3) for _ in range(random.randint(1, 2))]
        if len({name for tree in trees for name in relations_of(tree)}) <= MAX_MODELS:
            return trees


def _tree(random: Random, view: View, resource: type[Resource], depth: int) -> Tree:
    kind = random.random()
    if depth and kind < 0.25:
        parts = tuple(_tree(random, view, resource, depth - 1) for _ in range(2))
        return Junction(random.choice(('and', 'or')), parts)
    if depth and kind < 0.45:
        return Junction('not', (_tree(random, view, resource, depth - 1),))
    relations = [name for name in view.names(resource) if name in resource.relations()]
    if relations and depth == 3 and kind < 0.7:
        name = random.choice(relations)
        inner = target(resource, name)
        where = (_leaf(random, view, inner),) if random.random() < 0.8 else ()
        return Group(random.choice(('some', 'none')), name, where)
    if relations and kind < 0.85:
        name = random.choice(relations)
        return _leaf(random, view, target(resource, name), name)
    return _leaf(random, view, resource)


def _leaf(random: Random, view: View, resource: type[Resource], relation: str = '') -> Compare:
    fields = resource.fields()
    names = [name for name in view.names(resource) if name in fields and fields[name].filterable]
    names = [name for name in names if fields[name].kind in _COMPARED]
    name = random.choice(names)
    ordered = fields[name].kind not in (kinds.CHOICE, kinds.LONG_TEXT)
    op = random.choice(('==', '!=', 'is_null', 'is_not_null', 'in', *('>', '<=') * ordered))
    values = values_for(view, resource, name)
    if not values:
        return Compare(field=name, op='is_null', value=None, relation=relation)
    if op == 'in':
        return Compare(
            field=name, op=op, value=random.sample(values, min(2, len(values))), relation=relation
        )
    value = None if 'null' in op else random.choice(values)
    return Compare(field=name, op=op, value=value, relation=relation)


def values_for(view: View, resource: type[Resource], name: str) -> list[Any]:
    """Values that a field has on some row, or might have."""
    model = resource.options.model
    column = resource.fields()[name].attname
    if column == model._meta.pk.attname:
        return [*view.world.rows[model]]
    choices = choices_of(model, view.world).get(column) or [Decimal('2.00'), Decimal('5.00')]
    return [value for value in choices if value is not None]


def filter_spec(trees: Sequence[Tree], resource: type[Resource]) -> list[Any]:
    """The filter as a client writes it."""
    return [_spec(tree, resource) for tree in trees]


def _spec(tree: Tree, resource: type[Resource]) -> dict[str, Any]:
    match tree:
        case Compare():
            spec: dict[str, Any] = {'field': tree.field, 'op': tree.op}
            if 'null' not in tree.op:
                spec['value'] = plain(tree.value)
            if tree.relation:
                spec['model'] = target(resource, tree.relation).options.name
            return spec
        case Group(word=word, relation=relation, where=where):
            inner = target(resource, relation)
            return {word: {'model': inner.options.name, 'where': filter_spec(where, inner)}}
    return {tree.word: [_spec(part, resource) for part in tree.parts]}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case list():
            return [plain(each) for each in value]
        case Decimal() | date():
            return str(value)
    return value


# Orders that the caller may ask.


def any_order(random: Random, view: View, resource: type[Resource]) -> list[SortKey]:
    """Up to three keys."""
    known = [*_sortable(view, resource)]
    chosen = random.sample(known, min(len(known), random.randint(1, 3)))
    return [
        SortKey(field, relation, random.random() < 0.5, random.choice(('', 'first', 'last')))
        for relation, field in chosen
    ]


def _sortable(view: View, resource: type[Resource]) -> Iterator[tuple[str, str]]:
    for name in view.names(resource):
        if name in resource.fields():
            if resource.fields()[name].orderable:
                yield '', name
        elif not isinstance(resource.declared[name], Many):
            inner = target(resource, name)
            fields = (each for each in view.names(inner) if each in inner.fields())
            yield from ((name, each) for each in fields if inner.fields()[each].orderable)


def sort_spec(keys: Sequence[SortKey], resource: type[Resource]) -> list[dict[str, Any]]:
    """The order as a client writes it."""
    specs = []
    for key in keys:
        spec: dict[str, Any] = {'field': key.field}
        spec['direction'] = 'desc' if key.descending else 'asc'
        if key.relation:
            spec['model'] = target(resource, key.relation).options.name
        if key.nulls:
            spec[f'nulls{key.nulls}'] = True
        specs.append(spec)
    return specs
