"""Filters: a `filter_spec` as a tree of conditions.

Stage: reading. It refuses what is not a filter, names what the caller cannot read, or is larger
than one request may ask (`FilterError`), and knows neither SQL nor where the spec came from.

Meaning and limits: rules F1 to F9, after sqlalchemy-filters 0.13.0. Lists inside lists are
flattened, and an AND in an AND is one AND, so that different spellings of a filter make one tree.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import FilterError
from backstay.resources.kinds.operators import (
    OF_ARRAYS,
    SPELLINGS,
    WITH_LIST,
    WITH_PATTERN,
    WITHOUT_VALUE,
    spelled,
)
from backstay.resources.query.json_text import shown
from backstay.resources.query.nodes import And, Condition, Leaf, Not, Op, Or, Related
from backstay.resources.query.paths import Path, UnknownModel, filterable, relation_of
from backstay.resources.query.values import read

MAX_FILTER_DEPTH = 10
MAX_LEAVES = 100
MAX_MODELS = 3
MAX_GROUPS = 4
MAX_GROUP_DEPTH = 2
MAX_LISTED_VALUES = 500

_LEAF = frozenset({'field', 'op', 'value', 'model'})
_GROUP = frozenset({'model', 'where'})
_FUNCTIONS = ('or', 'and', 'not', 'some', 'none')


@dataclass(slots=True)
class Tally:
    """The size of one request's conditions so far; refuses more than is allowed."""

    leaves: int = 0
    groups: int = 0
    #: Relations that leaves name, each with the pointer of the group in which they do.
    relations: set[tuple[str, str]] = field(default_factory=set)

    def add_leaf(self, group: str, relation: str, pointer: str) -> None:
        """Count a comparison and the relation that it names."""
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise _too_complex(f'more than {MAX_LEAVES} comparisons', pointer)
        if relation:
            self.relations.add((group, relation))
            if len(self.relations) > MAX_MODELS:
                raise _too_complex(f'more than {MAX_MODELS} models', pointer)

    def add_group(self, depth: int, pointer: str) -> None:
        """Count a `some` or `none` that stands in `depth` others."""
        self.groups += 1
        if self.groups > MAX_GROUPS:
            raise _too_complex(f'more than {MAX_GROUPS} of `some` and `none`', pointer)
        if depth >= MAX_GROUP_DEPTH:
            raise _too_complex(
                f'`some` and `none` nested more than {MAX_GROUP_DEPTH} deep', pointer
            )


@dataclass(frozen=True, slots=True)
class FilterReader:
    """The context of a part of a filter: whose fields it names, its values, its size so far."""

    readable: Readable
    values: list[Any]
    tally: Tally
    #: The number of `some` and `none` around it, and the pointer of the innermost.
    groups: int = 0
    group: str = ''

    def compare(self, path: Path, op: Op, raw: object, pointer: str) -> Leaf:
        """Return a comparison whose value takes the next slot; `pointer` leads to the value.

        Comparing with null is asking whether there is a value.
        """
        if raw is None and op in (Op.EQ, Op.NE):
            op = Op.IS_NULL if op is Op.EQ else Op.IS_NOT_NULL
        if raw is None and op not in WITHOUT_VALUE | WITH_LIST:
            raise _bad_format(f'`{op.value}` needs a value, and null is none.', pointer)
        self.tally.add_leaf(self.group, path.relation, pointer)
        slot = None
        if op not in WITHOUT_VALUE:
            slot = len(self.values)
            self.values.append(_operand(path, op, raw, pointer))
        return Leaf(
            field=path.field.name, op=op, slot=slot, relation=path.relation, member=path.member
        )


def parse_filter(
    spec: object, readable: Readable, values: list[Any], tally: Tally | None = None
) -> Condition:
    """Return the tree of a filter_spec, its values appended to `values`. Raises FilterError.

    `{'field': 'price', 'op': '>=', 'value': 10}` becomes `Leaf(field='price', op=Op.GE, slot=0)`,
    with `Decimal(10)` in `values`.
    """
    return all_of(_parts(spec, FilterReader(readable, values, tally or Tally()), '', 0))


def all_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that is true where every part is."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that is true where some part is."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def _parts(spec: object, reader: FilterReader, pointer: str, depth: int) -> list[Condition]:
    """Return the conditions of a spec: those of a list together, or the one of an object."""
    if depth > MAX_FILTER_DEPTH:
        raise _too_complex(f'nested more than {MAX_FILTER_DEPTH} deep', pointer)
    if isinstance(spec, list):
        return [
            part
            for index, each in enumerate(spec)
            for part in _parts(each, reader, f'{pointer}/{index}', depth + isinstance(each, list))
        ]
    if not isinstance(spec, dict):
        raise _bad_format(f'Filter spec `{shown(spec)}` should be a dictionary.', pointer)
    functions = [name for name in _FUNCTIONS if name in spec]
    if not functions:
        return [_leaf(spec, reader, pointer)]
    function = functions[0]
    if len(functions) > 1:
        raise _bad_format('The spec has more than one boolean function.', pointer)
    for other in spec:
        if other != function:
            raise _bad_format(
                f'The spec has a boolean function mixed with `{shown(other)}`.', pointer
            )
    read_function = _group if function in ('some', 'none') else _boolean
    return [read_function(function, spec[function], reader, f'{pointer}/{function}', depth + 1)]


def _boolean(
    function: str, arguments: object, reader: FilterReader, pointer: str, depth: int
) -> Condition:
    if not isinstance(arguments, list):
        detail = f'`{function}` value must be an iterable across the function arguments'
        raise _bad_format(detail, pointer)
    parts = _parts(arguments, reader, pointer, depth)
    if function == 'not':
        if len(parts) != 1:
            raise _bad_format('`not` must have one argument', pointer)
        return Not(parts[0])
    if not parts:
        raise _bad_format(f'`{function}` must have one or more arguments', pointer)
    return all_of(parts) if function == 'and' else any_of(parts)


def _group(
    function: str, group: object, reader: FilterReader, pointer: str, depth: int
) -> Condition:
    """Read a `some` or `none`: conditions on one related row, whose fields they then name."""
    if not isinstance(group, dict):
        raise _bad_format(f'`{function}` value must be a dictionary.', pointer)
    _refuse_unknown(group, _GROUP, pointer)
    if 'model' not in group:
        raise _bad_format(f'`model` is a mandatory attribute of `{function}`.', pointer)
    where = group.get('where', [])
    if not isinstance(where, list):
        raise _bad_format('`where` must be a list.', f'{pointer}/where')
    relation = _relation(group['model'], reader, f'{pointer}/model')
    if relation is None:
        detail = f'`{function}` needs a related model, not the resource itself.'
        raise FilterError('BadSpec', detail, f'{pointer}/model')
    reader.tally.add_group(reader.groups, pointer)
    inner = FilterReader(
        reader.readable.through(reader.readable.relations[relation]),
        reader.values,
        reader.tally,
        reader.groups + 1,
        pointer,
    )
    condition = all_of(_parts(where, inner, f'{pointer}/where', depth))
    return Related(relation=relation, where=condition, negated=function == 'none')


def _leaf(spec: dict[str, Any], reader: FilterReader, pointer: str) -> Leaf:
    if 'field' not in spec:
        raise _bad_format('`field` is a mandatory filter attribute.', pointer)
    name = spec['field']
    if not isinstance(name, str):
        raise _bad_format('`field` must be a string.', f'{pointer}/field')
    _refuse_unknown(spec, _LEAF, pointer)
    spelling = Op.EQ.value if spec.get('op') in (None, '') else spec['op']
    if not isinstance(spelling, str):
        raise _bad_format('`op` must be a string.', f'{pointer}/op')
    if spelling not in SPELLINGS:
        raise _bad_format(f'Operator `{shown(spelling)}` not valid.', f'{pointer}/op')
    op = SPELLINGS[spelling]
    if 'value' not in spec and op not in WITHOUT_VALUE:
        raise _bad_format('`value` must be provided.', pointer)
    path = _path(name, spec, reader, pointer)
    if op not in (taken := path.operators):
        wrong = f'Operator `{op.value}` not valid for `{shown(name)}`'
        if op in OF_ARRAYS:
            wrong = (
                f'`{op.value}` needs a field that holds an array, and `{shown(name)}` holds none'
            )
        raise _bad_format(f'{wrong}: it takes {spelled(taken)}.', f'{pointer}/op')
    return reader.compare(path, op, spec.get('value'), f'{pointer}/value')


def _path(name: str, spec: dict[str, Any], reader: FilterReader, pointer: str) -> Path:
    readable, relation = reader.readable, None
    if 'model' in spec:
        relation = _relation(spec['model'], reader, f'{pointer}/model')
    if relation is not None:
        readable = readable.through(readable.relations[relation])
    path = filterable(name, readable, relation or '')
    if path is None:
        model = readable.resource.options.name
        raise FilterError(
            'FieldNotFound', f'Model {model} has no column `{shown(name)}`.', f'{pointer}/field'
        )
    return path


def _relation(model: object, reader: FilterReader, pointer: str) -> str | None:
    """Return the relation that `model` names; None for the resource itself."""
    if not isinstance(model, str):
        raise FilterError('BadSpec', '`model` must be a string.', pointer)
    try:
        relation = relation_of(model, reader.readable)
    except UnknownModel as error:
        raise FilterError('BadSpec', str(error), pointer) from None
    return relation.name if relation else None


def _operand(path: Path, op: Op, raw: object, pointer: str) -> Any:
    if op not in WITH_LIST:
        value = read(path.field, raw, pointer)
        if op in WITH_PATTERN and (len(value) - len(value.rstrip('\\'))) % 2 == 1:
            detail = 'The pattern ends with a backslash that escapes nothing.'
            raise FilterError('BadValue', detail, pointer)
        return value
    if not isinstance(raw, list):
        raise _bad_format(f'`{op.value}` needs a list.', pointer)
    if len(raw) > MAX_LISTED_VALUES:
        raise _too_complex(f'more than {MAX_LISTED_VALUES} values in a list', pointer)
    if None in raw:
        raise _bad_format('There is a null inside a list.', f'{pointer}/{raw.index(None)}')
    return tuple(read(path.field, each, f'{pointer}/{index}') for index, each in enumerate(raw))


def _refuse_unknown(spec: dict[str, Any], known: frozenset[str], pointer: str) -> None:
    for name in spec:
        if name not in known:
            raise _bad_format(f'The spec has an unknown key `{shown(name)}`.', pointer)


def _bad_format(detail: str, pointer: str) -> FilterError:
    return FilterError('BadFilterFormat', detail, pointer)


def _too_complex(what: str, pointer: str) -> FilterError:
    return FilterError('TooComplex', f'The filter is too complex: {what}.', pointer)
