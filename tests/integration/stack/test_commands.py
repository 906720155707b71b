"""Commands beside `up` on the real engine: stop, run, stats, logs of a pattern, several stacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from composing import docker, new_project, remove, there
from hullwright import stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from composing import Made

pytestmark = pytest.mark.docker

SERVICES = """
  db:
    image: {image}
    command: sh -c "echo ready to serve; echo odd >&2; exec httpd -f -p 5432"
    stop_grace_period: 0s
    mem_limit: 64m
    healthcheck:
      test: wget -q -O - http://127.0.0.1:5432/bin/sh
      interval: 1s
  web:
    image: {image}
    command: httpd -f -p 80
    ports: ["127.0.0.1::80"]
    stop_grace_period: 0s
    depends_on: {{db: {{condition: service_healthy}}}}
"""
BROKEN = """
  db: {{image: {image}, command: "false"}}
  web:
    image: {image}
    command: "true"
    depends_on: {{db: {{condition: service_completed_successfully}}}}
"""


def hullwright(made: Made, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a repository."""
    return subprocess.run(
        (sys.executable, "-m", "hullwright", *words),
        cwd=made.folder,
        env=made.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def shop(made: Made, busybox: str) -> Made:
    """Return a repository with a database and what stands on it; nothing runs."""
    made.compose(SERVICES.format(image=busybox))
    return made


@pytest.fixture
def second(made: Made, busybox: str) -> Iterator[str]:
    """Yield the project of another stack of the same repository, `tools`."""
    project = new_project()
    one = f"  one: {{image: '{busybox}', command: httpd -f -p 80, stop_grace_period: 0s}}"
    (made.folder / "tools.yaml").write_text(f"name: {project}\nservices:\n{one}\n")
    (made.folder / "hullwright.toml").write_text(
        '[stacks.default]\nfiles = ["compose.yaml"]\n[stacks.tools]\nfiles = ["tools.yaml"]\n'
    )
    yield project
    remove(project)


def test_a_command_runs_once_what_it_needs_is_healthy_and_leaves_nothing(shop: Made) -> None:
    done = hullwright(shop, "run", "web", "--", "sh", "-c", 'echo "$1"; exit 7', "x", "a  b")
    assert (done.stdout, done.returncode) == ("a  b\n", 7), done.stderr
    # What it needs goes on, the service itself was not started, and its container is gone.
    assert there(shop.project)["containers"] == [f"{shop.project}-db-1"]
    health = docker("inspect", "--format", "{{.State.Health.Status}}", f"{shop.project}-db-1")
    assert health == "healthy"


def test_a_command_has_ports_only_if_asked_and_ps_does_not_list_it(shop: Made) -> None:
    ws = shop.workspace()
    assert not stack.up(ws, stack.select(ws), limits=stack.Limits(60)).failed
    command = (sys.executable, "-m", "hullwright", "run", "web", "--")
    with subprocess.Popen(
        (*command, "sh", "-c", "echo on; exec sleep 600"),
        cwd=shop.folder,
        env=shop.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "on\n"
            label = f"label=com.docker.compose.project={shop.project}"
            # Also what the engine does not yet call running, though its first line is here.
            listing = (
                "ps",
                "--all",
                "--filter",
                label,
                "--filter",
                "label=dev.hullwright.kind=run",
            )
            (name,) = docker(*listing, "--format", "{{.Names}}").split()
            assert docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", name) == "{}"
            names = {each.service for each in stack.ps(ws, stack.select(ws)).services}
            assert names == {"db", "web"}
        finally:
            # A sleep that is process 1 ignores the interrupt, so only we can end it.
            os.killpg(running.pid, signal.SIGINT)
        assert running.wait(60) == 130
    assert docker(*listing, "--quiet") == ""


def test_a_command_whose_dependency_fails_is_not_run(made: Made, busybox: str) -> None:
    made.compose(BROKEN.format(image=busybox))
    done = hullwright(made, "run", "web", "--", "echo", "ran")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "web was not run: what it depends on did not come up" in done.stderr
    assert "✗ db" in done.stderr
    unknown = hullwright(made, "run", "wbe", "--", "true")
    assert unknown.returncode == 2
    assert 'unknown service "wbe" — did you mean "web"?' in unknown.stderr


def test_what_is_stopped_stays_and_says_so(shop: Made) -> None:
    ws = shop.workspace()
    assert not stack.up(ws, stack.select(ws), limits=stack.Limits(60)).failed
    dry = hullwright(shop, "stop", "web", "--dry")
    assert dry.stdout == f"project {shop.project}\n  stop      container {shop.project}-web-1\n"
    done = hullwright(shop, "stop", "--format", "json")
    assert json.loads(done.stdout)["stopped"] == [f"{shop.project}-{s}-1" for s in ("db", "web")]
    assert {each.state for each in stack.ps(ws, stack.select(ws)).services} == {"exited"}
    again = hullwright(shop, "stop")
    assert (again.returncode, again.stdout) == (0, f"project {shop.project}: nothing runs\n")
    wrong = hullwright(shop, "stop", "wbe")
    assert wrong.returncode == 2
    assert 'unknown service "wbe" — did you mean "web"?' in wrong.stderr


def test_figures_are_of_what_runs_with_the_limit_that_it_was_given(shop: Made) -> None:
    ws = shop.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(60))
    shown = stack.stats(ws, stack.select(ws))
    db, web = shown.containers
    assert (db.service, db.limit_bytes, web.limit_bytes) == ("db", 64 * 2**20, None)
    assert (db.usage.pids or 0) >= 1
    assert 0 < (db.usage.memory_bytes or 0) < 64 * 2**20
    assert db.usage.received_bytes is not None
    done = hullwright(shop, "stats", "db", "--format", "json")
    (one,) = json.loads(done.stdout)["containers"]
    assert (one["service"], one["memory_limit_bytes"]) == ("db", 64 * 2**20)


def test_lines_that_match_keep_their_name_and_none_is_one(shop: Made) -> None:
    ws = shop.workspace()
    stack.up(ws, stack.select(ws, services=["db"]), limits=stack.Limits(60))
    found = hullwright(shop, "logs", "--grep", "^(rea|od)d")
    assert sorted(found.stdout.splitlines()) == ["db-1  | odd", "db-1  | ready to serve"]
    assert found.returncode == 0
    # The name before a line is not what the container wrote.
    none = hullwright(shop, "logs", "--grep", "db-1")
    assert (none.returncode, none.stdout) == (1, "")


def test_following_a_pattern_ends_with_its_reader(shop: Made, tmp_path: Path) -> None:
    ws = shop.workspace()
    stack.up(ws, stack.select(ws, services=["db"]), limits=stack.Limits(60))
    words = f"{sys.executable} -m hullwright logs --grep ready --follow"
    line = f"set -o pipefail; {words} 2>{tmp_path}/told | head -1"
    done = subprocess.run(
        ("bash", "-c", line),
        cwd=shop.folder,
        env=shop.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "db-1  | ready to serve\n")
    assert (tmp_path / "told").read_text() == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--grep", "("), "--grep ( is no regular expression"),
        (("--tail", "x"), "--tail x is no number of lines"),
        (("--since", "yesterday"), "--since yesterday is no time"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(
    shop: Made, words: tuple[str, ...], message: str
) -> None:
    done = hullwright(shop, "logs", *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_several_stacks_come_in_order_and_the_first_failure_is_the_last(
    shop: Made, second: str, busybox: str
) -> None:
    done = hullwright(shop, "up", "--stack", "tools,default", "--no-wait", "--format", "json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [(each["stack"], each["verdict"]) for each in told["stacks"]] == [
        ("tools", "started"),
        ("default", "started"),
    ]
    assert [each["status"] for each in told["stacks"][0]["services"]] == ["started"]
    logs = hullwright(shop, "logs", "--stack", "tools,default", "--service", "db")
    assert logs.returncode == 2
    assert 'unknown service "db"' in logs.stderr
    both = hullwright(shop, "ps", "--stack", "default,tools", "--format", "json")
    assert [each["project"] for each in json.loads(both.stdout)["stacks"]] == [shop.project, second]
    gone = hullwright(shop, "down", "--stack", "default,tools")
    assert gone.returncode == 0
    assert [line.split(":")[0] for line in gone.stdout.splitlines() if line] == [
        f"project {shop.project}",
        f"project {second}",
    ]
    shop.compose(f"  db: {{image: {busybox}, command: 'false', restart: 'no'}}")
    failed = hullwright(shop, "up", "--stack", "default,tools")
    assert failed.returncode == 1
    assert "not started: tools" in failed.stderr
    assert there(second)["containers"] == []


def test_times_of_services_are_held_and_unknown_ones_refused(shop: Made) -> None:
    for command in ("up", "cold-start"):
        wrong = hullwright(shop, command, "--timeout", "1m,dbb=3s")
        assert wrong.returncode == 2
        assert 'unknown service "dbb" — did you mean "db"?' in wrong.stderr
    assert there(shop.project)["containers"] == []
    late = hullwright(shop, "up", "db", "--timeout", "db=1ms")
    assert late.returncode == 1
    wrong = hullwright(shop, "restart", "--timeout", "dbb=3s")
    assert wrong.returncode == 2
    assert 'unknown service "dbb"' in wrong.stderr


def test_a_service_that_nothing_checks_fails_where_a_check_is_required(shop: Made) -> None:
    done = hullwright(shop, "up", "--require-healthcheck", "--format", "json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert [(each["service"], each["cause"]) for each in told["failures"]] == [
        ("web", "no-healthcheck")
    ]
    assert "leave --require-healthcheck out" in dict(told["failures"][0]["facts"])["next"]
    assert {each["service"]: each["status"] for each in told["services"]} == {
        "db": "healthy",
        "web": "unknown",
    }
    # What is checked is enough by itself.
    assert hullwright(shop, "up", "db", "--require-healthcheck").returncode == 0
    refused = hullwright(shop, "up", "--require-healthcheck", "--no-wait")
    assert refused.returncode == 2
    assert "--no-wait and --require-healthcheck cannot both be meant" in refused.stderr


def test_a_restart_leaves_a_record_and_ps_tells_containers_apart(made: Made, busybox: str) -> None:
    one = f"{{image: '{busybox}', command: httpd -f -p 80, stop_grace_period: 0s, scale: 2}}"
    made.compose(f"  web: {one}")
    assert hullwright(made, "up").returncode == 0
    done = hullwright(made, "restart")
    assert done.returncode == 0, done.stderr
    told = json.loads(hullwright(made, "history", "--kind", "restart", "--format", "json").stdout)
    assert [each["status"] for each in told["records"]] == ["done"], told
    listed = hullwright(made, "ps").stdout
    assert {line.split()[0] for line in listed.splitlines() if "running" in line} == {
        "web-1",
        "web-2",
    }


def test_fast_probes_are_another_configuration(shop: Made) -> None:
    ws = shop.workspace()
    fast = stack.plan_up(ws, stack.select(ws, services=["db"]), fast_probes=True)
    assert fast.override.services["db"]["healthcheck"] == {
        "start_interval": "250ms",
        "start_period": "3000ms",
    }
    assert not stack.execute(ws, fast, limits=stack.Limits(60)).failed
    plain = stack.plan_up(ws, stack.select(ws, services=["db"]))
    assert [each.verb for each in plain.operations] == ["recreate"]
    # A command beside it does not replace what runs.
    once = stack.plan_run(ws, stack.select(ws), "web", ["true"])
    assert [each.verb for each in once.up.operations] == ["keep"]
    assert once.text().endswith("\n  run       web: true, removed afterwards")


def test_images_go_where_nobody_else_runs_them(made: Made, busybox: str) -> None:
    image = f"{made.project}:1"
    (made.folder / "Dockerfile").write_text(f"FROM {busybox}\nCOPY Dockerfile /{made.project}\n")
    docker("buildx", "build", "--quiet", "--load", "--tag", image, str(made.folder))
    try:
        made.compose(f"  own: {{image: '{image}', command: httpd -f -p 80, stop_grace_period: 0s}}")
        ws = made.workspace()
        stack.up(ws, stack.select(ws), limits=stack.Limits(60))
        asked = hullwright(made, "down", "--images")
        assert asked.returncode == 2
        assert f"the image {image} would be gone" in asked.stderr
        assert "invoke down --images --yes" in asked.stderr
        other = docker("create", image, "true")
        try:
            kept = stack.plan_down(ws, stack.select(ws), images=True)
            assert (kept.images, [name for name, _ in kept.kept_images]) == ((), [image])
        finally:
            docker("rm", other)
        gone = stack.execute_down(ws, stack.plan_down(ws, stack.select(ws), images=True))
        assert gone.images == (image,)
        assert docker("image", "ls", "--quiet", image) == ""
    finally:
        docker("image", "rm", "--force", image, check=False)
