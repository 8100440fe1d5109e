"""Rows in the database: the same on both engines, in chunks, gone on with, and proved."""

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from backstay.seeding import Row, Seed, SeedError, checksum, tidy
from backstay.seeding.checksum import CHUNK
from backstay.seeding.loading import is_untouched, load, reset, total, verify
from backstay.seeding.models import SeededChunk
from backstay.seeding.plan import EPOCH, SeedPlan, make_plan
from tests.bookshop.models import Author, Biography, Book, Review, Specimen, Tag
from tests.bookshop.resources import AuthorResource, BiographyResource, TagResource
from tests.conftest import ROOT
from tests.seeding.seeds import SEEDS

#: Of the bookshop's seeds, on every engine, machine and Python.
SMALL = '8e1aba3a4283390646d916446e27ca4ee65ac5b48a50a408c894df36db5e7e20'
MEDIUM = '3900f318e13230dc44634d74dcd9a6e842d6b6b52436f6ece1c9feac5cf01c7c'


def small(**options: Any) -> SeedPlan:
    return make_plan(SEEDS, size='small', **options)


def tags(rows: int, **given: Any) -> SeedPlan:
    return make_plan([Seed(TagResource, rows={'any': rows}, **given)], size='any')


@pytest.mark.django_db
class TestLoading:
    def test_what_is_written_has_the_same_checksum_on_every_engine(self) -> None:
        loaded = load(small())

        assert total(loaded) == SMALL
        assert sum(each.written for each in loaded) == sum(each.rows for each in loaded) == 2_602

    def test_what_is_read_has_the_same_checksum_as_what_was_written(self) -> None:
        loaded = load(small())
        verified = verify(small())

        assert [each.difference for each in verified] == [''] * len(loaded)
        assert total(verified) == total(loaded)

    def test_the_database_computes_what_it_computes_and_keeps_its_rules(self) -> None:
        load(small())

        specimen = Specimen._base_manager.order_by('pk')[7]
        assert specimen.doubled == specimen.required_integer * 2
        connection.check_constraints()  # foreign keys, which a test's transaction never checks

    def test_it_writes_nothing_when_everything_is_there(self) -> None:
        first = load(small())
        Tag._base_manager.create(label='of somebody else, later')
        again = load(small())

        assert total(again) == total(first)
        assert [each.written for each in again] == [0] * len(again)

    def test_rows_that_others_make_get_the_next_keys(self) -> None:
        load(small())

        assert Tag._base_manager.create(label='new').pk == 13
        book = Book._base_manager.get(pk=1)
        assert book.tags.through._base_manager.create(book_id=1, tag_id=13).pk == 301

    def test_the_time_of_day_is_nowhere(self) -> None:
        load(small())

        assert not Book._base_manager.filter(created_at__gte=EPOCH).exists()
        assert not Specimen._base_manager.filter(moment__gte=EPOCH).exists()

    def test_values_arrive_as_they_were_made(self) -> None:
        span = dt.timedelta(days=-3, microseconds=7)
        moment = dt.datetime(2025, 12, 31, 23, 59, 59, 999_999, dt.UTC)
        given = {
            'required_span': span,
            'required_moment': moment,
            'required_clock': dt.time(23, 59, 59, 999_999),
            'required_money': Decimal('-9999999999.99'),
            'required_real': 0.1 + 0.2,
            'required_document': {'b': [1, 1.5, None, 'Zoë "\\\n'], 'a': {}},
            'required_text': 'tab\t back\\slash \\N "quote" \r\n 索具 \U0001f980',
            'document': 'a text alone',
            'binary': b'\x00\xff\\',
            'ip': '2001:db8::1',
            'big': -(2**63),
            'required_uuid': UUID(int=2**128 - 1),
        }
        functions = {name: lambda _, value=value: value for name, value in given.items()}
        plan = make_plan([Seed(Specimen, rows={'any': 2}, **functions)], size='any')
        load(plan)

        assert [each.difference for each in verify(plan)] == ['']
        stored = Specimen._base_manager.get(pk=2)
        assert {name: getattr(stored, name) for name in given} == given

    def test_many_chunks_are_one_table(self) -> None:
        plan = tags(2 * CHUNK + 1)
        load(plan)

        assert list(SeededChunk.objects.order_by('number').values_list('rows', flat=True)) == [
            CHUNK,
            CHUNK,
            1,
        ]
        assert Tag._base_manager.count() == 2 * CHUNK + 1
        assert not verify(plan)[0].difference

    def test_chunks_may_be_written_in_any_order(self) -> None:
        plan = tags(2 * CHUNK + 1)
        first = total(load(plan))
        SeededChunk.objects.filter(number=0).delete()
        Tag._base_manager.filter(pk__lte=CHUNK).delete()
        again = load(plan)

        assert (total(again), again[0].written) == (first, CHUNK)
        assert not verify(plan)[0].difference

    def test_what_fails_in_the_middle_leaves_whole_chunks_and_is_gone_on_with(self) -> None:
        def label(row: Row) -> str:
            if row.index == CHUNK + 7 and broken:
                raise RuntimeError('the machine stops')
            return str(row.random.below(10**9))

        broken, plan = True, tags(2 * CHUNK, label=label)
        with pytest.raises(RuntimeError):
            load(plan)
        assert Tag._base_manager.count() == CHUNK
        broken = False
        (again,) = load(plan)

        assert again.written == CHUNK
        assert again.checksum == verify(plan)[0].checksum

    def test_what_the_database_refuses_is_told_and_leaves_no_part_of_a_chunk(self) -> None:
        plan = make_plan(
            [
                Seed(AuthorResource, rows={'any': 50}),
                Seed(BiographyResource, author=lambda row: row.of(Author, row.index // 2)),
            ],
            size='any',
        )

        with pytest.raises(SeedError, match=r'Biography: the database refuses the rows 0 to 49: '):
            load(plan)
        assert not Biography._base_manager.exists()


@pytest.mark.django_db
class TestWhatOthersKeep:
    """Fields that triggers keep, and what is done in the end."""

    def plan(self, *kept: str, **given: Any) -> SeedPlan:
        return make_plan([Seed(TagResource, rows={'any': 3}, kept=kept, **given)], size='any')

    def test_a_kept_field_begins_as_its_default_and_may_change(self) -> None:
        plan = make_plan([Seed(Specimen, rows={'any': 4}, kept=('text', 'truth'))], size='any')
        loaded = load(plan)

        assert set(Specimen._base_manager.values_list('text', 'truth')) == {(None, None)}
        Specimen._base_manager.update(text='changed')
        assert total(verify(plan)) == total(loaded)
        Specimen._base_manager.update(required_text='changed')
        assert verify(plan)[0].difference

    def test_what_is_kept_must_exist_and_cannot_be_given(self) -> None:
        with pytest.raises(SeedError, match=r"bookshop.Tag has no 'nothing'; it has: "):
            self.plan('nothing')
        with pytest.raises(SeedError, match=r"bookshop.Tag has no 'label'; it has: id"):
            self.plan('label', label=lambda _: 'x')

    def test_what_comes_afterwards_finds_all_rows_in_every_run_that_gets_there(self) -> None:
        counts: list[int] = []
        plan = self.plan(afterwards=lambda: counts.append(Tag._base_manager.count()))

        load(plan)
        load(plan)
        verify(plan)

        assert counts == [3, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize('rewrite', [False, True])
def test_tidying_changes_no_row_and_lets_the_planner_know(rewrite: bool) -> None:
    load(tags(50))
    Tag._base_manager.filter(pk__gt=20).delete()

    tidy(Tag, rewrite=rewrite)

    assert Tag._base_manager.count() == 20
    if connection.vendor == 'postgresql':
        with connection.cursor() as cursor:
            cursor.execute(
                'SELECT reltuples FROM pg_class WHERE relname = %s', [Tag._meta.db_table]
            )
            assert cursor.fetchone() == (20,)


@pytest.mark.django_db
class TestRefusing:
    def test_rows_of_somebody_else_are_not_mixed_with(self) -> None:
        Book._base_manager.create(title='Mine', slug='mine', created_at=EPOCH)

        with pytest.raises(SeedError, match=r'bookshop.Book holds 1 rows, 0 of them seeded'):
            load(small())
        assert not Author._base_manager.exists()
        assert not SeededChunk.objects.exists()

    def test_a_half_written_table_that_was_changed_is_not_gone_on_with(self) -> None:
        load(tags(CHUNK + 1))
        SeededChunk.objects.filter(number=1).delete()

        with pytest.raises(SeedError, match=rf'holds {CHUNK + 1} rows, {CHUNK} of them seeded'):
            load(tags(CHUNK + 1))

    @pytest.mark.parametrize(
        'options', [{'seed': 43}, {'until': EPOCH + dt.timedelta(days=1)}], ids=str
    )
    def test_another_seeding_is_not_mixed_in(self, options: Any) -> None:
        load(small())

        with pytest.raises(SeedError, match=r'with --size small --seed 42 --until 2026-01-01'):
            load(small(**options))
        assert verify(small())[0].difference == ''

    def test_seeds_with_other_numbers_are_not_mixed_in(self) -> None:
        load(tags(10))

        with pytest.raises(SeedError, match='or with other seeds; --reset deletes its rows first'):
            load(tags(11))


@pytest.mark.django_db
class TestVerifying:
    @pytest.fixture(autouse=True)
    def seeded(self) -> None:
        load(small())

    def differences(self) -> dict[str, str]:
        return {each.label: each.difference for each in verify(small()) if each.difference}

    def test_it_finds_the_value_that_was_changed(self) -> None:
        before = Book._base_manager.get(pk=7).title
        Book._base_manager.filter(pk=7).update(title='Changed')

        assert self.differences() == {
            'bookshop.Book': f"title of the row 7 is 'Changed' instead of {before!r}"
        }
        assert total(verify(small())) != SMALL

    def test_it_finds_the_row_that_is_missing(self) -> None:
        Review._base_manager.filter(pk=1_000).delete()

        assert self.differences() == {'bookshop.Review': '1499 rows instead of 1500'}

    def test_it_finds_the_row_that_stands_instead_of_another(self) -> None:
        Review._base_manager.filter(pk=1_000).update(id=2_000)

        assert self.differences() == {'bookshop.Review': 'the row 1000 is not there'}

    def test_it_finds_the_row_that_is_too_many(self) -> None:
        Tag._base_manager.create(label='new')

        assert self.differences() == {'bookshop.Tag': '13 rows instead of 12'}

    def test_it_writes_nothing(self) -> None:
        Review._base_manager.filter(pk=1_000).delete()
        verify(small())

        assert Review._base_manager.count() == 1_499


@pytest.mark.django_db
class TestResetting:
    def test_it_deletes_the_rows_and_what_is_remembered_of_them(self) -> None:
        load(small())
        Book._base_manager.create(title='Mine', slug='mine', created_at=EPOCH)
        assert not is_untouched(small())
        reset(small())

        assert is_untouched(small())
        assert not SeededChunk.objects.exists()
        assert total(load(small())) == SMALL

    @pytest.mark.django_db(transaction=True)
    def test_rows_that_others_point_at_are_kept_and_told(self) -> None:
        plan = make_plan([Seed(AuthorResource, rows={'any': 5})], size='any')
        load(plan)
        Biography._base_manager.create(author_id=5)

        with pytest.raises(SeedError, match='other rows point at those of the seed'):
            reset(plan)
        assert Author._base_manager.count() == 5
        assert SeededChunk.objects.count() == 1


def test_a_checksum_depends_on_values_labels_columns_and_rows() -> None:
    assert checksum.of_chunk([(1, 'a')]) != checksum.of_chunk([(1, 'b')])
    assert checksum.of_chunk([('ab', 'c')]) != checksum.of_chunk([('a', 'bc')])
    summer = dt.timezone(dt.timedelta(hours=2))
    assert checksum.canonical(EPOCH.astimezone(summer)) == checksum.canonical(EPOCH)
    assert checksum.of_chunk([[1]]) == checksum.of_chunk([(1,)])
    made = [('a', ['x'], ['1']), ('b', ['x'], ['1']), ('a', ['y'], ['1']), ('a', ['x'], ['2'])]
    assert len({checksum.of_model(*each) for each in made}) == 4
    assert checksum.of_all([('a', 1, 'x'), ('b', 1, 'y')]) == checksum.of_all(
        [('b', 1, 'y'), ('a', 1, 'x')]
    )


def test_what_has_no_canonical_form_is_no_part_of_a_checksum() -> None:
    with pytest.raises(TypeError, match='a set has no place in a checksum'):
        checksum.canonical({1})
    with pytest.raises(ValueError, match='not JSON compliant'):
        checksum.canonical(float('nan'))


class Site:
    """The bookshop's site in processes of its own, on a SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / 'seeded.sqlite3'
        self.run('migrate', '--run-syncdb', '-v0')

    def start(self, *arguments: str, hash_seed: str = '0') -> 'subprocess.Popen[str]':
        return subprocess.Popen(  # noqa: S603 our own interpreter and arguments
            [sys.executable, 'manage.py', *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                'ENV': 'test',
                'DATABASE_URL': f'sqlite:///{self.file}',
                'DJANGO_SETTINGS_MODULE': 'tests.seeding.site',
                'PYTHONHASHSEED': hash_seed,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, hash_seed: str = '0') -> str:
        with self.start(*arguments, hash_seed=hash_seed) as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output

    def chunks(self) -> int:
        with closing(sqlite3.connect(self.file, timeout=5)) as database:
            return int(database.execute('SELECT count(*) FROM seeding_seededchunk').fetchone()[0])


@pytest.mark.engine_free
def test_a_seeding_that_is_killed_goes_on_and_ends_with_the_same_checksum(tmp_path: Path) -> None:
    site = Site(tmp_path)
    seeding = ('seed', 'bookshop', '--size', 'medium', '-v0')
    with site.start(*seeding, hash_seed='1') as process:
        deadline = time.monotonic() + 60
        while site.chunks() < 11:
            assert process.poll() is None, 'it ended before it could be killed'
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=10) == -signal.SIGKILL
    before = site.chunks()
    resumed = site.run(*seeding, hash_seed='2')

    assert 11 <= before < site.chunks()
    assert f'checksum {MEDIUM}' in resumed
    assert f'checksum {MEDIUM}' in site.run(*seeding, '--verify')
