"""Hooks: what they get, and that a failing one stops the task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config
from hullwright.errors import CheckFailedError, ExitCode, UnavailableError
from hullwright.hooks import environment, run_hook
from hullwright.run import Result, Runner
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT: Final = {"services": ["api", "web"], "target": "production", "dirty": False, "tag": None}


def configured(*command: str) -> Config:
    return Config("shop", hooks={"before-build": command})


def test_no_hook_runs_nothing(tmp_path: Path) -> None:
    assert not run_hook(workspace(tmp_path, configured("x")), "after-build", CONTEXT)


def test_a_hook_gets_its_context_twice(tmp_path: Path) -> None:
    runner = Replay({}, results={("check",): Result(("check",), 0, "fine\n")})
    assert run_hook(
        workspace(tmp_path, configured("check", "a b"), runner), "before-build", CONTEXT
    )
    (call,) = runner.calls
    assert call.argv == ("check", "a b")
    assert call.cwd == tmp_path
    assert call.env == {
        "HULLWRIGHT_HOOK_EVENT": "before-build",
        "HULLWRIGHT_HOOK_SERVICES": "api,web",
        "HULLWRIGHT_HOOK_TARGET": "production",
        "HULLWRIGHT_HOOK_DIRTY": "false",
        "HULLWRIGHT_HOOK_TAG": "",
    }
    assert json.loads(call.stdin or "") == {"schema": 1, "event": "before-build", **CONTEXT}


def test_a_path_is_meant_from_the_top_of_the_repository(tmp_path: Path) -> None:
    program = str(tmp_path / "scripts/check")
    runner = Replay({}, results={(program,): Result((program,), 0)})
    run_hook(workspace(tmp_path, configured("./scripts/check"), runner), "before-build", {})
    assert runner.calls[0].argv == (program,)


def test_a_failing_hook_stops_the_run_and_shows_its_output(tmp_path: Path) -> None:
    failed = Result(("check",), 3, "one finding\n", "see above\n")
    runner = Replay({}, results={("check",): failed})
    with pytest.raises(CheckFailedError) as raised:
        run_hook(workspace(tmp_path, configured("check"), runner), "before-build", {})
    assert raised.value.exit_code == ExitCode.FAILED
    assert str(raised.value) == (
        "the hook before-build stopped this run: it ended with 3\n"
        "  command  check\n"
        "  output   one finding\n"
        "           see above\n"
        "  next     correct what it reports, or hooks.before-build in the configuration"
    )


def test_a_hook_whose_program_is_missing_is_named(tmp_path: Path) -> None:
    ws = workspace(tmp_path, configured("./nowhere"), Runner({"PATH": "", "HOME": str(tmp_path)}))
    with pytest.raises(UnavailableError, match="the hook before-build cannot be run") as raised:
        run_hook(ws, "before-build", {})
    assert raised.value.exit_code == ExitCode.UNAVAILABLE


def test_a_hook_that_the_system_does_not_start_says_why(tmp_path: Path) -> None:
    class Refusing(Replay):
        def run(self, *argv: str, **_: object) -> Result:
            raise UnavailableError(f"{argv[0]} cannot be started", why="no shell", next_step="#!")

    ws = workspace(tmp_path, configured("check"), Refusing({}))
    with pytest.raises(UnavailableError) as raised:
        run_hook(ws, "before-build", {})
    assert str(raised.value) == (
        "the hook before-build cannot be run: check cannot be started\n"
        "  command  check\n"
        "  why      no shell\n"
        "  next     #!"
    )


def test_the_name_of_a_value_is_made_a_variable() -> None:
    assert environment("x", {"cold-start": {"a": 1}}) == {
        "HULLWRIGHT_HOOK_EVENT": "x",
        "HULLWRIGHT_HOOK_COLD_START": '{"a": 1}',
    }
