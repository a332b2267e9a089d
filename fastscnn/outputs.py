"""Outputs of a command: their error, and JSON for any name that a file system knows."""

from __future__ import annotations

import json
from typing import Any


class OutputError(Exception):
    """An output cannot be written; the message is one sentence for the user."""

    exit_code = 5


def as_json(values: Any) -> bytes:
    """Return JSON in UTF-8.

    A byte of a file's name that is no Unicode becomes an escape, from which ``json.loads`` and
    ``os.fsencode`` give that name back.
    """
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")
