"""`hullwright`: exit codes, operands, exact words after `--`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from invoke import Collection, Context, Exit
from invoke import task as plain_task

from hullwright import cli
from hullwright.tasks import collection
from hullwright.tasks.define import task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session

calls: list[tuple[object, ...]] = []


@task(lists=("service",), operands="service", words="command", flags={"service": "which"})
def enter(
    session: Session, service: list[str] | None = None, command: str = "", count: int = 1
) -> None:
    """Enter services."""
    calls.append((service, shlex.split(command), count, session.dry))


@plain_task
def mine(c: Context, name: str) -> None:
    """Do what only this repository needs."""
    calls.append(("mine", name))


@plain_task
def ending(c: Context) -> None:
    """End with a code of its own."""
    raise Exit("enough", code=7)


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    monkeypatch.setattr(cli, "_namespace", lambda: Collection(enter, mine, ending))


def test_operands_fill_the_list_and_words_after_the_dashes_stay_exact() -> None:
    assert cli.main(["enter", "a", "b", "--count", "2", "--", "sh", "-c", "echo 'x  y' $Z"]) == 0
    assert calls == [(["a", "b"], ["sh", "-c", "echo 'x  y' $Z"], 2, False)]


def test_flags_of_the_suite_stand_on_either_side_of_the_task() -> None:
    assert cli.main(["--dry", "enter"]) == 0
    assert cli.main(["enter", "--dry"]) == 0
    assert cli.main(["enter", "--", "--dry"]) == 0
    assert [call[3] for call in calls] == [True, True, False]


def test_a_task_of_the_repository_has_its_operands_too() -> None:
    assert cli.main(["mine", "x"]) == 0
    assert calls == [("mine", "x")]


def test_a_task_that_ends_with_its_own_code_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ending"]) == 7
    assert capsys.readouterr().err == "enough\n"


def test_an_unknown_task_is_2_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["entr"]) == 2
    assert 'unknown task "entr" — did you mean "enter"?' in capsys.readouterr().err


@pytest.mark.parametrize("words", [["enter", "--cuont", "2"], ["enter", "--count", "two"]])
def test_a_wrong_flag_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: hullwright enter" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> Collection:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_namespace", interrupted)
    assert cli.main(["enter"]) == 130


def test_asking_for_help_or_the_list_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list", "enter"]) == 0
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help", "enter"])
    assert caught.value.code == 0
    assert "usage: hullwright enter" in capsys.readouterr().out
    assert calls == []


def test_without_a_task_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "  enter    Enter services." in capsys.readouterr().out


def test_every_flag_of_every_task_of_ours_is_explained() -> None:
    namespace = collection()
    for name in namespace.task_names:
        made = namespace[name]
        assert made.__doc__, name
        for argument in made.get_arguments():
            assert argument.help, f"{name} --{argument.name}"
            assert not argument.positional, f"bare Invoke must do {name} through flags"


@task(
    repeated=("build_arg",),
    operands="service",
    flags={"service": "which", "no-cache": "run again", "build-arg": "K=V"},
)
def make(
    session: Session,
    service: str = "",
    *,
    no_cache: bool = False,
    build_arg: list[str] | None = None,
) -> None:
    """Make one thing."""
    calls.append(("make", service, no_cache, build_arg))


@plain_task
def reach(c: Context, host: str = "", *, in_full: bool = False) -> None:
    """Have the short flags that Invoke gives out by itself."""
    calls.append(("reach", host, in_full))


def test_flags_are_written_with_hyphens_as_invoke_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "_namespace", lambda: Collection(make))
    assert cli.main(["make", "a", "--no-cache", "--build-arg", "A=1,2", "--build-arg", "B=3"]) == 0
    assert calls == [("make", "a", True, ["A=1,2", "B=3"])]


def test_one_operand_where_the_task_takes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_namespace", lambda: Collection(make))
    with pytest.raises(SystemExit) as caught:
        cli.main(["make", "a", "b"])
    assert caught.value.code == 2
    assert "unrecognized arguments: b" in capsys.readouterr().err


def test_short_flags_of_a_repositorys_task_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_namespace", lambda: Collection(reach))
    assert cli.main(["reach", "-h", "here", "--in-full"]) == 0
    assert calls == [("reach", "here", True)]


def test_help_may_have_a_percent_sign(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(context: Context, up_to: int = 0) -> None:
        """Fill it."""

    filling = plain_task(fill, help={"up-to": "how much; 100% is all"})
    monkeypatch.setattr(cli, "_namespace", lambda: Collection(filling))
    with pytest.raises(SystemExit) as caught:
        cli.main(["fill", "--help"])
    assert caught.value.code == 0
    assert "how much; 100% is all" in capsys.readouterr().out
