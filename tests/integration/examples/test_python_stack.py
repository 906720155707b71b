"""The example python-stack: the nine points of its checklist, true health checks, hot reload."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import docker
from examples import Example, example, free_port, until_true
from hullwright.coldstart.killing import KILLED, STANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

OWN: Final = ("backend", "worker", "beat", "bot")
SERVICES: Final = (*OWN, "db", "redis", "messenger")
SECRETS: Final = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "API_TOKEN", "MESSENGER_TOKEN")
CHAT: Final = 7
ALIVE: Final = "/tmp"  # noqa: S108  # of the containers, each with a /tmp of its own
_MESSENGER_PORT: Final = 8081


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A clone of the repository at a release, with nothing built yet."""
    with example("python-stack", tmp_path_factory.mktemp("python")) as made:
        yield made


@pytest.fixture(scope="module")
def built(copy: Example) -> dict[str, Any]:
    """What `invoke build` made, by service."""
    return {each["service"]: each for each in copy.json("build")["targets"]}


@pytest.fixture(scope="module")
def running(copy: Example, built: dict[str, Any]) -> Iterator[Example]:
    """The stack, up, and checked as it is configured."""
    assert set(built) == set(OWN)
    with copy.started("--check"):
        yield copy


def beside(of: Example, name: str) -> Example:
    """Return the same repository with a project and a port of its own, beside other stacks."""
    project, port = f"{of.project}-{name}", free_port()
    environ = {"COMPOSE_PROJECT_NAME": project, "PORT": str(port)}
    return replace(of, project=project, port=port, environ=of.environ | environ)


def lines(of: Example, container: str) -> list[dict[str, Any]]:
    """Return what a container has logged; another line than one object fails the test."""
    logged = of.run("docker", "logs", container)
    return [json.loads(line) for line in f"{logged.stdout}{logged.stderr}".splitlines()]


def variables(of: Example, service: str) -> dict[str, str]:
    """Return the environment that a container was started with."""
    return dict(line.split("=", 1) for line in of.inspect(service)["Config"]["Env"])


def write(of: Example, text: str) -> None:
    """Write to the bot as a person would."""
    body = {"chat": CHAT, "text": text}
    at = of.address("messenger", _MESSENGER_PORT)
    assert of.request("POST", "/test/messages", body, at=at).status == 201


def said(of: Example) -> list[str]:
    """Return what the person has read so far."""
    at = of.address("messenger", _MESSENGER_PORT)
    return [each["text"] for each in of.request("GET", "/test/sent", at=at).json]


def kept(of: Example, words: str = "") -> list[str]:
    """Return what the backend would remind the person of."""
    token = {"Authorization": f"Bearer {variables(of, 'backend')['API_TOKEN']}"}
    answer = of.request("GET", f"/reminders?chat={CHAT}&q={words}", headers=token)
    assert answer.status == 200, answer.text
    return [each["text"] for each in answer.json]


def test_the_services_own_tests_pass_in_their_containers(copy: Example) -> None:
    done = copy.json("build", "--target", "test")
    assert {each["service"]: each["status"] for each in done["targets"]} == dict.fromkeys(
        OWN, "built"
    )


def test_images_have_no_root_and_meet_their_budgets(copy: Example, built: dict[str, Any]) -> None:
    for each in built.values():
        user = docker("inspect", "--format", "{{.Config.User}}", each["reference"]).strip()
        assert user == "10001:10001"
    sizes = copy.json("sizes", "--service", ",".join(OWN))["images"]
    production = [each for each in sizes if not each["reference"].endswith("-test")]
    assert len(production) == len(OWN)
    assert {each["verdict"] for each in production} == {"ok"}


def test_it_starts_from_no_volumes_holds_what_it_should_and_comes_back_when_killed(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built
    done = copy.json("cold-start", "--kill-test")
    assert done["verdict"] == "healthy"
    checks = done["runs"][0]["checks"]
    assert {each["status"] for each in checks} == {"held"}
    back = [each["service"] for each in checks if each["name"] == KILLED]
    assert sorted(back) == sorted(SERVICES)
    # Migrations at head, extensions, a ping of Celery, and a line in the log of each program.
    assert len([each for each in checks if each["name"] not in {KILLED, STANDS}]) == 7


def test_who_asks_the_bot_is_reminded_once(running: Example) -> None:
    write(running, "/remind 1s a cup of tea")
    until_true(lambda: "a cup of tea" in said(running), "the reminder arrives")
    assert said(running)[:2] == ["I will remind you: a cup of tea", "a cup of tea"]
    write(running, "/remind 2h Crème brûlée")
    write(running, "/list creme brule")
    until_true(lambda: "Crème brûlée" in said(running), "the list is told")
    assert said(running).count("a cup of tea") == 1
    assert kept(running) == ["Crème brûlée"]
    assert kept(running, "bicycle") == []


def test_all_that_is_logged_is_visible_one_object_a_line(running: Example) -> None:
    for service in OWN:
        logged = lines(running, running.container(service))
        assert logged
        assert all({"time", "level", "msg"} <= line.keys() for line in logged)
    swept = running.invoke("logs", "--service", "worker", "--grep", "nudge.sweep.*succeeded")
    assert "worker" in swept


@pytest.mark.parametrize("service", ["db", "redis", "backend", "worker", "messenger"])
def test_a_server_that_does_not_answer_is_not_healthy(running: Example, service: str) -> None:
    until_true(lambda: running.passes(service), f"{service} is healthy")
    with running.frozen(service):
        assert not running.passes(service)
    until_true(lambda: running.passes(service), f"{service} recovers")


@pytest.mark.parametrize(
    ("service", "needs"),
    # Beat's schedule is fresh when it reaches the queue, and not when it only runs.
    [("beat", "beat"), ("beat", "redis"), ("bot", "bot")],
)
def test_a_loop_that_stands_still_is_not_healthy(
    running: Example, service: str, needs: str
) -> None:
    until_true(lambda: running.passes(service), f"{service} is healthy")
    with running.frozen(needs):
        # In place of the time that would have to go by.
        docker(
            "exec", running.container(service), "touch", "--date=1 hour ago", f"{ALIVE}/{service}"
        )
        assert not running.passes(service)
    # Its loop waits for something new, for as long as the messenger lets it.
    write(running, "wake up")
    until_true(lambda: running.passes(service), f"{service} recovers")


def test_no_command_line_has_a_secret_and_redis_wants_its_password(running: Example) -> None:
    secrets = {
        value
        for service in SERVICES
        for name, value in variables(running, service).items()
        if name in SECRETS
    }
    assert len(secrets) == len(SECRETS)
    for service in SERVICES:
        container = running.inspect(service)
        parts = ("Cmd", "Entrypoint", "Healthcheck", "Labels")
        words = [container["Path"], container["Args"], *map(container["Config"].get, parts)]
        processes = docker("top", container["Id"], "-eo", "pid,args")
        assert len(processes.splitlines()) > 1
        shown = f"{words} {processes}"
        assert not [each for each in secrets if each in shown]
        assert not [each for each in secrets if each in docker("logs", container["Id"])]
    ask = ("docker", "exec", "--env=REDISCLI_AUTH=", running.container("redis"), "redis-cli")
    assert "NOAUTH" in running.run(*ask, "ping").stdout


def test_only_who_needs_a_store_is_on_its_network(running: Example) -> None:
    networks = {
        service: set(running.inspect(service)["NetworkSettings"]["Networks"])
        for service in SERVICES
    }
    beside_them = {
        store: {each for each in SERVICES if each != store and networks[each] & networks[store]}
        for store in ("db", "redis")
    }
    assert beside_them == {"db": {"backend"}, "redis": {"worker", "beat"}}
    for store in beside_them:
        [network] = networks[store]
        assert docker("network", "inspect", "--format={{.Internal}}", network).strip() == "true"
        assert not running.inspect(store)["HostConfig"]["PortBindings"]


def test_no_secret_is_in_a_file_an_image_or_what_a_build_is_sent(running: Example) -> None:
    running.invoke("secrets.check")
    left = (".env", "services/bot/.env")
    running.invoke("decrypt")
    shutil.copy(running.path / left[0], running.path / left[1])
    try:
        assert running.run("git", "check-ignore", *left).stdout.split() == list(left)
        running.invoke("secrets.scan", "--context", "--git-history")
    finally:
        for name in left:
            (running.path / name).unlink()


def test_the_example_has_all_variables_and_no_value_of_a_secret(running: Example) -> None:
    listed = running.json("env")
    assert listed["missing"] == []
    assert [each["name"] for each in listed["variables"] if not each["documented"]] == []
    told = (running.path / ".env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^#? ?([A-Z_]+)=", told, re.MULTILINE))
    read: set[str] = set()
    for file in running.path.glob("docker-compose*.yml"):
        read |= set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", file.read_text(encoding="utf-8")))
    assert read | {"COMPOSE_PROFILES"} == names
    assert re.findall(rf"^(?:{'|'.join(SECRETS)})=(.*)", told, re.MULTILINE) == ["CHANGE_ME"] * 4
    running.invoke("env", "--init")
    try:
        # Nothing but that file gives it values here.
        assert set(running.compose("config", "--services").split()) == set(SERVICES)
    finally:
        (running.path / ".env").unlink()


def test_data_outlives_containers_and_plain_compose_goes_on_with_it(running: Example) -> None:
    volumes = {
        mount["Name"].removeprefix(f"{running.project}_")
        for service in SERVICES
        for mount in running.inspect(service)["Mounts"]
        # What is mounted of the work tree is to be read only.
        if mount["RW"]
    }
    assert volumes == {"database", "queue", "schedule"}
    write(running, "/remind 3h outlive it")
    until_true(lambda: "outlive it" in kept(running), "it is kept")
    running.invoke("down")
    running.invoke("decrypt")
    images = f"{running.project}.invalid"
    given = {f"{name.upper()}_IMAGE": f"{images}/nudge-{name}:composed" for name in OWN}
    plain = replace(running, environ=running.environ | given)
    try:
        plain.compose("up", "--detach", "--wait")
    finally:
        (running.path / ".env").unlink()
    assert "outlive it" in kept(running)
    assert running.request("GET", "/version").json == {"version": "dev", "commit": "unknown"}
    # What must hold of a first start holds of a later one, too.
    running.invoke("up", "--check")
    assert "outlive it" in kept(running)
    # The messenger began anew, and nothing that it tells is taken for what it told before.
    write(running, "/remind 1s once more")
    until_true(lambda: "once more" in said(running), "the reminder arrives")
    assert running.request("GET", "/version").json["version"] == "1.0.0"


def test_of_three_backends_that_begin_together_one_migrates(
    copy: Example, built: dict[str, Any]
) -> None:
    assert built
    three = beside(copy, "three")
    with three.started("--stack", "scaled", "--service", "backend", "--check"):
        labels = (f"project={three.project}", "service=backend")
        wanted = (f"--filter=label=com.docker.compose.{each}" for each in labels)
        found = docker("ps", "--quiet", *wanted).split()
        assert len(found) == 3
        logs = [migrations(lines(three, container)) for container in found]
        assert sorted(logs) == [["0001", "0002"], ["nothing"], ["nothing"]]
        # All ran before one of them was done with it.
        started = docker("inspect", "--format={{.State.StartedAt}}", *found).split()
        done = [line["time"] for each in found for line in lines(three, each) if applied(line)]
        assert max(map(datetime.fromisoformat, started)) < min(map(datetime.fromisoformat, done))
        for container in found:
            port = int(docker("port", container, "8000").strip().rpartition(":")[2])
            status = three.request("GET", "/status", at=("127.0.0.1", port)).json
            assert status["revision"] == "0002"


def applied(line: dict[str, Any]) -> bool:
    """Whether a line of a backend's log says that it has applied a migration."""
    return bool(line["msg"] == "migration applied")


def migrations(logged: list[dict[str, Any]]) -> list[str]:
    """Return the revisions that a backend says it has applied, or that it found nothing to do."""
    told = [line for line in logged if applied(line) or line["msg"] == "nothing to migrate"]
    return [line["revision"] if applied(line) else "nothing" for line in told]


def test_what_is_changed_while_it_runs_is_served(copy: Example) -> None:
    copy.invoke("build", "--target", "development")
    dev = beside(copy, "dev")
    with dev.started("--dev"):
        assert dev.request("GET", "/livez").json == {"status": "alive"}
        copy.edit("services/backend/backend/app.py", '"alive"', '"well"')
        copy.edit("services/bot/bot/wishes.py", "Write /remind", "Please write /remind")
        copy.edit("shared/nudge/logs.py", "record.levelname.lower()", "record.levelname")
        until_true(
            lambda: dev.request("GET", "/livez").json == {"status": "well"},
            "the backend serves the change",
        )

        def helped() -> bool:
            write(dev, "help")
            return any(text.startswith("Please write") for text in said(dev))

        until_true(helped, "the bot answers by the change")

        def loud(service: str) -> bool:
            return '"level": "INFO"' in docker("logs", dev.container(service))

        for service in OWN:
            until_true(partial(loud, service), f"{service} logs by what all share")
