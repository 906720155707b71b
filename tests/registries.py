"""Registries on loopback: one that only says no, and real ones, open or with a login."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import urllib3

from hullwright.tools.registry import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Whom a registry with a login knows. It takes bcrypt only, which the standard library cannot make.
USER = "ada"
PASSWORD = "correct horse battery"
_HASHED = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"

_DEADLINE_S = 60


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[Endpoint]:
    """Run an HTTP server on a loopback port of its own; each request is handed to `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_HEAD(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Endpoint(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refusing(status: int) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an answer that is the same to everything."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


@contextmanager
def registry(
    folder: Path,
    *,
    login: bool = False,
    delete: bool = False,
    tls: tuple[Path, Path] | None = None,
) -> Iterator[str]:
    """Run docker-registry on a loopback port of its own; yields its `host:port`.

    Args:
        folder: gets its configuration and its data.
        login: whether it wants Basic authentication, as `USER` with `PASSWORD`.
        delete: whether it removes manifests; of tags alone it removes none.
        tls: files of the certificate and the key that it speaks TLS with.
    """
    file = folder / "registry.yml"
    settings = {
        "version": "0.1",
        "storage": {
            "filesystem": {"rootdirectory": f"{folder / 'data'}"},
            "delete": {"enabled": delete},
        },
        "http": {"addr": "127.0.0.1:0"} | _certified(tls),
        "log": {"level": "info", "formatter": "json"},
    }
    if login:
        users = folder / "htpasswd"
        users.write_text(f"{USER}:{_HASHED}\n", encoding="utf-8")
        settings["auth"] = {"htpasswd": {"realm": "tests", "path": f"{users}"}}
    # YAML is a superset of JSON.
    file.write_text(json.dumps(settings), encoding="utf-8")
    with subprocess.Popen(
        ["docker-registry", "serve", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(_DEADLINE_S, process.kill)
        watchdog.start()
        try:
            address = _listening(process)
            # It guards the start only: tests share a registry for as long as they need it.
            watchdog.cancel()
            yield address
        finally:
            watchdog.cancel()
            process.terminate()


def upload(address: str, repository: str, content: bytes) -> str:
    """Store a blob in an open registry; returns its digest."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    begun = urllib3.request("POST", f"http://{address}/v2/{repository}/blobs/uploads/")
    place = begun.headers["Location"]
    sign = "&" if "?" in place else "?"
    put = urllib3.request("PUT", f"{place}{sign}digest={digest}", body=content)
    assert put.status == 201, put.data
    return digest


def _certified(tls: tuple[Path, Path] | None) -> dict[str, object]:
    if tls is None:
        return {}
    certificate, key = tls
    return {"tls": {"certificate": f"{certificate}", "key": f"{key}"}}


def _listening(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        before, found, after = line.partition("listening on ")
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return re.split('[",]', after)[0].strip()
        assert "fatal" not in before, line
    pytest.fail("docker-registry ended before it listened")
