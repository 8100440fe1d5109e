"""What JSON text is made of, as the writers of both engines pass it on."""

from dataclasses import dataclass
from typing import Any

#: SQL and its parameters, in whatever sequence the compiler takes.
Sql = tuple[str, Any]
#: One piece of a concatenation: literal text, or SQL with its parameters.
Piece = str | Sql


@dataclass(frozen=True, slots=True)
class Rendered:
    """SQL of a value in a dialect; `repeats` says how often the value's own SQL stands in it."""

    sql: str
    repeats: int = 1
