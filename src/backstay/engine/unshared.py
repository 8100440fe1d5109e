"""Copies of expressions that share no subquery with what they were copied from.

Django copies an expression before it resolves it, and the lookups of a subquery in it only where
the subquery needs another alias. Where it does not, in a query that is a subquery itself, Django
writes the columns of that query into the lookups of the original: everybody who uses it later asks
about the wrong row. So what is declared once, or is resolved again each time it is compiled, is
resolved as a copy.
"""

from copy import copy
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.sql.query import Query

#: Aliases that no query has: a query that is relabelled copies everything below it.
_NO_ALIAS = {'': '-'}


def unshared(value: Any) -> Any:
    """Return a copy of an expression, condition, queryset or list of them; constants as they are.

    No queryset in it is evaluated.
    """
    match value:
        case Query():
            return value.relabeled_clone(_NO_ALIAS)
        case QuerySet():
            rows = value.all()
            rows.query = unshared(value.query)
            return rows
        case Q():
            children = [unshared(child) for child in value.children]
            return Q.create(children, connector=value.connector, negated=value.negated)
        case list() | tuple():
            return type(value)([unshared(each) for each in value])
    if not hasattr(value, 'get_source_expressions'):
        return value
    copied = copy(value)
    copied.set_source_expressions([unshared(each) for each in value.get_source_expressions()])
    return copied


class Ordered(OrderBy):
    """A key of ORDER BY, which Django resolves anew whenever it compiles it, at any depth."""

    def resolve_expression(self, *args: Any, **named: Any) -> Any:
        return super(Ordered, unshared(self)).resolve_expression(*args, **named)
