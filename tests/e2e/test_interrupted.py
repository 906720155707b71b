"""Two runs of one thing at once, and Ctrl-C: who is named, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from composing import there
from e2e.conftest import NEVER_HEALTHY, Shop, told

pytestmark = pytest.mark.docker


def started_container(project: str) -> str:
    """Return the name of the first container of a project that starts, once it does."""
    follow = ("docker", "events", "--since", "5m", "--filter", "event=start", "--filter")
    label = f"label=com.docker.compose.project={project}"
    form = ("--format", "{{.Actor.Attributes.name}}")
    with subprocess.Popen((*follow, label, *form), stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout is not None
        name = events.stdout.readline().strip()
        events.terminate()
    return name


def test_a_second_cold_start_of_one_name_is_4_and_ctrl_c_of_the_first_130(shop: Shop) -> None:
    shop.write("compose.yaml", NEVER_HEALTHY)
    shop.commit()
    name = f"{shop.project}-mine"
    words = ("hullwright", "cold-start", "--project", name)
    with shop.running(*words, "--timeout", "100s") as first:
        assert started_container(name).startswith(name)
        second = shop.call(*words, code=4)
        lines = told(second.stderr)
        assert lines[0] == f"✗ the throwaway project {name} is in use by another run"
        assert lines[1].startswith(f"holder process {first.pid}: ")
        assert "cold-start --project" in lines[1]
        assert there(name)["containers"]
        os.killpg(first.pid, signal.SIGINT)
        _, errors = first.communicate(timeout=60)
    assert first.returncode == 130, errors
    assert "✗ interrupted" in told(errors)
    assert "Traceback" not in errors
    assert shop.projects() == []


def test_what_was_kept_stays_after_ctrl_c_too(shop: Shop) -> None:
    shop.write("compose.yaml", NEVER_HEALTHY)
    shop.commit()
    name = f"{shop.project}-kept"
    words = ("hullwright", "cold-start", "--project", name, "--keep", "--timeout", "100s")
    with shop.running(*words) as process:
        started_container(name)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert there(name)["containers"] == [f"{name}-web-1"]


def test_ctrl_c_during_a_build_keeps_what_was_recorded_before(shop: Shop) -> None:
    shop.write("Dockerfile", "FROM IMAGE\n")
    shop.commit()
    shop.call("hullwright", "build")
    record = (shop.path / ".hullwright" / "images.json").read_bytes()
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project}\nRUN sleep 600\n")
    with shop.running("invoke", "build") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "RUN echo" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    # Bare Invoke has its own answer to Ctrl-C, and ours is given before it.
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert (shop.path / ".hullwright" / "images.json").read_bytes() == record
