"""What one engine has to know of one kind of value: how it is written as JSON, and bound.

These are plain values. Whoever knows the kinds of values gives them to the expressions of this
package, by the name of the engine; the expressions know no kind.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Form:
    """The SQL that writes a value as JSON text, `{x}` standing for the value."""

    sql: str
    #: Whether the text goes between quotes.
    quoted: bool = False
    #: Whether the SQL is NULL for some values that are not.
    may_be_null: bool = False
    #: Whether the SQL is a text where the value is NULL, so that NULL has to be asked for first.
    hides_null: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """How values are bound to a statement: SQL in which `%s` stands for what `adapt` makes."""

    sql: str
    adapt: Callable[[Any], Any]
    #: For a whole list of values, bound as one array.
    list_sql: str
    adapt_list: Callable[[Sequence[Any]], Any]
    #: For a key of an order, which the database itself gave out before.
    key_sql: str
    adapt_key: Callable[[Any], Any]
    #: The least and the most of the spellings in which one value may be stored, where there are
    #: several and the database compares them as texts.
    ends: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None


#: Forms and bindings by the name of the engine.
Forms = Mapping[str, Form]
Bindings = Mapping[str, Binding]


def cast_binding(
    cast: str,
    as_text: Callable[[Any], str] = str,
    *,
    adapt_key: Callable[[Any], str] | None = None,
) -> Binding:
    """Return a binding for PostgreSQL: every value goes there as text and is cast.

    psycopg types an int by its size, and each combination of types would be prepared anew.
    """
    return Binding(
        sql=f'%s::{cast}',
        adapt=as_text,
        list_sql=f'%s::{cast}[]',
        adapt_list=lambda values: array_literal([as_text(each) for each in values]),
        key_sql=f'%s::{cast}',
        adapt_key=adapt_key or as_text,
    )


def json_binding(
    adapt: Callable[[Any], Any],
    *,
    sql: str = '%s',
    element: str = 'value',
    adapt_element: Callable[[Any], Any] | None = None,
    adapt_key: Callable[[Any], Any] | None = None,
) -> Binding:
    """Return a binding for SQLite: a list is bound as JSON, and `element` reads one of it."""
    each = adapt_element or adapt
    return Binding(
        sql=sql,
        adapt=adapt,
        list_sql=f'(SELECT {element} FROM json_each(%s))',
        adapt_list=lambda values: json.dumps([each(value) for value in values]),
        key_sql='%s' if adapt_key else sql,
        adapt_key=adapt_key or adapt,
    )


def spelled_binding(
    spellings: Callable[[Any], Sequence[str]], *, adapt_key: Callable[[Any], Any]
) -> Binding:
    """Return a binding for SQLite of values that are stored as text in one of several spellings.

    The spellings of a value come in the order of their texts, with no other value between them.
    """
    return Binding(
        sql='%s',
        adapt=lambda value: spellings(value)[-1],
        list_sql='(SELECT value FROM json_each(%s))',
        adapt_list=lambda values: json.dumps([each for one in values for each in spellings(one)]),
        key_sql='%s',
        adapt_key=adapt_key,
        ends=(lambda value: spellings(value)[0], lambda value: spellings(value)[-1]),
    )


def array_literal(values: Sequence[str]) -> str:
    """Return a PostgreSQL array as text (section 8.15.2 of its manual).

    >>> array_literal(['a', 'b"c'])
    '{"a","b\\\\"c"}'
    """
    quoted = (value.replace('\\', '\\\\').replace('"', '\\"') for value in values)
    return '{' + ','.join(f'"{value}"' for value in quoted) + '}'
