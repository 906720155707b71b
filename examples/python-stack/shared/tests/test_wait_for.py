"""The script that waits for servers before it becomes a command."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

# Beside the sources in the container, and two folders up in a work tree.
_ROOT = Path(__file__).resolve().parent
WAIT_FOR = next(
    folder / "scripts/wait-for"
    for folder in _ROOT.parents
    if (folder / "scripts/wait-for").exists()
)


def wait_for(*words: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, str(WAIT_FOR), *words)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_becomes_the_command_once_the_server_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        done = wait_for(place, "--", sys.executable, "-c", "print('ran'); raise SystemExit(7)")
    assert (done.returncode, done.stdout) == (7, "ran\n")


def test_it_gives_up_and_says_for_what_it_waited() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{bound.getsockname()[1]}"
        done = wait_for("--timeout", "0.2", place, "--", "true")
    assert done.returncode == 1
    assert f"{place} took no connection" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["db:5432"],
        ["db:5432", "--"],
        ["--", "true"],
        ["db", "--", "true"],
        ["--timeout", "--", "x"],
    ],
)
def test_what_it_cannot_read_is_refused(words: list[str]) -> None:
    done = wait_for(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wait-for: ")
