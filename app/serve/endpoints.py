"""Endpoints: the paths that the server answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from app import __version__
from app.core.channel import Closed
from app.core.frame import Result
from app.pipeline.pipeline import Pipeline
from app.serve.access import LOGIN, LOGIN_STYLE, Access
from app.serve.bell import Bell
from app.serve.browser_sink import BrowserSink, NumberedResult
from app.serve.encoding import class_shares, jpeg_of, labels_png_of, width_for
from app.serve.figures import figures_of, metrics_of
from app.serve.message_log import MessageLog
from app.serve.remote_control import RemoteControl

PAGE = Path(__file__).with_name("page")
_MOST_BYTES = 4096
"""Bytes that a body may have."""
_PATIENCE = 10.0
"""Seconds that a body may take, and after which a client that waits is told that nothing came."""
_BOUNDARY = "picture"
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


class Endpoints:
    """Answers to requests, on the server's loop.

    Args:
        watched: the sources, by their numbers; some may come and go.
        messages: what the user was told.
        bell: rung at every result and message.
        controls: takes commands; ``None`` where the page only shows.
        most_clients: streams that may be open at once.
    """

    def __init__(
        self,
        watched: Mapping[int, tuple[Pipeline, BrowserSink]],
        messages: MessageLog,
        bell: Bell,
        controls: RemoteControl | None,
        most_clients: int,
    ) -> None:
        self._watched, self._messages, self._bell = watched, messages, bell
        self._controls, self._most_clients = controls, most_clients
        self._clients = 0
        self.access: Access | None = None
        """The middleware before this, which the login asks."""

    def routes(self) -> list[Route]:
        """Return all paths with what answers them."""
        return [
            Route("/", _page("index.html")),
            Route("/page.js", _page("page.js")),
            Route("/page.css", _page("page.css")),
            Route(LOGIN_STYLE, _page("page.css")),
            Route(LOGIN, _page("login.html"), methods=["GET"]),
            Route(LOGIN, self.login, methods=["POST"]),
            Route("/frame.jpg", self.frame),
            Route("/labels.png", self.labels),
            Route("/stream.mjpg", self.stream),
            Route("/stats.json", self.stats),
            Route("/events", self.events),
            Route("/metrics", self.metrics),
            Route("/control", self.control, methods=["POST"]),
        ]

    async def frame(self, request: Request) -> Response:
        """The newest picture; with ``after``, the first that is newer than that number."""
        pipeline, sink = self._source(request)
        width = width_for(_number(request, "width", 1, 100_000))
        after = _number(request, "after", 0, 2**53)
        if after is not None:
            try:
                look = self._bell.until(partial(_newer, sink, after))
                await asyncio.wait_for(look, _PATIENCE)
            except (asyncio.TimeoutError, Closed):
                return Response(status_code=204)
        _there(sink)
        newest, jpeg = await self._jpeg(pipeline, sink, width)
        return Response(jpeg, media_type="image/jpeg", headers={"X-Picture": str(newest.number)})

    async def labels(self, request: Request) -> Response:
        """The labels of the newest picture."""
        _, sink = self._source(request)
        _there(sink)
        newest, png = await sink.encoded("labels", labels_png_of)
        return Response(png, media_type="image/png", headers={"X-Picture": str(newest.number)})

    async def stream(self, request: Request) -> Response:
        """Pictures without end, each as soon as the client has taken the one before."""
        pipeline, sink = self._source(request)
        width = width_for(_number(request, "width", 1, 100_000))
        return self._streaming(
            self._parts(pipeline, sink, width),
            f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
        )

    async def stats(self, request: Request) -> Response:
        """The state of all sources."""
        sources = [
            {**figures_of(number, pipeline, sink), "classes": await _classes(sink)}
            for number, (pipeline, sink) in list(self._watched.items())
        ]
        return JSONResponse(
            {
                "version": __version__,
                "controls": self._controls is not None,
                "clients": self._clients,
                "sources": sources,
            }
        )

    async def events(self, request: Request) -> Response:
        """A row for every frame, and what the user is told, as server-sent events."""
        chosen = None
        if "source" in request.query_params:
            chosen = self._number_of_source(request)
        return self._streaming(self._told(chosen), "text/event-stream")

    async def metrics(self, request: Request) -> Response:
        """Counts and times for Prometheus."""
        text = metrics_of(list(self._watched.items()), self._clients)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def control(self, request: Request) -> Response:
        """Take commands."""
        if self._controls is None:
            raise HTTPException(403, "The page only shows: start with --serve-control.")
        # A form of another site cannot say so without asking first.
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "Send application/json.")
        try:
            self._controls.ask(await _body(request))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        except queue.Full:
            raise HTTPException(429, "Too much is asked at once: wait a moment.") from None
        return Response(status_code=204)

    async def login(self, request: Request) -> Response:
        """Let a browser in that sends the token."""
        assert self.access is not None
        said = parse_qs((await _body(request)).decode("utf-8", "replace"))
        if self.access.knows(said.get("token", [""])[0]):
            return self.access.let_in(RedirectResponse("/", 303), request)
        return self.access.ask_for_token()

    def _number_of_source(self, request: Request) -> int:
        number = _number(request, "source", 0, 999)
        number = next(iter(list(self._watched)), 0) if number is None else number
        if number not in self._watched:
            raise HTTPException(404, f"There is no source {number}.")
        return number

    def _source(self, request: Request) -> tuple[Pipeline, BrowserSink]:
        return self._watched[self._number_of_source(request)]

    @contextlib.contextmanager
    def _client(self) -> Iterator[None]:
        self._clients += 1
        try:
            yield
        finally:
            self._clients -= 1

    def _streaming(self, content: AsyncIterator[bytes], media_type: str) -> Response:
        """Return a stream without end, if there is a place for one more client."""
        if self._clients >= self._most_clients:
            most = self._most_clients
            raise HTTPException(
                429, f"{most} streams are open: close one, or raise --serve-clients."
            )

        async def counted() -> AsyncIterator[bytes]:
            with self._client(), contextlib.suppress(Closed):
                async for part in content:
                    yield part

        return StreamingResponse(counted(), media_type=media_type)

    async def _jpeg(
        self, pipeline: Pipeline, sink: BrowserSink, width: int | None
    ) -> tuple[NumberedResult, bytes]:
        def encode(result: Result) -> bytes:
            # The divider may have moved since the sides were drawn.
            return jpeg_of(result, pipeline.view.split_at(result.frame.time), width)

        return await sink.encoded(width, encode)

    async def _parts(
        self, pipeline: Pipeline, sink: BrowserSink, width: int | None
    ) -> AsyncIterator[bytes]:
        number = 0
        while True:
            await self._bell.until(partial(_newer, sink, number))
            newest, jpeg = await self._jpeg(pipeline, sink, width)
            number = newest.number
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                f"X-Picture: {number}\r\n\r\n"
            )
            yield head.encode() + jpeg + b"\r\n"

    async def _told(self, chosen: int | None) -> AsyncIterator[bytes]:
        seen: dict[int, int] = {}
        told = 0
        yield b"retry: 2000\n\n"

        def look() -> tuple[list[_Shown], list[tuple[int, Mapping[str, Any]]]] | None:
            shown = [(n, sink) for n, (_, sink) in list(self._watched.items())]
            wanted = [each for each in shown if chosen in {None, each[0]}]
            new = [(number, sink) for number, sink in wanted if sink.newer(seen.get(number, 0))]
            said = self._messages.after(told)
            return (new, said) if new or said else None

        while True:
            try:
                new, said = await asyncio.wait_for(self._bell.until(look), _PATIENCE)
            except asyncio.TimeoutError:
                yield b": nothing new\n\n"  # or a client that is gone would not be noticed
                continue
            for told, message in said:  # noqa: B007 - the last one is where the next look begins
                yield _event("message", message)
            for number, sink in new:
                newest, row = await sink.row()
                if row is not None:
                    yield _event("row", {"number": number, **row.as_json()})
                seen[number] = newest.number


_Shown = tuple[int, BrowserSink]
"""A source's number, and its newest result."""


def _newer(sink: BrowserSink, number: int) -> NumberedResult | None:
    """Return the newest result if it came after that of a number.

    Raises:
        Closed: none will come any more.
    """
    newest = sink.newer(number)
    if newest is None and sink.closed:
        raise Closed
    return newest


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    content, kind = (PAGE / name).read_bytes(), _KINDS[Path(name).suffix]

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _number(request: Request, name: str, least: int, most: int) -> int | None:
    """Return a whole number of the query, if it is there."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if (
        not (text.isascii() and text.isdecimal())
        or len(text) > 16
        or not least <= int(text) <= most
    ):
        raise HTTPException(400, f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def _there(sink: BrowserSink) -> None:
    if sink.newest is None:
        raise HTTPException(404, "There is no picture yet.")


async def _body(request: Request) -> bytes:
    """Return a body that is short and comes soon."""

    async def read() -> bytes:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise HTTPException(413, f"The body must be shorter than {_MOST_BYTES} bytes.")
        return body

    try:
        return await asyncio.wait_for(read(), _PATIENCE)
    except asyncio.TimeoutError:
        raise HTTPException(408, "The body took too long.") from None


async def _classes(sink: BrowserSink) -> list[dict[str, Any]]:
    """The classes with their colours and shares, as a legend tells them."""
    if sink.newest is None:
        return []
    newest, shares = await sink.encoded("shares", class_shares)
    table = newest.result.classes
    return [
        {
            "name": name,
            "color": "#" + bytes(int(part) for part in table.palette[number]).hex(),
            "share": shares.get(name, 0.0),
        }
        for number, name in enumerate(table.names)
    ]


def _event(kind: str, content: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
