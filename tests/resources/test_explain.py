"""`backstay explain`: the plan, the SQL and the database's own explanation of a read."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from backstay.resources.unindexed import _warn_once
from tests.bookshop.models import Book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(settings: pytest.FixtureRequest) -> None:
    settings.ROOT_URLCONF = 'tests.resources.http.site'  # type: ignore[attr-defined]


def explain(*arguments: str) -> str:
    """What the command prints."""
    printed = StringIO()
    call_command('explain', *arguments, stdout=printed, no_color=True)
    return printed.getvalue()


def test_tells_what_is_shown() -> None:
    shown = explain('BookResource', '--mask', '{id,publisher{name},editions{isbn}}')

    assert shown.startswith(
        'Shows\n'
        '  id: integer\n'
        '  publisher: one PublisherResource\n'
        '    name: text\n'
        '  editions: list of EditionResource\n'
        '    isbn: text\n'
        f'SQL ({connection.vendor})\n'
    )


def test_tells_the_values_beside_the_sql() -> None:
    shown = explain('BookResource', '--filter', '{"field":"title","value":"Needle"}')

    sql, _, parameters = shown.partition('\nParameters\n')
    assert 'Needle' not in sql
    assert "'Needle'" in parameters


def test_tells_what_the_database_says() -> None:
    explained = explain('BookResource', '--id', '7').partition('\nEXPLAIN\n')[2]

    assert 'bookshop_book' in explained


@pytest.mark.parametrize(
    'arguments',
    [
        ('--cursor', '--sort=-price'),
        ('--count', 'none', '--limit', '3'),
        ('--analyze',),
        ('--as', 'level:2'),
    ],
    ids=' '.join,
)
def test_takes_what_a_client_may_ask(arguments: tuple[str, ...]) -> None:
    assert 'EXPLAIN' in explain('BookResource', *arguments)


def test_changes_nothing() -> None:
    Book.objects.create(title='t', slug='s', created_at='2026-01-01T00:00Z')

    explain('BookResource', '--analyze')

    assert Book.objects.count() == 1


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (('NowhereResource',), 'no resource called'),
        (('BookResource', '--mask', '{nope}'), 'there is no `nope`'),
        (('BookResource', '--mask', 'id,,x'), 'Unexpected comma'),
        (('BookResource', '--filter', '{'), 'cannot be read'),
        (('BookResource', '--sort', 'nope'), 'no column `nope`'),
    ],
    ids=str,
)
def test_tells_mistakes_as_a_client_would_be_told(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises(CommandError, match=text):
        explain(*arguments)


class TestWhatNoIndexServes:
    @pytest.mark.parametrize(
        'asked',
        [
            ('--sort', 'id'),
            ('--sort=-id',),
            ('--id', '1'),
            ('--filter', '{"field": "publisher_id", "op": "==", "value": 1}', '--sort', 'title'),
            (
                '--filter',
                '[{"field": "id", "op": ">", "value": 1}, {"field": "pages", "value": 2}]',
            ),
        ],
    )
    def test_is_nothing_where_one_does(self, asked: tuple[str, ...]) -> None:
        assert 'Grows with the table' not in explain('BookResource', *asked)

    @pytest.mark.parametrize(
        ('asked', 'told'),
        [
            (('--sort=-price,id',), 'No index serves the order by `price`: it sorts every row.'),
            (('--sort', 'publisher.name'), 'order by `publisher.name`'),
            (('--filter', '{"field": "pages", "value": 7}'), 'the filter `pages` ==: it looks'),
            (
                ('--filter', '{"field": "title", "op": "ilike", "value": "%x%"}'),
                'the filter `title` ilike: it looks at every row.',
            ),
            (
                ('--filter', '{"field": "publisher_id", "op": "!=", "value": 1}'),
                'the filter `publisher_id` !=',
            ),
        ],
    )
    def test_is_told(self, asked: tuple[str, ...], told: str) -> None:
        _, section, sentences = explain('BookResource', *asked).partition('Grows with the table')

        assert section
        assert told in sentences

    def test_is_logged_once_on_a_developers_machine(self, settings: Any, caplog: Any) -> None:
        _warn_once.cache_clear()
        for env in ('test', 'local', 'local'):
            settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'env': env})
            Client().get('/books/', {'ordering': 'price'})

        assert caplog.text.count('No index serves the order by `price`') == 1
