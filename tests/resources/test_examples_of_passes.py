"""The example in the docstring of each pass of a plan, over the bookshop."""

import doctest
import re
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from backstay.engine.slots import Parameter
from backstay.resources.declaration.readable import Readable
from backstay.resources.plan.masks import resolve_mask
from backstay.resources.plan.order import add_order, cut_page
from backstay.resources.plan.plan import add_filter, restrict_rows
from backstay.resources.plan.stages import Selection, ShowField
from backstay.resources.query.mask import parse
from backstay.resources.query.nodes import AllRows, CursorPage, Leaf, OneRow, Op, Shape
from backstay.resources.query.order import parse_order
from tests.bookshop.resources import BookResource

BOOKS = Readable(BookResource)


def shape(*, mask: str = 'id', order: str = '', **more: Any) -> Shape:
    """The shape of a request that asks the bookshop for this."""
    keys = parse_order(order, BOOKS)
    return Shape(**{'mask': parse(mask), 'order': keys, 'page': AllRows(), **more})


def names(selection: Selection, prefix: str = '') -> list[str]:
    """Every value that is shown, by its path."""
    found: list[str] = []
    for name, member in selection.members:
        if isinstance(member, ShowField):
            found.append(prefix + name)
        else:
            found += names(member.selection, f'{prefix}{name}.')
    return found


def sql(rows: QuerySet[Any]) -> str:
    """The SQL of the keys of rows, as a person would write it, with `$n` for the slots."""
    text, params = rows.values_list('pk').query.get_compiler(connection=connection).as_sql()
    slots = [f'${each.key}' for each in params if isinstance(each, Parameter)]
    text = re.sub(r'CAST\(%s AS NUMERIC\)|%s(::\w+)?', '%s', text) % tuple(slots)
    return re.sub(r' AS "pk"|"bookshop_book"\.|"|bookshop_|[()]', '', text)


_VISIBLE = restrict_rows(resolve_mask(BOOKS, shape()), AllRows())
_FILTERED = add_filter(_VISIBLE, shape())
_ORDERED = add_order(_FILTERED, shape(order='id'))
EXAMPLES: dict[str, Any] = {
    **{each.__name__: each for each in (AllRows, CursorPage, Leaf, OneRow, names)},
    'Op': Op,
    'books': BOOKS,
    'connection': connection,
    'filtered': _FILTERED,
    'ordered': _ORDERED,
    'page': cut_page(_ORDERED, AllRows()),
    'resolve_mask': resolve_mask,
    'rows': _VISIBLE.rows,
    'selection': _VISIBLE.selection,
    'shape': shape,
    'sql': sql,
    'visible': _VISIBLE,
}


@pytest.mark.django_db
@pytest.mark.parametrize('name', ['masks', 'counts', 'order', 'plan'])
def test_the_example_of_each_pass_is_true(name: str) -> None:
    module = import_module(f'backstay.resources.plan.{name}')
    failed, tried = doctest.testmod(module, extraglobs=EXAMPLES)

    assert tried > 0
    assert failed == 0
