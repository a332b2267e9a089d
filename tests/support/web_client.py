"""A server of the page with results at hand, and a client that says exactly what a test wants."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.config.settings import ServeOptions
from app.config.value_parsers import Address
from app.pipeline.pipeline import Pipeline
from app.serve.server import WebServer
from tests.support.pipeline_driver import TINY

ANYWHERE = Address("127.0.0.1", 0)
"""A port of this machine that is free."""


@dataclass(frozen=True)
class Answer:
    """Answer to a request, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A server and the pipeline that it shows; results are delivered by the test."""

    server: WebServer
    pipeline: Pipeline

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.server.url)
        return parts.hostname or "", parts.port or 0

    def ask(
        self, path: str, body: bytes | None = None, *, method: str | None = None, **headers: str
    ) -> Answer:
        """Ask for a path; underscores in names of headers stand for dashes."""
        connection = http.client.HTTPConnection(*self.place, timeout=60)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method or ("GET" if body is None else "POST"), path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def control(self, **commands: Any) -> Answer:
        body = json.dumps(commands).encode()
        answer = self.ask("/control", body, Content_Type="application/json")
        self.server.run_commands()
        return answer

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place, timeout=60)


@contextlib.contextmanager
def serving(**options: Any) -> Iterator[Served]:
    """A server for as long as the context lasts; its pipeline is not started."""
    settings = TINY
    server = WebServer(ServeOptions(serve=options.pop("serve", ANYWHERE), **options))
    pipeline = Pipeline(settings, display=True)
    server.show(pipeline, lambda: None)
    server.start()
    try:
        yield Served(server, pipeline)
    finally:
        server.stop()
