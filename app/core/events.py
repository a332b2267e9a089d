"""Events: what any thread reports to the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """Something the user should know.

    Attributes:
        kind: ``opened``, ``ended``, ``recorded`` and ``notice`` inform; ``error`` is an error.
        text: one sentence, may be empty where there is nothing to say.
        exit_code: what a headless run ends with, for errors.
    """

    kind: Literal["opened", "ended", "recorded", "notice", "error"]
    text: str = ""
    exit_code: int = 0
