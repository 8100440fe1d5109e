"""What was used last, as much of it as fits: the bound of every cache of statements."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar('Key', bound=Hashable)
Value = TypeVar('Value')


class Recent(Generic[Key, Value]):
    """The entries used last whose sizes stay below `max_size` in all; safe under threads.

    >>> recent = Recent[str, int](max_size=10)
    >>> recent.keep('a', 1, size=4), recent.keep('b', 2, size=4), recent.keep('c', 3, size=4)
    ([], [], [1])
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return the entry, which is the newest then; None without one."""
        with self._lock:
            if found := self._entries.get(key):
                self._entries.move_to_end(key)
                return found[0]
        return None

    def keep(self, key: Key, value: Value, *, size: int) -> list[Value]:
        """Enter a value; return those that had to make room for it."""
        with self._lock:
            self._remove(key)
            self._entries[key] = (value, size)
            self._size += size
            removed = []
            while self._size > self.max_size and len(self._entries) > 1:
                removed.append(self._remove(next(iter(self._entries))))
        return [each for each in removed if each is not None]

    def remove(self, key: Key) -> Value | None:
        """Take an entry out, and return it."""
        with self._lock:
            return self._remove(key)

    def clear(self) -> None:
        """Forget every entry."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def _remove(self, key: Key) -> Value | None:
        found = self._entries.pop(key, None)
        if found is None:
            return None
        self._size -= found[1]
        return found[0]
