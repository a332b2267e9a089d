"""Hand-over between two threads, with bounded memory and an explicit rule for what waits."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The channel is closed and empty."""


class Channel(Generic[T]):
    """A queue of fixed capacity whose producer says, item by item, what happens when it is full.

    ``put`` waits for room (back-pressure), ``offer`` gives up, ``replace`` throws out what waits so
    that the newest wins. Nothing is dropped silently: ``offer`` and ``replace`` return what became
    of the items.

    Args:
        capacity: items that may wait.
        changed: shared by channels that one thread takes from, which waits for any of them.
    """

    def __init__(self, capacity: int, changed: threading.Condition | None = None) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._changed = changed if changed is not None else threading.Condition()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Return whether nothing more is let in."""
        return self._closed

    def resize(self, capacity: int) -> None:
        """Let so many items wait from now on; those that wait stay."""
        with self._changed:
            self._capacity = capacity
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item, waiting for room; ``False`` when the channel is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            return self._add(item)

    def offer(self, item: T) -> bool:
        """Add an item if there is room now; ``False`` when there is none."""
        with self._changed:
            return len(self._items) < self._capacity and self._add(item)

    def replace(self, item: T) -> list[T]:
        """Add an item in place of all that waits; what did not get through is returned."""
        with self._changed:
            lost = list(self._items)
            self._items.clear()
            if not self._add(item):
                lost.append(item)
            return lost

    def get(self, timeout: float | None = None) -> T | None:
        """The oldest item, or ``None`` when none came within ``timeout`` seconds.

        Raises:
            Closed: the channel is closed and empty.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._items, timeout):
                return None
            if not self._items:
                raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def newest(self) -> T | None:
        """Return the item that came last and leave it there; ``None`` when nothing waits."""
        with self._changed:
            return self._items[-1] if self._items else None

    def drain(self) -> list[T]:
        """Take all that waits, at once."""
        with self._changed:
            items = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return items

    def close(self) -> None:
        """Let nothing more in; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _add(self, item: T) -> bool:
        if self._closed:
            return False
        self._items.append(item)
        self._changed.notify_all()
        return True
