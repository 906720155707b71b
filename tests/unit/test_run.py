"""The runner without a process: what it resolves, tells and masks, and the dry one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import (
    CommandError,
    DryRunner,
    Result,
    Runner,
    cache_dir,
    machine_state_dir,
)
from hullwright.secret import Secret


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_missing_program_is_3_and_says_how_to_get_it() -> None:
    with pytest.raises(UnavailableError, match="sops is not on PATH") as raised:
        Runner({"PATH": "/nowhere", "HOME": "/nowhere"}).read("sops", "--version")
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    assert "invoke setup --install" in str(raised.value)
    with pytest.raises(UnavailableError, match="next  install frobnicate"):
        Runner({"PATH": "/nowhere", "HOME": "/nowhere"}).resolve("frobnicate")


def test_path_comes_before_the_tools_that_setup_built(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    built = program(tmp_path / "cache" / "hullwright" / "bin" / "sops")
    runner = Runner(environ)
    assert runner.resolve("sops") == str(built)
    on_path = program(tmp_path / "bin" / "sops")
    assert runner.resolve("sops") == str(on_path)


def test_folders_follow_the_environment() -> None:
    assert cache_dir({"HOME": "/home/me"}) == Path("/home/me/.cache/hullwright")
    assert cache_dir({"XDG_CACHE_HOME": "/c"}) == Path("/c/hullwright")
    assert machine_state_dir({"HOME": "/home/me"}) == Path("/home/me/.local/state/hullwright")
    assert machine_state_dir({"XDG_STATE_HOME": "/s"}) == Path("/s/hullwright")


def test_a_dry_run_tells_of_what_would_change_the_world_and_does_nothing() -> None:
    told: list[str] = []
    runner = DryRunner({}, echo=told.append)
    assert runner.run("docker", "rm", "a b", env={"TOKEN": Secret("hunter2"), "A": "x y"}).ok
    assert runner.stream("docker", "build", ".", on_line=pytest.fail).ok
    assert runner.attach("docker", "exec", "-it", "web", "sh") == 0
    assert told == [
        "TOKEN=\"${TOKEN:?}\" A='x y' docker rm 'a b'",
        "docker build .",
        "docker exec -it web sh",
    ]


def test_what_is_told_hides_known_secrets() -> None:
    told: list[str] = []
    runner = DryRunner({}, echo=told.append, secrets={Secret("hunter2")})
    runner.run("curl", "--header", "Token: hunter2")
    assert told == ["curl --header 'Token: ***'"]


def test_a_failure_replays_the_last_lines() -> None:
    out = "\n".join(f"line {number}" for number in range(40))
    error = CommandError(Result(("docker", "build", "a b"), 17, out, "no space left\n"))
    text = str(error)
    assert text.startswith("docker ended with 17\n")
    assert "docker build 'a b'" in text
    assert "no space left" in text
    assert "line 39" in text
    assert "line 5\n" not in text
    assert len(error.result.tail()) == 25
    assert error.exit_code == ExitCode.FAILED


def test_a_signal_is_named_and_silence_is_said() -> None:
    text = str(CommandError(Result(("docker",), -9)))
    assert "docker was ended by SIGKILL" in text
    assert "(it printed nothing)" in text
