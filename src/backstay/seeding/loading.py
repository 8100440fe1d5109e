"""Writing a plan chunk by chunk, resuming where a run stopped, and verifying the rows."""

import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from tqdm import tqdm  # type: ignore[import-untyped]

from backstay.seeding import checksum, database
from backstay.seeding.checksum import CHUNK
from backstay.seeding.errors import SeedError
from backstay.seeding.factory import Factory
from backstay.seeding.models import SeededChunk
from backstay.seeding.plan import SeedPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The result of loading or verifying one model."""

    label: str
    rows: int
    checksum: str
    #: The number of rows that this run wrote, and the seconds it took.
    written: int = 0
    seconds: float = 0.0
    #: The difference between the database and the plan; empty when there is none.
    difference: str = ''


def load(plan: SeedPlan, *, quiet: bool = True) -> list[Loaded]:
    """Write the missing rows of a plan; each chunk is a transaction with its record.

    Raises SeedError, before anything is written, when a table holds other rows.
    """
    done = {factory.label: _done(plan, factory) for factory in plan.factories}
    for factory in plan.factories:
        numbers = done[factory.label]
        ours = sum(last - first for number, first, last in _chunks(factory) if number in numbers)
        if ours < factory.rows and (there := database.count(factory.model)) != ours:
            raise SeedError(
                f'{factory.label} holds {there} rows, {ours} of them seeded: seed an empty '
                'database, or say --reset to delete all rows of the seeded models first'
            )
    loaded = [_load_model(plan, each, done[each.label], quiet) for each in plan.factories]
    for act in plan.afterwards:
        act()
    database.finish([factory.model for factory in plan.factories])
    return loaded


def verify(plan: SeedPlan, *, quiet: bool = True) -> list[Loaded]:
    """Compare every row that a plan would write with the row in the database."""
    return [_verify_model(factory, quiet) for factory in plan.factories]


def reset(plan: SeedPlan) -> None:
    """Delete every row of the models of a plan, and the records of their chunks."""
    try:
        with transaction.atomic():
            for factory in plan.factories:  # foreign keys are checked at the end
                database.clear(factory.model)
                SeededChunk.objects.filter(model=factory.label).delete()
    except DatabaseError as error:
        raise SeedError(f'other rows point at those of the seed: {_first_line(error)}') from error


def is_untouched(plan: SeedPlan) -> bool:
    """Whether no table of a plan has a row yet."""
    return not any(factory.model._base_manager.exists() for factory in plan.factories)


def earlier_arguments(plan: SeedPlan) -> dict[str, str] | None:
    """Return size, seed and until of what was seeded before; None for nothing, or for several."""
    labels = [factory.label for factory in plan.factories]
    chunks = SeededChunk.objects.filter(model__in=labels)
    found = [*chunks.values_list('size', 'seed', 'until').distinct()]
    if len(found) != 1:
        return None
    ((size, seed, until),) = found
    return {'size': size, 'seed': str(seed), 'until': f'{until:%Y-%m-%d}'}


def total(loaded: list[Loaded]) -> str:
    """Return the checksum of all models together."""
    return checksum.of_all((each.label, each.rows, each.checksum) for each in loaded)


def _chunks(factory: Factory) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each chunk, and the indexes where it begins and ends."""
    for number, first in enumerate(range(0, factory.rows, CHUNK)):
        yield number, first, min(first + CHUNK, factory.rows)


def _done(plan: SeedPlan, factory: Factory) -> dict[int, str]:
    """Return the checksums of the written chunks; raises SeedError for those of another seeding."""
    planned = {number: last - first for number, first, last in _chunks(factory)}
    done = {}
    for chunk in SeededChunk.objects.filter(model=factory.label):
        same = (chunk.size, chunk.seed, chunk.until) == (plan.size, plan.seed, plan.until)
        if not same or planned.get(chunk.number) != chunk.rows:
            raise SeedError(
                f'{chunk.model} was seeded with --size {chunk.size} --seed {chunk.seed} --until '
                f'{chunk.until:%Y-%m-%d}, or with other seeds; --reset deletes its rows first'
            )
        done[chunk.number] = chunk.checksum
    return done


def _load_model(plan: SeedPlan, factory: Factory, done: dict[int, str], quiet: bool) -> Loaded:
    started, written = time.perf_counter(), 0
    chunks = list(_chunks(factory))
    with _bar(factory, quiet) as bar:
        bar.update(sum(last - first for number, first, last in chunks if number in done))
        missing = [(first, last) for number, first, last in chunks if number not in done]
        for first, rows in _made_ahead(factory, missing):
            done[first // CHUNK] = _write_chunk(plan, factory, first, rows)
            written += len(rows)
            bar.update(len(rows))
    return Loaded(
        label=factory.label,
        rows=factory.rows,
        checksum=_of_model(factory, [done[number] for number, _, _ in chunks]),
        written=written,
        seconds=time.perf_counter() - started,
    )


def _made_ahead(
    factory: Factory, spans: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, list[list[Any]]]]:
    """Yield each span's first index and rows, and make the next while the database writes these.

    Half of the time is the database's, which writes indexes and checks foreign keys meanwhile.
    """
    with ThreadPoolExecutor(1) as thread:
        coming: tuple[int, Future[list[list[Any]]]] | None = None
        for first, last in spans:
            ready, coming = coming, (first, thread.submit(factory.values, first, last))
            if ready:
                yield ready[0], ready[1].result()
        if coming:
            yield coming[0], coming[1].result()


def _write_chunk(plan: SeedPlan, factory: Factory, first: int, rows: list[list[Any]]) -> str:
    there = f'the rows {first} to {first + len(rows) - 1}'
    try:
        digest = checksum.of_chunk(rows)
    except ValueError as error:
        raise SeedError(f'{factory.label}: {there}: {error}') from error
    try:
        with transaction.atomic():
            database.write(factory, rows)
            SeededChunk.objects.create(
                model=factory.label,
                number=first // CHUNK,
                rows=len(rows),
                checksum=digest,
                size=plan.size,
                seed=plan.seed,
                until=plan.until,
            )
    except DatabaseError as error:
        raise SeedError(
            f'{factory.label}: the database refuses {there}: {_first_line(error)}'
        ) from error
    return digest


def _verify_model(factory: Factory, quiet: bool) -> Loaded:
    there = database.count(factory.model)
    difference = '' if there == factory.rows else f'{there} rows instead of {factory.rows}'
    found = []
    with _bar(factory, quiet) as bar:
        for _, first, last in _chunks(factory):
            expected = factory.values(first, last)
            rows = database.read(factory, _keys(factory, expected))
            found.append(checksum.of_chunk(row for row in rows if row is not None))
            if found[-1] != checksum.of_chunk(expected):
                difference = difference or _first_difference(factory, expected, rows)
            bar.update(last - first)
    return Loaded(
        label=factory.label,
        rows=there,
        checksum=_of_model(factory, found),
        difference=difference,
    )


def _of_model(factory: Factory, chunks: list[str]) -> str:
    names = [field.attname for field in factory.fields]
    return checksum.of_model(factory.label, names, chunks)


def _first_difference(factory: Factory, expected: list[Any], found: list[Any]) -> str:
    """Return the key of the first row that differs, and its difference."""
    for key, planned, row in zip(_keys(factory, expected), expected, found, strict=True):
        if row is None:
            return f'the row {key!r} is not there'
        for field, wanted, value in zip(factory.fields, planned, row, strict=True):
            if checksum.canonical(wanted) != checksum.canonical(value):
                return f'{field.name} of the row {key!r} is {value!r} instead of {wanted!r}'
    raise RuntimeError(f'{factory.label}: equal rows with different checksums')


def _keys(factory: Factory, rows: list[Any]) -> list[Any]:
    place = [field.primary_key for field in factory.fields].index(True)
    return [row[place] for row in rows]


def _bar(factory: Factory, quiet: bool) -> Any:
    """Return a progress bar on standard error: redrawn on a terminal, else a line now and then."""
    return tqdm(
        total=factory.rows,
        desc=factory.label,
        unit=' rows',
        unit_scale=True,
        disable=quiet,
        mininterval=0.1 if sys.stderr.isatty() else 5,
    )


def _first_line(error: Exception) -> str:
    return str(error).partition('\n')[0]
