"""Server: the page and its streams, on a thread and a loop of their own."""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import uvicorn
from starlette.applications import Starlette

from app.config.settings import ServeOptions
from app.errors import UsageError
from app.pipeline.pipeline import Pipeline
from app.serve.access import Access
from app.serve.bell import Bell
from app.serve.browser_sink import BrowserSink
from app.serve.connection import Connection
from app.serve.endpoints import PAGE, Endpoints
from app.serve.message_log import MessageLog
from app.serve.remote_control import RemoteControl, Watched

_SEND_BUFFER = 1 << 18
"""Bytes that the system may keep of a stream: a slow client sees new pictures, not old ones."""
_OVERHEAD = 16
"""Connections beside the streams: pages ask for pictures and figures too."""


class WebServer:
    """Shows pipelines in browsers. All methods are for the user's thread.

    Args:
        options: where, and who may see it.

    Raises:
        UsageError: it cannot listen there, or the certificate cannot be used.
    """

    def __init__(self, options: ServeOptions) -> None:
        assert options.serve is not None
        self._bell = Bell()
        self._messages = MessageLog(self._bell)
        self._watched: dict[int, Watched] = {}
        self._shown: dict[int, tuple[Pipeline, BrowserSink]] = {}
        self._count = 0
        # One thread encodes: what it has no time for is passed over, and the network goes on.
        self._encoders = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._controls = RemoteControl(self._watched)
        self._token, made = _token_of(options)
        self._socket = _listen(options.serve.host, options.serve.port)
        self._secure = options.serve_cert is not None
        try:
            self._server = self._make(options)
        except BaseException:
            self._socket.close()
            raise
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="server", daemon=True
        )
        self._say(options.serve.host, made)

    @property
    def url(self) -> str:
        """Address of the page."""
        host, port = self._socket.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self._secure else 'http'}://{host}:{port}/"

    def show(self, pipeline: Pipeline, record: Callable[[], None]) -> None:
        """Show one more source.

        Args:
            pipeline: the source's.
            record: starts its recording, or finishes the one in progress.
        """
        sink = BrowserSink(self._bell, self._encoders)
        number, self._count = self._count, self._count + 1
        pipeline.events.listener = partial(self._messages.add, number)
        pipeline.sinks.add(sink)
        self._shown[number] = pipeline, sink
        self._watched[number] = Watched(pipeline, record)

    def hide(self, pipeline: Pipeline) -> None:
        """Show a source no more; the others keep their numbers."""
        number = next(n for n, watched in self._watched.items() if watched.pipeline is pipeline)
        del self._watched[number]
        _, sink = self._shown.pop(number)
        sink.finish()
        self._bell.ring()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def run_commands(self) -> None:
        """Carry out what browsers asked for; to be called now and then."""
        self._controls.run()

    def stop(self) -> None:
        """End all streams and connections."""
        self._bell.close()
        self._server.should_exit = True
        self._thread.join(3.0)
        self._socket.close()
        self._encoders.shutdown(wait=False, cancel_futures=True)

    def _make(self, options: ServeOptions) -> uvicorn.Server:
        assert options.serve is not None
        endpoints = Endpoints(
            self._shown,
            self._messages,
            self._bell,
            self._controls if options.serve_control else None,
            options.serve_clients,
        )
        app = Starlette(routes=endpoints.routes())
        app.router.redirect_slashes = False
        access = endpoints.access = Access(
            app,
            token=self._token,
            host=options.serve.host,
            login_page=(PAGE / "login.html").read_text("utf-8"),
            secure=self._secure,
        )
        config = uvicorn.Config(
            access,
            http=Connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=4 * options.serve_clients + _OVERHEAD,
            h11_max_incomplete_event_size=1 << 14,
            timeout_graceful_shutdown=1,
            ssl_certfile=options.serve_cert,
            ssl_keyfile=options.serve_key,
            # Or it would ask at the terminal, which nobody may be at.
            ssl_keyfile_password="" if self._secure else None,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"{options.serve_cert} and {options.serve_key} cannot be used for https"
                f" ({error.strerror or error}): name a certificate and its key without a password,"
                " in PEM."
            ) from error
        return uvicorn.Server(config)

    def _say(self, host: str, made: bool) -> None:
        """Say where the page is, in the terminal, whatever is shown in the window."""
        url = self.url
        if host in {"0.0.0.0", "::"}:
            url = url.replace("[::]", host).replace(host, socket.gethostname())
        query = f"?token={self._token}" if made else ""
        print(f"Watch at {url}{query}", file=sys.stderr, flush=True)


def _token_of(options: ServeOptions) -> tuple[str | None, bool]:
    """Return the token that clients must know, if any, and whether it was made just now."""
    assert options.serve is not None
    given = options.serve_token or os.environ.get("FASTSCNN_TOKEN")
    if given:
        return given, False
    if options.serve.host in {"127.0.0.1", "localhost", "::1"}:
        return None, False
    return secrets.token_urlsafe(16), True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # on Windows it would let two servers share a port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            listening.bind((host, port))
            listening.listen()
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise UsageError(
            f"The page cannot be served at {host}:{port} ({error.strerror}): name a free port of"
            " this machine."
        ) from error
    return listening
