"""Live options: choices of the user that are read anew for every frame."""

from __future__ import annotations

from dataclasses import dataclass

from app.rendering.view_options import ViewOptions


@dataclass(slots=True)
class LiveOptions:
    """View and skip connection; any thread may read them, the user's thread puts others."""

    view: ViewOptions
    skip: bool
