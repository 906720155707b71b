"""The example rust-services: small static services, a cached layer of crates, profiles, limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

import imaging
from composing import docker
from examples import Example, example, until_true
from hullwright.tools.dockerfile import parse
from meadow import (
    POSITION,
    ROUTE,
    VEGETATION,
    beside,
    containers,
    ended,
    handed_in,
    logged_out,
    tags,
    value,
)
from registries import PASSWORD, USER, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

VERSION: Final = "1.3.0"
SERVICES: Final = ("console", "discovery", "dispatch", "stand-in")
STACKS: Final = ("default", "gpu", "rtk", "gpu-rtk")
LIMIT_BYTES: Final = 10_000_000
PORT: Final = 8080
MIB: Final = 1 << 20
CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
# Memory, billionths of a processor, processes.
LIMITS: Final = (64 * MIB, 5 * 10**8, 50)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A clone of the repository at a release, with nothing built yet."""
    with example("rust-services", tmp_path_factory.mktemp("rust"), tags=[f"v{VERSION}"]) as made:
        # Plain Compose starts images of the copy's own name, as the tasks do.
        images = f"{made.environ['HULLWRIGHT_REGISTRY']}/meadow"
        yield replace(made, environ=made.environ | {"IMAGES": images})


@pytest.fixture(scope="module")
def built(copy: Example) -> dict[str, Any]:
    """What one `invoke build` made, by service."""
    return {each["service"]: each for each in copy.json("build")["targets"]}


@pytest.fixture(scope="module")
def running(copy: Example, built: dict[str, Any]) -> Iterator[Example]:
    """The stack without a profile, up, and checked as it is configured."""
    assert built
    with copy.started("--check"):
        yield copy


def test_images_are_small_and_hold_one_static_program(copy: Example, built: dict[str, Any]) -> None:
    assert {name: each["version"] for name, each in built.items()} == dict.fromkeys(
        SERVICES, VERSION
    )
    for each in built.values():
        assert all(0 < size["unpacked_bytes"] <= LIMIT_BYTES for size in each["sizes"])
        # On nothing at all: no loader, no library, no shell. So it starts only if it is static.
        config = json.loads(docker("image", "inspect", each["reference"]))[0]
        assert config["Config"]["User"] == "10001:10001"
        assert len(config["RootFS"]["Layers"]) == 1
        said = docker("run", "--rm", "--network=none", "--read-only", each["reference"], "version")
        assert said.startswith(f"{each['service']} {VERSION} (")
    assert {row["verdict"] for row in copy.json("sizes")["images"]} == {"ok"}


def test_an_image_says_its_version_and_its_commit(copy: Example, built: dict[str, Any]) -> None:
    reference = built["dispatch"]["reference"]
    copy.invoke("version", "--verify", "--image", reference)
    commit = copy.json("version")["short_revision"]
    said = docker("run", "--rm", "--network=none", reference, "version")
    assert said.startswith(f"dispatch {VERSION} ({commit}, ")


def test_a_changed_line_compiles_its_service_alone(copy: Example, built: dict[str, Any]) -> None:
    assert built
    file = "services/console/src/page.rs"
    before = (copy.path / file).read_text(encoding="utf-8")
    copy.edit(file, "<title>Meadow</title>", "<title>The meadow</title>")
    try:
        words = ("build", "--changed-since", "HEAD", "--target", "production")
        told = copy.json(*words)["targets"]
    finally:
        copy.write(file, before)
    assert [(each["service"], each["status"]) for each in told] == [("console", "built")]
    (console,) = told
    # Its sources are copied, compiled, and put into the image: that is all that ran. Manifests,
    # downloads and the crates of others are as they were.
    assert console["steps"] - console["cached_steps"] == 3, console
    assert console["cached_steps"] >= 9


def test_a_changed_line_that_all_share_reaches_all_and_keeps_the_crates_of_others(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built

    def planned() -> set[str]:
        plan = copy.invoke("build", "--dry", "--changed-since", "HEAD", "--target", "production")
        return set(re.findall(r"^\S+/meadow/([a-z-]+):\S+$", plan, re.MULTILINE))

    assert planned() == set()
    file = "shared/src/log.rs"
    before = (copy.path / file).read_text(encoding="utf-8")
    copy.edit(file, '"msg": message', '"message": message')
    try:
        reached = planned()
        (discovery,) = copy.json("build", "--service", "discovery")["targets"]
    finally:
        copy.write(file, before)
    assert reached == set(SERVICES)
    # What is shared is copied, too; else as above.
    assert discovery["steps"] - discovery["cached_steps"] == 4, discovery


def test_crates_come_through_the_certificates_of_the_site(copy: Example, tmp_path: Path) -> None:
    steps = [
        step
        for stage in parse((copy.path / "Dockerfile").read_text(encoding="utf-8")).all_stages
        for step in stage.instructions
        if step.keyword == "RUN"
    ]
    # One step has a network, and it reads the secret in place of the image's own certificates.
    (online,) = (step for step in steps if step.flag("network") != "none")
    assert "cargo fetch" in online.value
    assert online.flag("mount") == f"type=secret,id=ca-bundle,target={CERTIFICATES}"
    bundle = tmp_path / "site.pem"
    bundle.write_text("of this site\n", encoding="utf-8")
    plan = copy.invoke("build", "--dry", "--force", HULLWRIGHT_CA_BUNDLE=str(bundle))
    assert f"every build may read the certificates of {bundle}" in plan
    told = json.loads(copy.compose("config", "--format", "json", SSL_CERT_FILE=str(bundle)))
    assert told["secrets"]["ca-bundle"]["file"] == str(bundle)
    for service in ("console", "discovery", "dispatch"):
        assert [each["source"] for each in told["services"][service]["build"]["secrets"]] == [
            "ca-bundle"
        ]


def test_the_services_own_tests_pass_in_the_container(copy: Example, built: dict[str, Any]) -> None:
    assert built
    done = copy.json("build", "--target", "test")
    assert {each["service"]: each["status"] for each in done["targets"]} == dict.fromkeys(
        SERVICES, "built"
    )


def test_jobs_are_done_kept_and_shown(running: Example) -> None:
    done = ended(running, handed_in(running, ROUTE))
    assert (done["state"], done["worker"], done["attempts"]) == ("done", "dispatch", 1)
    assert done["result"] == {"order": [0, 2, 3, 1], "metres": 333585.0}
    wrong = {"kind": "route", "input": {"points": []}}
    failed = ended(running, handed_in(running, wrong))
    assert (failed["state"], failed["result"]) == ("failed", None)
    assert "2 to 500 points" in failed["error"]
    assert running.request("POST", "/jobs", {"kind": "lunch", "input": {}}).status == 422
    page = running.request("GET", "/").text
    assert re.search(r"<td>done<td class=n>[1-9]\d*\n", page)
    shown = set(re.findall(r"<tr><td>([a-z-]+)<td>[^<]*<td>[0-9a-f]{12}:8080", page))
    assert shown == {"console", "discovery", "dispatch"}


def test_who_has_gone_is_forgotten_and_the_console_says_what_is_missing(running: Example) -> None:
    def known() -> set[str]:
        instances = running.request("GET", "/instances").json["instances"]
        return {each["service"] for each in instances}

    kept = handed_in(running, ROUTE)
    result = ended(running, kept)
    running.invoke("stop", "--service", "dispatch")
    # It signs off on SIGTERM; otherwise its lease would end after ten seconds.
    assert "dispatch" not in known()
    assert "Nobody takes jobs" in running.request("GET", "/").text
    assert running.request("POST", "/jobs", ROUTE).status == 502
    running.invoke("up", "--service", "dispatch")
    until_true(lambda: "dispatch" in known(), "dispatch is known again")
    assert running.request("GET", f"/jobs/{kept}").json == result
    assert ended(running, handed_in(running, ROUTE))["state"] == "done"


def test_the_engine_holds_the_limits_and_turns_the_logs_over(running: Example) -> None:
    found = containers(running)
    expected = dict.fromkeys(("console", "discovery", "dispatch"), LIMITS)
    expected["db"] = (256 * MIB, 10**9, 100)
    host = {name: each["HostConfig"] for name, each in found.items()}
    limits = {
        name: (each["Memory"], each["NanoCpus"], each["PidsLimit"]) for name, each in host.items()
    }
    assert limits == expected
    rotation = {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}
    assert all(each["LogConfig"] == rotation for each in host.values())
    assert all(each["CapDrop"] == ["ALL"] for each in host.values())
    assert {name for name, each in host.items() if each["ReadonlyRootfs"]} == {
        "console",
        "discovery",
    }
    assert host["db"]["Tmpfs"] == {
        "/tmp": "size=64m",  # noqa: S108  a place in the container
        "/var/run/postgresql": "size=1m,mode=1777",
    }
    # What is said there holds inside, too.
    mounted = docker("exec", found["db"]["Id"], "df", "--output=fstype,size", "-B1M", "/tmp")  # noqa: S108  likewise
    assert mounted.split()[-2:] == ["tmpfs", "64"]
    assert [name for name, each in host.items() if each["PortBindings"]] == ["console"]


def test_the_database_is_on_a_network_without_a_way_out(running: Example) -> None:
    found = containers(running)
    prefix = f"{running.project}_"
    networks = {
        name: {network.removeprefix(prefix) for network in each["NetworkSettings"]["Networks"]}
        for name, each in found.items()
    }
    assert networks == {
        "db": {"database"},
        "dispatch": {"database", "fleet"},
        "discovery": {"fleet"},
        "console": {"fleet"},
    }
    told = json.loads(docker("network", "inspect", f"{prefix}database", f"{prefix}fleet"))
    assert [network["Internal"] for network in told] == [True, False]


def test_the_password_is_a_file_and_no_variable(running: Example) -> None:
    told = running.invoke("decrypt", "--output", "-", "--format", "json")
    password = json.loads(told)["POSTGRES_PASSWORD"]
    assert len(password) > 20
    for name, each in containers(running).items():
        assert password not in json.dumps(each), name
        files = [m["Destination"] for m in each["Mounts"] if "/run/secrets/" in m["Destination"]]
        wanted = ["/run/secrets/postgres_password"] if name in {"db", "dispatch"} else []
        assert files == wanted
    database = running.container("db")
    read = docker("exec", database, "cat", "/run/secrets/postgres_password")
    assert read.strip() == password


def test_prometheus_finds_what_the_labels_say(running: Example) -> None:
    scraped = {}
    for name, each in containers(running).items():
        labels = each["Config"]["Labels"]
        if labels.get("prometheus.io/scrape") == "true":
            at = running.address(name, int(labels["prometheus.io/port"]))
            scraped[name] = running.request("GET", labels["prometheus.io/path"], at=at)
    assert set(scraped) == {"console", "discovery", "dispatch"}
    for answer in scraped.values():
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert value(answer, 'meadow_answers_total{class="2xx"}') > 0
    assert value(scraped["discovery"], 'meadow_instances{service="console"}') == 1
    number = handed_in(running, ROUTE)
    before = value(scraped["dispatch"], 'meadow_jobs{state="done"}')
    assert ended(running, number)["state"] == "done"
    again = running.request("GET", "/metrics", at=running.address("dispatch", PORT))
    assert value(again, 'meadow_jobs{state="done"}') == before + 1


def test_each_combination_of_the_profiles_is_in_the_matrix(copy: Example) -> None:
    listed = copy.run("nox", "--list", "--session", "cold_start").stdout
    assert set(re.findall(r"^\* cold_start\(stack='([^']+)'\)", listed, re.MULTILINE)) == set(
        STACKS
    )


@pytest.mark.parametrize("stack", STACKS)
def test_it_starts_cold_within_its_budget(copy: Example, built: dict[str, Any], stack: str) -> None:
    assert built
    done = copy.json("cold-start", "--stack", stack)
    assert done["verdict"] == "healthy"
    (run,) = done["runs"]
    assert {each["status"] for each in run["checks"]} == {"held"}
    started = {each["service"] for each in run["services"]}
    assert started - {"console", "db", "discovery", "dispatch"} == set(re.findall("gpu|rtk", stack))


def test_a_job_waits_for_the_hardware_that_a_profile_brings(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built
    both = beside(copy, "both")
    with both.started():
        waiting = [handed_in(both, job) for job in (VEGETATION, POSITION)]
        # Later ones that somebody can do are not held up.
        assert ended(both, handed_in(both, ROUTE))["state"] == "done"
        states = [both.request("GET", f"/jobs/{number}").json["state"] for number in waiting]
        assert states == ["waiting", "waiting"]
        both.invoke("up", "--stack", "gpu-rtk", "--check")
        vegetation, position = (ended(both, number) for number in waiting)
        assert vegetation["result"] == {"mean": 0.2222, "covered": 0.3333}
        assert position["result"]["position"]["height_m"] == 15.25
        workers = {vegetation["worker"][:9], position["worker"][:9]}
        assert workers == {"stand-in-"}
        assert vegetation["worker"] != position["worker"]
        found = containers(both)
        for name in ("gpu", "rtk"):
            host = found[name]["HostConfig"]
            assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == LIMITS
            assert found[name]["Config"]["Labels"]["meadow.stands-in-for"] == name


def test_a_job_outlives_the_death_of_who_has_it(copy: Example, built: dict[str, Any]) -> None:
    assert built
    alone = beside(copy, "alone")
    with alone.started("--stack", "gpu"):
        assert ended(alone, handed_in(alone, VEGETATION))["state"] == "done"
        # It cannot sign off, so discovery believes in it until its lease ends.
        docker("kill", alone.container("gpu"))
        number = handed_in(alone, VEGETATION)

        def attempts() -> int:
            return int(alone.request("GET", f"/jobs/{number}").json["attempts"])

        until_true(lambda: attempts() > 0, "somebody who is dead is asked")
        assert ended(alone, handed_in(alone, ROUTE))["state"] == "done"
        alone.invoke("up", "--stack", "gpu")
        job = ended(alone, number)
        assert (job["state"], job["error"], job["result"]["covered"]) == ("done", None, 0.3333)
        assert job["attempts"] > 1


def test_plain_compose_starts_the_same_images(copy: Example, built: dict[str, Any]) -> None:
    assert built
    plain = beside(copy, "plain")
    plain.invoke("env", "--init")
    own = f"{plain.environ['HULLWRIGHT_REGISTRY']}/own"
    try:
        # It can build them, too, of which nobody has told it a version.
        plain.compose("build", "discovery", IMAGES=own)
        words = ("run", "--rm", "--network=none", f"{own}/discovery:production", "version")
        assert docker(*words) == "discovery dev (unknown, unknown)"
        plain.compose("--profile", "gpu", "up", "--detach", "--wait", "--no-build")
        reference = plain.inspect("console")["Config"]["Image"]
        assert reference == f"{plain.environ['IMAGES']}/console:production"
        assert ended(plain, handed_in(plain, VEGETATION))["state"] == "done"
    finally:
        plain.remove()
        (plain.path / ".env").unlink()


def test_images_go_through_a_registry_with_a_password(
    copy: Example, built: dict[str, Any], tmp_path: Path
) -> None:
    """Login, tag, push of all tags, pull and run, of the services that were built."""
    assert built
    data = tmp_path / "registry"
    data.mkdir()
    with (
        registry(data, login=True) as address,
        logged_out(copy, address, tmp_path / "docker") as team,
    ):
        refused = team.run("invoke", "push", code=3)
        assert f"invoke login --registry {address}" in refused.stderr
        words = ("invoke", "login", "--registry", address, "--username", USER)
        wrong = team.run(*words, stdin="wrong", code=3)
        assert f"{address} refuses the login of {USER}" in wrong.stderr
        team.run(*words, stdin=PASSWORD)
        team.invoke("build")
        team.invoke("tag", "--tag", "field-test")
        pushed = team.json("push", "--all-tags")
        assert {each["service"] for each in pushed["images"]} == set(SERVICES)
        for name in SERVICES:
            assert {VERSION, "field-test", "production"} <= tags(team, address, name)
        local = [f"{address}/team/meadow/{name}:*" for name in SERVICES]
        assert len(imaging.matching(*local)) >= 2 * len(SERVICES)
        imaging.remove(imaging.matching(*local))
        assert not imaging.matching(*local)
        team.invoke("pull", "--tag", "field-test")
        pulled = beside(team, "pulled")
        with pulled.started("--stack", "rtk", "--check"):
            reference = pulled.inspect("console")["Config"]["Image"]
            assert re.match(rf"{address}/team/meadow/console:[^@]+@sha256:", reference), reference
            assert ended(pulled, handed_in(pulled, POSITION))["state"] == "done"
