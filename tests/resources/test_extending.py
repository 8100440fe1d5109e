"""A column type that the tests add: one file, and it is read, asked, written and described."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from drf_spectacular.plumbing import ComponentRegistry

from backstay.resources.openapi.components import Components
from backstay.resources.openapi.written_values import value
from backstay.resources.write.members import writable
from tests.bookshop import cents
from tests.bookshop.models import Bill
from tests.bookshop.resources import BillResource
from tests.resources.asking import ask

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'how-to' / 'extend-the-core.md'
LESS = {'field': 'fee', 'op': '<', 'value': '0.1'}
AMOUNTS = ['-0.05', '-12.50', '0.00', '0.10', '9.99', '12.50', '90071992547409.93', None]


@pytest.fixture
def bills(db: None) -> None:
    for amount in AMOUNTS:
        fee = None if amount is None else Decimal(amount)
        Bill._base_manager.create(price=1, amount=1, day='2026-01-02', fee=fee)


def test_the_page_has_the_file_as_it_is() -> None:
    (code,) = re.findall(r'```python\n(.*?)```', PAGE.read_text(), re.DOTALL)

    assert code == Path(cents.__file__).read_text()


def test_nothing_of_the_package_knows_the_new_kind() -> None:
    files = (ROOT / 'src' / 'backstay').rglob('*.py')

    assert [file for file in files if 'CentsField' in file.read_text()] == []


def test_it_is_shown_and_found_by_what_is_shown(bills: None) -> None:
    assert ask(BillResource, 'fee', sort='id').values('fee') == AMOUNTS
    for amount in AMOUNTS[:-1]:
        for asked in ({'value': amount}, {'op': 'in', 'value': [amount]}):
            found = ask(BillResource, 'fee', filter={'field': 'fee', **asked})
            assert found.values('fee') == [amount]
    below = ask(BillResource, 'fee', sort='id', filter=LESS)
    assert below.values('fee') == ['-0.05', '-12.50', '0.00']


def test_it_is_sorted_by_its_amount_and_walked(bills: None) -> None:
    ordered = ['-12.50', '-0.05', '0.00', '0.10', '9.99', '12.50', '90071992547409.93', None]
    assert ask(BillResource, 'fee', sort='fee').values('fee') == ordered

    met: list[str | None] = []
    answer = ask(BillResource, 'fee', sort='fee', limit=3, cursor=True)
    while answer.objects:
        met += answer.values('fee')
        answer = ask(BillResource, 'fee', sort='fee', limit=3, after=answer.keys[-1])
    assert met == ordered


@pytest.mark.parametrize('raw', ['12.505', 'x', True, [], '1_0', '9' * 19])
def test_a_body_that_is_no_amount_is_refused(raw: object) -> None:
    assert writable(BillResource)['fee'].clean(raw)[1]


def test_a_body_and_the_document_have_it_as_answers_do() -> None:
    member = writable(BillResource)['fee']
    components = Components(ComponentRegistry())

    assert member.clean('12.50') == (Decimal('12.50'), [])
    assert member.clean(None) == (None, [])
    schema = components.shown(member.field, 'Bill')
    assert schema['type'] == ['string', 'null']
    assert json.dumps(value(member.check, member.field, 'Bill', components)).count('decimal') == 1
