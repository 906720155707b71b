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
from hullwright.tasks import info, stack
from hullwright.tasks.session import Session
from hullwright.tasks.starting import running, selection

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
        (stack.exec_, {"service": "db", "command": "echo 'x"}, "cannot be split into words"),
        (stack.exec_, {}, "exec needs a service and a command"),
        (stack.shell, {}, "shell needs a service"),
        (stack.shell, {"stage": "builder", "user": "root"}, "--stage opens a new container"),
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


def test_a_dry_setup_installs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def main(words: list[str], *_: object) -> int:
        asked.append(words)
        return 3

    monkeypatch.setattr("hullwright.provision.__main__.main", main)
    info.setup(Context(Config(overrides={"run": {"dry": True}})), install=True)
    assert ending(info.setup, install=True) == 3
    assert asked == [[], ["--install"]]
