"""The example go-app: documents from a queue to two stores, found by likeness, and watched."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from composing import docker
from examples import Example, example, until_true

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

VERSION: Final = "1.2.0"
LIMIT_BYTES: Final = 30_000_000
USER: Final = 10001
STORES: Final = ("db", "qdrant", "redis")
BOATS: Final = "Boats leave the harbour at dawn."
OTHERS: Final = (
    "Snow fell on the pass all through the night.",
    "The ferry to the harbour is late this morning.",
    "Bread rises overnight in a cold kitchen.",
)
SMOKE: Final = "Nothing is lost on the way."
ALL_OF_IT: Final = "FROM scratch\nCOPY . /\n"


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


@pytest.fixture(scope="module")
def running(copy: Example, built: dict[str, Any]) -> Iterator[Example]:
    """The stack, up, and checked as it is configured."""
    assert built
    with copy.started("--check"):
        yield copy


def post(of: Example, text: str) -> str:
    """Have a text accepted and return its id."""
    answer = of.request("POST", "/documents", {"text": text})
    assert answer.status == 202, answer.text
    assert answer.headers["location"] == f"/documents/{answer.json['id']}"
    return str(answer.json["id"])


def until_kept(of: Example, *ids: str) -> None:
    until_true(
        lambda: {of.request("GET", f"/documents/{each}").status for each in ids} == {200},
        "all that was posted is indexed",
    )


def alike(of: Example, words: str, most: int) -> list[str]:
    """Return the texts that are like some words, once that many are found."""
    path = f"/documents?most={most}&like={words.replace(' ', '+')}"
    until_true(lambda: len(of.request("GET", path).json) == most, f"{most} texts like {words}")
    found = of.request("GET", path).json
    assert found == sorted(found, key=lambda each: -each["score"])
    return [each["text"] for each in found]


def files_of(image: str) -> dict[str, tarfile.TarInfo]:
    """Return what a container of an image sees, by path."""
    name = docker("create", image).strip()
    try:
        packed = subprocess.run(("docker", "export", name), check=True, capture_output=True).stdout
    finally:
        docker("rm", name)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {member.name: member for member in archive}


def test_the_context_has_what_is_built_from_and_nothing_else(copy: Example, tmp_path: Path) -> None:
    left = ("dist/documents", "bin/tool", "internal/NOTES.md", "api/notes.md", "cover.out", ".env")
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


def test_production_is_small_and_holds_no_shell(copy: Example, built: dict[str, Any]) -> None:
    (size,) = copy.json("sizes", "--target", "production")["images"]
    assert size["unpacked_bytes"] <= LIMIT_BYTES
    assert size["verdict"] == "ok"
    files = files_of(built["reference"])
    programs = [name for name, each in files.items() if each.isfile() and each.mode & 0o111]
    # The engine itself adds what it mounts in a container.
    own = [name for name in programs if not name.startswith((".dockerenv", "dev/", "etc/"))]
    assert own == ["usr/local/bin/documents"]
    assert files["etc/ssl/certs/ca-certificates.crt"].size > 100_000
    description = files["usr/share/documents/openapi.yaml"]
    assert (description.uid, description.gid, description.mode) == (USER, USER, 0o440)
    copy.invoke("version", "--verify", "--image", built["reference"])


def test_the_same_commit_gives_the_same_bytes(copy: Example) -> None:
    assert copy.json("build", "--verify-reproducible")["held"]


def test_what_was_posted_is_found_by_likeness(running: Example) -> None:
    ids = [post(running, text) for text in (BOATS, *OTHERS)]
    # The same text is the same document.
    assert post(running, f"  {BOATS} ") == ids[0]
    until_kept(running, *ids)
    found = alike(running, "a boat leaves the harbor", 2)
    assert found == [BOATS, OTHERS[1]]
    at_home = running.request("GET", f"/documents/{ids[0]}?zone=Asia/Kathmandu").json
    assert at_home["stored"].endswith("+05:45")
    assert running.request("GET", "/openapi.yaml").text.startswith("openapi: 3.1")
    assert running.request("GET", "/version").json["version"] == VERSION


def test_nothing_but_the_service_is_reached_from_outside(running: Example) -> None:
    published = running.inspect("app")["HostConfig"]["PortBindings"]
    assert published == {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(running.port)}]}
    for store in STORES:
        found = running.inspect(store)
        assert not found["HostConfig"]["PortBindings"]
        assert list(found["NetworkSettings"]["Networks"]) == [f"{running.project}_stores"]
    internal = docker(
        "network", "inspect", "--format", "{{.Internal}}", f"{running.project}_stores"
    )
    assert internal.strip() == "true"
    qdrant = running.address("qdrant", 6333)
    assert running.request("GET", "/collections/documents", at=qdrant).status == 401


def test_what_was_accepted_is_not_lost_with_a_store_and_a_worker(running: Example) -> None:
    qdrant, app = running.container("qdrant"), running.container("app")
    docker("stop", qdrant)
    made = post(running, SMOKE)
    until_true(
        lambda: f'"id":"{made}"' in running.invoke("logs", "--service", "app", "--tail", "20"),
        "the worker has it in hand",
    )
    assert running.request("GET", "/readyz").status == 503
    assert running.request("GET", "/livez").status == 200
    # Killed with the document in hand, and without a word.
    docker("kill", app)
    docker("start", qdrant)
    until_true(
        lambda: running.inspect("qdrant")["State"]["Health"]["Status"] == "healthy", "qdrant"
    )
    docker("start", app)
    assert alike(running, SMOKE, 1) == [SMOKE]


def test_the_image_with_a_shell_reaps_listens_where_it_is_told_and_ends_in_order(
    running: Example,
) -> None:
    (target,) = running.json("build", "--target", "production-shell")["targets"]
    given = {
        "PORT": "9123",
        "UMASK": "0077",
        **{
            each.split("=", 1)[0]: each.split("=", 1)[1]
            for each in running.inspect("app")["Config"]["Env"]
            if each.startswith(("POSTGRES_", "REDIS_", "QDRANT_"))
        },
    }
    name = f"{running.project}-{uuid4().hex[:6]}"
    words = [f"--env={key}" for key in given]
    network = f"--network={running.project}_stores"
    image = target["reference"]
    running.run("docker", "run", "--detach", f"--name={name}", network, *words, image, **given)
    try:
        until_true(
            lambda: (
                docker("inspect", "--format={{.State.Health.Status}}", name).strip() == "healthy"
            ),
            "it is healthy on its own port",
        )
        looked = (
            "cat /proc/1/comm; id -u; for p in /proc/[0-9]*; do "
            "grep -qx documents $p/comm && grep Umask $p/status; done"
        )
        said = docker("exec", name, "sh", "-c", looked).split()
        assert said[:4] == ["tini", str(USER), "Umask:", "0077"]
        docker("stop", name)
        state = json.loads(docker("inspect", "--format={{json .State}}", name))
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
        assert '"msg":"stopped"' in running.run("docker", "logs", name).stderr
    finally:
        docker("rm", "--force", name)


def test_traces_and_metrics_of_a_document_reach_jaeger_and_prometheus(running: Example) -> None:
    running.invoke("up", "--stack", "observability", "--check")
    # Known by their labels; the base stack goes on below the same project.
    jaeger, prometheus = running.address("jaeger", 16686), running.address("prometheus", 9090)
    until_true(
        lambda: "sending traces" in running.run("docker", "logs", running.container("app")).stderr,
        "the service has found the collector",
    )
    made = post(running, f"A text of its own: {uuid4().hex}")

    def spans() -> set[str]:
        path = "/api/traces?service=documents&limit=50&operation=index%20document"
        for trace in running.request("GET", path, at=jaeger).json["data"] or []:
            tags = [tag["value"] for span in trace["spans"] for tag in span["tags"]]
            if made in tags:
                return {span["operationName"] for span in trace["spans"]}
        return set()

    # One trace, from the request through the queue to both stores.
    wanted = {"POST /documents", "index document", "keep text", "HTTP PUT"}
    until_true(lambda: spans() >= wanted, "the trace is in Jaeger")

    def indexed() -> float:
        path = "/api/v1/query?query=documents_indexed_total"
        found = running.request("GET", path, at=prometheus).json["data"]["result"]
        return sum(float(one["value"][1]) for one in found)

    until_true(lambda: indexed() >= 1, "the figure is in Prometheus")


def test_it_starts_cold_within_its_budget(copy: Example, built: dict[str, Any]) -> None:
    assert built
    done = copy.json("cold-start")
    assert done["verdict"] == "healthy"
    assert {each["status"] for each in done["runs"][0]["checks"]} == {"held"}


def test_plain_compose_starts_it_with_a_file_of_values(running: Example) -> None:
    running.invoke("down", "--volumes", "--yes")
    running.invoke("env", "--init")
    image = f"{running.project}.invalid/documents:composed"
    running.compose("up", "--detach", "--wait", "--quiet-pull", APP_IMAGE=image)
    made = post(running, BOATS)
    until_kept(running, made)
    assert running.request("GET", "/version").json["version"] == "dev"
