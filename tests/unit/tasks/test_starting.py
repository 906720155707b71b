"""Which values a stack is started with, and what a run leaves that comes to no result."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from invoke import Config, Context
from invoke.exceptions import Exit

from hullwright import secrets
from hullwright.config import models
from hullwright.console import Console
from hullwright.errors import CheckFailedError, HullwrightError, UsageError
from hullwright.secret import Secret
from hullwright.stack import Limits
from hullwright.tasks import info, looking, stack
from hullwright.tasks.session import Session
from hullwright.tasks.starting import limits, running, selection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = models.Config(
    project="shop",
    stacks={
        "default": models.Stack("default", ("compose.yaml",)),
        "live": models.Stack("live", ("compose.yaml",), environment="production"),
    },
    environments={"production": models.Environment("production", production=True, stack="live")},
)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    made = Session(Context(Config()))
    made.environ = {}
    made.__dict__["console"] = Console({}, out=io.StringIO(), err=io.StringIO())
    made.__dict__["root"] = tmp_path
    made.__dict__["config"] = CONFIG
    monkeypatch.setattr(secrets, "available", lambda *_: True)
    monkeypatch.setattr(
        secrets, "environment", lambda _, env=None: {"FROM": Secret(env or "development")}
    )
    return made


def given(chosen: Any) -> tuple[str, bool]:
    values: Mapping[str, Secret] = chosen.environment
    return values["FROM"].reveal() if values else "", chosen.call.dotenv


@pytest.mark.parametrize(
    ("stack_name", "env", "mode", "expected"),
    [
        (None, None, None, ("development", True)),
        (None, "production", None, ("production", False)),
        ("live", None, None, ("production", False)),
        ("live", "development", None, ("development", True)),
        (None, None, "file", ("", True)),
        (None, None, "none", ("", False)),
    ],
)
def test_the_developers_env_file_never_fills_in_for_another_environment(
    session: Session,
    stack_name: str | None,
    env: str | None,
    mode: str | None,
    expected: tuple[str, bool],
) -> None:
    assert given(selection(session, stack_name, None, None, env, mode)) == expected


@pytest.mark.parametrize(
    ("stack_name", "env", "production"),
    [
        (None, None, ""),
        (None, "production", "production"),
        ("live", None, "production"),
        ("live", "development", ""),
    ],
)
def test_what_production_refuses_is_refused_wherever_its_values_come_from(
    session: Session, stack_name: str | None, env: str | None, production: str
) -> None:
    for mode in ("sops", "none"):
        chosen = selection(session, stack_name, None, None, env, mode)
        assert chosen.production == production


def test_an_environment_brings_its_stack(session: Session) -> None:
    assert selection(session, None, None, None, "production", None).stack.name == "live"


@pytest.mark.parametrize(
    ("error", "recorded"),
    [
        (HullwrightError("the engine fell silent"), [("up", "failed")]),
        (CheckFailedError("no image"), [("up", "failed")]),
        (KeyboardInterrupt(), [("up", "interrupted")]),
        (UsageError("not begun"), []),
    ],
)
def test_a_run_that_came_to_no_result_is_recorded_as_what_it_was(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    recorded: list[tuple[str, str]],
) -> None:
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr(session, "record", lambda kind, _, status: kept.append((kind, status)))
    with pytest.raises(type(error)), running(session, "up"):
        raise error
    assert kept == recorded


def ending(task: Any, *, dry: bool = False, **flags: Any) -> int:
    with pytest.raises(Exit) as caught:
        task(Context(Config(overrides={"run": {"dry": dry}})), **flags)
    return int(caught.value.code)


@pytest.mark.parametrize(
    ("task", "flags", "message"),
    [
        (looking.exec_, {"service": "db", "command": "echo 'x"}, "cannot be split into words"),
        (looking.exec_, {}, "exec needs a service and a command"),
        (looking.shell, {}, "shell needs a service"),
        (looking.shell, {"stage": "builder", "user": "root"}, "--stage opens a new container"),
        (stack.run, {}, "run needs a service"),
        (stack.run, {"service": "db", "command": "echo 'x"}, "cannot be split into words"),
        (stack.up, {"wait": False, "check": True}, "--no-wait and --check cannot both be meant"),
        (stack.up, {"wait": False, "timeout": ["2m"]}, "--no-wait and --timeout cannot both"),
        (stack.up, {"timeout": ["soon"]}, '"soon" is not a duration'),
        (stack.restart, {"timeout": ["db=x"]}, '"x" is not a duration'),
        (stack.up, {"timeout": ["2m,3m"]}, "two timeouts for the whole stack"),
        (stack.up, {"timeout": ["db=1s", "db=2s"]}, "two timeouts for db"),
        (info.history, {"limit": "-3"}, "--limit -3 is no number of runs"),
        (info.history, {"limit": "0"}, "--limit 0 is no number of runs"),
    ],
)
def test_flags_that_cannot_be_meant_are_usage_errors(  # noqa: PLR0917  fixtures and cases
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    task: Any,
    flags: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr(Session, "workspace", session.workspace)
    assert ending(task, **flags) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "task",
    [stack.up, stack.stop, stack.down, stack.restart, looking.logs, looking.ps, looking.stats],
)
def test_an_unknown_stack_among_several_is_told_before_anything_happens(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    task: Any,
) -> None:
    monkeypatch.setattr(Session, "workspace", session.workspace)
    monkeypatch.setattr(Session, "config", CONFIG)
    assert ending(task, stack=["default,liv"]) == 2
    told = capsys.readouterr().err
    assert 'unknown stack "liv" — did you mean "live"?' in told
    assert "default, live" in told


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Limits()),
        ([], Limits()),
        ("2m", Limits(120)),
        (["2m", "db=30s"], Limits(120, {"db": 30})),
        ("db=30s, web=1m30s", Limits(None, {"db": 30, "web": 90})),
    ],
)
def test_timeouts_are_of_all_and_of_single_services(
    given: list[str] | str | None, expected: Limits
) -> None:
    assert limits(given) == expected


def test_a_start_that_did_not_hold_runs_no_hook_after_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr("hullwright.hooks.run_hook", lambda _, name, __: ran.append(name))
    with running(session, "up") as work:
        work.held = False
    with running(session, "up"):
        pass
    assert ran == ["before-up", "before-up", "after-up"]


def test_a_dry_setup_installs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def main(words: list[str], *_: object) -> int:
        asked.append(words)
        return 3

    monkeypatch.setattr("hullwright.provision.__main__.main", main)
    info.setup(Context(Config(overrides={"run": {"dry": True}})), install=True)
    assert ending(info.setup, install=True) == 3
    assert asked == [[], ["--install"]]
