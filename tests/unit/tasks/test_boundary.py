"""The one error boundary: every failure is a message and an exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from invoke import Config, Context
from invoke.exceptions import Exit

from hullwright import errors
from hullwright.secret import Secret
from hullwright.tasks.define import task
from hullwright.tasks.session import rendered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hullwright.tasks.session import Session


def context() -> Context:
    return Context(Config())


def ending(body: Callable[..., None]) -> int:
    with pytest.raises(Exit) as caught:
        task(flags={})(body)(context())
    return int(caught.value.code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CheckFailedError("no"), 1),
        (errors.UsageError("no"), 2),
        (errors.UnavailableError("no"), 3),
        (errors.LockedError("no"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_failure_has_its_exit_code(error: BaseException, code: int) -> None:
    def body(session: Session) -> NoReturn:
        raise error

    assert ending(body) == code


def test_an_expected_failure_says_what_why_and_next(capsys: pytest.CaptureFixture[str]) -> None:
    def body(session: Session) -> NoReturn:
        raise errors.UsageError("no such thing", why="it never was", next_step="ask for another")

    ending(body)
    told = capsys.readouterr()
    assert told.err == "✗ no such thing\n  why   it never was\n  next  ask for another\n"
    assert told.out == ""


def test_a_bug_ends_with_70_and_names_a_log_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def body(session: Session) -> NoReturn:
        session.runner.secrets.add(Secret("hunter2-hunter2"))
        raise ValueError("hunter2-hunter2")

    assert ending(body) == 70
    (log,) = (tmp_path / "hullwright" / "bugs").iterdir()
    told = capsys.readouterr().err
    assert str(log) in told
    assert "hunter2" not in told + log.read_text()
    assert "ValueError: ***" in log.read_text()
    assert "invoke" in log.read_text()


def test_a_reader_that_went_away_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hullwright.tasks.session.os.dup2", lambda *_: None)

    def body(session: Session) -> NoReturn:
        raise BrokenPipeError

    assert ending(body) == 0


def test_lists_are_repeated_flags_or_commas() -> None:
    got: list[list[str]] = []

    def body(session: Session, service: list[str] | None = None) -> None:
        got.append(service or [])

    task(lists=("service",), flags={})(body)(context(), service=["a,b", "c"])
    assert got == [["a", "b", "c"]]


class Plain:
    """The forms of a result that is a string."""

    def text(self, result: Any, /) -> str:
        return f"{result}!"

    def markdown(self, result: Any, /) -> str:
        return f"**{result}**"

    def as_json(self, result: Any, /) -> Any:
        return {"schema": 1, "said": result}


def test_a_result_has_three_forms() -> None:
    assert rendered(Plain(), "hé", "text") == "hé!"
    assert rendered(Plain(), "hé", "markdown") == "**hé**"
    assert rendered(Plain(), "hé", "json") == '{\n  "schema": 1,\n  "said": "hé"\n}'


def test_an_unknown_form_is_a_usage_error() -> None:
    with pytest.raises(errors.UsageError, match='unknown format "yaml"') as caught:
        rendered(Plain(), "x", "yaml")
    assert "json, markdown, text" in str(caught.value)


def test_an_unknown_form_is_told_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []

    def body(session: Session, format: str = "text") -> None:  # noqa: A002  as flags are called
        done.append(format)

    for formats, given in ((), "env"), (("env",), "yaml"):
        with pytest.raises(Exit) as caught:
            task(flags={}, formats=formats)(body)(context(), format=given)
        assert caught.value.code == 2
        assert f'✗ unknown format "{given}"' in capsys.readouterr().err
    task(flags={}, formats=("env",))(body)(context(), format="env")
    assert done == ["env"]
    with pytest.raises(Exit):
        task(flags={}, own_formats=("dotenv", "json"))(body)(context(), format="text")
    assert "dotenv, json\n" in capsys.readouterr().err


def test_colour_is_for_people_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def body(session: Session, format: str = "text") -> None:  # noqa: A002  as flags are called
        session.show(Plain(), "a log line with ✗", format)

    task(flags={})(body)(context(), format="json")
    assert json.loads(capsys.readouterr().out)["said"] == "a log line with ✗"
    task(flags={})(body)(context(), format="text")
    assert "\x1b[31m✗" in capsys.readouterr().out
