"""Addresses of streams: recognised, and shown without what is secret in them."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import url2pathname

SCHEMES = ("rtsp", "rtsps", "http", "https", "tcp", "udp", "rtp", "rtmp", "rtmps", "srt")

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SECRET = re.compile(
    r"(?i)(\w*(?:pass(?:word|wd)?|pwd|token|secret|key|auth|sig(?:nature)?)\w*[=:])[^/&;,?#]+"
)


def scheme_of(text: str) -> str | None:
    """The scheme of an address in small letters; ``None`` for what is no address."""
    match = _ADDRESS.match(text)
    return match[1].lower() if match else None


def local_path(path: str) -> str:
    """The file that is meant by the path of a ``file:`` address, whatever bytes its name has."""
    if os.name == "nt":
        return url2pathname(path)
    return os.fsdecode(unquote_to_bytes(os.fsencode(path)))


def redact(address: str) -> str:
    """An address as it may be shown and logged: no user, no password, no query, no token."""
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return f"{scheme_of(address) or 'an'} address"
    query = "?…" if parts.query else ""
    path = _SECRET.sub(r"\1…", parts.path)
    return f"{parts.scheme}://{host}{path}{query}"
