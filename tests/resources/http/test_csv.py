"""Lists as CSV: RFC 4180, the formula guard, types."""

import csv
import io
import json
import time as clock
import tracemalloc
from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.signals import request_finished
from django.db import OperationalError, close_old_connections, connection, transaction
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from backstay.engine import Trouble, trouble_of
from backstay.resources.declaration.readable import Readable
from backstay.resources.http.csv import cell, csv_lines, disarm
from backstay.resources.plan.cache import plans
from backstay.resources.plan.masks import select
from backstay.resources.query.mask import parse
from tests.bookshop.factories import make_tags
from tests.bookshop.models import Book, Specimen
from tests.bookshop.resources import BookResource
from tests.resources.http.asking import Answer, call, get, post
from tests.resources.http.rows import FIRST
from tests.resources.http.site import open_to_all

pytestmark = pytest.mark.django_db

CSV = {'Accept': 'text/csv'}


def lines_of(answer: Answer) -> list[list[str]]:
    """The cells of every line, read by Python's own reader."""
    assert answer.status == 200, answer.body
    return list(csv.reader(io.StringIO(answer.body.decode(), newline=''), strict=True))


def raw_lines(answer: Answer) -> list[str]:
    """The lines as they are."""
    return answer.body.decode().split('\r\n')


@pytest.mark.usefixtures('books')
class TestLists:
    def test_all_rows_under_a_header(self) -> None:
        answer = get('/books/', 'id,title,publisher', headers=CSV, ordering='id')

        assert raw_lines(answer)[:3] == [
            '"id","title","publisher.id","publisher.name"',
            '1,"Book 1",1,"Sperling & Söhne"',
            '2,"Book 2",,',
        ]
        assert len(lines_of(answer)) == 8
        assert answer.body.endswith(b'\r\n')

    def test_its_headers(self) -> None:
        answer = get('/books/', headers=CSV)

        assert answer['Content-Type'] == 'text/csv; charset=utf-8; header=present'
        assert answer['Content-Disposition'] == 'attachment; filename="book.csv"'
        assert answer['Cache-Control'] == 'private, no-cache'
        assert 'Accept' in answer['Vary']
        assert answer['Server-Timing'].startswith('parse;dur=')

    def test_it_can_be_asked_for_in_the_address(self) -> None:
        assert raw_lines(get('/books/?format=csv&fields=id&ordering=id'))[:2] == ['"id"', '1']

    def test_it_can_be_asked_for_in_a_query(self) -> None:
        answer = post('/books/query/', {'fields': 'id', 'price__gt': 5}, headers=CSV)

        assert raw_lines(answer) == ['"id"', '7', '']

    def test_more_rows_than_a_page_has(self) -> None:
        Book.objects.bulk_create(
            Book(pk=at, title='t', slug='s', created_at=FIRST) for at in range(100, 1_600)
        )

        assert len(lines_of(get('/books/', 'id', headers=CSV))) == 1_508

    def test_it_has_no_pages(self) -> None:
        answer = get('/books/', headers=CSV, limit=2)

        assert (answer.status, answer.json['code']) == (400, 'parameter-unknown')

    def test_it_is_one_statement(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            get('/books/', '*', headers=CSV)

    def test_lists_are_json_in_a_cell(self) -> None:
        answer = get('/books/', 'tags{label},metadata', headers=CSV, id=2)

        assert lines_of(answer)[1] == [
            '[{"label": "tag 0"}, {"label": "tag 1"}]',
            '{"colour": "red"}',
            '',
        ]

    def test_lists_that_were_cut_are_named_in_the_last_column(self) -> None:
        """A body of lines has no envelope and no header for each line."""
        make_tags(Book.objects.get(pk=2), *'abcdef')

        answer = get('/books/', 'id,tags{label}', headers=CSV, ordering='id')

        header, first, second, *_ = lines_of(answer)
        assert header == ['id', 'tags', 'truncated']
        assert (first[2], second[2]) == ('', '["/tags"]')
        assert len(json.loads(second[1])) == 5

    def test_the_slow_path_is_there_too(self) -> None:
        assert lines_of(get('/books/', 'shouted', headers=CSV, id=2)) == [['shouted'], ['BOOK 2!']]

    def test_one_object_is_never_csv(self) -> None:
        assert get('/books/1/', headers=CSV).status == 406

    def test_head_reads_no_row(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            answer = call('HEAD', '/books/', Accept='text/csv')

        assert (answer.status, answer.body) == (200, b'')
        assert answer['Content-Type'].startswith('text/csv')

    @pytest.mark.parametrize('query', ['nope=1', 'filter={', 'sort=nope', 'fields=id,,x'])
    def test_what_is_malformed_is_a_problem(self, query: str) -> None:
        answer = get(f'/books/?{query}', headers=CSV)

        assert answer.status == 400
        assert answer['Content-Type'] == 'application/problem+json'


class TestTypes:
    def test_only_texts_are_quoted(self) -> None:
        specimen = Specimen.objects.create(
            text='t',
            integer=-5,
            money=Decimal('-5.00'),
            real=-0.5,
            truth=False,
            day=date(2026, 1, 31),
            clock=time(14, 5),
            moment=FIRST,
            span=timedelta(days=-1),
            uuid=UUID(int=1),
            ip='::1',
            binary=b'\xfb',
            document=[-1, '='],
            **_REQUIRED,
        )
        mask = 'text,integer,money,real,truth,day,clock,moment,span,uuid,ip,binary,document,choice'

        answer = get('/specimens/', mask, headers=CSV, id=specimen.pk)

        assert raw_lines(answer)[1] == (
            '"t",-5,-5.00,-0.5,false,2026-01-31,14:05:00,2026-01-01T12:00:00Z,-1 00:00:00,'
            '00000000-0000-0000-0000-000000000001,::1,"\'+w==","[-1, ""=""]",'
        )

    def test_null_is_not_the_empty_text(self) -> None:
        Specimen.objects.create(text='', slug=None, **_REQUIRED)

        assert raw_lines(get('/specimens/', 'text,slug', headers=CSV))[1] == '"",'


_REQUIRED = {
    'required_text': '',
    'required_integer': 0,
    'required_real': 0.0,
    'required_money': 0,
    'required_truth': True,
    'required_day': date(2026, 1, 1),
    'required_clock': time(0),
    'required_moment': FIRST,
    'required_span': timedelta(0),
    'required_uuid': UUID(int=0),
    'required_document': {},
}


class TestFormulaGuard:
    @pytest.mark.parametrize(
        'text',
        [
            '=1+1',
            '+1',
            '-1',
            '@SUM(A1)',
            '\t=1',
            '\r=1',
            '\n=1',
            ' =1',
            '\u00a0\u200b\ufeff=1',
            '\u3000@x',
            '\uff1d1',
            '\uff0b1',
            '\uff0d1',
            '\uff201',
            "=cmd|' /C calc'!A0",
            '-',
        ],
    )
    def test_disarms_a_text(self, text: str) -> None:
        assert disarm(text) == f"'{text}"

    @pytest.mark.parametrize('text', ['', ' ', 'a=1', '1+1', "'=1", '#', '(=1)', '\u200b'])
    def test_leaves_other_texts(self, text: str) -> None:
        assert disarm(text) == text

    def test_does_so_in_every_cell_of_text(self) -> None:
        Book.objects.create(title='=1+1', slug='-x', created_at=FIRST, metadata='@json', pages=1)

        answer = get('/books/', 'title,slug,metadata,pages,shouted', headers=CSV)

        assert raw_lines(answer)[1] == '"\'=1+1","\'-x","\'@json",1,"\'=1+1!"'


@given(st.lists(st.text(), min_size=1))
def test_any_reader_gets_back_what_was_written(texts: list[str]) -> None:
    line = ','.join(cell(text, is_text=True) for text in texts)

    (read,) = csv.reader(io.StringIO(line + '\r\n', newline=''), strict=True)

    assert read == [disarm(text) for text in texts]


def ilike(pattern: str) -> str:
    """A filter on titles."""
    return json.dumps({'field': 'title', 'op': 'ilike', 'value': pattern})


class TestTheLimitOfAnExport:
    """Limits of their own, on every kind of export: much to read, much to sort, slow functions."""

    @pytest.fixture(autouse=True)
    def _rows(self, db: None) -> None:
        Book.objects.bulk_create(
            Book(title='e' * 300, slug='s', created_at=FIRST) for _ in range(4_000)
        )

    @pytest.mark.parametrize('asked', [{}, {'filter': ilike('%e%e%_e%')}, {'ordering': '-rating'}])
    def test_is_not_that_of_a_page(self, settings: Any, asked: dict[str, str]) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'statement_timeout': 0.001})

        assert len(lines_of(get('/books/', '*', headers=CSV, **asked))) == 4_001

    @pytest.mark.parametrize(
        'asked', [{'filter': ilike('%e%e%_e%z')}, {'ordering': '-rating,title', 'slug__ne': 'x'}]
    )
    def test_refuses_what_finds_no_row_in_time(self, settings: Any, asked: dict[str, str]) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'export_timeout': 0.001})

        with transaction.atomic():
            answer = get('/books/', '*', headers=CSV, **asked)
            transaction.set_rollback(True)

        assert (answer.status, answer.json['code']) == (422, 'query-too-slow')
        assert get('/books/', 'id').status == 200

    def test_breaks_off_what_has_begun(self, settings: Any) -> None:
        """The end is no CSV, and the iterator raises: Granian would end the answer all the same."""
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'export_timeout': 0.3})
        view = open_to_all(BookResource).as_view({'get': 'list'})
        with transaction.atomic():
            response = view(RequestFactory().get('/books/?fields=*', headers=CSV))
            lines = iter(response.streaming_content)
            assert next(lines).startswith(b'"id"')
            clock.sleep(0.4)

            read = []
            with pytest.raises(OperationalError) as failure:  # noqa: PT012 what came before counts
                for line in lines:
                    read.append(line)  # noqa: PERF402 a list would lose them
            transaction.set_rollback(True)

        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(b''.join(read).decode(), newline=''), strict=True))
        assert trouble_of(failure.value) is Trouble.TIMEOUT
        assert get('/books/', 'id').status == 200


class TestStreaming:
    def test_memory_does_not_grow_with_the_rows(self) -> None:
        """The lines of 30 000 rows take 5 MB; at no time are more than some hundreds held."""
        selection = select(Readable(BookResource), parse('id,title'), [])
        row = b'{"id":1,"title":"' + b't' * 150 + b'"}'

        tracemalloc.start()
        for _ in csv_lines(selection, ((row, ()) for _ in range(30_000))):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 2_000_000

    def test_a_client_that_leaves_ends_the_statement(self) -> None:
        Book.objects.bulk_create(Book(title='t', slug='s', created_at=FIRST) for _ in range(3_000))
        view = open_to_all(BookResource).as_view({'get': 'list'})
        response = view(RequestFactory().get('/books/?fields=id', headers=CSV))
        next(iter(response.streaming_content))
        assert open_cursors() == (1 if connection.vendor == 'postgresql' else 0)

        request_finished.disconnect(close_old_connections)  # the test's transaction is in it
        response.close()
        request_finished.connect(close_old_connections)

        assert open_cursors() == 0

    def test_a_failure_of_the_statement_is_no_half_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Book.objects.create(title='t', slug='s', created_at=FIRST)
        monkeypatch.setattr(Book._meta, 'db_table', 'no_such_table')

        answer = get('/books/', 'id,slug,released_on', headers=CSV)

        assert (answer.status, answer['Content-Type']) == (500, 'application/problem+json')


def open_cursors() -> int:
    """Statements that the server still has open for us; SQLite has no server."""
    if connection.vendor != 'postgresql':
        return 0
    with connection.cursor() as cursor:
        cursor.execute('SELECT COUNT(*) FROM pg_cursors')
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _plans() -> Iterator[None]:
    """Plans made while a table had another name do not stay."""
    yield
    plans.clear()
