"""The guard over unit tests is itself tested: a guard that sleeps is worse than none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest


def test_a_process_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match="starts a process"):
        subprocess.run([sys.executable, "-c", ""], check=False)


def test_a_fork_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match="starts a process"):
        os.fork()


def test_a_connection_fails_the_test() -> None:
    with (
        socket.socket() as client,
        pytest.raises(pytest.fail.Exception, match="opens a connection"),
    ):
        client.connect(("127.0.0.1", 1))


def test_a_listener_fails_the_test() -> None:
    with socket.socket() as server, pytest.raises(pytest.fail.Exception, match="opens a socket"):
        server.bind(("127.0.0.1", 0))
