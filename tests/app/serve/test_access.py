"""Who is let in, and who is not, whatever is sent."""

import contextlib
import http.client
import random
import shutil
import socket
import ssl
import subprocess

import pytest

from app.config.value_parsers import Address
from app.errors import UsageError
from app.serve import connection
from tests.support.recordings import results
from tests.support.waiting import PATIENCE
from tests.support.web_client import serving

PATHS = (
    "/stats.json",
    "/stream.mjpg",
    "/frame.jpg",
    "/labels.png",
    "/events",
    "/metrics",
    "/page.js",
)


@pytest.fixture(scope="module")
def closed():
    with serving(serve_token="right word", serve_control=True) as served:
        yield served


@pytest.mark.parametrize("path", [*PATHS, "/", "/page.css", "/control", "/nothing"])
def test_without_the_token_every_path_is_closed(closed, path):
    for token in ("", "?token=wrong", "?token=", "?token=right%20wor", "?token=right%20wordy"):
        assert closed.ask(path + token).status == 401
    assert closed.ask(path, Authorization="Bearer wrong").status == 401
    assert closed.ask(path, Authorization="Basic right word").status == 401


def test_the_token_opens_as_query_header_and_cookie(closed):
    assert closed.ask("/stats.json?token=right%20word").status == 200
    assert closed.ask("/stats.json", Authorization="Bearer right word").status == 200
    answer = closed.ask("/login", b"token=right+word")
    assert answer.status == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "right" not in cookie
    assert closed.ask("/stats.json", Cookie=cookie.partition(";")[0]).status == 200


def test_the_login_is_open_and_a_wrong_token_comes_back_to_it(closed):
    assert b"<form" in closed.ask("/login").body
    assert closed.ask("/login.css").status == 200
    answer = closed.ask("/login", b"token=wrong")
    assert answer.status == 401
    assert b"<form" in answer.body


def test_a_token_in_the_address_of_the_page_leaves_it(closed):
    answer = closed.ask("/?token=right%20word")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "set-cookie" in answer.headers


def test_on_this_machine_alone_no_token_is_needed_and_elsewhere_one_is_made(capsys):
    with serving() as served:
        assert served.ask("/stats.json").status == 200
    capsys.readouterr()
    with serving(serve=Address("0.0.0.0", 0)) as served:
        said = capsys.readouterr().err
        port = served.server._socket.getsockname()[1]
        token = said.partition("?token=")[2].strip()
        assert len(token) > 16
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("GET", "/stats.json")
        assert client.getresponse().status == 401


def test_the_environment_may_say_the_token(monkeypatch):
    monkeypatch.setenv("FASTSCNN_TOKEN", "from outside")
    with serving() as served:
        assert served.ask("/stats.json").status == 401
        assert served.ask("/stats.json?token=from+outside").status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::1", "a b"])
def test_a_foreign_name_that_leads_here_is_refused(closed, host):
    assert 400 <= closed.ask("/stats.json?token=right+word", Host=host).status < 500


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8765", "[::1]:80", "192.168.1.20"])
def test_its_own_names_and_addresses_are_served(closed, host):
    assert closed.ask("/stats.json?token=right+word", Host=host).status == 200


def test_what_other_sites_ask_a_browser_for_is_refused(closed):
    known = {"Authorization": "Bearer right word"}
    body, kind = b'{"skip": false}', {"Content_Type": "application/json"}
    host, port = closed.place
    own = f"http://{host}:{port}"
    for foreign in ("https://evil.example", "null", f"https://{host}:{port}", f"{own}0"):
        assert closed.ask("/control", body, Origin=foreign, **kind, **known).status == 403
        assert closed.ask("/stats.json", Origin=foreign, **known).status == 403
    assert closed.ask("/frame.jpg", Sec_Fetch_Site="cross-site", **known).status == 403
    assert closed.ask("/control", body, **known).status == 415
    assert closed.ask("/control", body, Content_Type="text/plain", **known).status == 415
    assert closed.ask("/control", body, Origin=own, **kind, **known).status == 204
    opened = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert closed.ask("/", **opened, **known).status == 200
    closed.server.run_commands()


@pytest.mark.parametrize("path", [*PATHS[:1], "/", "/login", "/nothing"])
def test_every_answer_forbids_what_the_page_does_not_need(closed, path):
    headers = closed.ask(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_a_body_is_short_and_a_stream_is_not_had_by_head(closed):
    known = {"Authorization": "Bearer right word", "Content_Type": "application/json"}
    assert closed.ask("/control", b" " * 5000, **known).status == 413
    assert closed.ask("/control", b"[" * 4000, **known).status == 400
    assert closed.ask("/stream.mjpg", method="HEAD", **known).status == 405


def drain(client):
    """Read until the other side closes."""
    client.settimeout(PATIENCE)
    with contextlib.suppress(ConnectionResetError):
        while client.recv(100_000):
            pass


@pytest.mark.parametrize("begun", [b"", b"GET /stats.json HTTP/1.1\r\nHost: ", b"POST"])
def test_who_does_not_say_what_he_wants_is_dropped(monkeypatch, begun):
    monkeypatch.setattr(connection, "HEADERS_WITHIN", 0.2)
    with serving() as served, served.connect() as client:
        client.sendall(begun)
        drain(client)


def test_the_next_request_of_a_connection_may_take_no_longer(monkeypatch):
    monkeypatch.setattr(connection, "HEADERS_WITHIN", 0.2)
    with serving() as served, served.connect() as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100_000)
        client.sendall(b"GET /metr")
        drain(client)


def _bad_request(choose):
    """Bytes that are no request, or one that must not be granted."""
    junk = bytes(choose.randrange(256) for _ in range(choose.randrange(200)))
    path = choose.choice([*PATHS, "/control", "/", "/../etc/passwd", "/%2e%2e/%00", "//x", "/%ff"])
    text = "".join(choose.choice("abc%&=?#;[]{}\"'\\<>0:/ä\u2028") for _ in range(40))
    query = choose.choice(["", "?token=wrong", f"?{text}", "?source=99999", "?after=-1&width=%00"])
    method = choose.choice(["GET", "POST", "PUT", "DELETE", "TRACE", "HEAD", "X" * 50, "OPTIONS"])
    head = choose.choice(
        [
            "Host: localhost",
            "Host: evil.example",
            "Host: localhost\r\nOrigin: http://evil.example",
            "Host: localhost\r\nCookie: fastscnn-token-0=\x80\xff; a=b",
            f"Host: localhost\r\nAuthorization: Bearer {text}",
            "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
            "Host: localhost\r\nContent-Length: -5",
            "Host: localhost\r\nX: " + "y" * 20_000,
            "Host: a\r\nHost: b",
            "Host: localhost\r\nUpgrade: websocket\r\nConnection: upgrade",
        ]
    )
    request = f"{method} {path}{query} HTTP/1.1\r\n{head}\r\n\r\n".encode("latin-1", "replace")
    kind = choose.randrange(6)
    if kind == 0:
        return junk + b"\r\n\r\n"
    if kind == 1:
        place = choose.randrange(len(request))
        return request[:place] + junk[:5] + request[place:]
    return request + (junk if kind == 2 else b"")


def _answers(served, count):
    """Statuses of the answers to so many bad requests."""
    choose = random.Random(19)
    found = set()
    for _ in range(count):
        with served.connect() as client, contextlib.suppress(ConnectionResetError):
            client.sendall(_bad_request(choose))
            client.shutdown(socket.SHUT_WR)
            if said := client.recv(65_536):
                found.add(int(said.split()[1]))
    return found


def test_five_hundred_bad_requests_are_refused_and_leave_no_trace(closed, caplog, capfd):
    found = _answers(closed, 500)
    assert {400, 401, 403, 405, 421} <= found <= set(range(400, 500))
    assert "Traceback" not in capfd.readouterr().err + caplog.text
    assert closed.ask("/stats.json?token=right+word").status == 200


def test_bad_requests_of_those_who_are_let_in_break_nothing(caplog, capfd):
    with serving(serve_control=True) as served:
        found = _answers(served, 500)
        assert {200, 400, 404, 415} <= found <= {200, *range(400, 500)}
        assert served.ask("/stats.json").status == 200
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_bad_numbers_are_refused_of_those_who_are_let_in(closed):
    for query in (
        "source=1",
        "source=-1",
        "source=x",
        "width=0",
        "width=1e9",
        "after=%C2%B2",
        "source=",
    ):
        answer = closed.ask(f"/frame.jpg?token=right+word&{query}")
        assert answer.status in {400, 404}, query


def test_a_port_that_is_taken_is_said_so():
    with serving() as served, pytest.raises(UsageError, match=r"at 127.0.0.1:\d+ .*free port"):
        serving(serve=Address(*served.place)).__enter__()


@pytest.mark.parametrize("name", ["cert.pem", "missing.pem"])
def test_a_certificate_that_is_none_is_said_so(tmp_path, name):
    for each in ("cert.pem", "key.pem"):
        (tmp_path / each).write_text("none")
    with pytest.raises(UsageError, match=r"cannot be used for https"):
        serving(serve_cert=tmp_path / name, serve_key=tmp_path / "key.pem").__enter__()


def test_a_client_that_hardly_reads_holds_nobody_up_and_costs_no_memory():
    """Pictures go on to others, and of those it misses none is kept."""
    with serving() as served, socket.socket() as slow:
        shown = list(results([0.0] * 4, size=(640, 480)))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(PATIENCE)
        slow.connect(served.place)
        slow.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for count in range(400):
            served.pipeline.sinks.deliver(shown[count % 4])
            if count % 40 == 0:
                slow.recv(1)
                assert served.ask("/frame.jpg").headers["x-picture"] == str(count + 1)
        assert served.ask("/stats.json").json["clients"] == 1
        every = served.server._server.server_state.connections.copy()
        assert all(each.transport.get_write_buffer_size() < 1 << 20 for each in every)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificate")
def test_with_a_certificate_it_is_https(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", key, "-out", cert], check=True, capture_output=True)
    with serving(serve_cert=cert, serve_key=key, serve_token="word") as served:
        assert served.server.url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=cert)
        client = http.client.HTTPSConnection(*served.place, timeout=60, context=trusted)
        client.request("GET", "/stats.json")
        answer = client.getresponse()
        answer.read()
        assert answer.status == 401
        origin = {"Origin": served.server.url.rstrip("/")}
        client.request("POST", "/login", "token=word", origin)
        answer = client.getresponse()
        assert answer.status == 303
        assert "Secure" in answer.headers["set-cookie"]
