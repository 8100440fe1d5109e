"""What an event is, and the functions of services that are called with it.

It imports no model: subscribers are declared while Django loads the apps.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from backstay.journal.models import Entry

#: Stands for every type.
EVERY = '*'

_VERBS = {'create': 'created', 'update': 'updated', 'delete': 'deleted', 'restore': 'restored'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change, as a subscriber of this site is told: all of it, whoever may read it."""

    #: The same at every try, and for everybody who is told.
    id: str
    #: Such as `item.created`.
    type: str
    created_at: datetime
    tenant: str
    #: The kind of thing that it is about, such as `catalog.item`; its key; its sequence number.
    aggregate: str
    object_id: str
    sequence: int
    #: Who did it, and in which request.
    actor: str
    request_id: str
    #: The changed fields as they were, and all fields as they became; None where there are none.
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @classmethod
    def of(cls, entry: 'Entry') -> 'Event':
        """The event of an entry of the journal."""
        same = ('tenant', 'aggregate', 'object_id', 'sequence', 'actor', 'request_id')
        return cls(
            id=event_id(entry.pk),
            type=event_type(entry.resource, entry.verb),
            created_at=entry.at,
            before=entry.before,
            after=entry.after,
            **{name: getattr(entry, name) for name in same},
        )


def event_id(entry_id: int) -> str:
    """What the event of an entry is called."""
    return f'evt_{entry_id}'


def event_type(resource: str, verb: str) -> str:
    """What the events of a resource are called; verbs of a service's own stay as they are.

    >>> event_type('Item', 'create'), event_type('Order', 'placed')
    ('item.created', 'order.placed')
    """
    return f'{resource.lower()}.{_VERBS.get(verb, verb)}'


def wants(types: Iterable[str], event: str) -> bool:
    """Whether who subscribed to these types is told of this one."""
    return event in types or EVERY in types


Subscriber = Callable[[Event], None]
_Function = TypeVar('_Function', bound=Subscriber)

#: Every function that was declared: its path to itself and the types that it is told of.
registered: dict[str, tuple[Subscriber, frozenset[str]]] = {}


def on(*types: str) -> Callable[[_Function], _Function]:
    """Have a function called, in a worker, with each event of these types; `'*'` for all.

    It is called after the commit, at least once, and for one object in the order of its changes: as
    long as it raises, the later events of that object wait. Declare it in the module `subscribers`
    of an app.
    """
    if not types:
        raise TypeError("name the types: @on('item.created'), or @on('*')")

    def register(function: _Function) -> _Function:
        path = f'{function.__module__}.{function.__qualname__}'
        if len(path) > 200:
            raise ValueError(f'{path}: give it a shorter name')
        registered[path] = (function, frozenset(types))
        return function

    return register
