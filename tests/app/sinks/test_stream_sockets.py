"""Talk with RTSP servers that take streams."""

import base64
import contextlib
import hashlib
import re
import socket
import threading
import time

import pytest

from app.sinks.stream_sockets import RtspSocket

REALM, NONCE = "street", "f00d"
DIGEST = f'Digest realm="{REALM}", nonce="{NONCE}"'


class Server(threading.Thread):
    """Answers one client; asks for user and password where there is a challenge."""

    def __init__(self, challenge="", answer="RTSP/1.0 200 OK"):
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._challenge, self._answer = challenge, answer
        self.requests = []
        self.rest = b""
        self.talk, self.said_all = b"", False
        self.start()

    def run(self):
        client, _ = self._listener.accept()
        # Who goes while something unread is on its way resets the connection.
        with contextlib.suppress(ConnectionError), client, client.makefile("rb") as file:
            while (line := file.readline()) and not line.startswith(b"$"):
                headers = {}
                while pair := file.readline().strip().decode():
                    name, _, value = pair.partition(": ")
                    headers[name] = value
                file.read(int(headers.get("Content-Length", 0)))
                self.requests.append((line.decode().split()[0], headers))
                known = not self._challenge or "Authorization" in headers
                say = self._answer if known else "RTSP/1.0 401 Unauthorized"
                asks = "" if known else f"WWW-Authenticate: {self._challenge}\r\n"
                head = f"{say}\r\nCSeq: {headers['CSeq']}\r\nSession: 7;timeout=60\r\n{asks}\r\n"
                client.sendall(head.encode())
            self.rest = line + file.read(max(0, 20 - len(line)))
            if self.talk:
                client.sendall(self.talk * (20_000_000 // len(self.talk)))
                self.said_all = True
                while file.read(4096):
                    pass


def test_a_stream_is_announced_set_up_and_sent_between_the_requests():
    server = Server()
    stream = RtspSocket(f"rtsp://{server.place}/live", 60)
    packet = b"\x80\x60" + bytes(13) + b"\n"
    assert stream.write(packet) == 16
    server.join(60)
    stream.close()
    methods = [method for method, _ in server.requests]
    assert methods == ["OPTIONS", "ANNOUNCE", "SETUP", "RECORD"]
    assert server.requests[-1][1]["Session"] == "7"
    assert "mode=record" in server.requests[2][1]["Transport"]
    assert server.rest == b"$\x00\x00\x10" + packet


def test_the_end_of_a_server_is_noticed_with_the_next_packets():
    server = Server()
    stream = RtspSocket(f"rtsp://{server.place}/live", 60)
    packet = b"\x80\x60" + bytes(13) + b"\n"
    stream.write(packet)
    server.join(60)  # it takes the packet, and closes

    def write_on():
        for _ in range(1000):
            stream.write(packet)
            time.sleep(0.01)

    with pytest.raises(OSError, match=r"closed|reset|pipe"):
        write_on()
    stream.close()


def test_what_a_server_says_meanwhile_never_makes_it_wait():
    """Reports on what it receives, for hours: more than sockets hold that nobody reads."""
    server = Server()
    server.talk = b"$\x01\x00\x08" + bytes(8)
    stream = RtspSocket(f"rtsp://{server.place}/live", 60)
    packet = b"\x80\x60" + bytes(13) + b"\n"
    stream.write(packet)
    deadline = time.monotonic() + 60
    while not server.said_all and time.monotonic() < deadline:
        stream.write(packet)
        time.sleep(0.01)
    assert server.said_all
    stream.close()


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def test_a_password_is_proved_and_not_told():
    server = Server(DIGEST)
    RtspSocket(f"rtsp://me:hush@{server.place}/live", 60).close()
    server.join(60)
    method, headers = server.requests[-1]
    fields = dict(re.findall(r'(\w+)="([^"]*)"', headers["Authorization"]))
    deed = md5(f"{method}:{fields['uri']}")
    proof = ":".join((md5(f"me:{REALM}:hush"), NONCE, deed))
    assert fields["response"] == md5(proof)
    assert not any("hush" in str(each) for each in server.requests)


def test_a_server_that_asks_for_the_plain_password_gets_it():
    server = Server('Basic realm="street"')
    RtspSocket(f"rtsp://me:hush@{server.place}/live", 60).close()
    server.join(60)
    expected = base64.b64encode(b"me:hush").decode()
    assert server.requests[-1][1]["Authorization"] == f"Basic {expected}"


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"challenge": DIGEST}, "401"),
        ({"answer": "RTSP/1.0 404 Not Found"}, "404"),
        ({"answer": "HTTP/1.1 200 OK"}, "does not speak RTSP"),
        ({"answer": ""}, "does not speak RTSP"),
    ],
)
def test_a_server_that_takes_no_stream_is_an_error_in_words(server, words):
    place = Server(**server).place
    with pytest.raises(OSError, match=words):
        RtspSocket(f"rtsp://{place}/live", 60)
