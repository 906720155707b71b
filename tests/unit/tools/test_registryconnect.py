"""At which address a registry is asked, and with which login."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from hullwright.outcome import Result
from hullwright.secret import Secret
from hullwright.tools.credentials import Credential
from hullwright.tools.registryclient import connect
from hullwright.tools.registryhttp import Answer, Request, UnheardError, Wire
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

INSECURE = "plain.example.com:5000"
TOLD = {"IndexConfigs": {INSECURE: {"Secure": False}, "b.example": {"Secure": True}}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were tried; none has TLS."""
    tried: list[str] = []

    def send(self: Wire, request: Request) -> Answer:
        tried.append(request.url)
        raise UnheardError("plain", "it answers without TLS")

    monkeypatch.setattr(Wire, "send", send)
    return tried


def made(folder: Path, told: Result | None) -> Workspace:
    """Return a workspace with an engine that tells this of itself; None for no engine."""
    environ = {"PATH": str(folder), "DOCKER_CONFIG": str(folder)}
    if told is not None:
        (folder / "docker").touch(mode=0o755)
    runner = Replay(environ, results={("docker", "info"): told or Result((), 1)})
    return workspace(folder, None, runner, **environ)


@pytest.mark.parametrize(
    ("domain", "root"),
    [
        ("docker.io", "https://registry-1.docker.io"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("localhost:5000", "http://localhost:5000"),
        ("b.example", "https://b.example"),
        ("c.example:8443", "https://c.example:8443"),
    ],
)
def test_tls_is_for_all_but_this_machine(
    tmp_path: Path, asked: list[str], domain: str, root: str
) -> None:
    client = connect(made(tmp_path, Result((), 0, json.dumps(TOLD))), domain)
    assert (client.domain, client.sending.root, asked) == (domain, root, [])


def test_what_the_engine_takes_without_tls_is_asked_by_tls_first(
    tmp_path: Path, asked: list[str]
) -> None:
    client = connect(made(tmp_path, Result((), 0, json.dumps(TOLD))), INSECURE)
    assert asked == [f"https://{INSECURE}/v2/"]
    assert client.sending.root == f"http://{INSECURE}"


def test_an_insecure_registry_with_tls_needs_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[bool] = []

    def send(self: Wire, request: Request) -> Answer:
        verified.append(self.verify)
        return Answer(401)

    monkeypatch.setattr(Wire, "send", send)
    client = connect(made(tmp_path, Result((), 0, json.dumps(TOLD))), INSECURE)
    assert (client.sending.root, verified) == (f"https://{INSECURE}", [False])


@pytest.mark.parametrize(
    "told", [None, Result((), 1, "", "no engine"), Result((), 0, "null"), Result((), 0, "<")]
)
def test_without_an_engines_word_a_registry_has_tls(
    tmp_path: Path, asked: list[str], told: Result | None
) -> None:
    assert connect(made(tmp_path, told), INSECURE).sending.root == f"https://{INSECURE}"
    assert not asked


def test_the_login_that_docker_has_is_used(tmp_path: Path) -> None:
    pair = base64.b64encode(b"ada:s3cret").decode()
    config = {"auths": {"127.0.0.1:5000": {"auth": pair}}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    ws = made(tmp_path, None)
    client = connect(ws, "127.0.0.1:5000")
    assert client.sending.credential == Credential("ada", Secret("s3cret"))
    assert ws.runner.redacted("s3cret") == "***"
