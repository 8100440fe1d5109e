"""Lookups: Django's habit of filtering by parameters, such as `price__gte=10`.

Stage: reading. Each parameter becomes the conditions that the same comparison makes in a filter, so
that both spellings share one plan. It refuses parameters that do not exist (`ParameterError`) and
values that do not fit (`FilterError`).

    status=active               ==
    price__gte=10               >=; also gt, lt, lte, ne
    status__in=active,draft     in; also not_in
    price__range=5,10           >= 5 and <= 10
    name__icontains=mug         ilike '%mug%'; also contains, [i]startswith, [i]endswith, iexact
    released_on__isnull=true    is_null
    labels__any=sale            any; also not_any
    category.name=Mugs          through the relation `category`
    metadata.color=blue         a member of a JSON field
"""

from collections.abc import Iterator, Mapping, Sequence

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import FilterError, ParameterError
from backstay.resources.kinds.operators import WITH_LIST
from backstay.resources.query.filters import MAX_LISTED_VALUES, FilterReader
from backstay.resources.query.json_text import shown
from backstay.resources.query.nodes import Condition, Op
from backstay.resources.query.paths import Path, filterable
from backstay.resources.query.values import escaped

_OPERATORS: Mapping[str, Op] = {
    'exact': Op.EQ,
    'ne': Op.NE,
    'gt': Op.GT,
    'gte': Op.GE,
    'lt': Op.LT,
    'lte': Op.LE,
    'in': Op.IN,
    'not_in': Op.NOT_IN,
    'isnull': Op.IS_NULL,
    'range': Op.GE,
    'contains': Op.LIKE,
    'startswith': Op.LIKE,
    'endswith': Op.LIKE,
    'icontains': Op.ILIKE,
    'istartswith': Op.ILIKE,
    'iendswith': Op.ILIKE,
    'iexact': Op.ILIKE,
    'any': Op.ANY,
    'not_any': Op.NOT_ANY,
}
#: Where the text of a pattern stands.
_PATTERNS: Mapping[str, str] = {
    'contains': '%{}%',
    'startswith': '{}%',
    'endswith': '%{}',
    'icontains': '%{}%',
    'istartswith': '{}%',
    'iendswith': '%{}',
    'iexact': '{}',
}
#: Names that the text of an error tells.
_MAX_KNOWN_NAMES = 50


def parse_lookup(
    parameter: str, value: object, reader: FilterReader, others: Sequence[str] = ()
) -> Iterator[Condition]:
    """The conditions of one parameter: text of a query string, or a JSON value of a body.

    Raises FilterError, and ParameterError for a parameter that does not exist, which names those
    that do: `others`, and the fields.
    """
    name, given, lookup = parameter.partition('__')
    path = _path(name, reader.readable)
    if path is None:
        raise _unknown(parameter, reader.readable, others)
    lookup = lookup if given else 'exact'
    op = _OPERATORS.get(lookup)
    if op is None or op not in path.operators:
        raise ParameterError(
            f'Unknown parameter `{shown(parameter)}`. '
            f'`{shown(name)}` takes {", ".join(lookups_of(path.operators))}.'
        )
    if isinstance(value, str):
        value = _json_of(path, lookup, value)
    if lookup == 'range':
        least, most = _pair(value, parameter)
        yield reader.compare(path, Op.GE, least, parameter)
        yield reader.compare(path, Op.LE, most, parameter)
    elif lookup == 'isnull':
        yield reader.compare(path, _null_operator(value, parameter), None, parameter)
    else:
        yield reader.compare(path, op, _operand(lookup, value), parameter)


def lookups_of(operators: frozenset[Op]) -> tuple[str, ...]:
    """Return the lookups that stand for these operators; `exact` may be left out."""
    return tuple(lookup for lookup, op in _OPERATORS.items() if op in operators)


def _path(name: str, readable: Readable) -> Path | None:
    """The field that a dotted name leads to, through at most one relation."""
    if path := filterable(name, readable):
        return path
    head, _, rest = name.partition('.')
    relation = readable.relations.get(head)
    if relation is None:
        return None
    return filterable(rest, readable.through(relation), head)


def _json_of(path: Path, lookup: str, text: str) -> object:
    """What a body would have instead of the text of a query string."""
    if lookup == 'isnull':
        return {'true': True, 'false': False}.get(text)
    if lookup == 'range' or _OPERATORS[lookup] in WITH_LIST:
        # One more than is read, so that endless text is not taken apart.
        texts = text.split(',', MAX_LISTED_VALUES) if text else []
        return [path.field.kind.from_text(each) for each in texts]
    return path.field.kind.from_text(text)


def _operand(lookup: str, value: object) -> object:
    pattern = _PATTERNS.get(lookup)
    return pattern.format(escaped(value)) if pattern and isinstance(value, str) else value


def _pair(value: object, parameter: str) -> tuple[object, object]:
    match value:
        case [least, most]:
            return least, most
    raise FilterError('BadValue', 'A range takes two values: its least and its most.', parameter)


def _null_operator(value: object, parameter: str) -> Op:
    if not isinstance(value, bool):
        raise FilterError('BadValue', f'`{shown(parameter)}` takes true or false.', parameter)
    return Op.IS_NULL if value else Op.IS_NOT_NULL


def _unknown(parameter: str, readable: Readable, others: Sequence[str]) -> ParameterError:
    names = [*others, *(name for name, field in readable.fields.items() if field.filterable)]
    names += (
        f'{relation.name}.{name}'
        for relation in readable.relations.values()
        for name, field in readable.through(relation).fields.items()
        if field.filterable
    )
    listed = ', '.join(names[:_MAX_KNOWN_NAMES]) + (', …' if len(names) > _MAX_KNOWN_NAMES else '')
    return ParameterError(f'Unknown parameter `{shown(parameter)}`. Known parameters: {listed}.')
