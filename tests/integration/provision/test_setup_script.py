"""The setup script itself, on the machine that runs the tests; it never gets consent here."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hullwright.provision.facts import COMPOSE_FLOOR, ENGINE_FLOOR, at_least
from hullwright.provision.observe import observe
from hullwright.provision.plan import plan
from hullwright.run import Runner

ROOT = Path(__file__).resolve().parents[3]


def run(script: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("bash") or "bash", script],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_a_python_it_says_so_and_ends_with_3(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "setup"
    script.parent.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", script)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    ended = run(script, PATH=str(programs))
    assert ended.returncode == 3
    assert ended.stderr.startswith("✗ Python 3.11 or newer is not on PATH\n")


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "setup"
    script.parent.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", script)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    for name, told in (("python3", "exit 1"), ("python3.12", f"echo $PYTHONPATH > {tmp_path}/ran")):
        (programs / name).write_text(f"#!{shutil.which('bash')}\n{told}\n")
        (programs / name).chmod(0o755)
    assert run(script, PATH=str(programs)).returncode == 0
    assert (tmp_path / "ran").read_text() == f"{tmp_path}/src\n"


@pytest.mark.docker
def test_an_engine_that_docker_host_names_must_answer(tmp_path: Path) -> None:
    named = f"unix://{tmp_path}/none.sock"
    ended = run(ROOT / "scripts" / "setup", **{**os.environ, "DOCKER_HOST": named})
    assert ended.returncode == 3
    assert "✗ the engine that DOCKER_HOST names does not answer\n" in ended.stderr
    assert f"DOCKER_HOST is {named}" in ended.stderr


@pytest.mark.docker
def test_the_engine_of_this_machine_holds_the_floors() -> None:
    facts = observe(Runner(os.environ), ROOT)
    assert facts.engine.state == "running"
    assert at_least(facts.engine.version, ENGINE_FLOOR)
    assert at_least(facts.engine.compose, COMPOSE_FLOOR)
    assert facts.engine.buildx_history
    assert plan(facts).blockers == ()


@pytest.mark.docker
def test_a_client_without_plugins_is_seen_as_such(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    client = programs / "docker"
    # A client that knows no plugin answers so to `docker buildx`, and lists none.
    client.write_text(
        "#!/bin/sh\n"
        '[ "$1" = info ] && echo \'{"ServerVersion": "28.0.0", "ClientInfo": {"Plugins": []}}\' '
        "&& exit 0\n"
        "echo \"docker: '$1' is not a docker command.\" >&2\nexit 1\n"
    )
    client.chmod(0o755)
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    facts = observe(Runner(environ), ROOT)
    assert (facts.engine.buildx, facts.engine.buildx_history) == (None, False)
    made = plan(replace(facts, tools=replace(facts.tools, go="1.26.0")))
    assert {"docker buildx v0.33.0", "docker compose v5.1.2"} <= {
        operation.resource for operation in made.operations
    }
