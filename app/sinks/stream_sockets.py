"""Sockets of streams: what FFmpeg's muxers write goes out through these, which never wait for long.

FFmpeg's own connections are made while Python can do nothing else: a server that is silent would
stop the whole program.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import select
import socket
import struct
from urllib.parse import unquote, urlsplit

_SDP = (
    "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=Fast-SCNN Live\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
    "a=control:streamid=0\r\n"
)
_MOST_BYTES = 65_536


class UdpSocket:
    """Datagrams to a host and port.

    Args:
        address: ``udp://host:port``.
        timeout: seconds that sending may take.

    Raises:
        OSError: there is no such host.
    """

    def __init__(self, address: str, timeout: float) -> None:
        parts = urlsplit(address)
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_DGRAM)
        family, kind, _, _, self._place = found[0]  # type: ignore[var-annotated]
        self._socket = socket.socket(family, kind)
        self._socket.settimeout(timeout)

    def write(self, data: bytes) -> int:
        """Send what a muxer wrote as one datagram."""
        # Where nobody listens yet, a sender of datagrams need not know.
        with contextlib.suppress(ConnectionRefusedError):
            self._socket.sendto(bytes(data), self._place)
        return len(data)

    def close(self) -> None:
        """Send nothing more."""
        self._socket.close()


class RtspSocket:
    """Stream that an RTSP server takes: RTP packets between its requests, over TCP.

    Args:
        address: ``rtsp://[user:password@]host[:port]/path``.
        timeout: seconds that an answer or a packet may take.

    Raises:
        OSError: the server is not there, or does not take the stream.
    """

    def __init__(self, address: str, timeout: float) -> None:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        self._url = f"rtsp://{host}{parts.path}{f'?{parts.query}' if parts.query else ''}"
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._challenge, self._session, self._number = "", "", 0
        place = parts.hostname or "", parts.port or 554
        self._socket = socket.create_connection(place, timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._ask("OPTIONS", self._url)
            self._ask("ANNOUNCE", self._url, {"Content-Type": "application/sdp"}, _SDP)
            transport = "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
            self._ask("SETUP", f"{self._url}/streamid=0", {"Transport": transport})
            self._ask("RECORD", self._url, {"Range": "npt=0.000-"})
        except BaseException:
            self._socket.close()
            raise

    def write(self, data: bytes) -> int:
        """Send an RTP or RTCP packet that a muxer wrote."""
        self._listen()
        packet = bytes(data)
        channel = 1 if 192 <= packet[1] <= 223 else 0
        self._socket.sendall(struct.pack(">cBH", b"$", channel, len(packet)) + packet)
        return len(packet)

    def _listen(self) -> None:
        """Pass over what the server says meanwhile, so that it need not wait for a reader."""
        while select.select([self._socket], [], [], 0)[0]:
            if not self._socket.recv(4096):
                raise ConnectionResetError(None, "the server has closed the connection")

    def close(self) -> None:
        """Send nothing more; the server learns it from the end of the connection."""
        self._socket.close()

    def _ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: str = ""
    ) -> None:
        for allowed in (401, 200):
            self._number += 1
            lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._number}"]
            lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
            lines += [f"Session: {self._session}"] if self._session else []
            lines += [f"Authorization: {self._proof(method, url)}"] if self._challenge else []
            lines += [f"Content-Length: {len(body)}"] if body else []
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            code, found = self._answer()
            if code == 200:
                self._session = found.get("session", self._session).partition(";")[0]
                return
            self._challenge = found.get("www-authenticate", "")
            if code != allowed or not self._user or not self._challenge:
                raise OSError(None, f"the server answers {code} to {method}")

    def _answer(self) -> tuple[int, dict[str, str]]:
        said = b""
        while b"\r\n\r\n" not in said:
            part = self._socket.recv(4096)
            said += part
            if not part or len(said) > _MOST_BYTES:
                raise OSError(None, "the server does not speak RTSP")
        lines = said.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        match = re.match(r"RTSP/1\.\d (\d{3})", lines[0])
        if match is None:
            raise OSError(None, "the server does not speak RTSP")
        pairs = (line.partition(":") for line in lines[1:])
        return int(match[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _proof(self, method: str, url: str) -> str:
        """Return the header that tells user and password as the server asks for them."""
        if not self._challenge.lower().startswith("digest"):
            both = f"{self._user}:{self._password}".encode()
            return f"Basic {base64.b64encode(both).decode()}"
        asked = dict(re.findall(r'(\w+)="([^"]*)"', self._challenge))
        realm, nonce = asked.get("realm", ""), asked.get("nonce", "")
        who = _md5(f"{self._user}:{realm}:{self._password}")
        response = _md5(f"{who}:{nonce}:{_md5(f'{method}:{url}')}")
        return (
            f'Digest username="{self._user}", realm="{realm}", nonce="{nonce}", uri="{url}",'
            f' response="{response}"'
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
