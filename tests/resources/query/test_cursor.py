"""Cursors: encrypted, bound, typed, and refused with one text."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.resources import kinds
from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import CursorError, PageError
from backstay.resources.query import cursor
from backstay.resources.query.nodes import And, Key, Leaf, Op
from tests.catalogue.resources import CategoryResource

KEY = 'k' * 50
REFUSAL = 'The cursor is not valid here; start again without it.'


def encrypt(*keys: Any, backwards: bool = False, binding: str = 'b') -> str:
    """A cursor of these keys."""
    return cursor.encrypt(keys, backwards, binding, KEY)


def refused(text: str, expected: list[kinds.ValueKind], binding: str = 'b', key: str = KEY) -> None:
    """That the cursor is refused, with the text that is always the same."""
    with pytest.raises(CursorError) as raised:
        cursor.decrypt(text, expected, binding, key)
    assert raised.value.detail == REFUSAL
    assert raised.value.answer_code == 'cursor-invalid'
    assert raised.value.members == {}


@pytest.mark.parametrize(
    ('kind', 'value'),
    [
        (kinds.TEXT, 'é😀 "\'\\\n'),
        (kinds.TEXT, ''),
        (kinds.CHOICE, 'active'),
        (kinds.INTEGER, -(2**63)),
        (kinds.INTEGER, 2**63 - 1),
        (kinds.FLOAT, 0.1 + 0.2),
        (kinds.FLOAT, -0.0),
        (kinds.DECIMAL, Decimal('12345678901234567890.1234567890')),
        (kinds.BOOLEAN, True),
        (kinds.DATE, '2026-02-28'),
        (kinds.TIME, '01:02:03.000004'),
        (kinds.DATETIME, '2026-02-28 01:02:03.456'),
        (kinds.DURATION, timedelta(days=-3, microseconds=7)),
        (kinds.UUIDS, UUID('01234567-89ab-cdef-0123-456789abcdef')),
        (kinds.IP, '2001:db8::1'),
        (kinds.DECIMAL, None),
        (kinds.DATETIME, None),
    ],
)
def test_keys_come_back_as_they_were(kind: kinds.ValueKind, value: object) -> None:
    boundary = cursor.decrypt(encrypt(value, 7), [kind, kinds.INTEGER], 'b', KEY)

    assert boundary == cursor.Boundary((value, 7), backwards=False)
    assert type(boundary.keys[0]) is type(value)


@pytest.mark.parametrize(
    ('kind', 'json', 'value'),
    [
        (kinds.DECIMAL, '12.50', Decimal('12.50')),
        (kinds.DECIMAL, 12.5, Decimal('12.5')),
        (kinds.DURATION, '1 02:03:04', timedelta(days=1, hours=2, minutes=3, seconds=4)),
        (kinds.FLOAT, 3, 3.0),
        (
            kinds.UUIDS,
            '01234567-89ab-cdef-0123-456789abcdef',
            UUID('01234567-89ab-cdef-0123-456789abcdef'),
        ),
    ],
)
def test_keys_may_come_from_the_json_of_a_row(
    kind: kinds.ValueKind, json: object, value: object
) -> None:
    assert cursor.decrypt(encrypt(json), [kind], 'b', KEY).keys == (value,)


@pytest.mark.parametrize('kind', [kinds.DATE, kinds.TIME, kinds.DATETIME])
@pytest.mark.parametrize('text', ['2026-02-28 01:02:03', '2026-02-28 01:02:03.000', '01:02:03.5'])
def test_a_moment_keeps_the_spelling_in_which_the_database_compares_it(
    kind: kinds.ValueKind, text: str
) -> None:
    assert cursor.decrypt(encrypt(text), [kind], 'b', KEY).keys == (text,)


def test_the_direction_is_kept() -> None:
    assert cursor.decrypt(encrypt(1, backwards=True), [kinds.INTEGER], 'b', KEY).backwards is True


def test_a_cursor_stands_in_a_url_as_it_is() -> None:
    text = encrypt('é' * 20, Decimal('1.5'), None)

    assert text.isascii()
    assert not set(text) - set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~')


def test_a_usual_cursor_is_short() -> None:
    assert len(encrypt(datetime.now(UTC), 'a' * 100, 2**63 - 1)) < 1_024


def test_every_changed_character_is_noticed() -> None:
    text = encrypt('Blue mug', 7)

    for at, character in enumerate(text):
        changed = text[:at] + ('A' if character != 'A' else 'B') + text[at + 1 :]
        refused(changed, [kinds.TEXT, kinds.INTEGER])


@pytest.mark.parametrize(
    'text',
    ['', 'x', '~', '~~', '.', '.~.~.', 'a~b~c', '\0', 'é~é~é', '\ud800', 'A' * 5_000, 'A' * 10**6],
)
def test_what_is_no_cursor(text: str) -> None:
    refused(text, [kinds.INTEGER])


def test_it_is_bound_to_the_question_and_the_key() -> None:
    refused(encrypt(1), [kinds.INTEGER], binding='other')
    refused(encrypt(1), [kinds.INTEGER], key='other')


def test_it_has_as_many_keys_as_the_order() -> None:
    refused(encrypt(1, 2), [kinds.INTEGER])
    refused(encrypt(), [kinds.INTEGER])


def test_it_lives_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    text = encrypt(1)
    now = datetime.now(UTC).timestamp()

    monkeypatch.setattr('backstay.resources.query.cursor.time.time', lambda: now + 24 * 3600 - 60)
    assert cursor.decrypt(text, [kinds.INTEGER], 'b', KEY).keys == (1,)

    monkeypatch.setattr('backstay.resources.query.cursor.time.time', lambda: now + 24 * 3600 + 60)
    refused(text, [kinds.INTEGER])


def test_keys_too_long_for_a_link_are_refused() -> None:
    text = ''.join(chr(0x4E00 + index) for index in range(4_000))

    with pytest.raises(PageError):
        encrypt(text)


def test_the_binding_depends_on_everything_that_the_caller_asked(products: Readable) -> None:
    where = Leaf(field='id', op=Op.GT, slot=0)
    order = (Key(field='id'),)
    questions = [
        (products, where, [1], order, 'ann'),
        (Readable(CategoryResource), where, [1], order, 'ann'),
        (products, And(()), [1], order, 'ann'),
        (products, where, [2], order, 'ann'),
        (products, where, [1], (Key(field='id', descending=True),), 'ann'),
        (products, where, [1], order, 'bob'),
    ]

    assert len({cursor.binding(*question) for question in questions}) == len(questions)
    assert cursor.binding(*questions[0]) == cursor.binding(*questions[0])


@given(st.text(max_size=80))
def test_any_text_is_refused_alike(text: str) -> None:
    refused(text, [kinds.INTEGER])
