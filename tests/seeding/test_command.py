"""`backstay seed` as a developer types it, and the seeds that `backstay run` loads."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from backstay.operations.management.commands.run import load_demo
from backstay.operations.models import DemoLoad
from backstay.seeding import Seed
from backstay.seeding.models import SeededChunk
from tests.bookshop.models import Book, Tag
from tests.bookshop.resources import TagResource
from tests.seeding.site import BOOKSHOP
from tests.seeding.test_loading import SMALL

TAGS = replace(BOOKSHOP, name='tags', seeds=f'{__name__}.TAG_SEEDS')
TAG_SEEDS = (Seed(TagResource, rows={'small': 3, 'tiny': 1}),)


def add_group() -> None:
    """Demo data that counts the books it finds."""
    Group.objects.create(name=f'{Book._base_manager.count()} books')


@pytest.fixture(autouse=True)
def services(settings: Any) -> None:
    settings.BACKSTAY_SERVICES = (BOOKSHOP, replace(BOOKSHOP, name='bare', seeds=''))


def seed(*arguments: str, **options: Any) -> str:
    output = io.StringIO()
    call_command('seed', *arguments, stdout=output, **options)
    return output.getvalue()


@pytest.mark.django_db
class TestSeeding:
    def test_it_tells_rows_and_checksum_of_each_model_and_of_all(self) -> None:
        shown = seed().splitlines()

        *models, rows, checksum = shown
        assert len(models) == 11
        assert all(
            re.fullmatch(r'bookshop\.\w+ +[\d,]+ rows +[\d,]+ rows/s  [0-9a-f]{64}', line)
            for line in models
        )
        assert re.fullmatch(
            r'2,602 rows of --size small --seed 42 --until 2026-01-01, wrote 2,602 in [\d.]+ s',
            rows,
        )
        assert checksum == f'checksum {SMALL}'

    def test_after_the_demo_all_is_there_and_it_says_what_else_one_may_want(self) -> None:
        load_demo(BOOKSHOP)
        before = [*Book._base_manager.values_list('pk', flat=True)]
        today = f'{timezone.now():%Y-%m-%d}'

        shown = seed()

        assert f'--until {today}, wrote nothing' in shown
        assert 'All of it was there, from `make run`' in shown
        assert '--reset' in shown
        assert [*Book._base_manager.values_list('pk', flat=True)] == before
        assert f'--until {today}' in seed('--verify')
        with pytest.raises(CommandError, match='--reset deletes its rows first'):
            seed('--until', '2026-01-01')
        assert '--until 2026-01-01, wrote 2,602' in seed('--reset')

    def test_it_shows_a_bar_for_each_model_unless_it_shall_be_quiet(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seed()
        shown = capsys.readouterr().err
        assert 'bookshop.Book: 100%' in shown
        assert '1.50k/1.50k' in shown

        seed('--reset', verbosity=0)
        assert capsys.readouterr().err == ''

    def test_it_says_when_there_is_nothing_to_write(self) -> None:
        seed('bookshop')

        assert 'wrote nothing' in seed('bookshop', 'bookshop')
        assert Tag._base_manager.count() == 12

    def test_options_choose_the_rows(self) -> None:
        seed('--seed', '43', '--until', '2027-06-01')

        assert SeededChunk.objects.values_list('seed', 'until__year').distinct().get() == (43, 2027)
        assert Book._base_manager.filter(created_at__year=2027).exists()

    def test_it_verifies(self) -> None:
        seed()
        assert f'checksum {SMALL}' in seed('--verify')
        Tag._base_manager.filter(pk=3).update(label='changed')

        with pytest.raises(CommandError, match=r'not what the seed would write: bookshop\.Tag'):
            seed('--verify')
        assert Tag._base_manager.get(pk=3).label == 'changed'

    def test_it_resets_before_it_writes(self) -> None:
        seed('--seed', '7')
        Tag._base_manager.create(label='mine')

        assert f'checksum {SMALL}' in seed('--reset')

    def test_several_services_are_one_seeding(self, settings: Any) -> None:
        settings.BACKSTAY_SERVICES = (BOOKSHOP, TAGS)

        assert seed('tags').count('rows/s') == 1
        with pytest.raises(CommandError, match=r'^seeded twice: bookshop\.Tag$'):
            seed()


@pytest.mark.django_db
class TestRefusing:
    @pytest.mark.parametrize(
        ('arguments', 'message'),
        [
            (['nothing'], 'no seeds for nothing; services with seeds: bookshop'),
            (['bookshop', 'bare'], 'no seeds for bare; services with seeds: bookshop'),
            (['--size', 'huge'], "there is no size 'huge'; there are: medium, small"),
            (['--size', ''], "there is no size ''; there are: medium, small"),
            (['--seed', 'x'], '--seed x: give a whole number from 0 to 2**63 - 1'),
            (['--seed', '-1'], '--seed -1: give a whole number from 0 to 2**63 - 1'),
            (['--seed', str(2**63)], f'--seed {2**63}: give a whole number from 0 to 2**63 - 1'),
            (['--until', 'today'], '--until today: give a day such as 2026-01-01'),
            (['--until', '2026-02-30'], '--until 2026-02-30: give a day such as 2026-01-01'),
        ],
    )
    def test_what_does_not_exist_is_told_in_one_line(
        self, arguments: list[str], message: str
    ) -> None:
        with pytest.raises(CommandError) as caught:
            seed(*arguments, '--reset')

        assert str(caught.value) == message
        assert caught.value.returncode == 1
        assert not SeededChunk.objects.exists()
        assert not Book._base_manager.exists()

    def test_a_site_without_seeds_says_so(self, settings: Any) -> None:
        settings.BACKSTAY_SERVICES = ()

        with pytest.raises(CommandError, match='nothing to seed; services with seeds: none'):
            seed()

    @pytest.mark.parametrize('more', [[], ['--reset']])
    def test_production_is_left_alone_without_the_flag(
        self, settings: Any, more: list[str]
    ) -> None:
        Tag._base_manager.create(label='of a customer')
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'env': 'production'})

        with pytest.raises(CommandError, match='invented; say --allow-production if that is meant'):
            seed(*more)
        assert Tag._base_manager.count() == 1
        assert not SeededChunk.objects.exists()
        with pytest.raises(CommandError, match='not what the seed would write'):
            seed('--verify')  # reads only
        assert f'checksum {SMALL}' in seed('--reset', '--allow-production')

    def test_a_database_without_tables_asks_for_migrations(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute('DROP TABLE seeding_seededchunk')

        with pytest.raises(CommandError, match=r'seeding_seededchunk.*has `backstay migrate` been'):
            seed()

    def test_a_seeding_that_is_interrupted_says_how_to_go_on(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        def interrupt(row: Any) -> str:
            if row.index == 5:
                raise KeyboardInterrupt
            return 'label'

        monkeypatch.setattr(
            f'{__name__}.TAG_SEEDS', (Seed(TagResource, rows={'small': 9}, label=interrupt),)
        )
        settings.BACKSTAY_SERVICES = (TAGS,)

        with pytest.raises(CommandError, match='the same command goes on') as caught:
            seed()
        assert caught.value.returncode == 130
        assert not Tag._base_manager.exists()


@pytest.mark.django_db
class TestDemoData:
    DEMO = f'{__name__}.add_group'

    def test_it_is_the_small_seed_and_then_what_the_function_adds(self) -> None:
        assert load_demo(replace(BOOKSHOP, demo=self.DEMO))

        assert Group.objects.get().name == '100 books'
        assert 'wrote nothing' in seed('--until', f'{timezone.now():%Y-%m-%d}')

    def test_it_is_loaded_once_though_somebody_deletes_it(self) -> None:
        assert load_demo(BOOKSHOP)
        Book._base_manager.all().delete()

        assert not load_demo(BOOKSHOP)
        assert not Book._base_manager.exists()

    def test_rows_that_are_there_already_are_left_as_they_are(self) -> None:
        seed('--seed', '43')
        before = list(Book._base_manager.order_by('pk').values_list())

        assert load_demo(replace(BOOKSHOP, demo=self.DEMO))
        assert list(Book._base_manager.order_by('pk').values_list()) == before
        assert Group.objects.exists()

    def test_what_fails_leaves_nothing_and_is_tried_again(self) -> None:
        Group.objects.create(name='100 books')  # the loader will want this name

        with pytest.raises(Exception, match=r'(?i)unique'):
            load_demo(replace(BOOKSHOP, demo=self.DEMO))
        assert not DemoLoad.objects.exists()
        assert not Book._base_manager.exists()
        assert not SeededChunk.objects.exists()

    def test_a_service_without_any_has_nothing_to_load(self) -> None:
        assert not load_demo(replace(BOOKSHOP, seeds=''))
        assert not DemoLoad.objects.exists()
