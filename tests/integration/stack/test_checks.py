"""Checks of stacks on the real engine: what holds, and what is told where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from composing import Made, docker, environ_of, new_project, remove
from hullwright import stack
from hullwright.config.models import Check, Stack
from hullwright.errors import ExitCode, UsageError
from hullwright.stack import checks
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.stack import Checked

pytestmark = pytest.mark.docker

SERVICES: Final = """
  web:
    image: {image}
    command: sh -c 'mkdir /w; echo the shop is open > /w/index.html; echo serving; httpd -f -p 80 -h /w'
    ports: ["127.0.0.1::80", "127.0.0.1::81"]
    expose: ["80"]
    stop_grace_period: 0s
  db:
    image: {image}
    command: httpd -f -p 5432
    networks: [back]
    stop_grace_period: 0s
  sidecar:
    image: {image}
    command: sleep 600
    network_mode: service:db
    logging: {{driver: none}}
    stop_grace_period: 0s
  lonely:
    image: {image}
    command: httpd -f -p 7000
    network_mode: none
    stop_grace_period: 0s
  several:
    image: {image}
    command: sh -c 'httpd -p 1001; exec httpd -f -p 1002'
    stop_grace_period: 0s
  silent:
    image: {image}
    command: sleep 600
    stop_grace_period: 0s
  once:
    image: {image}
    command: echo seeded
    restart: "no"
"""  # noqa: E501  a line of a compose file
SOON: Final = timedelta(seconds=0.2)
# Long enough for several commands in containers, one after the other, on a busy machine.
LATER: Final = timedelta(seconds=4)


@pytest.fixture(scope="module")
def shop(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Yield a stack that is up, for all that is only looked at."""
    made = Made(tmp_path_factory.mktemp("shop"), new_project())
    made.environ.update(environ_of(made.folder / "state"))
    made.compose(SERVICES.format(image=busybox), "networks: {back: {internal: true}}")
    ws = made.workspace()
    try:
        report = stack.up(ws, stack.select(ws), limits=stack.Limits(60))
        assert not report.failures, report.failures
        yield made
    finally:
        remove(made.project)


def look(made: Made, *wanted: Check) -> tuple[Checked, ...]:
    ws = made.workspace()
    return checks.run(ws, wanted, engine.of_project(ws.runner, made.project))


@pytest.mark.parametrize(
    "check",
    [
        Check("http", "web", port=80, body="shop is (open|closed)"),
        Check("http", "web", path="/nothing", port=80, status=404),
        # Nothing of it is published, and its network has no way out.
        Check("http", "db", status=404),
        Check("tcp", "db"),
        Check("tcp", "db", port=5432),
        # It has no network of its own: what it shares is looked at.
        Check("tcp", "sidecar", port=5432),
        Check("command", "db", command=("test", "-e", "/bin/busybox")),
        Check("logs", "web"),
        Check("logs", "web", contains="^serv"),
        Check("logs", "once", contains="seeded"),
        Check("migrations", "db", current=("echo", "a1 (head)"), head=("echo", "a1")),
    ],
    ids=lambda check: f"{check.type}-{check.service}",
)
def test_what_holds_holds(shop: Made, check: Check) -> None:
    (checked,) = look(shop, check)
    assert (checked.status, checked.told) == ("held", "")


UNHELD: Final = [
    (Check("http", "web", port=80, path="/x"), "status 404\n"),
    (Check("http", "web", port=80, body="closed"), "status 200, but its body does not match"),
    (Check("tcp", "web", port=81), "it listens on 80, not on 81"),
    (Check("tcp", "db", port=1), "it listens on 5432, not on 1"),
    (Check("http", "db", port=1), "nothing listens there"),
    (Check("tcp", "silent"), "it listens on no port, and declares none"),
    (Check("tcp", "lonely"), "it has no network"),
    (Check("http", "once"), "does not run: it is exited, it ended with 0"),
    (Check("command", "once", command=("true",)), "does not run: it is exited"),
    (Check("command", "db", command=("ls", "/nothing")), "it ended with 1\nls: /nothing"),
    (Check("command", "db", command=("nosuch",)), "it ended with 127\n"),
    (Check("command", "db", command=("sleep", "60")), "it did not end within"),
    (Check("logs", "silent"), "it wrote no line that can be read"),
    (Check("logs", "web", contains="^closed"), "none of its last 1 lines matches"),
    (Check("logs", "sidecar"), 'its log goes to the driver "none", and cannot be read'),
    (Check("migrations", "db"), "alembic current: it ended with 127"),
    (
        Check("migrations", "db", current=("echo", "a1"), head=("echo", "b2 (head)")),
        "missing in the database: b2; in the database, and unknown to the program: a1",
    ),
]


@pytest.fixture(scope="module")
def unheld(shop: Made) -> tuple[Checked, ...]:
    """Return what came of checks that do not hold, each tried for as long as it may be."""
    return look(shop, *(replace(check, within=LATER) for check, _ in UNHELD))


@pytest.mark.parametrize(
    ("number", "told"),
    [(number, told) for number, (_, told) in enumerate(UNHELD)],
    ids=[f"{check.type}-{check.service}" for check, _ in UNHELD],
)
def test_what_does_not_hold_says_what_was_seen(
    unheld: tuple[Checked, ...], number: int, told: str
) -> None:
    assert unheld[number].status == "failed"
    assert told in unheld[number].told


def test_an_ambiguous_port_is_a_mistake_of_the_configuration(shop: Made) -> None:
    with pytest.raises(UsageError) as raised:
        look(shop, Check("tcp", "several"), Check("command", "db", command=("true",)))
    assert raised.value.exit_code == ExitCode.USAGE
    assert raised.value.what == "the tcp check of several names no port, and it has several"
    assert raised.value.why == [("ports", "1001, 1002")]
    assert [each.status for each in look(shop, Check("tcp", "several", port=1002))] == ["held"]


def test_an_engine_elsewhere_reaches_published_ports_only(
    shop: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hullwright.tools.ports.runs_container", lambda *_: False)
    # Without its process nothing tells that 80 is the one on which it listens.
    assert [each.status for each in look(shop, Check("http", "web", port=80))] == ["held"]
    found = look(
        shop,
        Check("tcp", "db", port=5432, within=SOON),
        Check("tcp", "web", port=81, within=SOON),
    )
    name = f"{shop.project}-db-1"
    assert found[0].told == f"port 5432 of {name} cannot be reached from here: publish it"
    # Docker's proxy takes the connection, though nobody in the container does.
    assert (found[1].status, found[1].told) == ("failed", "the connection was closed at once")


def test_checks_run_beside_each_other_and_are_told_in_their_order(shop: Made) -> None:
    wanted = [
        Check("command", "db", command=("sh", "-c", f"echo {name} >> /order; sleep {wait_s}"))
        for name, wait_s in (("slow", 1), ("quick", 0))
    ]
    found = look(shop, *wanted)
    assert [each.status for each in found] == ["held", "held"]
    assert found[1].took_s < found[0].took_s
    assert found[0].name == "sh -c 'echo slow >> /order; sleep 1'"


def test_it_is_tried_again_until_it_holds(shop: Made) -> None:
    words = ("sh", "-c", "echo . >> /tries; test $(wc -l < /tries) -ge 3")
    (checked,) = look(shop, Check("command", "silent", command=words))
    assert checked.status == "held"
    assert docker("exec", f"{shop.project}-silent-1", "cat", "/tries").split() == [".", ".", "."]


CONFIGURED: Final = """
[[stacks.default.checks]]
type = "http"
service = "app"
path = "/{path}"
status = 404
[[stacks.default.checks]]
type = "{kind}"
service = "{service}"
"""


def invoke(made: Made, *words: str) -> subprocess.CompletedProcess[str]:
    """Return the end of a task in the repository."""
    return subprocess.run(
        (sys.executable, "-m", "hullwright", *words),
        cwd=made.folder,
        env={**os.environ, **made.environ},
        check=False,
        capture_output=True,
        text=True,
    )


def configured(made: Made, busybox: str, **more: str) -> None:
    given = {"path": "x", "kind": "tcp", "service": "app", **more}
    (made.folder / "hullwright.toml").write_text(CONFIGURED.format(**given), encoding="utf-8")
    made.compose(
        f"  app: {{image: {busybox}, command: sh -c 'echo hello; httpd -f -p 80',"
        f" stop_grace_period: 0s, restart: always}}"
    )


def test_up_with_check_ends_with_0_where_all_hold(made: Made, busybox: str) -> None:
    configured(made, busybox)
    done = invoke(made, "up", "--check")
    assert (done.returncode, done.stderr.count("✗")) == (ExitCode.DONE, 0), done.stderr
    assert "GET /x" in done.stdout
    assert done.stdout.count("held after") == 2


def test_up_with_a_check_that_fails_ends_with_1_and_explains(made: Made, busybox: str) -> None:
    configured(made, busybox, path="bin/busybox")
    toml = made.folder / "hullwright.toml"
    text = toml.read_text(encoding="utf-8").replace("status = 404", 'status = 404\nwithin = "1s"')
    toml.write_text(text, encoding="utf-8")
    done = invoke(made, "up", "--check")
    assert done.returncode == ExitCode.FAILED, done.stderr
    assert "✗ app is up, but its check does not hold: GET /bin/busybox" in done.stdout
    assert "expected  GET /bin/busybox answers 404" in done.stdout
    assert "seen      status 200" in done.stdout
    assert "│ hello" in done.stdout
    # It is a developer's own stack: it stays, and is never killed.
    assert docker("inspect", "--format", "{{.State.Running}}", f"{made.project}-app-1") == "true"


@pytest.mark.parametrize("task", ["up", "cold-start"])
def test_a_check_of_an_unknown_service_ends_with_2_before_anything_is_started(
    made: Made, busybox: str, task: str
) -> None:
    configured(made, busybox, service="ap")
    done = invoke(made, task)
    assert done.returncode == ExitCode.USAGE
    assert 'stacks.default.checks[1].service  unknown service "ap"' in done.stderr
    assert 'did you mean "app"?' in done.stderr
    assert docker("ps", "-aq", "--filter", f"name={made.project}") == ""


def test_up_with_check_and_without_checks_ends_with_2(made: Made, busybox: str) -> None:
    configured(made, busybox)
    (made.folder / "hullwright.toml").unlink()
    done = invoke(made, "up", "--check")
    assert done.returncode == ExitCode.USAGE
    assert 'stack "default" has no checks' in done.stderr
    assert docker("ps", "-aq", "--filter", f"name={made.project}") == ""


def test_checks_of_services_that_are_not_started_or_have_a_profile_are_left_out(
    made: Made, busybox: str
) -> None:
    made.compose(
        f"  app: {{image: {busybox}, command: httpd -f -p 80, stop_grace_period: 0s}}\n"
        f"  other: {{image: {busybox}, command: sleep 600}}\n"
        f"  debug: {{image: {busybox}, command: sleep 600, profiles: [debug]}}\n"
    )
    wanted = tuple(Check("tcp", name) for name in ("app", "other", "debug"))
    ws = made.workspace(Stack("default", ("compose.yaml",), checks=wanted))
    plan = stack.plan_up(ws, stack.select(ws, services=["app"]))
    report = stack.held(ws, plan, stack.execute(ws, plan))
    assert [(each.service, each.status) for each in report.checks] == [("app", "held")]
    assert not report.failed
