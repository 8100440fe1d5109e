"""Amounts in cents: whole numbers in the database, decimals with two places everywhere else."""

from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers

from backstay.engine.forms import Form, cast_binding, json_binding
from backstay.resources.kinds import DECIMAL, ValueKind, register
from backstay.resources.kinds.operators import COMPARISONS
from backstay.resources.kinds.value_kind import Column, Schema, Writing


class CentsField(models.BigIntegerField):
    """An amount with two decimals, stored as a whole number."""

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else _cents(value)


def _cents(amount: Any) -> int:
    return int(Decimal(amount).scaleb(2))


def _read(raw: object, column: Column) -> Decimal:
    amount: Decimal = DECIMAL.read(raw, column)
    if amount != round(amount, 2):
        raise ValueError
    if abs(_cents(amount)) >= 2**63:
        raise OverflowError
    return amount


def _checked(column: Column) -> serializers.Field:
    return serializers.DecimalField(18, 2, allow_null=column.null)


def _schema(_column: Column) -> Schema:
    return {'type': 'string', 'format': 'decimal', 'pattern': r'^-?\d+\.\d{2}$'}


_SIGN = "CASE WHEN {x} < 0 THEN '-' ELSE '' END"

CENTS = register(
    ValueKind(
        name='cents',
        columns=(CentsField,),
        operators=COMPARISONS,
        read=_read,
        expected=lambda _column: 'an amount with at most two decimals',
        body_field=_checked,
        check_body=_read,
        writing={
            'postgresql': Writing(
                column=Form('({x} / 100.0)::numeric(20, 2)', quoted=True), key=Form('{x}')
            ),
            'sqlite': Writing(
                column=Form(
                    f"{_SIGN} || printf('%%d.%%02d', abs({{x}}) / 100, abs({{x}}) %% 100)",
                    quoted=True,
                    hides_null=True,  # printf writes NULL as zero
                ),
                key=Form('{x}'),
            ),
        },
        bindings={
            'postgresql': cast_binding('bigint', lambda amount: str(_cents(amount)), adapt_key=str),
            'sqlite': json_binding(_cents, adapt_key=int),
        },
        answer_schema=_schema,
        asked_schema=_schema,
        suffixes=('', 'gte', 'lte'),
    )
)
