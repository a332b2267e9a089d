"""Access: who may ask the server for what, decided before anything else is done."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN = "/login"
LOGIN_STYLE = "/login.css"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' blob: data:; script-src 'self';"
    " style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Without a referrer the origin of a form would be hidden from us too.
    "Referrer-Policy": "same-origin",
    # Another site can neither show the pictures nor hold the page.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Access:
    """Middleware that refuses who does not know the token, and what other sites had a browser ask.

    Args:
        app: what is served to the others.
        token: the word to know; ``None`` where none is needed.
        host: what the server listens at.
        login_page: HTML of the login.
        secure: whether it is https.
    """

    def __init__(
        self, app: ASGIApp, *, token: str | None, host: str, login_page: str, secure: bool
    ) -> None:
        self._app, self._token, self._login_page = app, token, login_page
        name = socket.gethostname().lower()
        self._hosts = {host.lower(), "localhost", name, f"{name}.local"}
        self._scheme = "https" if secure else "http"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer: ASGIApp = self._refusal(request) or self._app
        await answer(scope, receive, send_with_headers)

    def knows(self, token: str) -> bool:
        """Return whether a token is the right one, in a time that tells nothing of it."""
        right = (self._token or "").encode()
        return self._token is None or hmac.compare_digest(token.encode(errors="replace"), right)

    def let_in(self, response: Response, request: Request) -> Response:
        """Give a browser that knows the token a cookie that says so."""
        response.set_cookie(
            _cookie_name(request),
            self._cookie,
            httponly=True,
            samesite="strict",
            secure=self._scheme == "https",
        )
        return response

    def ask_for_token(self) -> Response:
        """The login, as the answer to who does not know the token."""
        return HTMLResponse(self._login_page, 401, {"WWW-Authenticate": "Bearer"})

    @property
    def _cookie(self) -> str:
        # Not the token itself: that may be a word that its owner uses elsewhere too.
        return hashlib.sha256(f"fastscnn-live cookie {self._token}".encode()).hexdigest()

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that goes no further."""
        if not self._is_ours(request.headers.get("host")):
            # A foreign name that leads here is how a site gets round a browser's rules.
            return PlainTextResponse("This host is not served here: use its address.", 421)
        if self._is_of_other_site(request):
            return PlainTextResponse("Requests from other sites are refused.", 403)
        if request.method not in {"GET", "POST"}:
            return PlainTextResponse("Only GET and POST are served.", 405, {"Allow": "GET, POST"})
        path = request.scope["path"]
        if path in {LOGIN, LOGIN_STYLE} or self._is_known(request):
            return None
        query = request.query_params.get("token")
        if query is not None and self.knows(query):
            # The page keeps it as a cookie, so that it leaves the address.
            return self.let_in(RedirectResponse("/", 303), request) if path == "/" else None
        if path == "/":
            return self.ask_for_token()
        words = "A token is needed: ?token=…, or Authorization: Bearer …"
        return PlainTextResponse(words, 401, {"WWW-Authenticate": "Bearer"})

    def _is_known(self, request: Request) -> bool:
        if self._token is None:
            return True
        kind, _, word = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.knows(word.strip()):
            return True
        cookie = request.cookies.get(_cookie_name(request), "")
        return hmac.compare_digest(cookie.encode(errors="replace"), self._cookie.encode())

    def _is_ours(self, host: str | None) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname if host else None
        except ValueError:
            return False
        if name is None:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._hosts
        return True  # a site that rebinds a name has no address here

    def _is_of_other_site(self, request: Request) -> bool:
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if origin is not None and origin != f"{self._scheme}://{request.headers['host']}":
            return True
        # A link from elsewhere may open the page; nothing else may come from there.
        opens = request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"
        opens = opens and request.scope["path"] in {"/", LOGIN}
        return site in {"cross-site", "same-site"} and not opens


def _cookie_name(request: Request) -> str:
    """Browsers keep one jar for all ports of a host: each server has a name of its own there."""
    server = request.scope.get("server")
    return f"fastscnn-token-{server[1] if server else 0}"
