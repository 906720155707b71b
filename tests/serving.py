"""What tests of the dashboard stand on: a PostgreSQL container, and the service as a process."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IMAGE: Final = "postgres:17-trixie"
TOKEN: Final = "the-token-of-the-tests-0123456789"
_DEADLINE_S: Final = 60


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server of our own on a loopback port."""

    container: str
    port: int
    password: str

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def environ(self, database: str) -> dict[str, str]:
        """Return the settings of a dashboard whose store is `database`."""
        return {
            "HULLWRIGHT_DATABASE_HOST": "127.0.0.1",
            "HULLWRIGHT_DATABASE_PORT": str(self.port),
            "HULLWRIGHT_DATABASE_NAME": database,
            "HULLWRIGHT_DATABASE_USER": "postgres",
            "HULLWRIGHT_DATABASE_PASSWORD": self.password,
            "HULLWRIGHT_HISTORY_TOKEN": TOKEN,
        }


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run PostgreSQL in a container that ends, with its volume, with the block."""
    if subprocess.run(
        ["docker", "image", "inspect", IMAGE], capture_output=True, check=False
    ).returncode:
        pytest.fail(f"{IMAGE} is not present: invoke images --prepare --stand-ins")
    password = secrets.token_hex(12)
    started = _docker(
        "run",
        "--detach",
        f"--name=hullwright-test-postgres-{secrets.token_hex(4)}",
        "--label=dev.hullwright.kind=test",
        "--env=POSTGRES_PASSWORD",
        "--publish=127.0.0.1:0:5432",
        IMAGE,
        environ={"POSTGRES_PASSWORD": password},
    )
    container = started.strip()
    try:
        _wait_until_ready(container)
        port = _docker("port", container, "5432/tcp").strip().rpartition(":")[2]
        yield PostgresServer(container, int(port), password)
    finally:
        _docker("rm", "--force", "--volumes", container)


def _docker(*words: str, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        ["docker", *words],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=_DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _wait_until_ready(container: str) -> None:
    """Follow the server's log: its first start, which initialises, does not listen on TCP yet."""
    words = ["timeout", str(_DEADLINE_S), "docker", "logs", "--follow", container]
    listens = False
    seen = []
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as logs:
        assert logs.stdout is not None
        for line in logs.stdout:
            seen.append(line)
            listens |= "listening on IPv4" in line
            if listens and "ready to accept connections" in line:
                logs.terminate()
                return
    pytest.fail(f"PostgreSQL did not start:\n{''.join(seen)}")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Dashboard:
    """The service, running as a process of its own."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, body: object, *, token: str | None = TOKEN) -> Answer:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", "/records", content, headers)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_DEADLINE_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read().decode())
        finally:
            connection.close()


@contextmanager
def dashboard_process(environ: Mapping[str, str]) -> Iterator[Dashboard]:
    """Run `python -m hullwright.dashboard serve` on a free port until the block ends."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "hullwright.dashboard", "serve"],
        env={**os.environ, **environ, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            wait_for_line(process, "Serving on")
            yield Dashboard(process, port)
        finally:
            process.kill()


def wait_for_line(process: subprocess.Popen[str], words: str) -> list[str]:
    """Return the lines up to the one that has `words`; the test fails if the output ends first.

    A process that says nothing is killed at the deadline, which ends its output.
    """
    assert process.stdout is not None
    seen = []
    deadline = threading.Timer(_DEADLINE_S, process.kill)
    deadline.start()
    try:
        for line in process.stdout:
            seen.append(line)
            if words in line:
                return seen
    finally:
        deadline.cancel()
    pytest.fail(f"it ended before it said {words!r}:\n{''.join(seen)}")


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def record_json(**fields: object) -> dict[str, object]:
    """Return a valid record of its own id, with `fields` in place of the usual ones."""
    from hullwright.history import Record

    record = Record(kind="build", project="shipyard", status="done", duration_s=1.5)
    return record.as_json() | fields
