"""The client against a real registry, which does not always do what it is asked."""

from __future__ import annotations

import base64
import io
import os
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from answering import digest, made
from flaky import Proxy, denied, flaky
from hullwright.errors import UsageError
from hullwright.secret import Secret
from hullwright.tools.credentials import Credential
from hullwright.tools.registryclient import (
    Manifest,
    RegistryClient,
    RegistryError,
    connect,
    connect_as,
)
from hullwright.tools.registryhttp import Wire
from hullwright.tools.registrysending import Sending
from registries import PASSWORD, USER, answering, registry, upload

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from hullwright.workspace import Workspace


def noted(ws: Workspace) -> str:
    assert isinstance(ws.console.err, io.StringIO)
    return ws.console.err.getvalue()


def test_the_same_bytes_are_put_under_many_tags(
    client: RegistryClient, repository: str, manifest: Manifest
) -> None:
    names = [f"1.{n}" for n in range(12)]
    with ThreadPoolExecutor(8) as pool:
        put = {*pool.map(lambda tag: client.put_manifest(repository, tag, manifest), names)}
    assert put == {manifest.digest}
    assert client.manifest(repository, "1.7") == manifest
    assert client.manifest(repository, manifest.digest) == manifest
    described = client.describe(repository, "1.3")
    assert described is not None
    assert (described.digest, described.size_bytes) == (manifest.digest, len(manifest.content))
    assert sorted(client.tags(repository, page=5)) == sorted(names)
    assert sorted(client.tags(repository)) == sorted(names)
    config = manifest.document()["config"]
    assert len(client.blob(repository, config["digest"], 1000)) == config["size"]


def test_what_is_not_there_is_none(client: RegistryClient, repository: str) -> None:
    assert client.manifest(repository, "none") is None
    assert client.describe(repository, "none") is None
    assert client.tags(repository) == ()
    with pytest.raises(RegistryError, match="does not have it any more"):
        client.blob(repository, digest(b"nothing"), 1)


def test_a_push_is_tried_without_leaving_anything(
    client: RegistryClient, proxy: Proxy, repository: str
) -> None:
    client.check_push(repository)
    assert [(seen.method, seen.status) for seen in proxy.seen] == [("POST", 202), ("DELETE", 204)]


def test_this_registry_cannot_remove_one_tag(
    ws: Workspace, address: str, repository: str, manifest: Manifest
) -> None:
    client = connect(ws, address)
    client.put_manifest(repository, "staged", manifest)
    client.put_manifest(repository, "1.0", manifest)
    # docker-registry 2.8 takes the tag for a digest that it cannot read; nothing else is lost.
    assert client.delete_tag(repository, "staged") is False
    assert set(client.tags(repository)) == {"staged", "1.0"}


def test_a_registry_that_removes_nothing_says_so(tmp_path: Path, ws: Workspace) -> None:
    with registry(tmp_path) as address:
        assert connect(ws, address).delete_tag("team/app", "staged") is False


def test_what_passes_is_asked_again(
    ws: Workspace, client: RegistryClient, proxy: Proxy, repository: str, manifest: Manifest
) -> None:
    proxy.answer(503, method="PUT", times=2, headers={"Retry-After": "0"})
    proxy.answer(429, method="PUT", body=denied("slow down", "TOOMANYREQUESTS"))
    assert client.put_manifest(repository, "1", manifest) == manifest.digest
    assert proxy.counted("PUT") == 4
    assert [line.split(";")[0] for line in noted(ws).splitlines()] == [
        f"{proxy.address}: 503 Service Unavailable",
        f"{proxy.address}: 503 Service Unavailable",
        f"{proxy.address}: 429 TOOMANYREQUESTS: slow down",
    ]


def test_a_cut_connection_is_made_again(
    ws: Workspace, client: RegistryClient, proxy: Proxy, repository: str, manifest: Manifest
) -> None:
    proxy.cut(20, method="PUT", uploading=True)
    client.put_manifest(repository, "1", manifest)
    proxy.cut(20, method="GET", path="/manifests/")
    assert client.manifest(repository, "1") == manifest
    proxy.cut(0, method="GET", path="/tags/")
    assert client.tags(repository) == ("1",)
    assert [(seen.method, seen.status) for seen in proxy.seen] == [
        *(("PUT", 0), ("PUT", 201)),
        *(("GET", 0), ("GET", 200)),
        *(("GET", 0), ("GET", 200)),
    ]
    assert noted(ws).count("it ended before its answer was whole; again in 0.0 s") == 3


def test_a_registry_that_stays_busy_is_given_up(
    client: RegistryClient, proxy: Proxy, repository: str, manifest: Manifest
) -> None:
    proxy.answer(503, method="PUT", path="/manifests/latest$", times=None)
    client.put_manifest(repository, "1", manifest)
    with pytest.raises(RegistryError) as told:
        client.put_manifest(repository, "latest", manifest)
    assert told.value.what == (f"cannot push {repository}:latest now: {proxy.address} answers 503")
    assert proxy.counted("PUT", "latest") == 5
    assert "tried  5 times in 0." in f"{told.value}"


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (403, "requested access to the resource is denied", "denied"),
        (403, "quota of project team exceeded", "full"),
        (413, "", "full"),
        (507, "", "full"),
    ],
)
def test_what_is_refused_is_asked_once(
    ws: Workspace, proxy: Proxy, status: int, words: str, kind: str
) -> None:
    proxy.answer(status, method="PUT", body=denied(words) if words else b"")
    with pytest.raises(RegistryError) as told:
        connect(ws, proxy.address).put_manifest("team/app", "1", made())
    assert (told.value.kind, proxy.counted("PUT")) == (kind, 1)


def test_a_held_request_goes_on_when_it_is_let(
    client: RegistryClient, proxy: Proxy, repository: str, manifest: Manifest
) -> None:
    held = proxy.hold(method="PUT", path="/manifests/latest$")
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(client.put_manifest, repository, "latest", manifest)
        assert held.reached.wait(60)
        assert not put.done()
        assert client.describe(repository, "latest") is None
        held.go()
        assert put.result(60) == manifest.digest


def test_a_login_is_asked_for_and_taken(tmp_path: Path, ws: Workspace) -> None:
    with registry(tmp_path, login=True) as address:
        with pytest.raises(RegistryError) as told:
            connect(ws, address).check_push("team/app")
        assert told.value.lines() == [
            f"{address} wants a login to push to team/app",
            "  said  401 UNAUTHORIZED: authentication required",
            f"  next  invoke login --registry {address} --username NAME",
        ]
        wrong = Credential(USER, Secret("wrong password"))
        with pytest.raises(RegistryError, match=f"{address} refuses the login of {USER}"):
            connect_as(ws, address, wrong).tags("team/app")
        known = connect_as(ws, address, Credential(USER, Secret(PASSWORD)))
        known.check_login()
        known.check_push("team/app")
        assert known.tags("team/app") == ()


def test_one_login_serves_many_threads(tmp_path: Path, ws: Workspace) -> None:
    with registry(tmp_path, login=True) as address, flaky(address) as proxy:
        client = connect_as(ws, proxy.address, Credential(USER, Secret(PASSWORD)))
        start = threading.Barrier(8)

        def ask(number: int) -> tuple[str, ...]:
            start.wait(60)
            return client.tags(f"team/{number}")

        with ThreadPoolExecutor(8) as pool:
            assert [*pool.map(ask, range(8))] == [()] * 8
        assert proxy.counted("GET") <= 16


def test_nobody_there_is_told_of(ws: Workspace) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(RegistryError) as told:
            connect(ws, address).tags("team/app")
    assert told.value.lines()[:2] == [f"{address} cannot be reached", "  said  Connection refused"]


def test_a_name_that_nobody_has_is_told_of(ws: Workspace) -> None:
    with pytest.raises(RegistryError) as told:
        connect(ws, "registry.invalid").tags("team/app")
    assert told.value.kind == "unreachable"


def test_a_web_server_is_no_registry(ws: Workspace) -> None:
    def page(request: BaseHTTPRequestHandler) -> None:
        status = 404 if "/v2/" in request.path else 200
        request.send_response(status)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "6")
        request.end_headers()
        request.wfile.write(b"<html>")

    with answering(page) as endpoint:
        client = connect(ws, endpoint.host)
        with pytest.raises(RegistryError, match=f"{endpoint.host} is not an image registry"):
            client.tags("team/app")
        with pytest.raises(RegistryError, match=f"{endpoint.host} is not an image registry"):
            client.check_login()


def test_a_login_does_not_follow_to_another_host(ws: Workspace) -> None:
    seen: list[str] = []

    def stored(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers.get("Authorization", "none"))
        request.send_response(200)
        request.send_header("Content-Length", "2")
        request.end_headers()
        request.wfile.write(b"{}")

    with answering(stored) as storage:

        def redirecting(request: BaseHTTPRequestHandler) -> None:
            if "Authorization" in request.headers:
                request.send_response(307)
                request.send_header("Location", f"{storage.address}/somewhere")
            else:
                request.send_response(401)
                request.send_header("WWW-Authenticate", 'Basic realm="tests"')
            request.send_header("Content-Length", "0")
            request.end_headers()

        with answering(redirecting) as endpoint:
            client = connect_as(ws, endpoint.host, Credential(USER, Secret(PASSWORD)))
            assert client.blob("team/app", digest(b"{}"), 10) == b"{}"
    assert seen == ["none"]


def test_a_proxy_is_asked_with_its_own_login() -> None:
    seen: list[tuple[str, str | None]] = []

    def proxied(request: BaseHTTPRequestHandler) -> None:
        seen.append((request.path, request.headers.get("Proxy-Authorization")))
        request.send_response(200)
        request.send_header("Content-Length", "11")
        request.end_headers()
        request.wfile.write(b'{"tags":[]}')

    with answering(proxied) as endpoint:
        wire = Wire({"HTTP_PROXY": f"http://ada:p%40ss@{endpoint.host}"}, "registry.invalid")
        sending = Sending("registry.invalid", "http://registry.invalid", wire)
        assert RegistryClient(sending).tags("a") == ()
    basic = f"Basic {base64.b64encode(b'ada:p@ss').decode()}"
    assert seen == [("http://registry.invalid/v2/a/tags/list?n=1000", basic)]


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "socks5://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_told_of(proxy: str) -> None:
    sending = Sending(
        "registry.invalid", "https://registry.invalid", Wire({"ALL_PROXY": proxy}, "a")
    )
    with pytest.raises(RegistryError, match=r"registry\.invalid cannot be reached"):
        RegistryClient(sending).tags("a")


def test_a_registry_that_sends_round_in_circles_is_given_up(ws: Workspace) -> None:
    def circle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(307)
        request.send_header("Location", request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()

    with answering(circle) as endpoint, pytest.raises(RegistryError, match="too many redirects"):
        connect(ws, endpoint.host).tags("a")


def test_what_is_too_large_does_not_stand_before_the_next_answer(
    client: RegistryClient, address: str, repository: str
) -> None:
    name = upload(address, repository, b"x" * 100_000)
    with pytest.raises(RegistryError, match="larger than 1,000 bytes"):
        client.blob(repository, name, 1000)
    assert len(client.blob(repository, name, 100_000)) == 100_000


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path, address: str) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(UsageError, match=f"in {missing} cannot be read"):
        secure({"SSL_CERT_FILE": str(missing)}, address).tags("a")


def secure(environ: dict[str, str], address: str) -> RegistryClient:
    """Return a client that asks by TLS, which loopback names never are."""
    return RegistryClient(Sending(address, f"https://{address}", Wire(environ, address)))


def test_a_registry_without_tls_is_told_of(address: str) -> None:
    with pytest.raises(RegistryError, match=f"{address} does not speak TLS") as told:
        secure({}, address).tags("team/app")
    assert told.value.kind == "untrusted"


def test_a_certificate_is_trusted_by_its_authority(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=tests", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)),
        check=True,
        capture_output=True,
    )  # fmt: skip
    with registry(tmp_path, tls=(certificate, key)) as address:
        with pytest.raises(RegistryError) as told:
            secure({}, address).tags("team/app")
        assert told.value.lines()[:2] == [
            f"the certificate of {address} is not trusted",
            "  said  self-signed certificate",
        ]
        assert secure({"SSL_CERT_FILE": str(certificate)}, address).tags("team/app") == ()
        taken = Wire(dict(os.environ), address, verify=False)
        assert RegistryClient(Sending(address, f"https://{address}", taken)).tags("a") == ()
