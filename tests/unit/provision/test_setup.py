"""Without consent nothing changes; with it, setup looks again whether it held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullwright.provision import __main__ as command
from hullwright.provision import setup
from hullwright.provision.execute import Executor
from hullwright.provision.facts import (
    Engine,
    Facts,
    Machine,
    PythonEnvironment,
    Registry,
    Tools,
)

if TYPE_CHECKING:
    from hullwright.provision.operations import Plan

TOOLS = Tools("3.13.3", "1.1.1", "/a", "1.26.8", "/m", "/r", "/q", "/u", True, True)  # noqa: FBT003  paths and two facts, in their order
RUNNING = Engine(
    state="running",
    version="28.5.2",
    client="/usr/bin/docker",
    buildx="0.29.1",
    buildx_history=True,
    compose="2.40.3",
)


@pytest.fixture
def complete(tmp_path: Path) -> Facts:
    return Facts(
        root=Path("/repo"),
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        plugins=tmp_path / "plugins",
        machine=Machine("debian", "12", "bookworm", "Debian 12", root=True),
        engine=RUNNING,
        tools=TOOLS,
        registry=Registry("running", 5001),
        python=PythonEnvironment("/usr/bin/python3", "current", "5ta3p", "/uv"),
    )


class World:
    """A machine that is observed in several states, one after the other, and never changed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: list[Facts] = []
        self.executed: list[Plan] = []
        monkeypatch.setattr(setup, "observe", lambda *_: self.states.pop(0))
        monkeypatch.setattr(Executor, "execute", lambda _, plan: self.executed.append(plan))

    def run(self, *argv: str) -> int:
        return command.main(argv, {}, Path("/repo"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_nothing_to_do_ends_with_0(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    world.states = [complete]
    assert world.run() == 0
    assert capsys.readouterr().err == (
        "✓ set up: Engine 28.5.2 · buildx 0.29.1 · Compose 2.40.3 · sops 3.13.3 · age 1.1.1"
        " · registry 127.0.0.1:5001 · .venv current\n"
    )


def test_the_signer_is_among_what_is_set_up_where_images_are_signed(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = replace(complete.tools, cosign="/usr/bin/cosign")
    world.states = [replace(complete, tools=tools, signing=True)]
    assert world.run() == 0
    assert " · age 1.1.1 · cosign · registry" in capsys.readouterr().err


def test_quiet_says_nothing_if_nothing_is_to_do(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    world.states = [complete]
    assert world.run("--quiet") == 0
    assert capsys.readouterr() == ("", "")


def stale(facts: Facts) -> Facts:
    return replace(facts, python=replace(facts.python, state="stale"))


def test_without_consent_the_plan_is_printed_and_nothing_changes(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    world.states = [stale(complete)]
    assert world.run() == 3
    told = capsys.readouterr()
    assert told.out.startswith("Debian 12, amd64, as root: 1 operation\n\n 1. Python environment")
    assert "nothing was changed; to do this: invoke setup --install" in told.err
    assert world.executed == []
    assert not complete.state.exists()


def test_with_consent_it_is_done_and_looked_at_again(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    world.states = [stale(complete), complete]
    assert world.run("--install") == 0
    assert [plan.operations[0].resource for plan in world.executed] == ["Python environment .venv"]
    assert "✓ set up" in capsys.readouterr().err


def test_what_is_still_missing_afterwards_is_an_error(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    world.states = [stale(complete), stale(complete)]
    assert world.run("--install") == 3
    assert "something is still missing" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [(), ("--install",)])
def test_a_foreign_engine_that_is_stopped_is_left_alone(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    world.states = [replace(complete, engine=Engine(state="stopped", packages=("docker-ce",)))]
    assert world.run(*argv) == 3
    assert world.executed == []
    assert capsys.readouterr().err == (
        "✗ there is a Docker engine on this machine, and it does not run\n"
        "  why   found: docker-ce; setup starts only an engine that it installed itself\n"
        "  next  start it as root: service docker start\n"
    )


def test_several_reasons_are_told_at_once(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = replace(complete.machine, os_id="fedora", os_name="Fedora Linux 43")
    bare = replace(complete, machine=machine, engine=Engine(), tools=Tools())
    world.states = [bare]
    assert world.run("--install") == 3
    text = capsys.readouterr().err
    assert "✗ 2 things are missing that setup cannot add here" in text
    assert "this is Fedora Linux 43" in text
    assert "age is missing" in text


def test_missing_emulation_alone_is_no_reason_to_stop(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    world.states = [replace(complete, tools=replace(TOOLS, emulation=False))]
    assert world.run() == 0
    assert "✓ set up" in capsys.readouterr().err
    assert world.executed == []


def test_a_registry_that_does_not_run_is_told_and_started_with_consent(
    world: World, complete: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    without = replace(complete, registry=Registry())
    world.states = [without, without, complete]
    assert world.run() == 0
    assert capsys.readouterr().err.endswith(
        "\n  not done: registry on 127.0.0.1:5000 — no registry is there to push to;"
        " --install tries it\n"
    )
    assert world.executed == []
    assert world.run("--install") == 0
    assert [plan.operations[0].resource for plan in world.executed] == [
        "registry on 127.0.0.1:5000"
    ]
    assert "registry 127.0.0.1:5001" in capsys.readouterr().err


def test_with_consent_emulation_is_tried(world: World, complete: Facts) -> None:
    lacking = replace(complete, tools=replace(TOOLS, emulation=False))
    world.states = [lacking, lacking]
    assert world.run("--install") == 0
    assert world.executed[0].operations[0].optional


def test_a_bug_ends_with_70_and_names_a_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Facts:
        raise LookupError("unexpected")

    monkeypatch.setattr(setup, "observe", broken)
    assert command.main([], {"XDG_STATE_HOME": str(tmp_path)}, Path("/repo")) == 70
    log = tmp_path / "hullwright" / "setup-bug.log"
    assert str(log) in capsys.readouterr().err
    assert "LookupError: unexpected" in log.read_text()


def test_an_interruption_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Facts:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "observe", interrupted)
    assert command.main([], {}, Path("/repo")) == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_unknown_flag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--instal"], {}, Path("/repo"))
    assert caught.value.code == 2
    assert "--instal" in capsys.readouterr().err
