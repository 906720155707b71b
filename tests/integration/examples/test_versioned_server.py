"""The example versioned-server: one version everywhere, safe defaults, TLS, extensions, slots."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import docker, there
from examples import Answer, Example, example, free_port
from hullwright.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

VERSION: Final = "1.4.2"
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
    """The same repository where production runs: a project, a port and a key of its own."""
    assert built
    project = f"{copy.project}-live"
    port = free_port()
    environ = {
        "COMPOSE_PROJECT_NAME": project,
        "PORT": str(port),
        "SOPS_AGE_KEY_FILE": str(copy.path.parent / "production.key"),
    }
    made = replace(copy, project=project, port=port, environ=copy.environ | environ)
    try:
        made.invoke("secrets.init", "--env", "production")
        set_secret(made, "POSTGRES_PASSWORD", "CHANGE_ME")
        set_secret(made, "JWT_SECRET", JWT_SECRET)
        yield made
    finally:
        made.remove()


def set_secret(of: Example, name: str, value: str) -> None:
    of.run("invoke", "secrets.set", "--key", name, "--env", "production", stdin=value)


def token(of: Example, *words: str) -> dict[str, str]:
    """Return the header that allows writing."""
    written = of.run("hullwright", "exec", *words, "--", "places", "token").stdout
    return {"Authorization": f"Bearer {written.strip()}"}


def at(of: Example, slot: str) -> tuple[str, int]:
    return "127.0.0.1", int(of.environ[f"{slot.upper()}_PORT"])


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
    # What `go build` gets on a laptop is what the image's build got.
    flags = copy.invoke("version", "--format", "ldflags", "--service", "server")
    given = dict(re.findall(r"main\.(\w+)=([^'\"\s]+)", flags))
    assert given == {
        "version": VERSION,
        "commit": git["short_revision"],
        "date": git["commit_date"],
    }
    assert f'"build_date":"{given["date"]}"' in said


def test_the_image_is_small_and_has_no_root(copy: Example, built: dict[str, Any]) -> None:
    [server] = copy.json("sizes", "--service", "server")["images"]
    assert server["unpacked_bytes"] <= 18_000_000
    assert server["verdict"] == "ok"
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
    running.invoke("down")
    assert len(there(running.project)["volumes"]) == 2
    running.invoke("decrypt")
    # Built by Compose, which tells a build nothing of a version.
    images = f"{running.project}.invalid"
    running.compose(
        *("up", "--detach", "--wait", "--quiet-pull"),
        SERVER_IMAGE=f"{images}/server:composed",
        DATABASE_IMAGE=f"{images}/db:composed",
    )
    assert running.request("GET", "/version").json == {
        "version": "dev",
        "commit": "unknown",
        "build_date": "unknown",
    }
    assert made.json["name"] in [each["name"] for each in running.request("GET", "/snapshots").json]
    running.invoke("down", "--volumes", "--yes")
    assert not there(running.project)["volumes"]


def test_it_starts_cold_within_its_budget(copy: Example, built: dict[str, Any]) -> None:
    assert built
    done = copy.json("cold-start")
    assert done["verdict"] == "healthy"
    assert {each["status"] for each in done["runs"][0]["checks"]} == {"held"}


def test_production_takes_no_placeholder_and_no_short_secret(live: Example) -> None:
    up = ("invoke", "up", "--stack", "production")
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
    live: Example, built: dict[str, Any]
) -> None:
    set_secret(live, "POSTGRES_PASSWORD", PASSWORD)
    live.invoke("up", "--stack", "production", "--check")
    database = live.request("GET", "/status").json["database"]
    assert (database["tls"], database["tls_version"]) == (True, "TLSv1.3")
    image = built["db"]["reference"]
    psql = ("docker", "run", "--rm", f"--network={live.project}_database", "--entrypoint=psql")
    where = "host=db dbname=places user=places"
    ask = (*psql, f"--env=PGPASSWORD={PASSWORD}", image, "--no-psqlrc", "--command=SELECT 1")
    live.run(*ask, f"{where} sslmode=require")
    plain = live.run(*ask, f"{where} sslmode=disable", code=2)
    assert "no encryption" in plain.stderr


def test_without_tls_in_the_database_production_does_not_come_up(
    live: Example, built: dict[str, Any]
) -> None:
    """Its key is there, and somebody has switched TLS off: nothing is sent in plaintext."""
    live.invoke("up", "--stack", "production")
    switch_tls(live, "off")
    words = [
        f"--env={name}={value}"
        for name, value in {
            "APP_ENV": "production",
            "DATABASE_HOST": "db",
            "DATABASE_SSLMODE": "require",
            "POSTGRES_PASSWORD": PASSWORD,
            "JWT_SECRET": JWT_SECRET,
        }.items()
    ]
    network = f"--network={live.project}_database"
    image = built["server"]["reference"]
    refused = live.run("docker", "run", "--rm", network, *words, image, code=1).stderr
    assert "refused TLS" in refused
    switch_tls(live, "on")


def switch_tls(of: Example, value: str) -> None:
    psql = ("docker", "exec", of.container("db"), "psql", "--username=places", "--command")
    of.run(*psql, f"ALTER SYSTEM SET ssl = {value}")
    of.run(*psql, "SELECT pg_reload_conf()")


def test_two_slots_serve_one_database_and_say_which_they_are(live: Example) -> None:
    set_secret(live, "POSTGRES_PASSWORD", PASSWORD)
    live.invoke("up", "--stack", "slots", "--check")
    allowed = token(live, "--stack", "slots", "blue")
    kept = live.request("POST", "/places", HARBOUR, allowed, at=at(live, "blue"))
    assert (kept.status, kept.headers["x-slot"]) == (201, "blue")
    found = live.request("GET", "/places?q=harbour", at=at(live, "green"))
    assert (names(found), found.headers["x-slot"]) == ([HARBOUR["name"]], "green")
    # One slot can go without the other noticing.
    live.invoke("stop", "--stack", "slots", "--service", "blue")
    assert live.request("GET", "/readyz", at=at(live, "green")).status == 200
