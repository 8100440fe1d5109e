"""Operators: how clients spell them, and which of them each kind of value takes.

Source: the table of commerce contract 5.1.
"""

from collections.abc import Mapping

from backstay.resources.declaration.kinds import Kind
from backstay.resources.declaration.shape import Field
from backstay.resources.query.nodes import Op

#: Every spelling; the first of each operator is the canonical one.
SPELLINGS: Mapping[str, Op] = {op.value: op for op in Op} | {
    'eq': Op.EQ,
    'ne': Op.NE,
    'gt': Op.GT,
    'lt': Op.LT,
    'ge': Op.GE,
    'le': Op.LE,
}

#: Operators that ask without a value.
WITHOUT_VALUE = frozenset({Op.IS_NULL, Op.IS_NOT_NULL})
#: Operators whose value is a list.
WITH_LIST = frozenset({Op.IN, Op.NOT_IN})
#: Operators whose value is a pattern.
WITH_PATTERN = frozenset({Op.LIKE, Op.ILIKE, Op.NOT_ILIKE})

_EQUAL = WITHOUT_VALUE | WITH_LIST | {Op.EQ, Op.NE}
_ORDERED = _EQUAL | {Op.GT, Op.LT, Op.GE, Op.LE}
_TEXT = _ORDERED | WITH_PATTERN
_MEMBER = WITHOUT_VALUE | {Op.EQ, Op.NE, Op.IN}

_OF_KIND: Mapping[Kind, frozenset[Op]] = {
    Kind.TEXT: _TEXT,
    Kind.LONG_TEXT: _TEXT,
    Kind.CHOICE: _EQUAL,
    Kind.INTEGER: _ORDERED,
    Kind.FLOAT: _ORDERED,
    Kind.DECIMAL: _ORDERED,
    Kind.BOOLEAN: _EQUAL,
    Kind.DATE: _ORDERED,
    Kind.TIME: _ORDERED,
    Kind.DATETIME: _ORDERED,
    Kind.DURATION: _ORDERED,
    Kind.UUID: _ORDERED,
    Kind.IP: _EQUAL,
    Kind.FILE: WITHOUT_VALUE,
    Kind.BINARY: WITHOUT_VALUE,
    Kind.JSON: WITHOUT_VALUE,
    Kind.ARRAY: WITHOUT_VALUE | {Op.ANY, Op.NOT_ANY},
}


def operators_of(field: Field, *, member: bool = False) -> frozenset[Op]:
    """The operators that a field takes, or the members of a JSON field."""
    return _MEMBER if member else _OF_KIND[field.kind]


def spelled(operators: frozenset[Op]) -> str:
    """The operators as a client may write them, in their usual order."""
    return ', '.join(f'`{op.value}`' for op in Op if op in operators)
