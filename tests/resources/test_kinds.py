"""Kinds of values: whatever is said of one is said of every one, or there is a reason."""

from collections.abc import Collection

import pytest

from backstay.engine import postgresql, sqlite
from backstay.resources.declaration.kinds import _KINDS, Kind
from backstay.resources.http import json_schema, parameters, write_values
from backstay.resources.query import cursor, operators, values
from backstay.resources.write import members

DECIMAL_BY_COLUMN = {Kind.DECIMAL}  # its SQL depends on the places of the column
AS_JSON_HAS_THEM = {
    Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE, Kind.INTEGER, Kind.BOOLEAN, Kind.IP,
}  # fmt: skip
UNORDERED = {Kind.FILE, Kind.BINARY, Kind.JSON, Kind.ARRAY}  # never a key of an order
WITHOUT_VALUE = {Kind.BINARY, Kind.ARRAY}  # nothing is compared with the whole of it
TOLD_BY_THE_FIELD = {
    Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE, Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL, Kind.IP,
    Kind.FILE, Kind.JSON, Kind.ARRAY,
}  # fmt: skip


@pytest.mark.parametrize(
    ('table', 'elsewhere'),
    [
        # A choice is a text with choices; an array is found by its internal type.
        ({*_KINDS.values()}, {Kind.CHOICE, Kind.ARRAY}),
        (operators._OF_KIND, set()),
        (values._READERS, WITHOUT_VALUE),
        # These two tell of the column's own range and choices.
        (values._EXPECTED, {Kind.INTEGER, Kind.CHOICE, *WITHOUT_VALUE}),
        (cursor._TYPES, AS_JSON_HAS_THEM | UNORDERED),
        (sqlite._TEMPLATES, DECIMAL_BY_COLUMN),
        (postgresql._TEMPLATES, {Kind.ARRAY}),  # by its elements
        (json_schema._SHOWN, {Kind.CHOICE, Kind.DECIMAL, Kind.ARRAY}),  # by their column
        (parameters._USUAL, set()),
        (write_values._PLAIN, TOLD_BY_THE_FIELD),
    ],
)
def test_a_table_has_every_kind_or_says_why_not(
    table: Collection[Kind], elsewhere: set[Kind]
) -> None:
    assert {*table} | elsewhere == {*Kind}
    assert not {*table} & elsewhere


def test_what_is_refined_is_a_kind_that_can_be_written() -> None:
    assert {*members._REFINED} <= {*Kind} - {Kind.FILE}
