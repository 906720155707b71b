"""What a session gives a task's body: the summary, annotations, the dashboard's token."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from invoke import Config, Context
from invoke.exceptions import Exit

from hullwright.build import BuildPlan, BuildReport, Failure, TargetResult
from hullwright.config import models
from hullwright.console import Console
from hullwright.errors import UsageError
from hullwright.tasks.building import Options, _conclude, arguments_of, built
from hullwright.tasks.session import Session
from hullwright.tasks.starting import seconds, selection

if TYPE_CHECKING:
    from pathlib import Path


class Plain:
    """The forms of a result that is a string."""

    def text(self, result: Any, /) -> str:
        return f"{result}!"

    def markdown(self, result: Any, /) -> str:
        return f"**{result}**"

    def as_json(self, result: Any, /) -> Any:
        return {"said": result}


def session(environ: dict[str, str], *, dry: bool = False) -> Session:
    made = Session(Context(Config(overrides={"run": {"dry": dry}})))
    made.environ = environ
    made.__dict__["console"] = Console(environ, out=io.StringIO(), err=io.StringIO())
    return made


def said(made: Session) -> tuple[str, str]:
    out, err = made.console.out, made.console.err
    assert isinstance(out, io.StringIO)
    assert isinstance(err, io.StringIO)
    return out.getvalue(), err.getvalue()


def test_a_result_goes_to_the_job_summary_as_markdown(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    made = session({"GITHUB_STEP_SUMMARY": str(summary)})
    made.show(Plain(), "looked", "text")
    made.show(Plain(), "done", "text", summarise=True)
    assert said(made)[0] == "looked!\ndone!\n"
    assert summary.read_text() == "**done**\n"


def test_what_did_not_hold_ends_with_1_and_is_annotated_on_github() -> None:
    made = session({"GITHUB_ACTIONS": "true"})
    with pytest.raises(Exit) as caught:
        made.leave(held=False, why="over budget: api")
    assert caught.value.code == 1
    assert "::error::over budget: api" in said(made)[1]


def test_what_did_not_hold_is_not_said_twice_to_a_person() -> None:
    made = session({})
    with pytest.raises(Exit):
        made.leave(held=False, why="over budget: api")
    assert said(made) == ("", "")


def test_what_held_ends_nothing() -> None:
    made = session({"GITHUB_ACTIONS": "true"})
    made.leave(held=True, why="never said")
    made.end(0)
    assert said(made) == ("", "")


def test_the_token_of_the_environment_wins_and_is_not_shown() -> None:
    token = session({"HULLWRIGHT_HISTORY_TOKEN": "a-token-of-some-length"}).history_token()
    assert token is not None
    assert token.reveal() == "a-token-of-some-length"
    assert "length" not in repr(token)


def test_a_dry_run_leaves_no_record(tmp_path: Path) -> None:
    made = session({}, dry=True)
    made.__dict__["root"] = tmp_path
    made.__dict__["config"] = models.Config(project="shop")
    made.record("build", {}, "done")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_source_of_secrets_lists_the_known_ones(tmp_path: Path) -> None:
    made = session({})
    made.__dict__["root"] = tmp_path
    made.__dict__["config"] = models.Config(project="shop")
    with pytest.raises(UsageError, match='unknown source of secrets "vault"') as caught:
        selection(made, None, None, None, None, "vault")
    assert "sops, file, none" in str(caught.value)


def test_durations_of_flags_are_seconds() -> None:
    assert seconds(None) is None
    assert seconds("1m30s") == 90
    with pytest.raises(UsageError):
        seconds("soon")


def test_a_build_argument_keeps_what_follows_its_first_equals_sign() -> None:
    assert arguments_of(["A=1", "URL=http://x/?a=b,c"]) == {"A": "1", "URL": "http://x/?a=b,c"}
    with pytest.raises(UsageError, match='"A" has no value'):
        arguments_of(["A"])


@pytest.mark.parametrize(("github", "told"), [(True, True), (False, False)])
def test_a_failed_image_is_an_annotation(
    *, github: bool, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Failure("step 1 of 1: RUN false", "", "exit code: 1", place="api/Dockerfile:3")
    failed = TargetResult("api", "", (), "api:1", "failed", failure=failure)
    monkeypatch.setattr("hullwright.build.execute", lambda *_: BuildReport((failed,), 1.0))
    made = session({"GITHUB_ACTIONS": "true"} if github else {})
    made.__dict__["workspace"] = None
    built(made, BuildPlan(()))
    line = "::error file=api/Dockerfile,line=3::api failed: step 1 of 1: RUN false: exit code: 1\n"
    assert (line in said(made)[1]) == told


@pytest.mark.parametrize(
    ("form", "github", "told"), [("text", False, 0), ("json", False, 1), ("text", True, 1)]
)
def test_a_build_says_once_that_it_was_interrupted(
    *, form: str, github: bool, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = session({"GITHUB_ACTIONS": "true"} if github else {})
    made.__dict__["workspace"] = None
    monkeypatch.setattr("hullwright.sizes.of_build", lambda *_: {})
    monkeypatch.setattr(Session, "record", lambda *_: None)
    with pytest.raises(Exit) as ended:
        _conclude(made, BuildReport((), 1.0, interrupted=True), Options(output_format=form))
    assert ended.value.code == 130
    assert said(made)[1].count("✗ interrupted") == told
