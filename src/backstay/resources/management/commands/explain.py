"""`backstay explain BookResource --mask '{id,editions}'`: how a read is answered."""

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.urls import get_resolver

from backstay.caller import GUEST, Caller
from backstay.engine import engine_of
from backstay.errors import Problem
from backstay.identity.callers import caller_of_account
from backstay.identity.loading import account_called
from backstay.resources.declaration.fields import InPython
from backstay.resources.declaration.registry import resolve
from backstay.resources.errors import DeclarationError
from backstay.resources.execute import explain
from backstay.resources.plan.plan import make_plan
from backstay.resources.plan.stages import Selection, ShowField, ShowMany
from backstay.resources.query.asked import Asked
from backstay.resources.query.nodes import Query
from backstay.resources.query.parameters import read_one, read_query
from backstay.resources.unindexed import unindexed
from backstay.secret_keys import derived_keys


class Command(BaseCommand):
    """The plan, the SQL of this engine, and the database's own EXPLAIN."""

    help = __doc__ or ''
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What may be asked."""
        parser.add_argument('resource', help='name of the resource, such as BookResource')
        parser.add_argument(
            '--as', default='guest', help='guest, the user name of an account, or level:N'
        )
        parser.add_argument('--id', help='one object, by its lookup field, instead of a list')
        parser.add_argument('--mask', default='', help='an X-Fields mask')
        parser.add_argument('--filter', default='', help='a filter_spec as JSON')
        parser.add_argument('--sort', default='', help='a sort_spec, or names such as -price,id')
        parser.add_argument('--limit', default='', help='rows of the page')
        parser.add_argument('--cursor', action='store_true', help='page by cursor, not by offset')
        parser.add_argument('--count', default='', help='exact, estimate or none')
        parser.add_argument('--database', default='default', help='alias of the database')
        parser.add_argument('--analyze', action='store_true', help='run it: EXPLAIN ANALYZE')

    def handle(self, *_: Any, **options: Any) -> None:
        """Print it all; a mistake in what is asked is told as a client would be told."""
        # Resources are known once the site's routes are.
        import_module(str(get_resolver().urlconf_name))
        connection = connections[options['database']]
        try:
            asked = _asked(options)
            if not asked.readable.grants:
                raise CommandError(f'{asked.caller.name} may read nothing of it; say --as who')
            query = _query(asked)
            plan = make_plan(asked.readable, query.shape, connection)
        except (Problem, DeclarationError) as error:
            raise CommandError(getattr(error, 'detail', '') or str(error)) from None
        self._section('Shows')
        self._selection(plan.selection, 1)
        self._section(f'SQL ({engine_of(connection).name})')
        self.stdout.write(plan.sql)
        self._section('Parameters')
        for number, value in enumerate(plan.bind(query, asked.facts), 1):
            self.stdout.write(f'  {number}: {value!r}')
        self._section('EXPLAIN')
        for line in explain(
            plan, query, asked.facts, using=options['database'], analyze=options['analyze']
        ):
            self.stdout.write(f'  {line}')
        if found := unindexed(asked.resource, query.shape):
            self._section('Grows with the table')
            for sentence in found:
                self.stdout.write(f'  {sentence}')

    def _section(self, title: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))

    def _selection(self, selection: Selection, depth: int) -> None:
        """The members, one a line, indented as they nest."""
        for name, member in selection.members:
            indent = '  ' * depth
            if isinstance(member, ShowField):
                field = member.field
                is_slow = field.kind.reveal is not None or isinstance(field.declared, InPython)
                slow = ' (in Python)' if is_slow else ''
                self.stdout.write(f'{indent}{name}: {field.kind.name}{slow}')
                continue
            kind = 'list of' if isinstance(member, ShowMany) else 'one'
            self.stdout.write(f'{indent}{name}: {kind} {member.relation.target.__name__}')
            self._selection(member.selection, depth + 1)


def _asked(options: dict[str, Any]) -> Asked:
    """The request that the options stand for."""
    given = {name: [options[name]] for name in ('filter', 'sort', 'limit', 'count')}
    parameters = {name: values for name, values in given.items() if values[0]}
    if options['cursor']:
        parameters['cursor'] = ['']
    return Asked(
        resource=resolve(options['resource']),
        caller=_caller(options['as']),
        lookup=options['id'] or None,
        parameters={} if options['id'] else parameters,
        mask=options['mask'],
        origin='http://localhost',
        strict=True,
        using=options['database'],
    )


def _query(asked: Asked) -> Query:
    if asked.lookup is not None:
        return read_one(asked)
    return read_query(asked, *(key.hex() for key in derived_keys('cursor')))


def _caller(who: str) -> Caller:
    """Who would ask: nobody, somebody of a level, or an account with what it holds."""
    kind, _, level = who.partition(':')
    if who == 'guest':
        return GUEST
    if kind == 'level' and level.isdecimal():
        return Caller(kind='account', name=who, level=int(level))
    account = account_called(who)
    if account is None:
        raise CommandError(f'there is no account called {who!r}; give guest, level:N or its name')
    return caller_of_account(account)
