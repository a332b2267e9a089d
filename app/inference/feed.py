"""Feeds: the sources that one worker serves, in fair turns."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.channel import Channel, Closed
from app.core.frame import EndOfSource, Frame, Result, ResultHandler
from app.core.live_options import LiveOptions
from app.core.stats import DropCause, Stats
from app.inference.overview import Overview
from app.inference.truth import Truth
from app.rendering.privacy import PrivacyFilter
from app.rendering.region_names import RegionNames
from fastscnn.ignored_regions import Polygon

Item = Frame | EndOfSource


@dataclass(eq=False, slots=True)
class Feed:
    """One source as the worker sees it.

    Attributes:
        inbox: where frames come from.
        handlers: given every result and every end of source, in order.
        live: view and skip, read anew for every frame.
        stats: where frames and times are counted.
        last: the newest result, for when an option changes while nothing comes.
        previewed: the frame that is shown without labels while the network is being loaded.
        stale: whether ``last`` was made by another network.
        in_hand: frames taken that are not accounted for, or not delivered, yet.
        privacy, names: what is drawn by the frames before, too.
        ignored: regions that were ignored in ``last``.
        truth: by which results are judged.
        overview: looks at the whole of its file while nothing else waits.
    """

    inbox: Channel[Item]
    handlers: Sequence[ResultHandler]
    live: LiveOptions
    stats: Stats
    last: Result | None = None
    previewed: Frame | None = None
    stale: bool = False
    in_hand: int = 0
    privacy: PrivacyFilter = field(default_factory=PrivacyFilter)
    names: tuple[RegionNames, RegionNames] = field(
        default_factory=lambda: (RegionNames(), RegionNames())
    )
    ignored: tuple[Polygon, ...] = ()
    truth: Truth | None = None
    overview: Overview | None = None

    def deliver(self, result: Result) -> None:
        """Hand a result to all handlers."""
        for handler in self.handlers:
            handler.deliver(result)

    def end_of_source(self, end: EndOfSource) -> None:
        """Tell all handlers of the end of the source."""
        for handler in self.handlers:
            handler.end_of_source(end)

    def interrupted(self) -> None:
        """Tell all handlers that frames in progress were lost."""
        for handler in self.handlers:
            handler.interrupted()

    def drop(self, cause: DropCause) -> None:
        """Count a frame that was taken and goes no further."""
        self.stats.drop(cause)
        self.in_hand -= 1

    def account(self, cause: DropCause) -> None:
        """Count what is in the engine and will not come out of it."""
        self.stats.drop(cause, self.in_hand)
        self.in_hand = 0


class Turns:
    """Feeds of a worker, each served in its turn: one that brings more than others gets no more."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        """Notified by the inboxes of all feeds, which are made with it."""
        self.feeds: list[Feed] = []
        self.first: Feed | None = None
        """The one that was there before all others; it may have been removed."""
        self._next = 0

    def add(self, feed: Feed) -> None:
        """Serve one more feed; its inbox is made with ``changed``."""
        with self.changed:
            self.feeds = [*self.feeds, feed]
            self.first = self.first or feed

    def remove(self, feed: Feed) -> None:
        """Serve a feed no more."""
        with self.changed:
            self.feeds = [each for each in self.feeds if each is not feed]
        feed.last = feed.previewed = None

    def is_done(self, feed: Feed) -> bool:
        """Return whether nothing of a feed waits or is under way."""
        with self.changed:
            return not len(feed.inbox) and not feed.in_hand

    @property
    def waiting(self) -> bool:
        """Return whether any feed has something."""
        return any(len(feed.inbox) for feed in self.feeds)

    def take(self, timeout: float) -> tuple[Feed, Item] | None:
        """The oldest item of the feed whose turn it is, or of the next that has one.

        ``None`` when none came within ``timeout`` seconds.

        Raises:
            Closed: all inboxes are closed and empty.
        """
        with self.changed:
            if not self.changed.wait_for(lambda: self.waiting or self._closed(), timeout):
                return None
            for place in range(self._next, self._next + len(self.feeds)):
                feed = self.feeds[place % len(self.feeds)]
                if len(feed.inbox) and (item := feed.inbox.get(timeout=0)) is not None:
                    self._next = (place + 1) % len(self.feeds)
                    feed.in_hand += isinstance(item, Frame)
                    return feed, item
            raise Closed

    def _closed(self) -> bool:
        return all(feed.inbox.closed for feed in self.feeds)
