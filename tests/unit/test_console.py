"""The console: results apart from progress, and what each reader understands."""

from __future__ import annotations

import io
from datetime import datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

from hullwright.console import Console


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 11, 21, 10, 20, 30, tzinfo=tz)


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass."""
    clock = SimpleNamespace(monotonic=lambda: 100.0, time=lambda: 1700000000.4)
    monkeypatch.setattr("hullwright.console.datetime", Clock)
    monkeypatch.setattr("hullwright.console.time", clock)


def console(*, terminal: bool = False, **environ: str) -> Console:
    stream = Terminal if terminal else io.StringIO
    return Console(environ, out=stream(), err=stream())


def said(what: Console) -> tuple[str, str]:
    assert isinstance(what.out, io.StringIO)
    assert isinstance(what.err, io.StringIO)
    return what.out.getvalue(), what.err.getvalue()


def story(told: Console) -> None:
    """Tell one of each."""
    with told.step("build web"):
        told.note("9 of 14 steps cached")
    told.warn("50% of\nthe budget")
    with pytest.raises(ValueError, match="boom"), told.step("build api"):
        raise ValueError("boom")
    told.error("api failed")
    told.result("✓ web  ✗ api")


def test_a_log_file_has_times_and_no_escapes() -> None:
    told = console()
    story(told)
    assert said(told) == (
        "✓ web  ✗ api\n",
        (
            "10:20:30 build web\n9 of 14 steps cached\n✓ build web  0.0 s\n"
            "! 50% of\nthe budget\n"
            "10:20:30 build api\n✗ build api  0.0 s\n✗ api failed\n"
        ),
    )


def test_github_folds_and_annotates() -> None:
    told = console(GITHUB_ACTIONS="true", CI="true")
    story(told)
    assert said(told) == (
        "✓ web  ✗ api\n",
        (
            "::group::build web\n9 of 14 steps cached\n::endgroup::\n✓ build web  0.0 s\n"
            "! 50% of\nthe budget\n::warning::50%25 of%0Athe budget\n"
            "::group::build api\n::endgroup::\n✗ build api  0.0 s\n"
            "✗ api failed\n::error::api failed\n"
        ),
    )


def test_an_annotation_may_be_at_a_line_of_a_file() -> None:
    told = console(GITHUB_ACTIONS="true", CI="true")
    told.error("api\nfailed", file="a,b/Dockerfile:x", line="21")
    told.error("web failed", file="", line="")
    assert said(told)[1].splitlines()[2:] == [
        "::error file=a%2Cb/Dockerfile%3Ax,line=21::api%0Afailed",
        "✗ web failed",
        "::error::web failed",
    ]


def test_gitlab_folds_into_sections() -> None:
    told = console(GITLAB_CI="true", CI="true")
    with told.step("build web"):
        pass
    told.error("api failed")
    assert said(told)[1] == (
        "\x1b[0Ksection_start:1700000000:hullwright_1\r\x1b[0Kbuild web\n"
        "\x1b[0Ksection_end:1700000000:hullwright_1\r\x1b[0K\n"
        "✓ build web  0.0 s\n✗ api failed\n"
    )


def test_a_terminal_has_colours_and_a_line_that_changes() -> None:
    told = console(terminal=True)
    with told.step("build web"):
        pass
    told.result("✓ web")
    assert said(told) == (
        "\x1b[32m✓\x1b[0m web\n",
        "\r\x1b[K… build web\r\x1b[K\x1b[32m✓\x1b[0m build web  0.0 s\n",
    )


@pytest.mark.parametrize(
    ("environ", "terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours_as_the_reader_wants_them(
    environ: dict[str, str], *, terminal: bool, coloured: bool
) -> None:
    told = console(terminal=terminal, **environ)
    told.result("✓ done")
    told.command("docker build .")
    out, err = said(told)
    assert ("\x1b[" in out) == coloured
    assert ("\x1b[2m+ docker build ." in err) == coloured
    assert "docker build ." in err


def test_no_line_changes_in_ci_even_on_a_terminal() -> None:
    told = console(terminal=True, CI="true")
    told.status("working")
    assert said(told) == ("", "")
    assert not told.interactive


def test_a_status_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    told = console(terminal=True)
    told.status("0123456789abc")
    told.note("next")
    assert said(told)[1] == "\r\x1b[K012345678\r\x1b[Knext\n"


def test_details_are_told_to_those_who_ask() -> None:
    told = console()
    told.detail("because")
    assert said(told) == ("", "")
    told.verbose = True
    told.detail("because")
    assert said(told) == ("", "because\n")


def test_the_job_summary_grows(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    told = console(GITHUB_STEP_SUMMARY=str(summary))
    told.summarise("| a |")
    told.summarise("| b |")
    assert summary.read_text(encoding="utf-8") == "| a |\n| b |\n"
    console().summarise("nowhere")


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False)],
)
def test_a_question_is_put_to_a_person(
    monkeypatch: pytest.MonkeyPatch, typed: str, *, agreed: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    told = console(terminal=True)
    assert told.ask("remove it?") is agreed
    assert said(told)[1] == "remove it? [y/N] "


def test_nobody_is_asked_where_nobody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    told = console(terminal=True)
    assert told.ask("remove it?") is False
    assert said(told) == ("", "")


def test_a_job_summary_that_cannot_be_written_is_warned_of(tmp_path: Path) -> None:
    target = tmp_path / "gone" / "summary.md"
    told = console(GITHUB_STEP_SUMMARY=str(target))
    told.summarise("| a |")
    assert said(told)[1] == (
        f"! the job summary {target} cannot be written: No such file or directory\n"
    )


def test_content_is_printed_as_it_is() -> None:
    kept = io.BytesIO()
    out = io.TextIOWrapper(kept, encoding="ascii", write_through=False)
    shown = Console({}, out=out, err=io.StringIO())
    shown.result("first")
    shown.content(b"\x00\xff\r\nno end")
    assert kept.getvalue() == b"first\n\x00\xff\r\nno end"
