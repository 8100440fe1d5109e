"""The rows: the same on every engine and in every run, made once and then left alone.

A value is a function of its row number. Names carry quotes, backslashes and letters outside ASCII,
times carry trailing zeros or no fraction at all, so that a contender that escapes or trims wrongly
is found out.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import psycopg.sql
from django.db import connection, models, transaction

from bench import database

COMPANIES, CATEGORIES, PRODUCTS, VARIANTS_EACH = 50, 200, 100_000, 3
#: One product in 16 is active: enough for pages at offset 5000, few enough to be counted exactly.
ACTIVE_OF = 16
EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
WORDS = (
    'Anchor',
    'Block "A"',
    'Cleat',
    'Dériveur',
    'Halyard',
    'Line\\8',
    'Månseil',
    'Rope',
    '索具',
)

#: Settings of the bench's database, the same for every contender.
SETTINGS = {'random_page_cost': '1.1', 'jit': 'off'}

Row = tuple[Any, ...]


def scatter(number: int) -> int:
    """A number below 2**32 that looks unrelated to its neighbours (Knuth's multiplicative hash)."""
    return number * 2_654_435_761 % 2**32


def named(number: int, prefix: str) -> Row:
    """A row of Company or Category."""
    return number, f'{prefix} {number} {WORDS[number % len(WORDS)]}'


def product(number: int) -> Row:
    """A row of Product, in the order of the model's columns."""
    noise = scatter(number)
    high = noise >> 8
    status = 'active' if high % ACTIVE_OF == 0 else ('archived', 'draft')[high % 2]
    word = WORDS[noise % len(WORDS)]
    return (
        number,
        noise % COMPANIES + 1,
        noise % CATEGORIES + 1,
        f'{word} {number}',
        f'{"-".join(c for c in word.lower().split() if c.isascii())}-{number}',
        status,
        Decimal(noise % 1_000_000) / 100,
        None if number % 5 == 0 else Decimal(noise % 700_000) / 100,
        noise % 5000 / 1000,
        None if number % 7 == 0 else EPOCH.date() + dt.timedelta(days=noise % 1000),
        EPOCH + dt.timedelta(seconds=noise % 60_000_000, microseconds=microseconds(number)),
    )


def microseconds(number: int) -> int:
    """Every sixteenth time has no fraction and every fourth ends in zeros."""
    if number % 16 == 0:
        return 0
    return scatter(number) % 1000 * 1000 if number % 4 == 0 else scatter(number) % 1_000_000


def variant(number: int) -> Row:
    """A row of Variant; positions repeat, so that the second sort key matters."""
    noise = scatter(number)
    return (
        number,
        (number - 1) // VARIANTS_EACH + 1,
        f'SKU-{number:07}',
        f'{WORDS[noise % len(WORDS)]} {noise % 100}',
        Decimal(noise % 100_000) / 100,
        noise % 500,
        noise % 2,
    )


def tables() -> Iterator[tuple[type[models.Model], Iterator[Row]]]:
    """Each model with its rows, referenced tables first."""
    from bench.shop.models import Category, Company, Product, Variant

    yield Company, (named(n, 'Company') for n in range(1, COMPANIES + 1))
    yield Category, (named(n, 'Category') for n in range(1, CATEGORIES + 1))
    yield Product, (product(n) for n in range(1, PRODUCTS + 1))
    yield Variant, (variant(n) for n in range(1, PRODUCTS * VARIANTS_EACH + 1))


def ensure() -> None:
    """Creates, fills and analyses the tables, unless the last of them is there in full."""
    if database.engine() == 'postgresql':
        create_database()
    else:
        database.OUTPUT.mkdir(parents=True, exist_ok=True)
    database.set_up_django()
    if not seeded():
        seed()


def create_database() -> None:
    """Creates the database of the URL when the server does not have it.

    `random_page_cost` is set for data that fits in memory; with its default of 4 the planner walks
    the primary key past all that is not active instead of using the index. JIT would compile short
    statements.
    """
    server, _, name = database.url().partition('?')[0].rpartition('/')
    with psycopg.connect(f'{server}/postgres', autocommit=True) as session:
        known = session.execute('SELECT 1 FROM pg_database WHERE datname = %s', [name]).fetchone()
        identifier = psycopg.sql.Identifier(name)
        if not known:
            session.execute(psycopg.sql.SQL('CREATE DATABASE {}').format(identifier))
        for setting, value in SETTINGS.items():
            change = psycopg.sql.SQL('ALTER DATABASE {} SET {} = {}')
            named = psycopg.sql.Identifier(setting)
            session.execute(change.format(identifier, named, psycopg.sql.Literal(value)))


def seeded() -> bool:
    """Whether the data is there in full."""
    from bench.shop.models import Variant

    if Variant._meta.db_table not in connection.introspection.table_names():
        return False
    last = PRODUCTS * VARIANTS_EACH
    return bool(Variant.objects.filter(pk=last, sku=variant(last)[2]).exists())


def seed() -> None:
    """Drops what is there and writes all rows; about ten seconds."""
    print(f'seeding {PRODUCTS} products on {database.engine()}', flush=True)
    found = set(connection.introspection.table_names())
    for model, _ in reversed(list(tables())):
        if model._meta.db_table in found:
            with connection.schema_editor() as editor:
                editor.delete_model(model)
    for model, rows in tables():
        with connection.schema_editor() as editor:
            editor.create_model(model)
        write(model, rows)
    with connection.cursor() as cursor:
        cursor.execute('VACUUM ANALYZE' if connection.vendor == 'postgresql' else 'ANALYZE')


def write(model: type[models.Model], rows: Iterator[Row]) -> None:
    """Loads the rows of one table with the fastest means of the engine."""
    columns = [field.column for field in model._meta.concrete_fields]
    table, names = model._meta.db_table, ', '.join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == 'postgresql':
            with cursor.copy(f'COPY {table} ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ', '.join('?' * len(columns))
            adapted = (tuple(map(sqlite_value, row)) for row in rows)
            with transaction.atomic():
                connection.connection.executemany(
                    f'INSERT INTO {table} ({names}) VALUES ({marks})', adapted
                )


def sqlite_value(value: Any) -> Any:
    """A value as Django's own back end would store it."""
    match value:
        case Decimal():
            return connection.ops.adapt_decimalfield_value(value, 12, 2)
        case dt.datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case dt.date():
            return value.isoformat()
    return value
