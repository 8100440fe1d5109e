"""Kinds of values: nothing is left out of one, and every field of Django has one."""

from dataclasses import MISSING, fields

import pytest
from django.db import models

from backstay.engine.forms import Binding, Form
from backstay.resources import kinds
from backstay.resources.kinds import KINDS, ValueKind, kind_of
from tests.bookshop.cents import CENTS
from tests.bookshop.models import Specimen

ENGINES = {'postgresql', 'sqlite'}
#: Fields of Django that are no value of a row: they have a kind by what they lead to, or none.
NOT_VALUES = {'Field', 'ForeignKey', 'ForeignObject', 'GeneratedField', 'ManyToManyField'}
NOT_VALUES |= {'OneToOneField', 'IPAddressField', 'NullBooleanField'}  # Django took two back
COLUMN = models.DecimalField(max_digits=6, decimal_places=2, choices=[('a', 'A')])

each_kind = pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.name)


def test_names_and_columns_are_taken_once() -> None:
    columns = [column for kind in KINDS for column in kind.columns]

    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len({*columns}) == len(columns)


def test_every_kind_of_the_package_is_known() -> None:
    declared = {each for each in vars(kinds).values() if isinstance(each, ValueKind)}

    assert declared == {*KINDS} - {CENTS}


@pytest.mark.parametrize(
    'column',
    [each for name, each in vars(models).items() if name.endswith('Field')],
    ids=lambda column: column.__name__,
)
def test_every_field_of_django_has_a_kind(column: type[models.Field]) -> None:
    if column.__name__ not in NOT_VALUES:
        assert any(column.__mro__.count(base) for kind in KINDS for base in kind.columns)


def test_a_kind_that_leaves_out_what_others_say_cannot_be_made() -> None:
    """What has no default holds for no kind by itself."""
    needed = {
        each.name
        for each in fields(ValueKind)
        if each.default is MISSING and each.default_factory is MISSING
    }

    assert needed == {
        'name', 'operators', 'read', 'expected', 'writing', 'bindings', 'answer_schema',
        'asked_schema', 'suffixes',
    }  # fmt: skip
    with pytest.raises(TypeError, match='writing'):
        ValueKind(name='unfinished')  # type: ignore[call-arg]


@each_kind
def test_a_kind_is_written_and_bound_on_every_engine(kind: ValueKind) -> None:
    assert kind.writing.keys() == kind.bindings.keys() == ENGINES
    for computed in (False, True):
        for is_key in (False, True):
            forms = kind.forms(COLUMN, computed=computed, is_key=is_key)
            assert all(isinstance(form, Form) and '{x}' in form.sql for form in forms.values())
    for binding in kind.bindings.values():
        assert isinstance(binding, Binding)
        assert all('%s' in sql for sql in (binding.sql, binding.list_sql, binding.key_sql))


@each_kind
def test_a_kind_has_operators_and_says_what_it_takes(kind: ValueKind) -> None:
    assert kind.operators
    assert kind.expected(COLUMN)
    assert kind.suffixes
    with pytest.raises((ValueError, OverflowError)):
        kind.read([], COLUMN)


@each_kind
def test_a_kind_is_described(kind: ValueKind) -> None:
    for schema in (kind.answer_schema(COLUMN), kind.asked_schema(COLUMN)):
        assert isinstance(schema, dict)
        assert schema or kind is kinds.JSON


@each_kind
def test_what_is_sorted_by_is_compared(kind: ValueKind) -> None:
    assert kind.is_filterable or not kind.is_sortable


def test_the_specimen_has_a_column_of_every_kind() -> None:
    """What hypothesis draws rows of; arrays are declared, long texts are texts without a limit.

    Encrypted columns are read and written by Python, and have tests of their own.
    """
    found = {kind_of(column) for column in Specimen._meta.concrete_fields}

    assert {*KINDS} - found == {kinds.ARRAY, CENTS, kinds.ENCRYPTED, kinds.BLIND_INDEXED}
