"""Questions: requests without who makes them, and the comparisons of a field that they hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.duration import duration_iso_string

from backstay.resources import Array, Resource
from backstay.testing.sites import Path


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request, without who makes it."""

    path: Path
    method: str = 'GET'
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    #: Pages that are read, by following `next`.
    pages: int = 1
    #: Whether it is asked again with the ETag of its first answer.
    again: bool = False

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A field of a resource, with values that some row has, had, or is to have."""

    resource: type[Resource]
    name: str
    values: Sequence[Any]
    #: Primary keys of rows that questions should look at.
    keys: Sequence[Any] = ()

    @cached_property
    def lookups(self) -> Sequence[Any]:
        """The values by which these rows are found in a path."""
        options = self.resource.options
        rows = options.model._base_manager.filter(pk__in=self.keys)
        return [*rows.values_list(self.resource.fields()[options.lookup].attname, flat=True)]


def suffixes(subject: Subject) -> Iterator[tuple[str, str]]:
    """Suffixes of parameters with what follows them."""
    yield '__isnull', 'true'
    if _is_array(subject):
        yield from (('__any', _text(each)) for value in subject.values for each in value or ())
        return
    for value in subject.values:
        match value:
            case dict():
                yield from ((f'.{key}', _text(each)) for key, each in value.items())
                yield from ((f'.{key}__isnull', 'true') for key in value)
            case bool():
                yield '', _text(value)
            case None:
                pass
            case _:
                yield '', _text(value)
                yield '__ne', _text(value)
                yield '__in', _text(value)
                yield ('__istartswith' if isinstance(value, str) else '__gte'), _text(value)


def comparisons(subject: Subject) -> Iterator[dict[str, Any]]:
    """Comparisons as JSON."""
    yield {'field': subject.name, 'op': 'is_null'}
    for value in subject.values:
        match value:
            case list():
                yield from (
                    {'field': subject.name, 'op': 'any', 'value': plain(each)} for each in value
                )
            case dict():
                yield from (
                    {'field': f'{subject.name}.{key}', 'op': '==', 'value': plain(each)}
                    for key, each in value.items()
                )
            case None:
                pass
            case _:
                yield {'field': subject.name, 'op': '==', 'value': plain(value)}
                yield {'field': subject.name, 'op': 'not_in', 'value': [plain(value)]}


def _is_array(subject: Subject) -> bool:
    return isinstance(subject.resource.declared.get(subject.name), Array)


def _text(value: Any) -> str:
    text = str(plain(value))
    return text.lower() if isinstance(value, bool) else text


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case models.Model():
            return value.pk
        case memoryview() | bytes():
            return bytes(value).hex()
        case list() | dict() | str() | int() | float() | None:
            return value
    if hasattr(value, 'total_seconds'):
        return duration_iso_string(value)
    return str(value)
