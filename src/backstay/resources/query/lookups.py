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
#: The pattern of each lookup, with `{}` in place of the text.
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
    """Yield the conditions of one parameter: text of a query string, or a JSON value of a body.

    Raises FilterError, and ParameterError for a parameter that does not exist, which names those
    that do: `others`, and the fields.
    """
    name, given, lookup = parameter.partition('__')
    path = filterable(name, reader.readable)
    if path is None:
        head, _, rest = name.partition('.')
        relation = reader.readable.relations.get(head)
        if relation is not None:
            path = filterable(rest, reader.readable.through(relation), head)
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
        if not isinstance(value, list) or len(value) != 2:
            detail = 'A range takes two values: its least and its most.'
            raise FilterError('BadValue', detail, parameter)
        yield reader.compare(path, Op.GE, value[0], parameter)
        yield reader.compare(path, Op.LE, value[1], parameter)
    elif lookup == 'isnull':
        if not isinstance(value, bool):
            raise FilterError('BadValue', f'`{shown(parameter)}` takes true or false.', parameter)
        op = Op.IS_NULL if value else Op.IS_NOT_NULL
        yield reader.compare(path, op, None, parameter)
    else:
        if lookup in _PATTERNS and isinstance(value, str):
            value = _PATTERNS[lookup].format(escaped(value))
        yield reader.compare(path, op, value, parameter)


def lookups_of(operators: frozenset[Op]) -> tuple[str, ...]:
    """Return the lookups that stand for these operators; `exact` may be left out."""
    return tuple(lookup for lookup, op in _OPERATORS.items() if op in operators)


def _json_of(path: Path, lookup: str, text: str) -> object:
    """Return the JSON that a body would have in place of the text of a query string."""
    if lookup == 'isnull':
        return {'true': True, 'false': False}.get(text)
    if lookup == 'range' or _OPERATORS[lookup] in WITH_LIST:
        # One more than is read, so that endless text is not taken apart.
        texts = text.split(',', MAX_LISTED_VALUES) if text else []
        return [path.field.kind.from_text(each) for each in texts]
    return path.field.kind.from_text(text)


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
