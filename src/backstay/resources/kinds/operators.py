"""Operators: how clients spell them, and the sets of them that kinds of values take."""

from collections.abc import Mapping
from enum import Enum


class Op(Enum):
    """The operators of a filter; the value is the canonical spelling."""

    IS_NULL = 'is_null'
    IS_NOT_NULL = 'is_not_null'
    EQ = '=='
    NE = '!='
    GT = '>'
    LT = '<'
    GE = '>='
    LE = '<='
    LIKE = 'like'
    ILIKE = 'ilike'
    NOT_ILIKE = 'not_ilike'
    IN = 'in'
    NOT_IN = 'not_in'
    ANY = 'any'
    NOT_ANY = 'not_any'


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

#: Operators of kinds whose values are equal or not, and no more than that.
EQUALITY = WITHOUT_VALUE | WITH_LIST | {Op.EQ, Op.NE}
#: Operators of kinds whose values have an order.
COMPARISONS = EQUALITY | {Op.GT, Op.LT, Op.GE, Op.LE}
#: Operators of texts.
OF_TEXT = COMPARISONS | WITH_PATTERN
#: Operators of the members of a JSON field.
OF_MEMBERS = WITHOUT_VALUE | {Op.EQ, Op.NE, Op.IN}
#: Operators of arrays, which compare their elements.
OF_ARRAYS = WITHOUT_VALUE | {Op.ANY, Op.NOT_ANY}


def spelled(operators: frozenset[Op]) -> str:
    """Return the operators as a client may write them, in their usual order."""
    return ', '.join(f'`{op.value}`' for op in Op if op in operators)
