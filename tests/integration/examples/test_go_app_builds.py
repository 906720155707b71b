"""The example go-app: what is built and of what, and what its files say of the stack."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import docker
from examples import Example, example
from hullwright.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

VERSION: Final = "1.2.0"
LIMIT_BYTES: Final = 30_000_000
USER: Final = 10001
STORES: Final = ("db", "qdrant", "redis")
SECRETS: Final = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY")
# What shows the figures, and is not of the stack that is deployed.
PAGES: Final = ("grafana", "jaeger", "prometheus")
ALL_OF_IT: Final = "FROM scratch\nCOPY . /\n"
FAILING: Final = """package vector

import "testing"

func TestBroken(t *testing.T) { t.Error("broken on purpose") }
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A clone of the repository at a release, with nothing built yet."""
    with example("go-app", tmp_path_factory.mktemp("app"), tags=[f"v{VERSION}"]) as made:
        yield made


@pytest.fixture(scope="module")
def built(copy: Example) -> dict[str, Any]:
    """What `invoke build` made of the service."""
    (target,) = copy.json("build")["targets"]
    return dict(target)


@contextmanager
def opened(image: str) -> Iterator[tarfile.TarFile]:
    """Yield what a container of an image sees."""
    name = docker("create", image).strip()
    try:
        packed = subprocess.run(("docker", "export", name), check=True, capture_output=True).stdout
    finally:
        docker("rm", name)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        yield archive


def test_the_context_has_what_is_built_from_and_nothing_else(copy: Example, tmp_path: Path) -> None:
    left = (
        *("dist/documents", "bin/tool", "documents", "cover.out", "coverage.html", ".env"),
        *("internal/NOTES.md", "api/notes.md", "internal/vector/vector.test"),
    )
    for name in left:
        copy.write(name, "left behind")
    try:
        archive = tmp_path / "context.tar"
        words = ("build", "--file", "-", "--output", f"type=tar,dest={archive}", ".")
        copy.run("docker", "buildx", *words, stdin=ALL_OF_IT)
    finally:
        for name in left:
            (copy.path / name).unlink()
    with tarfile.open(archive) as packed:
        names = {member.name for member in packed if member.isfile()}
    committed = copy.run("git", "ls-files", "cmd", "internal", "go.mod", "go.sum").stdout.split()
    assert names == {*committed, "api/openapi.yaml"}
    assert (copy.path / ".git").is_dir()
    assert list((copy.path / "test").iterdir())


def test_its_own_tests_pass_in_the_container(copy: Example) -> None:
    (target,) = copy.json("build", "--target", "test")["targets"]
    assert target["status"] == "built"
    broken = "internal/vector/broken_test.go"
    copy.write(broken, FAILING)
    try:
        (target,) = copy.json("build", "--target", "test", code=ExitCode.FAILED)["targets"]
    finally:
        (copy.path / broken).unlink()
    assert "go test" in target["failure"]["step"]
    assert any("broken on purpose" in line for line in target["failure"]["output"])


def test_files_of_compose_publish_the_service_and_pages_alone(copy: Example) -> None:
    words: tuple[str, ...] = ("--file=docker-compose.yml", "--file=docker-compose.pages.yml")
    given = dict.fromkeys(SECRETS, "a value")
    words += ("--profile=observability", "config", "--format=json")
    told = copy.compose(*words, code=0, **given)
    services = json.loads(told)["services"]
    ports = {name: each["ports"] for name, each in services.items() if each.get("ports")}
    assert sorted(ports) == ["app", *PAGES]
    assert {port["host_ip"] for each in ports.values() for port in each} == {"127.0.0.1"}
    # The pages are there, and show what is kept here.
    sources = (copy.path / "deploy/observability/grafana/datasources.yaml").read_text("utf-8")
    assert sorted(re.findall(r"url: http://(\w+):\d+", sources)) == ["jaeger", "prometheus"]
    # The image of the collector has nothing that could check it.
    assert [name for name, each in services.items() if not each.get("healthcheck")] == ["collector"]
    awaited = {name: each["condition"] for name, each in services["app"]["depends_on"].items()}
    assert awaited == {**dict.fromkeys(STORES, "service_healthy"), "collector": "service_started"}
    assert "observability" not in {
        profile for name in ("app", *STORES) for profile in services[name].get("profiles", ())
    }


def test_each_variable_is_told_and_no_secret_has_a_value(copy: Example) -> None:
    told = (copy.path / ".env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^(?:# )?([A-Z_]+)=", told, re.MULTILINE))
    read: set[str] = set()
    for file in copy.path.glob("docker-compose*.yml"):
        read |= set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", file.read_text(encoding="utf-8")))
    assert names == read
    assert re.findall(r"^([A-Z_]+)=CHANGE_ME$", told, re.MULTILINE) == list(SECRETS)
    assert copy.run("git", "check-ignore", ".env").stdout.strip() == ".env"
    copy.invoke("secrets.check")
    for name in SECRETS:
        refused = copy.run(
            "docker", "compose", "config", code=1, **{n: "x" for n in SECRETS if n != name}
        )
        assert f"{name} is missing a value: see .env.example" in refused.stderr


def test_production_is_small_and_holds_no_shell(copy: Example, built: dict[str, Any]) -> None:
    (size,) = copy.json("sizes", "--target", "production")["images"]
    assert size["unpacked_bytes"] <= LIMIT_BYTES
    assert size["verdict"] == "ok"
    with opened(built["reference"]) as archive:
        files = {member.name: member for member in archive}
        program = archive.extractfile("usr/local/bin/documents")
        assert program
        # Without symbols: -s -w. On nothing at all, it starts only if it is static.
        assert b".symtab" not in program.read()
    programs = [name for name, each in files.items() if each.isfile() and each.mode & 0o111]
    # The engine itself adds what it mounts in a container.
    own = [name for name in programs if not name.startswith((".dockerenv", "dev/", "etc/"))]
    assert own == ["usr/local/bin/documents"]
    assert files["etc/ssl/certs/ca-certificates.crt"].size > 100_000
    description = files["usr/share/documents/openapi.yaml"]
    assert (description.uid, description.gid, description.mode) == (USER, USER, 0o440)
    config = json.loads(docker("image", "inspect", built["reference"]))[0]["Config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Healthcheck"]["Test"] == ["CMD", "documents", "healthcheck"]
    assert config["ExposedPorts"] == {"8080/tcp": {}}
    copy.invoke("version", "--verify", "--image", built["reference"])


def test_the_same_commit_gives_the_same_bytes(copy: Example, built: dict[str, Any]) -> None:
    # `--verify-reproducible` would do so twice; what is there was built with whatever caches had.
    (again,) = copy.json("build", "--no-cache")["targets"]
    # Nothing but a WORKDIR right above its base is taken again.
    assert again["status"] == "built"
    assert again["cached_steps"] <= 1
    assert again["digest"] == built["digest"]
