"""Expressions of a declaration, written so that SQL can stand directly before and behind them."""

import re
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ExpressionWrapper
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine.pieces import Sql

#: A column or a parameter.
_WORD = re.compile(r'%s|[\w"]+(\."[^"]+")?')
#: What opens a call or a bracket, and what else decides where brackets close.
_OPENING = re.compile(r'\w*\(')
_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|[()]""")


class Enclosed(ExpressionWrapper):
    """An expression in brackets, unless its SQL is one word, one call or in brackets already.

    `a > 1` becomes `(a > 1)`: behind it `::text` would cast the 1, before it NOT may mean more.
    """

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        try:
            sql, params = compiler.compile(self.expression)
        except EmptyResultSet:
            return '(1 = 0)', ()
        except FullResultSet:
            return '(1 = 1)', ()
        return sql if is_closed(sql) else f'({sql})', params

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Sql:
        return self.as_sql(compiler, connection)


def is_closed(sql: str) -> bool:
    """Return whether nothing written before or behind some SQL can change what it means.

    >>> [is_closed(each) for each in ('"t"."a"', 'f(a, 1)', '(a) + (b)', 'a > 1', "f(')') + 1")]
    [True, True, False, False, False]
    """
    if _WORD.fullmatch(sql):
        return True
    opening = _OPENING.match(sql)
    if opening is None:
        return False
    depth = 1
    for token in _TOKEN.finditer(sql, opening.end()):
        depth += {'(': 1, ')': -1}.get(token[0], 0)
        if depth == 0:
            return token.end() == len(sql)
    return False
