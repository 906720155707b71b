"""Cold starts on the real engine: timed, isolated, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from composing import docker, there
from hullwright import coldstart, stack
from hullwright.coldstart import lifetime, teardown
from hullwright.config.models import Stack
from hullwright.errors import ExitCode, LockedError, UsageError
from hullwright.files import lock
from hullwright.report import coldstart as shown
from hullwright.run import machine_state_dir
from hullwright.secret import Secret

if TYPE_CHECKING:
    from composing import Made
    from hullwright.coldstart import ColdStart

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_thrown_away_is_left")]

# A developer's stack as people write them: names of its own, a fixed port, a fixed range.
OWNED = """
  db:
    image: {image}
    container_name: {project}-named
    command: sh -c "test ! -e /data/theirs || exit 9; touch /data/mine; httpd -f -p 5432"
    stop_grace_period: 0s
    volumes: [data:/data, ./state:/state, ./compose.yaml:/etc/compose.yaml]
    networks: {{back: {{ipv4_address: {subnet}.5}}}}
    expose: ["5432"]
    healthcheck: {{test: "wget -q -O - http://127.0.0.1:5432/bin/sh", interval: 2s}}
  app:
    image: {image}
    command: httpd -f -p 80
    stop_grace_period: 0s
    networks: [back]
    ports: ["127.0.0.1:{port}:80"]
    depends_on: {{db: {{condition: service_healthy}}}}
    healthcheck: {{test: "wget -q -O - http://127.0.0.1/bin/sh", interval: 2s}}
"""
NAMES = """
volumes: {{data: {{name: {project}-data}}}}
networks: {{back: {{name: {project}-back, ipam: {{config: [{{subnet: {subnet}.0/24}}]}}}}}}
"""


def owned(made: Made, busybox: str) -> None:
    """Write the stack of a developer who names everything."""
    facts = {
        "image": busybox,
        "project": made.project,
        "port": str(20000 + int(made.project[-4:], 16) % 10000),
        "subnet": f"10.{200 + int(made.project[-2:], 16) % 50}.{int(made.project[-4:-2], 16)}",
    }
    made.compose(OWNED.format(**facts), NAMES.format(**facts))


def cold(made: Made, *, budget_s: float | None = None, keep: bool = False) -> ColdStart:
    ws = made.workspace()
    return coldstart.run(
        ws,
        stack.select(ws),
        coldstart.Request(limits=stack.Limits(20), budget_s=budget_s, keep=keep),
    )


def test_a_cold_start_is_timed_and_leaves_nothing(made: Made, busybox: str) -> None:
    owned(made, busybox)
    report = cold(made)
    assert report.verdict == "healthy", shown.text(report)
    assert report.typical.critical_path == ("db", "app")
    by_name = {service.service: service for service in report.typical.services}
    db, app = by_name["db"], by_name["app"]
    assert db.created_s is not None
    assert db.started_s is not None
    assert db.healthy_s is not None
    assert app.started_s is not None
    assert app.healthy_s is not None
    assert db.created_s <= db.started_s <= db.healthy_s <= app.started_s <= app.healthy_s
    assert app.healthy_s <= report.typical.total_s
    # Its checks come every two seconds in the files, and every 250 ms in here.
    assert db.healthy_s - db.started_s < 1.5
    assert not any(there(report.project).values())
    assert not (made.folder / "state").exists()
    assert list((made.folder / ".hullwright" / "overrides").iterdir()) == []


def test_a_developers_stack_beside_it_is_untouched(made: Made, busybox: str) -> None:
    owned(made, busybox)
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    docker("exec", f"{made.project}-named", "touch", "/data/theirs")
    before = docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", f"{made.project}-named")
    # It runs with the same names, the same port and the same range at the same time.
    report = cold(made)
    assert report.verdict == "healthy", shown.text(report)
    after = docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", f"{made.project}-named")
    assert after == before
    files = docker("exec", f"{made.project}-named", "ls", "/data").split()
    assert files == ["mine", "theirs"]


def test_a_volume_of_another_project_that_the_files_name_survives(made: Made, busybox: str) -> None:
    # `docker compose -p throwaway down --volumes` removes it: it goes by the name in the file.
    theirs = f"{made.project}-data"
    docker("volume", "create", "--label", "com.docker.compose.project=another", theirs)
    docker("run", "--rm", "-v", f"{theirs}:/data", busybox, "touch", "/data/theirs")
    try:
        owned(made, busybox)
        # The service ends with 9 where it finds their data.
        assert cold(made).verdict == "healthy"
        listed = docker("run", "--rm", "-v", f"{theirs}:/data", busybox, "ls", "/data")
        assert listed == "theirs"
    finally:
        docker("volume", "rm", "--force", theirs)


def test_two_run_side_by_side(made: Made, busybox: str) -> None:
    owned(made, busybox)
    reports: list[ColdStart] = []
    threads = [threading.Thread(target=lambda: reports.append(cold(made))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.verdict for report in reports] == ["healthy", "healthy"]
    assert reports[0].project != reports[1].project


def test_what_fails_is_explained_and_removed(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: sh -c 'echo no licence; exit 4'}}")
    report = cold(made)
    assert report.verdict == "failed"
    assert report.failures[0].sentence == "app crashed: it ended with 4"
    assert report.failures[0].logs == ("no licence",)
    assert not any(there(report.project).values())


def test_a_service_without_a_check_does_not_count_as_healthy(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s}}")
    assert cold(made).failures[0].cause == "no-healthcheck"
    ws = made.workspace(Stack("default", ("compose.yaml",), require_healthcheck=False))
    report = coldstart.run(ws, stack.select(ws), coldstart.Request(limits=stack.Limits(20)))
    assert (report.verdict, report.typical.services[0].status) == ("healthy", "unknown")


def test_a_budget_that_is_not_kept_fails(made: Made, busybox: str) -> None:
    owned(made, busybox)
    report = cold(made, budget_s=0.01)
    assert (report.verdict, report.failed) == ("over budget", True)
    ws = made.workspace(
        Stack("default", ("compose.yaml",), cold_start_budget=timedelta(seconds=60))
    )
    assert (
        coldstart.run(ws, stack.select(ws), coldstart.Request(limits=stack.Limits(20))).budget_s
        == 60
    )


def test_what_cannot_be_isolated_is_refused_with_every_reason(made: Made, busybox: str) -> None:
    made.compose(
        f"""
  app:
    image: {busybox}
    command: sleep 60
    network_mode: host
    privileged: true
    use_api_socket: true
    cap_add: [SYS_ADMIN]
    devices: [/dev/null:/dev/nothing]
    volumes: [/var/run/docker.sock:/var/run/docker.sock:ro, /srv/{made.project}:/w]
""",
    )
    ws = made.workspace()
    with pytest.raises(UsageError) as caught:
        coldstart.run(ws, stack.select(ws))
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.why == [
        ("services.app.network_mode", "it shares the host's network"),
        ("services.app.privileged", "it may do to the host whatever root may"),
        ("services.app.devices", "it uses devices of the host, which exist once"),
        (
            "services.app.use_api_socket",
            "the engine's socket gives it every container of the engine",
        ),
        ("services.app.cap_add", "SYS_ADMIN reaches past the container"),
        (
            "services.app.volumes.0",
            "/var/run/docker.sock gives it every container of the engine",
        ),
        (
            "services.app.volumes.1",
            f"it may write to /srv/{made.project}, outside the repository",
        ),
    ]
    assert list((made.folder / ".hullwright").glob("overrides/*")) == []
    assert list((machine_state_dir(ws.environ) / "locks").iterdir()) == []


def test_what_is_external_is_replaced_by_fresh_ones(made: Made, busybox: str) -> None:
    theirs = f"{made.project}-theirs"
    made.compose(
        f"""
  app:
    image: {busybox}
    command: sh -c "test ! -e /data/theirs && touch /data/mine && httpd -f -p 80"
    stop_grace_period: 0s
    volumes: [shared:/data]
    networks: {{proxy: {{aliases: [www]}}}}
    healthcheck: {{test: "wget -q -O - http://www/bin/sh", interval: 1s}}
""",
        f"volumes: {{shared: {{external: true, name: {theirs}}}}}\n"
        f"networks: {{proxy: {{external: true, name: {theirs}}}}}",
    )
    # They do not even exist on a fresh machine; where they do, nothing of them is touched.
    absent = cold(made)
    assert absent.verdict == "healthy", shown.text(absent)
    assert f"network proxy: a fresh one in place of the external {theirs}" in absent.notes
    docker("volume", "create", theirs)
    docker("network", "create", theirs)
    try:
        docker("run", "--rm", "-v", f"{theirs}:/data", busybox, "touch", "/data/theirs")
        assert cold(made).verdict == "healthy"
        listed = docker("run", "--rm", "-v", f"{theirs}:/data", busybox, "ls", "/data")
        assert listed == "theirs"
    finally:
        docker("volume", "rm", "--force", theirs)
        docker("network", "rm", theirs)


def test_missing_variables_stop_it_before_anything_is_made(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, environment: {{A: '${{A_KEY:?}}'}}}}")
    ws = made.workspace()
    with pytest.raises(UsageError, match="1 variable has no value: A_KEY"):
        coldstart.run(ws, stack.select(ws))


def test_a_second_one_of_the_same_name_names_the_holder(made: Made, busybox: str) -> None:
    owned(made, busybox)
    ws = made.workspace()
    held = machine_state_dir(ws.environ) / "locks" / f"{made.project}-c.lock"
    with (
        lock(held, "a test"),
        pytest.raises(LockedError, match=f"process {os.getpid()}") as caught,
    ):
        coldstart.run(ws, stack.select(ws), coldstart.Request(project=f"{made.project}-c"))
    assert caught.value.exit_code == ExitCode.LOCKED
    # A name that a run was given is free again after it.
    assert (
        coldstart.run(ws, stack.select(ws), coldstart.Request(project=f"{made.project}-c")).verdict
        == "healthy"
    )


def test_a_made_up_name_that_was_kept_is_neither_used_nor_removed(
    made: Made, busybox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned(made, busybox)
    ws = made.workspace()
    monkeypatch.setattr(lifetime, "throwaway_name", lambda _: f"{made.project}-c")
    assert cold(made, keep=True).kept
    try:
        kept = there(f"{made.project}-c")
        with pytest.raises(UsageError, match="a throwaway of that name was kept") as raised:
            coldstart.run(ws, stack.select(ws))
        assert raised.value.exit_code == ExitCode.USAGE
        assert there(f"{made.project}-c") == kept
    finally:
        teardown.remove(ws.runner, f"{made.project}-c")


@pytest.mark.parametrize("name", ["", "../up", "Shop", "-x", "a b"])
def test_a_name_that_compose_would_refuse_is_refused_before(made: Made, name: str) -> None:
    made.compose("  app: {image: x}")
    ws = made.workspace()
    with pytest.raises(UsageError, match="is no name for a project"):
        coldstart.run(ws, stack.select(ws), coldstart.Request(project=name))
    assert not machine_state_dir(ws.environ).exists()


def test_a_name_of_somebody_elses_project_is_refused(made: Made, busybox: str) -> None:
    owned(made, busybox)
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    with pytest.raises(UsageError, match="did not make"):
        coldstart.run(ws, stack.select(ws), coldstart.Request(project=made.project))
    assert there(made.project)["containers"]


def test_what_was_kept_is_removed_by_the_next_of_that_name(made: Made, busybox: str) -> None:
    owned(made, busybox)
    ws = made.workspace()
    name = f"{made.project}-kept"
    kept = coldstart.run(
        ws, stack.select(ws), coldstart.Request(project=name, keep=True, limits=stack.Limits(20))
    )
    assert kept.kept
    assert len(there(name)["containers"]) == 2
    assert (
        coldstart.run(
            ws, stack.select(ws), coldstart.Request(project=name, limits=stack.Limits(20))
        ).verdict
        == "healthy"
    )
    assert not any(there(name).values())


# The interrupt may fall between the start of a program that looks and the moment it is held.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_container(made: Made, busybox: str, number: signal.Signals) -> None:
    made.compose(
        f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s, "
        "volumes: [/v, data:/d], "
        "healthcheck: {test: 'exit 1', interval: 1s, retries: 1000}}",
        "volumes: {data: {}}",
    )
    ws = made.workspace()
    name = f"{made.project}-c"

    def interrupt_once_it_runs() -> None:
        follow = ("docker", "events", "--filter", "event=start", "--format", "x", "--filter",
                  f"label=com.docker.compose.project={name}", "--since", "1m")  # fmt: skip
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as events:
            assert events.stdout is not None
            events.stdout.readline()
            os.kill(os.getpid(), number)
            events.terminate()

    watcher = threading.Thread(target=interrupt_once_it_runs, daemon=True)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        coldstart.run(
            ws, stack.select(ws), coldstart.Request(project=name, limits=stack.Limits(30))
        )
    watcher.join()
    assert not any(there(name).values())


def test_no_value_is_written_to_any_file(made: Made, busybox: str) -> None:
    made.compose(
        f"""
  app:
    image: {busybox}
    command: sh -c "echo $$TOKEN; sleep 60"
    stop_grace_period: 0s
    env_file: [.env]
    environment: {{PASSWORD: "${{PASSWORD:?}}"}}
    healthcheck: {{test: 'test "$$PASSWORD" = "correct horse"', interval: 1s}}
"""
    )
    given = {"PASSWORD": Secret("correct horse"), "TOKEN": Secret("battery staple")}
    ws = made.workspace()
    selection = stack.select(ws, environment=given)
    report = coldstart.run(
        ws,
        selection,
        coldstart.Request(project=f"{made.project}-c", keep=True, limits=stack.Limits(20)),
    )
    try:
        assert report.verdict == "healthy", shown.text(report)
        files = [path for path in made.folder.parent.rglob("*") if path.is_file()]
        assert any(path.parent.name == "overrides" for path in files)
        for path in files:
            content = path.read_bytes()
            assert b"horse" not in content or path.name == "compose.yaml"
            assert b"staple" not in content
    finally:
        teardown.remove(ws.runner, f"{made.project}-c")


def test_a_check_that_only_the_image_has_is_asked_faster(made: Made, busybox: str) -> None:
    image = f"hullwright-test/probed:{made.project}"
    (made.folder / "Dockerfile").write_text(
        f'FROM {busybox}\nHEALTHCHECK --interval=20s CMD true\nCMD ["sleep", "60"]\n',
        encoding="utf-8",
    )
    docker("buildx", "build", "--quiet", "--load", "--tag", image, str(made.folder))
    try:
        made.compose(f"  app: {{image: '{image}', stop_grace_period: 0s}}")
        report = cold(made)
        assert report.verdict == "healthy"
        # Docker's own start probes come five seconds apart.
        assert report.typical.total_s < 4
    finally:
        docker("image", "rm", "--force", image)
