"""The engine: everything that differs between the databases, as one object for each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Any, ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper

from backstay.engine.forms import Form
from backstay.engine.pieces import Piece, Rendered

#: A result by columns: for each column, the text of its cells as bytes, None for NULL.
Columns = list[list[bytes | None]]


class Trouble(Enum):
    """What an exception of the database means, on every engine."""

    #: Transactions waited for each other, or came too late; the same may succeed at once.
    DEADLOCK = auto()
    #: A lock was not free for as long as the statement may wait.
    LOCKED = auto()
    #: The statement ran longer than it may.
    TIMEOUT = auto()
    #: The server is gone or going, cut the connection, or accepts none.
    LOST = auto()
    READ_ONLY = auto()
    #: Neither the disk nor the memory of the server has room left.
    FULL = auto()
    #: The statement is nested deeper than the parser reads.
    TOO_DEEP = auto()
    #: A value does not fit its type, or a computation with it overflows.
    BAD_VALUE = auto()


class Engine(ABC):
    """One database. Nothing outside this package asks which one it is.

    An engine has no state: what belongs to one connection comes with it.
    """

    __slots__ = ()

    name: ClassVar[str]
    #: Whether NULL sorts as less than everything; else as greater.
    sorts_nulls_low: ClassVar[bool]
    #: Whether texts are compared by their bytes unless a column says otherwise.
    sorts_text_bytewise: ClassVar[bool]
    #: Whether columns may be arrays of other columns.
    has_arrays: ClassVar[bool]

    # SQL

    @abstractmethod
    def value(self, sql: str, form: Form, *, nullable: bool) -> Iterator[str | Rendered]:
        """Return the pieces that write one value as JSON; `sql` is the value's own."""

    @abstractmethod
    def concatenate(self, pieces: Sequence[Piece]) -> tuple[str, list[Any]]:
        """Return SQL for one text of all pieces, and its parameters."""

    @abstractmethod
    def join_rows(self, column: str) -> str:
        """Return the aggregate that joins rows with commas, in the order in which they come."""

    @abstractmethod
    def array_of_rows(self, columns: Sequence[str]) -> str:
        """Return the aggregate that makes a JSON array of an array for each row, as text."""

    @abstractmethod
    def sent_rows(self, columns: Mapping[str, str]) -> str:
        """Return a table called `sent` of the objects in a JSON array, which one `%s` stands for.

        Its columns have the types given, in PostgreSQL's words; `jsonb` stays JSON.
        """

    @abstractmethod
    def is_one_of(self, key: str, rows: str) -> str:
        """Return the condition that a key is among the rows of a subquery with bound limits."""

    @abstractmethod
    def text_parameter(self) -> str:
        """Return the placeholder of a text whose type nothing else tells."""

    # Connections

    @abstractmethod
    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """Make a connection ready that was just opened, or taken out of the pool."""

    # Statements

    @abstractmethod
    def columns(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float | None
    ) -> Columns:
        """Run a compiled statement and return its columns; `seconds` is its time limit."""

    @abstractmethod
    def first_row(
        self,
        connection: Any,
        sql: str,
        parameters: Sequence[Any],
        parsers: Sequence[Callable[[str], Any]],
    ) -> Sequence[Any] | None:
        """Run a compiled statement and return its first row, as Django's converters take it.

        `parsers` read each cell where the driver gives nothing but text.
        """

    @abstractmethod
    def stream(
        self, connection: Any, sql: str, parameters: Sequence[Any], seconds: float
    ) -> Iterator[str]:
        """Yield the first column of each row, in constant memory, as soon as a row is found.

        All of it has `seconds`, however slowly the rows are taken.
        """

    @abstractmethod
    def explanation(self, *, analyze: bool) -> str:
        """Return the words that go before a statement to have it explained."""

    @abstractmethod
    def snapshot(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a context whose statements, all of them reads, see the database at one moment.

        It waits for no writer and keeps none from writing. Within a transaction it is that one.
        """

    # Locks and loading

    @abstractmethod
    def lock_release(self, connection: BaseDatabaseWrapper, number: int) -> bool:
        """Take a lock that ends with the connection; return False while another one holds it."""

    @abstractmethod
    def shares_sessions(self, connection: BaseDatabaseWrapper) -> bool:
        """Return whether a pooler lends sessions for single transactions, by two connections."""

    @abstractmethod
    def limit_lock_waits(self, connection: BaseDatabaseWrapper, seconds: float) -> None:
        """Have every later statement of the connection wait no longer than this for a lock."""

    @abstractmethod
    def lock_names(self, connection: BaseDatabaseWrapper, names: Sequence[str]) -> list[bool]:
        """Lock names until the transaction ends; return which of them nobody else holds."""

    @abstractmethod
    def load(
        self,
        connection: BaseDatabaseWrapper,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
    ) -> None:
        """Insert rows by the fastest means there is; names come quoted."""

    @abstractmethod
    def shorten_log(self, connection: BaseDatabaseWrapper, most: int) -> None:
        """Fold a write-ahead log that has more bytes into the database, where that falls to us."""

    @abstractmethod
    def tidying(self, connection: BaseDatabaseWrapper, *, rewrite: bool) -> Sequence[str]:
        """Return the verbs that make planners know a table after many changes of it."""

    # Errors

    @abstractmethod
    def trouble(self, error: BaseException) -> Trouble | None:
        """Return what an exception of Django or of the driver means; None for what is unknown."""
