"""What `up --echo` tells, pasted into a shell of another folder, does the same once more."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright import stack
from hullwright.run import Runner
from hullwright.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from composing import Made

pytestmark = pytest.mark.docker

SERVICES = """
  web:
    image: {image}
    command: httpd -f -p 80
    stop_grace_period: 0s
    environment: ["TOKEN=${{TOKEN:?}}"]
"""


def test_the_echoed_start_can_be_pasted_where_the_secret_is_set(
    made: Made, busybox: str, tmp_path: Path
) -> None:
    made.compose(SERVICES.format(image=busybox))
    told: list[str] = []
    ws = replace(made.workspace(), runner=Runner(made.environ, echo=told.append))
    report = stack.up(ws, stack.select(ws, environment={"TOKEN": Secret("hunter2-hunter2")}))
    assert not report.failed
    [line] = [line for line in told if " up --detach " in line]
    assert "hunter2" not in "".join(told)
    [container] = docker("compose", "-p", made.project, "ps", "-q").split()

    def paste(**environ: str) -> subprocess.CompletedProcess[str]:
        known = {**made.environ, **environ}
        return subprocess.run(
            ("sh", "-c", line), cwd=tmp_path, env=known, check=False, capture_output=True, text=True
        )

    # Without the secret nothing is started with a value that is none.
    assert paste().returncode != 0
    done = paste(TOKEN="hunter2-hunter2")
    assert done.returncode == 0, done.stderr
    # It is what runs already, to the last value: nothing is made anew.
    assert docker("compose", "-p", made.project, "ps", "-q").split() == [container]
