"""What a node says when it is dialled: with TLS, without, and where nobody answers."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildkit import certificates
from hullwright.tools import daemons
from hullwright.tools.daemons import Certificates, unanswered, unconnected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Site

pytestmark = pytest.mark.docker


def client(site: Site) -> Certificates:
    files = site.files
    return Certificates(files.ca, files.cert("client"), files.key("client"))


def test_daemons_answer_who_they_know(site: Site, tmp_path: Path) -> None:
    assert unanswered(site.plain) == ""
    assert unanswered(site.secure, client(site)) == ""
    assert unconnected(site.plain) == ""
    strange = certificates(tmp_path)
    theirs = replace(client(site), cert=strange.cert("client"), key=strange.key("client"))
    # Whether its words arrive before the end of the connection is a race.
    assert unanswered(site.secure, theirs) in {
        "TLS: tlsv1 alert unknown ca",
        "TLS: it ended the connection, as one does that does not take our certificate",
    }
    ours = replace(client(site), ca=strange.ca)
    assert unanswered(site.secure, ours) == "TLS: unable to get local issuer certificate"
    assert unanswered(site.secure) == (
        "it ended the connection without an answer, as one does that wants TLS"
    )
    missing = replace(client(site), key=tmp_path / "nowhere")
    assert unanswered(site.secure, missing) == (
        f"its files for TLS are not there: {tmp_path}/nowhere"
    )


@pytest.fixture
def listener() -> Iterator[tuple[socket.socket, str]]:
    """Yield a socket of loopback that listens, and its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening, f"tcp://127.0.0.1:{listening.getsockname()[1]}"


def test_another_server_is_no_daemon(listener: tuple[socket.socket, str]) -> None:
    def answer() -> None:
        connection, _ = listener[0].accept()
        with connection:
            connection.recv(64)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    answering = threading.Thread(target=answer)
    answering.start()
    assert unanswered(listener[1]) == "what answers there is no BuildKit daemon"
    answering.join()


def test_one_that_hangs_is_given_up(
    listener: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody accepts, but the kernel connects.
    monkeypatch.setattr(daemons, "ANSWER_S", 0.2)
    assert unconnected(listener[1]) == ""
    assert unanswered(listener[1]).startswith("no answer within")


def test_endpoints_that_cannot_be_dialled_say_why(tmp_path: Path) -> None:
    assert "refused" in unanswered("tcp://127.0.0.1:1")
    assert unanswered(f"unix://{tmp_path}/none.sock") == "there is no such socket"
    assert "is no endpoint of a node" in unanswered("tcp://build-1")
    assert "refused" in unconnected("ssh://me@127.0.0.1:1")
    # A context of Docker's or of Kubernetes' is a name only.
    assert unconnected("prod") == ""
