"""Downloads over HTTP: resumable, bounded in size and in waiting, on the standard library alone.

A download grows in a file of its own, the *partial*. Beside it stands a note of where it comes
from and of the version (ETag or date) that the server named, so that a later try goes on where
this one broke, and starts anew where the file has changed meanwhile.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

Progress = Callable[[int, int | None], None]
"""Progress callback: bytes that are here, and those of the whole file where known."""


class DownloadError(Exception):
    """The file cannot be had; the message says why, to stand behind "cannot be downloaded:"."""


class _CutError(Exception):
    """The connection broke in a way that another try may mend."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a download's size and duration.

    Attributes:
        size: bytes of the file.
        timeout: seconds for the connection, and for every answer after it.
        tries: how often to connect in all when the connection is cut.
        pause: seconds before the second try; doubled before each one after it.
    """

    size: int = 64 * 2**20
    timeout: float = 10.0
    tries: int = 4
    pause: float = 0.5


def megabytes(size: int) -> str:
    """Return a size for people."""
    return f"{size / 1e6:.1f} MB"


def check_address(address: str) -> str:
    """Return the address as it is requested: without its fragment, foreign characters escaped.

    Raises:
        DownloadError: it is not an http or https address, or names a user.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DownloadError(f"{address} is not an address.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise DownloadError(f"{address} is not an address that begins with http:// or https://.")
    if parts.username is not None:
        raise DownloadError("an address with a user name in it is not supported.")
    plain = parts._replace(fragment="").geturl()
    return quote(plain, safe="%/:=&?~+!$,;'@()*[]-._", errors="surrogateescape")


def download(
    address: str, partial: Path, *, limits: Limits, progress: Progress, checked: bool
) -> None:
    """Bring ``partial`` up to the whole file.

    Args:
        address: http or https.
        partial: where the data go; what an earlier try left there is gone on with.
        limits: what it may take.
        progress: called at every step; what it raises ends the download, which can be resumed.
        checked: the whole file is verified afterwards, so that a server that names no version may
            be asked to go on as well.

    Raises:
        DownloadError: it cannot be had.
        OSError: the partial cannot be written.
    """
    opener = _opener()
    for tried in range(1, limits.tries + 1):
        try:
            _attempt(opener, address, partial, limits, progress, checked)
            _note(partial).unlink(missing_ok=True)
            return
        except _CutError as error:
            if tried == limits.tries:
                raise DownloadError(
                    f"the connection to {_host(address)} was cut {tried} times;"
                    " try again to go on where it broke."
                ) from error
            time.sleep(limits.pause * 2 ** (tried - 1))


def discard(partial: Path) -> None:
    """Discard a partial, so that the next download starts anew."""
    partial.unlink(missing_ok=True)
    _note(partial).unlink(missing_ok=True)


def _attempt(
    opener: OpenerDirector,
    address: str,
    partial: Path,
    limits: Limits,
    progress: Progress,
    checked: bool,
) -> None:
    start, version = _begun(partial, address)
    if start and not (version or checked):
        start = 0
    request = Request(address)
    if start:
        request.add_header("Range", f"bytes={start}-")
        if version:
            request.add_header("If-Range", version)
    progress(start, None)
    try:
        response = _open(opener, request, limits)
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:  # the file is shorter than what is here
            discard(partial)
            raise _CutError from error
        raise DownloadError(_refusal(error, _host(address))) from error
    with response:
        if response.status == 206:
            total = _continued(response, start)
            if not start or total is None:
                discard(partial)
                raise _CutError
        else:
            start = 0
            total = response.length  # None for chunks, which tell their end themselves
            if total is None and not response.chunked:
                raise DownloadError(
                    f"{_host(address)} does not say how long the file is, so a cut could not"
                    " be noticed."
                )
        _receive(response, address, partial, start, total, limits, progress)


def _receive(
    response: HTTPResponse,
    address: str,
    partial: Path,
    start: int,
    total: int | None,
    limits: Limits,
    progress: Progress,
) -> None:
    _bound(total or 0, partial, limits)
    done = start
    with partial.open("ab" if start else "wb") as file:
        if not start:
            # The note comes after the old data have gone: it must never stand for another version.
            _note(partial).write_text(f"{address}\n{_version(response.headers)}\n", "utf-8")
        progress(done, total)
        while True:
            try:
                piece = response.read1(1 << 16)
            except TimeoutError as error:
                if done == start:
                    raise DownloadError(_silence(address, limits)) from error
                raise _CutError from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _CutError from error
            if not piece:
                break
            done += len(piece)
            _bound(done, partial, limits)
            file.write(piece)
            progress(done, total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and done != total:
        raise _CutError


def _bound(size: int, partial: Path, limits: Limits) -> None:
    if size > limits.size:
        discard(partial)
        raise DownloadError(
            f"it is larger than any Fast-SCNN checkpoint (at most {megabytes(limits.size)})."
        )


# What stands beside a partial


def _note(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.from")


def _begun(partial: Path, address: str) -> tuple[int, str]:
    """Return the bytes that are here of an address, and the version that they are of."""
    try:
        origin, version = _note(partial).read_text("utf-8").split("\n")[:2]
        return (partial.stat().st_size, version) if origin == address else (0, "")
    except (OSError, ValueError):
        return 0, ""


def _version(headers: Message) -> str:
    """Return the value for ``If-Range``: an ETag unless it is weak, or else the date."""
    tag = str(headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(headers.get("Last-Modified", ""))


def _continued(response: HTTPResponse, start: int) -> int | None:
    """Return the whole length that partial content names; ``None`` where it begins elsewhere."""
    given = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    return int(given[2]) if given is not None and int(given[1]) == start else None


# Talking to the server


class _Redirects(HTTPRedirectHandler):
    """Redirect handler that follows to http and https alone, and never from https back to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in {"http", "https"} or (req.type == "https" and scheme == "http"):
            raise HTTPError(req.full_url, code, msg, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    # Put together by hand: urllib's own opener would read file: and ftp: addresses too.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "fastscnn-live")]
    return opener


def _open(opener: OpenerDirector, request: Request, limits: Limits) -> HTTPResponse:
    address = request.full_url
    host = _host(address)
    try:
        response = opener.open(request, timeout=limits.timeout)
    except HTTPError:
        raise
    except (URLError, OSError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise _unreachable(cause, address, limits) from error
    except (http.client.InvalidURL, UnicodeError) as error:
        raise DownloadError(f"{address} is not an address.") from error
    except http.client.HTTPException as error:
        raise DownloadError(f"{host} does not answer as a web server does.") from error
    assert isinstance(response, HTTPResponse)
    return response


def _unreachable(cause: object, address: str, limits: Limits) -> Exception:
    host = _host(address)
    if isinstance(cause, socket.gaierror):
        return DownloadError(f"{host} cannot be found; is this machine online?")
    if isinstance(cause, ConnectionRefusedError):
        return DownloadError(f"{host} cannot be reached; is this machine online?")
    if isinstance(cause, TimeoutError):
        return DownloadError(_silence(address, limits))
    if isinstance(cause, ConnectionError):
        return _CutError()
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DownloadError(f"the certificate of {host} cannot be trusted.")
    text = getattr(cause, "strerror", None) or cause
    return DownloadError(f"{host} cannot be reached ({text}); is this machine online?")


def _refusal(error: HTTPError, host: str) -> str:
    if error.code in {404, 410}:
        return f"{host} has no such file ({error.code})."
    if 300 <= error.code < 400:
        location = str(error.headers.get("Location", "nowhere"))
        return f"{host} leads on to {location[:100]}, which is not followed."
    return f"{host} answered {error.code} {http.client.responses.get(error.code, '')}".strip() + "."


def _silence(address: str, limits: Limits) -> str:
    return f"{_host(address)} did not answer within {limits.timeout:g} seconds."


def _host(address: str) -> str:
    return urlsplit(address).netloc
