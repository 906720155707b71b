"""The example go-services: one Dockerfile for all, names, platforms, a stack that talks, CI."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import imaging
from composing import docker
from examples import Example, example, free_port, until_true
from hullwright.run import Runner
from registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

SERVICES: Final = ("api-gateway", "presence-service", "websocket-gateway", "workflow-engine")
PLATFORMS: Final = ("linux/amd64", "linux/arm64")
VERSIONS: Final = {name: f"1.{number}.0" for number, name in enumerate(SERVICES)}
TAGS: Final = tuple(f"services/{name}/v{version}" for name, version in VERSIONS.items())
LIMIT_BYTES: Final = 10_000_000
USER: Final = "1001:1001"
_ANSWER_S: Final = 20
_TEXT: Final = 0x1


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A clone of the repository in which each service has a release of its own."""
    with example("go-services", tmp_path_factory.mktemp("services"), tags=TAGS) as made:
        # Plain Compose starts images of the copy's own name, as the tasks do.
        images = f"{made.environ['HULLWRIGHT_REGISTRY']}/chorus"
        yield replace(made, environ=made.environ | {"IMAGES": images})


@pytest.fixture(scope="module")
def built(copy: Example) -> dict[str, Any]:
    """What one `invoke build` made for both platforms, by service."""
    done = copy.json("build", "--platform", ",".join(PLATFORMS))
    return {each["service"]: each for each in done["targets"]}


@pytest.fixture(scope="module")
def running(copy: Example, built: dict[str, Any]) -> Iterator[Example]:
    """The stack, up, and checked as it is configured."""
    assert built
    with copy.started("--check"):
        yield copy


def beside(of: Example, name: str) -> Example:
    """Return the same repository with a project and a port of its own, beside other stacks."""
    project, port = f"{of.project}-{name}", free_port()
    environ = {"COMPOSE_PROJECT_NAME": project, "PORT": str(port)}
    return replace(of, project=project, port=port, environ=of.environ | environ)


def named(of: Example, service: str, target: str) -> str:
    return f"{of.environ['IMAGES']}/{service}:{target}"


def image(reference: str) -> Any:
    return json.loads(docker("image", "inspect", reference))[0]


class Socket:
    """A connection of a user: small text messages only (RFC 6455)."""

    def __init__(self, port: int, user: str) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), _ANSWER_S)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            f"GET /ws?user={user} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        )
        self.connection.sendall("\r\n".join((*lines, "", "")).encode())
        self.file = self.connection.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def say(self, message: object) -> None:
        text = json.dumps(message).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
        head = struct.pack("!BB", 0x80 | _TEXT, 0x80 | len(text))
        self.connection.sendall(head + mask + masked)

    def heard(self) -> Any:
        kind, length = struct.unpack("!BB", self.file.read(2))
        assert kind == 0x80 | _TEXT
        assert length < 126
        return json.loads(self.file.read(length))

    def close(self) -> None:
        self.file.close()
        self.connection.close()


@contextmanager
def connected(of: Example, user: str) -> Iterator[Socket]:
    made = Socket(of.port, user)
    try:
        assert made.status == 101
        yield made
    finally:
        made.close()


def test_one_run_makes_every_service_for_both_platforms(
    copy: Example, built: dict[str, Any]
) -> None:
    assert {name: each["status"] for name, each in built.items()} == dict.fromkeys(
        SERVICES, "built"
    )
    assert {name: each["version"] for name, each in built.items()} == VERSIONS
    for each in built.values():
        assert {size["platform"] for size in each["sizes"]} == set(PLATFORMS)
        assert all(0 < size["unpacked_bytes"] <= LIMIT_BYTES for size in each["sizes"])
        # Nothing ran under emulation: the compiler makes programs for another platform.
        assert each["emulated"] == []
    sizes = copy.json("sizes")
    assert {row["verdict"] for row in sizes["images"]} == {"ok"}


def test_images_are_called_by_their_stage_beside_their_version(
    copy: Example, built: dict[str, Any]
) -> None:
    for name, each in built.items():
        assert image(named(copy, name, "production"))["Id"] == image(each["reference"])["Id"]
        assert each["reference"].endswith(f"/chorus/{name}:{VERSIONS[name]}")


def test_the_other_platforms_image_serves_under_emulation(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built
    reference, name = named(copy, "api-gateway", "production"), f"{copy.project}-arm64"
    docker("run", "--detach", "--read-only", "--platform=linux/arm64", f"--name={name}", reference)
    try:
        (found,) = json.loads(docker("inspect", name))
        at = (found["NetworkSettings"]["Networks"]["bridge"]["IPAddress"], 8081)
        until_true(lambda: copy.request("GET", "/healthz", at=at).status == 200, "it serves")
        version = VERSIONS["api-gateway"]
        assert copy.request("GET", "/version", at=at).json["version"] == version
        said = docker("exec", name, "/service", "version")
        assert said.startswith(f"api-gateway {version} (")
        assert said.endswith("linux/arm64)")
    finally:
        docker("rm", "--force", name)


def test_an_image_says_its_version_and_its_commit(copy: Example, built: dict[str, Any]) -> None:
    reference = built["presence-service"]["reference"]
    copy.invoke("version", "--verify", "--image", reference)
    commit = copy.json("version")["short_revision"]
    said = docker("run", "--rm", "--network=none", reference, "version")
    assert said.startswith(f"presence-service {VERSIONS['presence-service']} ({commit}, ")


@pytest.mark.parametrize("service", SERVICES)
def test_there_is_a_user_a_port_and_no_shell(
    copy: Example, built: dict[str, Any], service: str
) -> None:
    assert built
    reference = named(copy, service, "production")
    config = image(reference)["Config"]
    assert config["User"] == USER
    assert list(config["ExposedPorts"]) == ["8081/tcp"]
    for shell in ("sh", "/bin/sh", "bash", "busybox"):
        words = ("docker", "run", "--rm", "--network=none", "--entrypoint", shell, reference)
        assert re.search("not found|no such file", copy.run(*words, code=127).stderr)


def test_roots_are_read_only_and_stay_as_they_were(running: Example) -> None:
    for service in SERVICES:
        found = running.inspect(service)
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        refused = running.run("docker", "cp", "README.md", f"{found['Id']}:/", code=1).stderr
        assert "read-only" in refused
        published = found["HostConfig"]["PortBindings"] or {}
        assert bool(published) == (service == "api-gateway")


def test_a_message_changes_presence_and_a_workflow_reads_it(running: Example) -> None:
    asked = {"subject": "order 17", "candidates": ["grace", "ada"], "zone": "Europe/Berlin"}
    waits = running.request("POST", "/workflows/handover/runs", asked)
    assert (waits.status, waits.json["state"]) == (202, "waiting")
    with connected(running, "ada") as ada:
        assert ada.heard() == {"user": "ada", "status": "online"}

        def run() -> Any:
            return running.request("GET", f"/runs/{waits.json['id']}").json

        until_true(lambda: run()["state"] == "assigned", "the run is assigned")
        assert run()["assignee"] == "ada"
        # The image has the time zones that its configuration asks for.
        assert re.search(r"\+0[12]:00$", run()["assigned_at"])
        ada.say({"status": "busy"})
        assert ada.heard() == {"user": "ada", "status": "busy"}
        assert running.request("GET", "/presence/ada").json["status"] == "busy"
        again = running.request("POST", "/workflows/handover/runs", asked)
        assert again.json["state"] == "waiting"
        ada.say({"status": "asleep"})
        assert "error" in ada.heard()
    until_true(
        lambda: running.request("GET", "/presence/ada").status == 404, "presence forgets who left"
    )


def test_the_gateway_tells_the_version_of_each_service(running: Example) -> None:
    told = running.request("GET", "/status").json["services"]
    assert {name: each["version"] for name, each in told.items()} == {
        name: version for name, version in VERSIONS.items() if name != "api-gateway"
    }
    assert running.request("PUT", "/presence/ada", {"status": "online"}).status == 405


def test_a_cold_start_holds_and_the_history_has_what_the_team_watches(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built
    assert copy.json("cold-start")["verdict"] == "healthy"
    # All of its steps are cached, however the first build found the caches.
    copy.invoke("build", "--service", "presence-service", "--force")
    told = copy.json("history", "--figures", "--service", "presence-service")["figures"]
    assert [each["figure"] for each in told] == [
        *("build time", "cache hits", "unpacked", "compressed"),
        *("start-up time", "memory", "CPU"),
    ]
    assert all(each["newest"] > 0 for each in told)


def test_plain_compose_starts_the_same_images(copy: Example, built: dict[str, Any]) -> None:
    assert built
    plain = beside(copy, "plain")
    plain.invoke("env", "--init")
    assert plain.run("git", "status", "--porcelain").stdout == ""
    try:
        plain.compose("up", "--detach", "--wait", "--no-build")
        reference = plain.inspect("api-gateway")["Config"]["Image"]
        assert reference == named(copy, "api-gateway", "production")
        assert plain.request("GET", "/readyz").json == {"status": "ready"}
    finally:
        plain.remove()
        (plain.path / ".env").unlink()


def test_a_shell_opens_in_a_stage(copy: Example, built: dict[str, Any]) -> None:
    assert built
    words = ("invoke", "shell", "--service", "api-gateway", "--stage", "base")
    said = copy.run(*words, stdin="pwd; go env GOWORK CGO_ENABLED; id -u; exit\n").stdout
    assert said.split()[-4:] == ["/src/services/api-gateway", "off", "0", "1001"]


def test_the_services_own_tests_pass_in_the_container(copy: Example, built: dict[str, Any]) -> None:
    assert built
    done = copy.json("build", "--target", "test")
    assert {each["status"] for each in done["targets"]} == {"built"}


def test_development_reloads_what_changed(copy: Example) -> None:
    service = "presence-service"
    copy.invoke("build", "--service", service, "--target", "development", "--no-cache")
    assert image(named(copy, service, "development"))["Config"]["User"] == USER
    file = f"services/{service}/main.go"
    before = (copy.path / file).read_text(encoding="utf-8")
    dev = beside(copy, "dev")
    with dev.started("--stack", "dev", "--service", service):
        at = dev.address(service, 8081)
        assert dev.request("GET", "/presence/nobody", at=at).status == 404
        copy.edit(file, "nobody of that name is there", "nobody by that name is there")
        try:
            until_true(
                lambda: "nobody by that name" in dev.request("GET", "/presence/nobody", at=at).text,
                "the change is served",
            )
        finally:
            copy.write(file, before)


def test_the_workspace_has_all_modules(copy: Example) -> None:
    words = ("run", "--rm", "--network=none", f"--volume={copy.path}:/src:ro", "--workdir=/src")
    modules = docker(*words, "golang:1.26-trixie", "go", "list", "-m").split()
    assert set(modules) == {f"chorus.example/{name}" for name in ("shared", *SERVICES)}


def test_the_workflow_of_ci_is_right(copy: Example) -> None:
    actionlint = Runner(os.environ).resolve("actionlint")
    copy.run(actionlint, ".github/workflows/ci.yml")


def matrix(of: Example, *words: str) -> list[dict[str, str]]:
    """Return the jobs that a workflow of GitHub is told of."""
    lines = of.invoke("ci.matrix", *words, "--format", "github").splitlines()
    told = dict(line.split("=", 1) for line in lines)
    jobs = json.loads(told["matrix"])["include"]
    assert told["empty"] == str(not jobs).lower()
    return list(jobs)


def test_the_matrix_of_ci_has_each_service_on_each_platform(copy: Example) -> None:
    both = {"HULLWRIGHT_PLATFORMS": ",".join(PLATFORMS)}
    runner = replace(copy, environ=copy.environ | both)
    assert {(job["service"], job["platform"]) for job in matrix(runner)} == {
        (service, platform) for service in SERVICES for platform in PLATFORMS
    }
    assert matrix(runner, "--changed-since", "HEAD") == []


def test_jobs_of_the_matrix_make_one_release(
    copy: Example, built: dict[str, Any], tmp_path: Path
) -> None:
    assert built
    workflow = (copy.path / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    asks, pushes, joins = (
        re.search(rf"\binvoke {words}.*", workflow)
        for words in ("ci.matrix --missing --format github", "push --part", "push --join")
    )
    assert asks
    assert pushes
    assert joins
    path = f"{Path(sys.executable).parent}{os.pathsep}{copy.environ['PATH']}"
    with registry(tmp_path) as address:
        more = {"HULLWRIGHT_REGISTRY": address, "HULLWRIGHT_PLATFORMS": ",".join(PLATFORMS)}
        runner = replace(copy, environ=copy.environ | more | {"PATH": path})
        try:
            jobs = matrix(runner, "--missing")
            assert len(jobs) == len(SERVICES) * len(PLATFORMS)
            for job in jobs:
                service, platform = job["service"], job["platform"]
                runner.run("sh", "-c", pushes[0], SERVICE=service, PLATFORM=platform)
            runner.run("sh", "-c", joins[0])
            assert matrix(runner, "--missing") == []
        finally:
            imaging.remove(imaging.matching(f"{address}/chorus/*"))
