"""Requests and connections to servers of this machine that answer well, badly and too slowly."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from hullwright.tools import dialling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Talk = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Talk) -> Iterator[int]:
    """Yield the port of a server that talks so with whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    taken, _ = server.accept()
                    with taken, suppress(OSError):
                        talk(taken)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def said(answer: bytes) -> Talk:
    """Return the talk of a server that reads a request and answers so."""

    def talk(taken: socket.socket) -> None:
        taken.recv(65536)
        taken.sendall(answer)

    return talk


def test_an_answer_has_status_and_body() -> None:
    with serving(said(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait")) as port:
        answer = dialling.get("127.0.0.1", port, "/", 10)
    assert (answer.status, answer.body, answer.cut) == (503, b"wait", False)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    told = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/login\r\nContent-Length: 0\r\n\r\n"
    with serving(said(told)) as port:
        answer = dialling.get("127.0.0.1", port, "/", 10)
    assert (answer.status, answer.location) == (302, "http://127.0.0.1:9/login")


def test_a_request_goes_to_localhost_whatever_proxies_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    requests: list[bytes] = []

    def talk(taken: socket.socket) -> None:
        requests.append(taken.recv(65536))
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(talk) as port:
        assert dialling.get("127.0.0.1", port, "/a b?q=ü", 10).status == 200
    lines = requests[0].decode().split("\r\n")
    assert lines[0] == "GET /a%20b?q=%C3%BC HTTP/1.1"
    assert [line for line in lines if line.lower().startswith("host:")] == ["Host: localhost"]


def test_a_large_body_is_read_to_its_first_mib() -> None:
    body = b"x" * (dialling.BODY_BYTES + 10)
    with serving(said(b"HTTP/1.0 200 OK\r\n\r\n" + body)) as port:
        answer = dialling.get("127.0.0.1", port, "/", 10)
    assert (len(answer.body), answer.cut) == (dialling.BODY_BYTES, True)


def test_what_is_no_http_is_told() -> None:
    with (
        serving(said(b"SSH-2.0-OpenSSH_9.9\r\n")) as port,
        pytest.raises(dialling.UnansweredError, match="no answer of HTTP"),
    ):
        dialling.get("127.0.0.1", port, "/", 10)


def test_a_server_that_dribbles_is_ended() -> None:
    def dribble(taken: socket.socket) -> None:
        taken.recv(65536)
        taken.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        until = time.monotonic() + 60
        while time.monotonic() < until:
            # Each byte comes sooner than any one read would give up.
            taken.sendall(b"x")
            time.sleep(0.02)

    began = time.monotonic()
    with (
        serving(dribble) as port,
        pytest.raises(dialling.UnansweredError, match=r"no answer within 0\.3 s"),
    ):
        dialling.get("127.0.0.1", port, "/", 0.3)
    assert time.monotonic() - began < 30


def test_a_port_where_nothing_listens_is_told() -> None:
    with serving(said(b"")) as port:
        pass
    for dial in (
        lambda: dialling.get("127.0.0.1", port, "/", 5),
        lambda: dialling.connect("127.0.0.1", port, 5),
    ):
        with pytest.raises(dialling.UnansweredError, match="refused"):
            dial()


def test_a_connection_that_docker_s_proxy_takes_and_closes_does_not_count() -> None:
    with serving(lambda _: None) as port:
        dialling.connect("127.0.0.1", port, 5)
        with pytest.raises(dialling.UnansweredError, match="closed at once"):
            dialling.connect("127.0.0.1", port, 5, proxied=True)


def test_a_server_that_speaks_first_or_waits_counts() -> None:
    with serving(lambda taken: taken.sendall(b"220 ready\r\n")) as port:
        dialling.connect("127.0.0.1", port, 5, proxied=True)

    def wait(taken: socket.socket) -> None:
        taken.settimeout(30)
        taken.recv(1)

    with serving(wait) as port:
        dialling.connect("127.0.0.1", port, 5, proxied=True)


def test_this_machine_is_attached_to_its_own_networks_only() -> None:
    assert dialling.is_attached("127.0.0.2", 8)
    # https://www.rfc-editor.org/rfc/rfc5737: an address for documentation is nobody's.
    assert not dialling.is_attached("203.0.113.77", 32)
