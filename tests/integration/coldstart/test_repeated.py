"""Several starts in one throwaway: each from nothing, or on the volumes of a first one."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from composing import docker, there
from hullwright import coldstart, stack
from hullwright.coldstart import Request, teardown
from hullwright.errors import ExitCode, UsageError
from hullwright.report import coldstart as shown
from repositories import told

if TYPE_CHECKING:
    from composing import Made

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_thrown_away_is_left")]

LIMITS = stack.Limits(60)


def shop(made: Made, busybox: str, begins: str) -> None:
    """Write a stack of one service with a volume, by what it does before it is healthy."""
    made.compose(
        f"""
  app:
    image: {busybox}
    command: sh -c "{begins}; touch /ready; exec sleep 600"
    stop_grace_period: 0s
    volumes: [data:/data, /scratch]
    healthcheck: {{test: "test -e /ready", interval: 1s}}
""",
        "volumes: {data: {}}",
    )


def test_each_run_is_from_nothing(made: Made, busybox: str) -> None:
    shop(made, busybox, "test ! -e /data/seen || exit 9; touch /data/seen")
    ws = made.workspace()
    done = coldstart.run(ws, stack.select(ws), Request(runs=2, limits=LIMITS))
    assert [run.failures for run in done.runs] == [(), ()], shown.text(done)
    assert not done.warm_volumes
    lines = [line for line in told(ws).splitlines() if " run " in line]
    assert [line.partition("  ")[0] for line in lines] == ["✓ run 1 of 2", "✓ run 2 of 2"]
    assert not any(there(done.project).values())


def test_warm_volumes_are_those_of_a_start_that_is_not_counted(made: Made, busybox: str) -> None:
    shop(made, busybox, "echo once >> /data/starts; test -e /scratch/mine && exit 9")
    ws = made.workspace()
    done = coldstart.run(
        ws, stack.select(ws), Request(runs=2, warm_volumes=True, keep=True, limits=LIMITS)
    )
    try:
        assert (len(done.runs), done.verdict) == (2, "healthy"), shown.text(done)
        assert (done.warm_volumes, done.kept) == (True, True)
        # The last one is kept, and its volume has seen all three.
        (container,) = there(done.project)["containers"]
        assert docker("exec", container, "cat", "/data/starts").split() == ["once"] * 3
        assert "a volume without a name is new in each start" in " ".join(done.notes)
    finally:
        teardown.remove(ws.runner, done.project)


def test_a_run_that_fails_is_the_last_one_and_is_shown(made: Made, busybox: str) -> None:
    # It starts on empty volumes only, as a migration that is not to be run twice.
    shop(made, busybox, "test ! -e /data/seen || exit 9; touch /data/seen")
    ws = made.workspace()
    done = coldstart.run(ws, stack.select(ws), Request(runs=3, warm_volumes=True, limits=LIMITS))
    assert (len(done.runs), done.verdict) == (1, "failed")
    assert done.typical.failures[0].sentence == "app crashed: it ended with 9"
    assert "✗ run 1 of 3" in told(ws)
    assert not any(there(done.project).values())


def test_no_runs_are_no_measurement(made: Made) -> None:
    made.compose("  app: {image: x}")
    ws = made.workspace()
    with pytest.raises(UsageError, match="cannot be measured 0 times") as raised:
        coldstart.run(ws, stack.select(ws), Request(runs=0))
    assert raised.value.exit_code == ExitCode.USAGE


# The interrupt may fall between the start of a program that looks and the moment it is held.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_of_a_later_run_removes_the_volumes_too(made: Made, busybox: str) -> None:
    shop(made, busybox, "test ! -e /data/seen || sleep 600; touch /data/seen")
    ws = made.workspace()
    name = f"{made.project}-c"

    def interrupt_the_second() -> None:
        follow = ("docker", "events", "--filter", "event=start", "--format", "x", "--filter",
                  f"label=com.docker.compose.project={name}", "--since", "1m")  # fmt: skip
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as events:
            assert events.stdout is not None
            events.stdout.readline()
            events.stdout.readline()
            os.kill(os.getpid(), signal.SIGTERM)
            events.terminate()

    watcher = threading.Thread(target=interrupt_the_second, daemon=True)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        coldstart.run(
            ws,
            stack.select(ws),
            Request(project=name, runs=2, warm_volumes=True, limits=LIMITS),
        )
    watcher.join()
    assert not any(there(name).values())
