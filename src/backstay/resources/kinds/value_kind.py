"""The kind of a value: all that is true of it, in one frozen row.

Stage: the first; it knows Django's fields and nothing of resources. Whatever reads, compiles,
writes or describes values asks their kind, and keeps no table of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers

from backstay.engine.forms import Bindings, Form, Forms
from backstay.engine.slots import ExactSlot, ListSlot, Slot, SlotKey
from backstay.resources.kinds.operators import Op

Column = models.Field
Schema = dict[str, Any]
#: A form, or what makes it for a column, whose digits or elements it depends on.
FormOf = Form | Callable[[Column], Form]
#: Members of bodies in Python, as JSON is read.
OF_JSON = (str, int, float, Decimal, list, dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """The forms in which one engine writes the values of a kind as JSON, by their place."""

    column: FormOf
    #: Values that the database computes, where they come in other spellings than stored ones.
    computed: FormOf | None = None
    #: Keys of an order, which have to read back as the same value: what is shown may be rounded.
    key: FormOf | None = None
    #: Keys that are computed.
    computed_key: FormOf | None = None
    #: Whether the engine's own JSON of an array has the elements as they are written here.
    is_plain_element: bool = False

    def form(self, column: Column, *, computed: bool = False, is_key: bool = False) -> Form:
        """Return the form of the values of a column, or of what is computed as such a column."""
        found = (self.computed if computed else None) or self.column
        if is_key:
            found = (self.computed_key if computed else None) or self.key or found
        return found if isinstance(found, Form) else found(column)


class Refused(ValueError):
    """A value that the column's type could hold, and we do not; the text is for the client."""


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValueKind:
    """Everything that is true of one kind of value."""

    name: str
    #: Fields of Django that have it; the first class in a field's own order of bases decides.
    columns: tuple[type[Column], ...] = ()
    #: The same for fields that cannot be imported everywhere, by their internal type.
    internal_type: str = ''
    #: The kind of such a column that has choices.
    with_choices: 'ValueKind | None' = None
    #: The operators that filters may use.
    operators: frozenset[Op]

    # Reading. Readers raise ValueError for another kind, OverflowError for too large a size.

    #: JSON, or the text of a parameter, as what the column is compared with.
    read: Callable[[object, Column], Any]
    #: The words that say in an error what `read` takes.
    expected: Callable[[Column], str]
    #: Turns the text of a parameter into the JSON that a body would have.
    from_text: Callable[[str], object] = _unchanged
    #: Django REST Framework's field for written values; None for that of its ModelSerializer.
    body_field: Callable[[Column], serializers.Field] | None = None
    #: Raises ValueError for JSON that Django REST Framework takes for another value than it is.
    check_body: Callable[[object, Column], object] = lambda _raw, _column: None
    #: Finishes a written value that Django REST Framework has checked.
    refine: Callable[[Any], Any] = _unchanged
    #: Whether written values need `refine` even in their usual form.
    is_always_refined: bool = False

    # The database, by the name of the engine.

    writing: Mapping[str, Writing]
    bindings: Bindings
    #: The SQL, by engine, that brings a computed value `{x}` into the form that is compared.
    computed_form: Mapping[str, str] = field(default_factory=dict)
    #: The SQL, by engine, of what filters compare of a column `{x}`; it has several forms at times,
    #: so that equality asks for one of a list.
    digest_form: Mapping[str, str] = field(default_factory=dict)
    #: An order's key as JSON has it, as what the slot of a boundary is bound to.
    from_key: Callable[[Any], Any] = _unchanged
    #: Whether texts are compared by their bytes: PostgreSQL's own order depends on the database.
    is_bytewise: bool = False
    #: Whether two values are equal as parameters just where they are equal as columns.
    is_exact: bool = False
    #: Whether filters may ask about it, and orders sort by it.
    is_filterable: bool = True
    #: Whether filters ask about its parts, members or elements, and not about the whole of it.
    has_parts: bool = False
    is_sortable: bool = True

    # Answers and their description.

    #: What Python makes of the JSON that the database writes of a value, which is the slow path:
    #: it gets the column, and an object of `value` and what is `beside` it.
    reveal: Callable[[Column, Mapping[str, Any]], Any] | None = None
    #: The columns of the row that `reveal` needs beside its own, by these names.
    beside: Callable[[Column], Mapping[str, Column]] = lambda _column: {}

    #: The JSON Schema of a value in answers, null aside.
    answer_schema: Callable[[Column], Schema]
    #: The JSON Schema of a value that it may be compared with.
    asked_schema: Callable[[Column], Schema]
    #: The JSON Schema of a value in bodies; None where the field that checks it says all.
    body_schema: Schema | None = None
    #: Suffixes that have a parameter of their own in the document; '' is the plain comparison.
    suffixes: tuple[str, ...]
    #: Whether answers may hold null though the column is never NULL.
    is_null_at_times: bool = False
    #: Whether strangers may have written into it what a spreadsheet takes for a formula.
    is_text: bool = False
    #: Whether the text of a value needs no escaping in a URL.
    is_safe_in_url: bool = False
    #: Whether it is too long for a column of the admin's lists.
    is_long: bool = False
    #: Whether the admin offers it beside a list to filter by.
    is_admin_filter: bool = False

    def forms(self, column: Column, *, computed: bool = False, is_key: bool = False) -> Forms:
        """Return how each engine writes the values of a column as JSON."""
        return {
            engine: writing.form(column, computed=computed, is_key=is_key)
            for engine, writing in self.writing.items()
        }

    def slot(self, key: SlotKey, column: Column) -> Slot:
        """Return the place of one value that is compared with a column."""
        return Slot(key, column, self.bindings)

    def list_slot(self, key: SlotKey, column: Column) -> ListSlot:
        """Return the place of a list of values."""
        return ListSlot(key, column, self.bindings)

    def exact_slot(self, key: SlotKey, column: Column) -> ExactSlot:
        """Return the place of a key of an order, which the database gave out before."""
        return ExactSlot(key, column, self.bindings)
