"""What JSON text is made of, as the writers of both engines pass it on."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from backstay.resources.declaration.kinds import Kind

#: SQL and its parameters, in whatever sequence the compiler takes.
Sql = tuple[str, Any]
#: One piece of a concatenation: literal text, or SQL with its parameters.
Piece = str | Sql


@dataclass(frozen=True, slots=True)
class Rendered:
    """SQL of a value in a dialect; `repeats` says how often the value's own SQL stands in it."""

    sql: str
    repeats: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """All that decides how a value is written."""

    kind: Kind
    model_field: models.Field
    nullable: bool = True
    #: Whether it is stored so, rather than computed: computed values come in other spellings.
    is_column: bool = True
    #: Whether it must read back as the same value: what is shown may be rounded, or null.
    is_key: bool = False
    #: Kind of the elements of an array.
    element: Kind | None = None
