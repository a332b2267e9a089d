"""A real web server on the loopback interface, whose every answer the test decides."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers a request; the number counts the requests of the same path, from 0."""


class Web:
    """The server's pages, and what was asked for.

    Attributes:
        url: its address, without a slash at the end.
        pages: answers by path.
        requests: path and Range header of every request so far.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.pages: dict[str, Answer] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.released = threading.Event()
        """Set when the test is over: whoever is silent may go home."""


@contextlib.contextmanager
def serving() -> Iterator[Web]:
    """A server for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            count = sum(path == self.path for path, _ in web.requests)
            web.requests.append((self.path, self.headers.get("Range")))
            page = web.pages.get(self.path, not_found)
            with contextlib.suppress(ConnectionError):
                page(self, count)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield web
    finally:
        web.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def head(handler: BaseHTTPRequestHandler, status: int, **headers: object) -> None:
    """Send a status and headers; underscores in their names stand for hyphens."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def not_found(handler: BaseHTTPRequestHandler, count: int) -> None:
    head(handler, 404, Content_Length=0)


def redirect(to: str) -> Answer:
    """Leads on to another address."""
    return lambda handler, count: head(handler, 302, Location=to, Content_Length=0)


def content(
    data: bytes, *, ranges: bool = True, tag: str = '"1"', cuts: int = 0, cut_at: int | None = None
) -> Answer:
    """A file.

    Args:
        data: what is in it.
        ranges: whether parts of it can be asked for.
        tag: its ETag; none where empty.
        cuts: how many of the first answers break off.
        cut_at: bytes of an answer before it breaks off; half of it where ``None``.
    """

    def answer(handler: BaseHTTPRequestHandler, count: int) -> None:
        tags = {"ETag": tag} if tag else {}
        start = 0
        asked = handler.headers.get("Range")
        if asked and ranges and handler.headers.get("If-Range", tag) == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data) > 0:
            head(handler, 416, Content_Length=0)
            return
        part = data[start:]
        if start:
            whole = f"bytes {start}-{len(data) - 1}/{len(data)}"
            head(handler, 206, Content_Length=len(part), Content_Range=whole, **tags)
        else:
            head(handler, 200, Content_Length=len(part), **tags)
        if count < cuts:
            part = part[: len(part) // 2 if cut_at is None else cut_at]
        handler.wfile.write(part)

    return answer
