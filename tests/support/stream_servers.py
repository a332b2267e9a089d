"""Real servers on loopback for the stream tests."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av

from tests.support.media import SHARED, picture, still
from tests.support.waiting import PATIENCE

BOUNDARY = "frame"


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MjpegServer:
    """A camera on the network: MJPEG over HTTP, at its own pace.

    It can fall silent, cut its connections, and refuse new ones.
    """

    def __init__(self, rate: float = 25.0, size: tuple[int, int] = (160, 96)) -> None:
        self.rate, self.size = rate, size
        self.password = False
        """Whether it asks for one; any will do."""
        self.silent = threading.Event()
        self.refusing = threading.Event()
        self.orientation: int | None = None
        """Where it is set, the pictures carry EXIF data, this orientation among them."""
        self.spoiled = 0
        """Every so many pictures one is sent whose data are damaged; 0 is never."""
        self.sent = 0
        """Index of the picture that was sent last."""
        self.attempts: list[float] = []
        self.authorization: list[str] = []
        self._cut = threading.Event()
        self._closed = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64  # past it a caller waits for seconds

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video.mjpg"

    def cut(self) -> None:
        """End every connection."""
        self._cut.set()
        time.sleep(3 / self.rate)
        self._cut.clear()

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        if self.password and not handler.headers.get("Authorization"):
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        self.attempts.append(time.monotonic())
        self.authorization.append(handler.headers.get("Authorization", ""))
        if self.refusing.is_set():
            handler.send_error(503)
            return
        handler.send_response(200)
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        index = 0
        try:
            while not self._closed.is_set() and not self._cut.is_set():
                if not self.silent.is_set():
                    jpeg = still(picture(index, *self.size), orientation=self.orientation)
                    if self.spoiled and index % self.spoiled == self.spoiled - 1:
                        jpeg = jpeg[:2] + bytes(len(jpeg) - 2)
                    head = (
                        f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                        f"Content-Length: {len(jpeg)}\r\n\r\n"
                    )
                    handler.wfile.write(head.encode() + jpeg + b"\r\n")
                    self.sent = index
                    index += 1
                time.sleep(1 / self.rate)
        except OSError:
            pass
        handler.close_connection = True


class TsServer:
    """Sends live MPEG-TS to whoever connects by TCP; can cut its connections and be closed."""

    def __init__(self, rate: int = 25, size: tuple[int, int] = (160, 96), port: int = 0) -> None:
        self._rate, self._size = rate, size
        self._stop = threading.Event()
        self._clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"tcp://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection."""
        while self._clients:
            client = self._clients.pop()
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(av.error.FFmpegError, OSError):
            send_ts(client.makefile("wb", 0), self._stop, self._rate, self._size)


class UdpSender:
    """Sends live MPEG-TS to a UDP port of this machine."""

    def __init__(self) -> None:
        self.url = f"udp://127.0.0.1:{free_port()}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        with contextlib.suppress(av.error.FFmpegError, OSError):
            send_ts(f"{self.url}?pkt_size=1316", self._stop)


def send_ts(
    out: Any, stop: threading.Event, rate: int = 25, size: tuple[int, int] = (160, 96)
) -> None:
    """Encode pictures at their own pace as MPEG-TS until told to stop."""
    with av.open(out, "w", format="mpegts") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        started, index = time.monotonic(), 0
        while not stop.is_set():
            frame = av.VideoFrame.from_ndarray(picture(index, *size), format="rgb24")
            container.mux(stream.encode(frame))
            index += 1
            stop.wait(max(0.0, started + index / rate - time.monotonic()))


@contextmanager
def web_folder(folder: Path) -> Iterator[str]:
    """A folder served over HTTP; gives its address."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, directory=str(folder), **named)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def rtsp_server() -> Callable[..., Any] | None:
    """The small RTSP server among the shared tools, where it is."""
    path = SHARED / "tools" / "mini_rtsp.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("mini_rtsp", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Server  # type: ignore[no-any-return]
