"""Cancel token: tells every thread that frames of one place in a source are not wanted."""

from __future__ import annotations

from app.core.stats import DropCause


class CancelToken:
    """Token of the frames between two seeks; a seek or another source cancels it.

    It goes from valid to cancelled once, so any thread may read it without a lock.

    Args:
        parent: the session's token: where that is cancelled, so is this one, by its cause.
    """

    def __init__(self, parent: CancelToken | None = None) -> None:
        self._parent = parent
        self._cause: DropCause | None = None
        self._keeps_finished = False

    def cancel(self, cause: DropCause, *, keep_finished: bool = False) -> None:
        """Discard unfinished frames from now on; with ``keep_finished`` finished ones are shown."""
        self._keeps_finished = keep_finished
        self._cause = cause

    @property
    def cause(self) -> DropCause | None:
        """Cause that an unfinished frame is dropped by; ``None`` while it is wanted."""
        return (self._parent.cause if self._parent is not None else None) or self._cause

    @property
    def displayable(self) -> bool:
        """True while a finished frame may be shown: after one seek, while the next one runs."""
        if self._parent is not None and self._parent.cause is not None:
            return False
        return self._cause is None or self._keeps_finished
