"""What each type of field is given: plausible values within all its limits."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.validators import (
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models

from backstay.seeding.errors import SeedError
from backstay.seeding.fields import values_for
from backstay.seeding.plan import EPOCH, make_plan
from backstay.seeding.seed import Seed
from backstay.seeding.values import Values
from tests.bookshop.models import Specimen
from tests.bookshop.resources import BookResource, SpecimenResource

pytestmark = pytest.mark.engine_free


def made(field: models.Field) -> list[Any]:
    """A sample of what the field is given."""
    field.set_attributes_from_name('it')
    field.model = Specimen
    values = values_for(field, None, EPOCH)
    assert values
    return sample(values)


def sample(values: Values) -> list[Any]:
    numbers = [*range(0, values.count, max(values.count // 1_000, 1)), values.count - 1]
    return [values.at(number) for number in numbers]


def specimens() -> list[dict[str, Any]]:
    (factory,) = make_plan([Seed(SpecimenResource, rows={'any': 300})], size='any').factories
    names = [field.attname for field in factory.fields]
    return [dict(zip(names, row, strict=True)) for row in factory.values(0, factory.rows)]


def test_every_type_of_field_is_given_what_its_validators_let_pass() -> None:
    for values in specimens():
        empty = [name for name, value in values.items() if value is None]
        Specimen(**values).clean_fields(exclude=[*empty, 'path', 'doubled'])  # no such folder


def test_every_field_that_may_be_null_is_so_at_times_and_no_other() -> None:
    rows = specimens()

    for field in Specimen._meta.concrete_fields:
        if not isinstance(field, models.GeneratedField):
            nulls = sum(row[field.attname] is None for row in rows)
            assert (10 < nulls < 60) if field.null else nulls == 0, field.name


def test_every_field_has_many_values() -> None:
    rows = specimens()

    for name in rows[0].keys() - {'choice', 'truth', 'required_truth'}:
        assert len({repr(row[name]) for row in rows}) > 100, name


@pytest.mark.parametrize('longest', [1, 2, 5, 16, 17, 30, 200])
def test_a_text_is_no_longer_than_its_field(longest: int) -> None:
    texts = made(models.CharField(max_length=longest))

    assert max(map(len, texts)) <= longest
    assert len(set(texts)) > 20


def test_only_choices_are_chosen() -> None:
    choices = [('', '---'), ('Group', [('a', 'A'), ('b', 'B')]), ('c', 'C')]

    assert set(made(models.CharField(max_length=3, choices=choices))) == {'a', 'b', 'c'}
    assert set(made(models.IntegerField(choices=[(3, 'three'), (9, 'nine')]))) == {3, 9}


@pytest.mark.parametrize(
    ('field', 'low', 'high'),
    [
        (models.SmallIntegerField(), 0, 9_999),
        (models.IntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)]), 1, 5),
        (models.IntegerField(validators=[MinValueValidator(10**6)]), 10**6, 10**6 + 9_999),
        (models.IntegerField(validators=[MaxValueValidator(lambda: -5)]), -10_004, -5),
        (models.FloatField(validators=[MaxValueValidator(0.5)]), 0, 0.5),
        (models.DecimalField(max_digits=3, decimal_places=2), 0, Decimal('9.99')),
        (
            models.DecimalField(
                max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal('0.01'))]
            ),
            Decimal('0.01'),
            Decimal('10000.00'),
        ),
    ],
)
def test_numbers_lie_between_their_limits(field: models.Field, low: Any, high: Any) -> None:
    numbers = made(field)

    assert (min(numbers), max(numbers)) == (low, high)


def test_a_text_with_a_pattern_is_given_the_first_form_that_fits_it() -> None:
    plain = models.CharField(max_length=254, validators=[RegexValidator(r'\A[\w.@+-]+\Z')])
    digits = models.CharField(max_length=6, validators=[RegexValidator(r'\A\d{6}\Z')])
    long = models.CharField(max_length=40, validators=[MinLengthValidator(9)])

    assert 'able-acorn' in made(plain)
    assert all(text.isdecimal() for text in made(digits))
    assert all(9 <= len(text) <= 40 for text in made(long))


def test_a_pattern_that_nothing_fits_asks_for_a_function_or_stays_null() -> None:
    class Pattern(models.CharField):
        default_validators = (*models.CharField.default_validators, RegexValidator('^x{9}$'))

    with pytest.raises(SeedError, match=r'bookshop.Specimen.it: nothing .* give a function it='):
        made(Pattern(max_length=9))
    field = Pattern(max_length=9, null=True)
    field.set_attributes_from_name('it')
    assert values_for(field, None, EPOCH) is None


def test_a_type_that_is_not_known_asks_for_a_function() -> None:
    with pytest.raises(SeedError, match='give a function'):
        made(models.Field())


def test_json_is_an_array_where_the_resource_says_so() -> None:
    field = BookResource.options.model._meta.get_field('labels')
    listed = values_for(field, BookResource, EPOCH)
    document = values_for(field, None, EPOCH)

    assert listed
    assert document
    assert {type(each) for each in sample(listed)} == {list}
    assert {type(each) for each in sample(document)} == {dict}


def test_moments_are_in_utc_and_before_the_epoch() -> None:
    moments = made(models.DateTimeField(auto_now=True))

    assert max(moments) < EPOCH
    assert min(moments) >= EPOCH - dt.timedelta(days=730)
    assert {moment.tzinfo for moment in moments} == {dt.UTC}
