"""The example versioned-server: one version everywhere, safe defaults, TLS, extensions, slots."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import docker, there
from examples import Answer, Example, example, free_port
from hullwright.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

VERSION: Final = "1.4.2"
LIMIT_BYTES: Final = 18_000_000
EXTENSIONS: Final = {"pg_trgm", "pg_stat_statements", "postgis", "vector"}
HARBOUR: Final = {
    "name": "Old Harbour",
    "note": "quiet, with fishing boats",
    "latitude": 54.093,
    "longitude": 13.388,
}
OTHERS: Final = (
    {"name": "New Harbour", "note": "quiet fishing", "latitude": 54.1, "longitude": 13.4},
    {"name": "Summit", "note": "steep rock", "latitude": 47.42, "longitude": 10.98},
)
PASSWORD: Final = "p" * 32
JWT_SECRET: Final = "j" * 64
# `go build` as on a laptop, with the modules and the compiled packages that the image's build had.
LAPTOP: Final = """\

FROM builder AS compiled
ARG FLAGS
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \\
    go build -o /out/laptop -ldflags "${FLAGS}" ./cmd/places
FROM scratch
COPY --from=compiled /out/laptop /
"""
AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
_TYPING_S: Final = 60


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A clone of the repository at a release, with nothing built yet."""
    folder = tmp_path_factory.mktemp("versioned")
    slots = {"BLUE_PORT": str(free_port()), "GREEN_PORT": str(free_port())}
    with example("versioned-server", folder, tags=[f"v{VERSION}"], **slots) as made:
        yield made


@pytest.fixture(scope="module")
def built(copy: Example) -> dict[str, Any]:
    """What `invoke build` made, by service."""
    return {each["service"]: each for each in copy.json("build")["targets"]}


@pytest.fixture(scope="module")
def running(copy: Example, built: dict[str, Any]) -> Iterator[Example]:
    """The stack of development, up, and checked as it is configured."""
    assert built
    with copy.started("--check"):
        yield copy


@pytest.fixture(scope="module")
def live(copy: Example, built: dict[str, Any]) -> Iterator[Example]:
    """The same repository where production runs, not up, and its password a placeholder."""
    assert built
    with place(copy, "production", POSTGRES_PASSWORD="CHANGE_ME", JWT_SECRET=JWT_SECRET) as made:
        yield made


@pytest.fixture(scope="module")
def production(live: Example) -> Example:
    """Production, up, and checked as it is configured."""
    set_secret(live, "production", "POSTGRES_PASSWORD", PASSWORD)
    live.invoke("up", "--env", "production", "--check")
    return live


@contextmanager
def place(of: Example, environment: str, **values: str) -> Iterator[Example]:
    """Hold what an environment has of its own: a project, a port, a key and secrets."""
    project = f"{of.project}-{environment}"
    port = free_port()
    environ = {
        "COMPOSE_PROJECT_NAME": project,
        "PORT": str(port),
        "SOPS_AGE_KEY_FILE": str(of.path.parent / f"{environment}.key"),
    }
    made = replace(of, project=project, port=port, environ=of.environ | environ)
    try:
        made.invoke("secrets.init", "--env", environment)
        for name, value in values.items():
            set_secret(made, environment, name, value)
        yield made
    finally:
        made.remove()


def set_secret(of: Example, environment: str, name: str, value: str) -> None:
    of.run("invoke", "secrets.set", "--key", name, "--env", environment, stdin=value)


def token(of: Example, *words: str) -> dict[str, str]:
    """Return the header that allows writing."""
    written = of.run("hullwright", "exec", *words, "--", "places", "token").stdout
    return {"Authorization": f"Bearer {written.strip()}"}


def at(of: Example, slot: str) -> tuple[str, int]:
    return "127.0.0.1", int(of.environ[f"{slot.upper()}_PORT"])


def answered(of: Example, answer: str, *words: str) -> str:
    """Run a task for a person who types an answer at a terminal, and return what is shown there."""
    ours, terminal = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run(
        (sys.executable, "-m", "invoke", *words),
        cwd=of.path,
        env=of.environ,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        timeout=_TYPING_S,
        check=False,
    )
    os.close(terminal)
    shown = b""
    # Where all was read, the closed other end is an error.
    with suppress(OSError):
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert done.returncode == 0, shown
    return shown.decode()


def variables(of: Example, service: str) -> dict[str, str]:
    """Return the environment that a container was started with."""
    return dict(line.split("=", 1) for line in of.inspect(service)["Config"]["Env"])


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [place["name"] for place in answer.json]


def test_the_servers_own_tests_pass_in_the_container(copy: Example) -> None:
    done = copy.json("build", "--service", "server", "--target", "test")
    assert done["targets"][0]["status"] == "built"


def test_labels_binary_and_git_say_the_same(copy: Example, built: dict[str, Any]) -> None:
    image = built["server"]["reference"]
    copy.invoke("version", "--verify", "--image", image)
    said = docker("run", "--rm", "--network=none", image, "version", "--json")
    git = copy.json("version")
    assert f'"version":"{VERSION}"' in said
    assert f'"commit":"{git["short_revision"]}"' in said
    # What `go build` is given on a laptop is what the image's build got.
    flags = copy.invoke("version", "--format", "ldflags", "--service", "server")
    given = dict(re.findall(r"main\.(\w+)=([^'\"\s]+)", flags))
    assert given == {
        "version": VERSION,
        "commit": git["short_revision"],
        "date": git["commit_date"],
    }
    assert f'"build_date":"{given["date"]}"' in said


def test_a_laptops_build_knows_its_version_too(
    copy: Example, built: dict[str, Any], tmp_path: Path
) -> None:
    dockerfile = (copy.path / "deploy/docker/Dockerfile").read_text(encoding="utf-8")
    flags = copy.invoke("version", "--format", "ldflags").strip()
    authorities = copy.environ.get("SSL_CERT_FILE", AUTHORITIES)
    copy.run(
        *("docker", "buildx", "build", "--file=-", f"--output={tmp_path}"),
        *(f"--build-arg=FLAGS={flags}", f"--secret=id=ca-bundle,src={authorities}", "."),
        stdin=dockerfile + LAPTOP,
    )
    said = copy.run(str(tmp_path / "laptop"), "version").stdout
    image = built["server"]["reference"]
    assert VERSION in said
    assert said.strip() == docker("run", "--rm", "--network=none", image, "version")


def test_the_image_is_small_and_has_no_root(copy: Example, built: dict[str, Any]) -> None:
    sizes = {
        each["reference"]: each for each in copy.json("sizes", "--target", "production")["images"]
    }
    assert {each["verdict"] for each in sizes.values()} == {"ok"}
    assert sizes[built["server"]["reference"]]["unpacked_bytes"] <= LIMIT_BYTES
    assert built["db"]["reference"] in sizes
    user = docker("inspect", "--format", "{{.Config.User}}", built["server"]["reference"])
    assert user == "10001:10001"


def test_what_was_kept_is_found_by_name_distance_and_likeness(running: Example) -> None:
    assert running.request("POST", "/places", HARBOUR).status == 401
    allowed = token(running, "server")
    ids = [
        running.request("POST", "/places", each, allowed).json["id"] for each in (HARBOUR, *OTHERS)
    ]
    assert names(running.request("GET", "/places?q=Old+Harbor"))[0] == HARBOUR["name"]
    near = names(running.request("GET", "/places/near?lat=54.09&lon=13.39&metres=5000"))
    assert near == ["Old Harbour", "New Harbour"]
    alike = names(running.request("GET", f"/places/{ids[0]}/alike"))
    assert alike == ["New Harbour", "Summit"]
    queries = running.request("GET", "/queries", headers=allowed).json
    assert any("similarity" in each["query"] for each in queries)


def test_the_database_has_its_extensions_and_nobody_outside_reaches_it(running: Example) -> None:
    status = running.request("GET", "/status").json
    assert set(status["database"]["extensions"]) >= EXTENSIONS
    assert status["database"]["server"].startswith("17.")
    published = running.inspect("server")["HostConfig"]["PortBindings"]["8080/tcp"]
    assert [each["HostIp"] for each in published] == ["127.0.0.1"]
    assert not running.inspect("db")["HostConfig"]["PortBindings"]
    answer = running.request("GET", "/version")
    assert answer.json["version"] == VERSION
    assert "x-slot" not in answer.headers


def test_nothing_is_lost_without_a_yes_and_plain_compose_goes_on_with_it(running: Example) -> None:
    made = running.request("POST", "/snapshots", headers=token(running, "server"))
    assert made.status == 201
    refused = running.run("invoke", "down", "--volumes", code=ExitCode.USAGE)
    assert "nobody is here to be asked" in refused.stderr
    shown = answered(running, "n", "down", "--volumes")
    assert f"{running.project}_database" in shown
    assert "with all that is in them? [y/N]" in shown
    assert "nothing was removed" in shown
    assert running.request("GET", "/readyz").status == 200
    running.invoke("down")
    assert len(there(running.project)["volumes"]) == 2
    running.invoke("decrypt")
    # Built by Compose, which tells a build nothing of a version.
    images = f"{running.project}.invalid"
    composed = f"{images}/server:composed"
    running.compose(
        *("up", "--detach", "--wait", "--quiet-pull"),
        SERVER_IMAGE=composed,
        DATABASE_IMAGE=f"{images}/db:composed",
    )
    assert running.request("GET", "/version").json == {
        "version": "dev",
        "commit": "unknown",
        "build_date": "unknown",
    }
    # So that one is none of Git's.
    held = ("version", "--verify", "--service", "server", "--image", composed)
    checks = running.json(*held, code=ExitCode.FAILED)["checks"]
    assert [each["held"] for each in checks] == [False] * 4
    assert made.json["name"] in [each["name"] for each in running.request("GET", "/snapshots").json]
    running.invoke("down", "--volumes", "--yes")
    assert not there(running.project)["volumes"]


def test_it_starts_cold_within_its_budget(copy: Example, built: dict[str, Any]) -> None:
    assert built
    done = copy.json("cold-start")
    assert done["verdict"] == "healthy"
    assert {each["status"] for each in done["runs"][0]["checks"]} == {"held"}


def test_staging_is_as_production_and_takes_what_is_shorter(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built
    with place(copy, "staging", POSTGRES_PASSWORD="short", JWT_SECRET="short") as staging:
        staging.invoke("up", "--env", "staging", "--check")
        given = variables(staging, "server")
        assert (given["APP_ENV"], given["DATABASE_SSLMODE"]) == ("staging", "require")
        assert staging.request("GET", "/status").json["database"]["tls"] is True


def test_production_takes_no_placeholder_and_no_short_secret(live: Example) -> None:
    up = ("invoke", "up", "--env", "production")
    refused = live.run(*up, code=ExitCode.USAGE)
    assert "production refuses 1 value: POSTGRES_PASSWORD" in refused.stderr
    given = {"POSTGRES_PASSWORD": PASSWORD[1:], "JWT_SECRET": JWT_SECRET[1:]}
    refused = live.run(*up, "--secrets", "none", code=ExitCode.USAGE, **given)
    assert "has 31 characters" in refused.stderr
    assert "has 63 characters" in refused.stderr
    assert not any(there(live.project).values())


def test_nor_does_the_server_whoever_starts_it(copy: Example, built: dict[str, Any]) -> None:
    given = {
        "APP_ENV": "production",
        "POSTGRES_PASSWORD": "CHANGE_ME",
        "JWT_SECRET": "x" * 63,
        "DATABASE_SSLMODE": "prefer",
    }
    words = [f"--env={name}={value}" for name, value in given.items()]
    image = built["server"]["reference"]
    refused = copy.run("docker", "run", "--rm", "--network=none", *words, image, code=1).stderr
    assert "POSTGRES_PASSWORD is the placeholder" in refused
    assert "JWT_SECRET has 63 characters, and production needs 64" in refused
    assert 'DATABASE_SSLMODE is "prefer"' in refused


def test_production_speaks_to_its_database_by_tls_only(
    production: Example, built: dict[str, Any]
) -> None:
    given = variables(production, "server")
    assert (given["APP_ENV"], given["DATABASE_SSLMODE"]) == ("production", "require")
    database = production.request("GET", "/status").json["database"]
    assert (database["tls"], database["tls_version"]) == (True, "TLSv1.3")
    image = built["db"]["reference"]
    network = f"--network={production.project}_database"
    psql = ("docker", "run", "--rm", network, "--entrypoint=psql", f"--env=PGPASSWORD={PASSWORD}")
    ask = (*psql, image, "--no-psqlrc", "--command=SELECT 1")
    where = "host=db dbname=places user=places"
    production.run(*ask, f"{where} sslmode=require")
    plain = production.run(*ask, f"{where} sslmode=disable", code=2)
    assert "no encryption" in plain.stderr


def test_without_tls_in_the_database_the_server_sends_nothing(
    production: Example, built: dict[str, Any]
) -> None:
    """Its key is there, and somebody has switched TLS off: the server ends."""
    given = {
        **variables(production, "server"),
        "POSTGRES_PASSWORD": PASSWORD,
        "JWT_SECRET": JWT_SECRET,
    }
    words = [f"--env={name}={value}" for name, value in given.items()]
    network = f"--network={production.project}_database"
    switch_tls(production, "off")
    try:
        image = built["server"]["reference"]
        refused = production.run("docker", "run", "--rm", network, *words, image, code=1).stderr
    finally:
        switch_tls(production, "on")
    assert "refused TLS" in refused


def switch_tls(of: Example, value: str) -> None:
    psql = ("docker", "exec", of.container("db"), "psql", "--username=places", "--command")
    of.run(*psql, f"ALTER SYSTEM SET ssl = {value}")
    of.run(*psql, "SELECT pg_reload_conf()")


def test_slots_are_on_8081_and_8082_where_nothing_else_is_said(copy: Example) -> None:
    files = [f"--file=docker-compose{each}.yml" for each in ("", ".production", ".slots")]
    given = {"POSTGRES_PASSWORD": PASSWORD, "JWT_SECRET": JWT_SECRET}
    unset = dict.fromkeys(("PORT", "BLUE_PORT", "GREEN_PORT"), "")
    config = (*files, "config", "--format=json")
    model = json.loads(copy.compose(*config, code=ExitCode.DONE, **given, **unset))
    ports = {
        name: [(port["host_ip"], port["published"]) for port in service.get("ports", [])]
        for name, service in model["services"].items()
    }
    assert ports == {"db": [], "blue": [("127.0.0.1", "8081")], "green": [("127.0.0.1", "8082")]}


def test_two_slots_serve_one_database_and_say_which_they_are(production: Example) -> None:
    allowed = token(production, "--stack", "production", "server")
    assert production.request("POST", "/places", HARBOUR, allowed).status == 201
    production.invoke("down", "--stack", "production")
    production.invoke("up", "--stack", "slots", "--check")
    for slot in ("blue", "green"):
        found = production.request("GET", "/places?q=harbour", at=at(production, slot))
        assert (names(found), found.headers["x-slot"]) == ([HARBOUR["name"]], slot)
        told = production.request("GET", "/version", at=at(production, slot))
        assert told.json["version"] == VERSION
    # Nobody but the proxy is where the one server was.
    with pytest.raises(ConnectionRefusedError):
        production.request("GET", "/version")
    allowed = token(production, "--stack", "slots", "blue")
    kept = production.request("POST", "/places", OTHERS[1], allowed, at=at(production, "blue"))
    assert kept.status == 201
    # One slot can go without the other noticing, and takes its time to say so.
    production.invoke("stop", "--stack", "slots", "--service", "blue")
    assert production.inspect("blue")["State"]["ExitCode"] == 0
    found = production.request("GET", "/places?q=summit", at=at(production, "green"))
    assert names(found) == ["Summit"]
