"""How tables are emptied after a test that commits.

Django's flush empties all of two hundred tables, and then stores content types and permissions
anew: on PostgreSQL it takes a second after each of two hundred tests.
"""

from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase

#: Filled after migrations, the same for every test.
_KEPT = {'auth_permission', 'django_content_type'}


def empty_tables(case: TransactionTestCase) -> None:
    """Empty the tables that hold rows, except for what Django stores about its models."""
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        held = ' UNION ALL '.join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})"
            for name in names
            if name not in _KEPT
        )
        with connection.cursor() as cursor:
            cursor.execute(held)
            tables = [name for (name,) in cursor.fetchall()]
        # PostgreSQL truncates no table that another one points at, be it empty, without CASCADE.
        cascade = connection.vendor == 'postgresql'
        statements = connection.ops.sql_flush(no_style(), tables, allow_cascade=cascade)
        connection.ops.execute_sql_flush(statements)
