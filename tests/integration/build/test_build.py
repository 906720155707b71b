"""Builds by the real engine: what is built, recorded, cached, explained, and left out of images."""

from __future__ import annotations

import gzip
import io
import json
import ssl
import subprocess
import tarfile
import threading
from dataclasses import replace
from http.server import HTTPServer, SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from hullwright.build import BuildRequest
from hullwright.config.models import Service
from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.hooks import run_hook
from hullwright.recorded import load
from hullwright.secret import Secret

from .conftest import docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Shop

pytestmark = pytest.mark.docker

STAGES = """\
FROM BASE AS base
RUN echo PROJECT > /base
FROM base AS production
ARG VERSION
RUN echo production > /production
"""


def test_a_build_is_recorded_as_the_store_has_it(shop: Shop) -> None:
    shop.service(STAGES, Service("api", targets=("base", "production")))
    result = shop.one()
    assert (result.status, result.steps, result.cached_steps) == ("built", 2, 0)
    stored = json.loads(docker("image", "inspect", result.reference))[0]
    assert stored["Id"] == result.digest
    assert result.platforms == (f"{stored['Os']}/{stored['Architecture']}",)
    assert stored["Config"]["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    assert stored["Config"]["Labels"]["dev.hullwright.target"] == "production"
    recorded = load(shop.workspace())["api", "production"]
    assert (recorded.reference, recorded.digest) == (result.reference, result.digest)


def test_the_same_sources_give_the_same_digest_from_cache_in_one_bake(shop: Shop) -> None:
    shop.service(STAGES, Service("api", targets=("base", "production")))
    first = shop.one()
    shop.commands.clear()
    second = shop.one()
    assert second.digest == first.digest
    assert second.cached_steps == second.steps == 2
    # The local store is asked once what the base is, for its label; nothing else is started.
    ask, bake = shop.commands
    assert ask.startswith("docker image inspect ")
    assert "docker buildx bake" in bake


def test_the_state_of_this_repository_is_in_no_image_and_breaks_no_cache(shop: Shop) -> None:
    shop.service("FROM BASE\nCOPY . /app\nRUN ls -a /app > /listing\n")
    first = shop.one()
    (shop.root / ".hullwright" / "history.sqlite").write_text("a record", encoding="utf-8")
    second = shop.one()
    assert second.cached_steps == second.steps == 2
    assert second.digest == first.digest
    listing = docker("run", "--rm", first.reference, "cat", "/listing").splitlines()
    assert "api.Dockerfile" in listing
    assert ".hullwright" not in listing


def test_services_are_built_in_one_bake_and_a_stage_names_itself(shop: Shop) -> None:
    for name in ("api", "web"):
        shop.service(STAGES, Service(name, targets=("base", "production")))
    report = shop.build(BuildRequest(target="base"))
    assert [target.reference for target in report.targets] == [
        f"{shop.project}/api:1.2.3-base",
        f"{shop.project}/web:1.2.3-base",
    ]
    assert sum("buildx bake" in command for command in shop.commands) == 1


def test_arguments_reach_the_build_as_they_are(shop: Shop) -> None:
    shop.service(
        "FROM BASE\nARG WORDS\nLABEL words=$WORDS\n",
        Service("api", build_args={"WORDS": "${HOME} %{if} 'a' \"b\" \\ $x"}),
    )
    result = shop.one(BuildRequest(build_args={"OTHER": "1"}))
    labels = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", result.digest))
    assert labels["words"] == "${HOME} %{if} 'a' \"b\" \\ $x"


def test_a_failure_ends_the_others_where_asked_and_what_was_built_stays(shop: Shop) -> None:
    shop.service("FROM BASE\nRUN echo quick\n", Service("quick"))
    assert shop.one().status == "built"
    shop.service(
        "FROM BASE\nRUN echo told >&2; ls /nowhere && false\n",
        Service("broken"),
    )
    # It ends when it is cancelled, long before it would end by itself.
    shop.service("FROM BASE\nRUN : PROJECT; sleep 100\n", Service("slow"))
    report = shop.build(BuildRequest(fail_fast=True))
    quick, broken, slow = report.targets
    assert (broken.status, slow.status) == ("failed", "skipped")
    # It is exported from cache while the others run, or cancelled before that: never failed.
    assert quick.status in {"built", "skipped"}
    assert broken.failure is not None
    assert broken.failure.step.endswith("RUN echo told >&2; ls /nowhere && false")
    assert broken.failure.output == ("told", "ls: /nowhere: No such file or directory")
    assert set(load(shop.workspace())) == {("quick", "")}
    assert report.seconds < 60


def causes_of(shop: Shop, dockerfile: str, request: BuildRequest | None = None) -> str:
    """Return the explained cause of a build that fails."""
    result = shop.service(dockerfile).one(request)
    assert result.status == "failed"
    assert result.failure is not None
    (cause,) = result.failure.causes
    assert load(shop.workspace()) == {}
    return cause.summary


def test_a_full_file_system_is_explained(shop: Shop) -> None:
    text = "FROM BASE\nRUN --mount=type=tmpfs,target=/t,size=65536 dd if=/dev/zero of=/t/x bs=1M\n"
    assert "file system of the build is full" in causes_of(shop, text)


def test_a_file_that_may_not_be_executed_is_explained(shop: Shop) -> None:
    script = shop.root / "script.sh"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o600)
    text = (
        "FROM BASE\n"
        "RUN mkdir -p /etc && echo app:x:1:1::/:/bin/sh > /etc/passwd && touch /etc/group\n"
        "COPY script.sh /script.sh\nUSER 1:1\nRUN /script.sh\n"
    )
    assert "may not read, write or execute" in causes_of(shop, text)


def test_a_program_of_another_platform_is_explained(shop: Shop) -> None:
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little")
    (shop.root / "program").write_bytes(elf + (0x7777).to_bytes(2, "little") + bytes(44))
    text = 'FROM scratch\nCOPY --chmod=0755 program /program\nRUN ["/program"]\n'
    assert "another platform than" in causes_of(shop, text)
    # No emulator is ever registered for this one, which is told before the build.
    request = BuildRequest(platforms=("linux/loong64",))
    with pytest.raises(UnavailableError, match="cannot run programs of linux/loong64"):
        shop.build(request)


def test_modules_out_of_step_are_explained(shop: Shop) -> None:
    words = "main.go:3:8: missing go.sum entry for module providing package x (imported by y)"
    assert "go.mod and go.sum" in causes_of(shop, f"FROM BASE\nRUN echo '{words}' >&2; exit 1\n")


def test_a_file_outside_of_the_context_is_explained(shop: Shop) -> None:
    assert "not in the build context" in causes_of(shop, "FROM BASE\nCOPY nowhere.txt /\n")


def test_a_missing_base_image_is_explained(shop: Shop) -> None:
    text = "FROM 127.0.0.1:1/nothing:1\n"
    assert "base image is neither in the local store" in causes_of(shop, text)


def test_a_base_image_for_another_platform_is_explained(shop: Shop) -> None:
    request = BuildRequest(platforms=("linux/s390x",))
    assert "not for the platform that is built" in causes_of(shop, "FROM BASE\n", request)


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a server whose certificate nobody signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ),
        check=False,
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr.decode()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/x"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_that_is_not_trusted_is_explained(shop: Shop, untrusted: str) -> None:
    assert "certificate is not trusted" in causes_of(shop, f"FROM BASE\nADD {untrusted} /x\n")


def test_two_platforms_are_one_image(shop: Shop) -> None:
    (shop.root / "a.txt").write_text("a", encoding="utf-8")
    shop.service("FROM scratch\nARG TARGETARCH\nCOPY a.txt /$TARGETARCH\n")
    result = shop.one(BuildRequest(platforms=("linux/amd64", "linux/arm64")))
    assert result.platforms == ("linux/amd64", "linux/arm64")
    assert docker("image", "inspect", "-f", "{{.Id}}", result.reference) == result.digest
    assert load(shop.workspace())["api", ""].platforms == result.platforms


def content(digest: str) -> bytes:
    """Return everything that the store has of an image, its layers decompressed."""
    saved = subprocess.run(("docker", "image", "save", digest), check=True, capture_output=True)
    pieces = []
    with tarfile.open(fileobj=io.BytesIO(saved.stdout)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            blob = file.read() if file else b""
            pieces.append(gzip.decompress(blob) if blob.startswith(b"\x1f\x8b") else blob)
    return b"".join(pieces)


def test_certificates_are_there_in_a_step_and_leave_no_trace(shop: Shop, tmp_path: Path) -> None:
    bundle = tmp_path / "site.pem"
    bundle.write_text("certificate of this site 4711\n", encoding="utf-8")
    shop.ca_bundle = str(bundle)
    shop.service(
        "FROM BASE\nRUN --mount=type=secret,id=ca-bundle,target=/ca.pem "
        "grep -q 'this site 4711' /ca.pem && echo read > /seen\n"
    )
    result = shop.one()
    assert result.status == "built"
    stored = content(result.digest)
    assert b"read\n" in stored
    assert b"this site 4711\n" not in stored
    assert b"ca.pem\0" not in stored


def test_a_secret_is_there_in_a_step_and_leaves_no_trace(shop: Shop) -> None:
    shop.service(
        "FROM BASE\nRUN --mount=type=secret,id=npm grep -c . /run/secrets/npm > /seen\n",
        Service("api", secrets={"npm": "NPM_TOKEN"}),
    )
    report = shop.build(secrets={"NPM_TOKEN": Secret("hunter2-hunter2")})
    assert report.targets[0].status == "built"
    assert b"hunter2" not in content(report.targets[0].digest)
    assert not any("hunter2" in command for command in shop.commands)


def test_a_failing_hook_stops_and_shows_its_output(shop: Shop) -> None:
    ws = shop.workspace()
    script = shop.root / "check.sh"
    script.write_text(
        '#!/bin/sh\necho "$HULLWRIGHT_HOOK_EVENT of $HULLWRIGHT_HOOK_SERVICES"\ncat\nexit 4\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    hooked = replace(ws, config=replace(ws.config, hooks={"before-build": ("./check.sh",)}))
    with pytest.raises(CheckFailedError) as raised:
        run_hook(hooked, "before-build", {"services": ["api", "web"]})
    assert "it ended with 4" in str(raised.value)
    assert "before-build of api,web" in str(raised.value)
    assert '"services": ["api", "web"]' in str(raised.value)


def test_the_echoed_bake_can_be_pasted_from_anywhere(shop: Shop, tmp_path: Path) -> None:
    shop.service(STAGES, Service("api", targets=("base", "production")))
    result = shop.one()
    docker("image", "rm", result.reference)
    [line] = [line for line in shop.commands if "buildx bake" in line]
    # Its definition stands where the command says.
    assert (shop.root / ".hullwright" / "bake.json").is_file()
    done = subprocess.run(
        ("sh", "-c", line), cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(docker("image", "inspect", result.reference))[0]["Id"] == result.digest
