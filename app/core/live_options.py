"""Options that may change while frames run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app.core.stats import DropCause
from app.rendering.view_options import ViewOptions

if TYPE_CHECKING:
    pass


class LiveOptions(Protocol):
    """What the user may change at any time; read anew for every frame."""

    @property
    def view(self) -> ViewOptions: ...
    @property
    def skip(self) -> bool: ...
    def stale(self, generation: int) -> DropCause | None: ...
    @property
    def names(self) -> tuple[str, str]: ...
