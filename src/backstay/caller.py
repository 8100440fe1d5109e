"""Who asks: the caller of a request, a command or a task, and what of it decides about rights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ['GUEST', 'STRANGER', 'Caller', 'CallerKind', 'Facts', 'Held', 'Standing']

CallerKind = Literal['guest', 'account', 'key', 'command', 'task', 'pipeline']


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One scope that a caller holds: a level over one thing, or over all things of a kind."""

    #: What the scope is over, such as `companies`.
    over: str
    #: Primary key of the thing; None for all of them.
    id: Any = None
    level: int = 0
    #: Whether it only counts for reading.
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """The part of a caller that decides which grants apply: no id, so few of them exist.

    It is part of a plan's key. Everything else about the caller is bound as a value.
    """

    kind: CallerKind = 'guest'
    #: The highest level that the caller holds anywhere.
    level: int = 0
    #: Kinds of things of which the caller holds all, with the level: nothing has to be compared.
    everywhere: frozenset[tuple[str, int]] = frozenset()
    #: Whether it is about writing, for which scopes held for reading only do not count.
    writing: bool = False
    #: The level that the caller holds itself, which counts over everything.
    own_level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. Loaded once per request; it is never part of a plan, only its standing is."""

    kind: CallerKind = 'guest'
    #: Primary key of the account; None for guests, commands and tasks.
    account_id: Any = None
    #: How the audit and the log call it.
    name: str = 'guest'
    level: int = 0
    scopes: tuple[Held, ...] = ()
    #: Facts that grants may compare with, by name.
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What cursors, idempotency keys and throttles are bound to."""
        return f'{self.kind}:{self.account_id or self.name}'

    def standing(self, *, writing: bool = False) -> Standing:
        """What decides which grants apply; scopes held for reading only do not count to write."""
        counting = [held for held in self.scopes if not (writing and held.read_only)]
        highest = max((self.level, *(held.level for held in counting)))
        everywhere = frozenset((held.over, held.level) for held in counting if held.id is None)
        return Standing(self.kind, highest, everywhere, writing, self.level)

    def ids(self, over: str, level: int, *, writing: bool = False) -> list[Any]:
        """The things of a kind over which the caller holds at least this level."""
        ids = (
            held.id
            for held in self.scopes
            if held.over == over
            and held.level >= level
            and held.id is not None
            and not (writing and held.read_only)
        )
        return list(dict.fromkeys(ids))

    def value(self, name: str) -> Any:
        """A value that grants may compare with; None where the caller has none of that name."""
        if name in ('kind', 'account_id', 'name', 'level'):
            return getattr(self, name)
        return self.facts.get(name)


class Facts(dict[str, Any]):
    """What the slots of a statement with a name are bound to, worked out when one asks.

    `origin` is the site's, `scope:<over>:<level>` the ids that the caller holds (`writes:...` those
    that are not for reading only), and `caller:<name>` one of the caller's values.
    """

    def __init__(self, caller: Caller, origin: str = '') -> None:
        super().__init__(origin=origin)
        self._caller = caller

    def __missing__(self, key: str) -> Any:
        kind, _, name = key.partition(':')
        match kind:
            case 'scope' | 'writes':
                over, _, level = name.rpartition(':')
                value: Any = self._caller.ids(over, int(level), writing=kind == 'writes')
            case 'caller':
                value = self._caller.value(name)
            case _:
                raise KeyError(key)
        self[key] = value
        return value


GUEST = Caller()
#: What anybody may do.
STRANGER = Standing()
