"""Who has a port, in words, and the command that ends it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.secret import Secret
from hullwright.stack import holders
from hullwright.tools import engine, ports
from hullwright.workspace import Workspace
from waiting import container

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = ports.Listener("tcp", "127.0.0.1", 8080, 1)


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(engine, "publishing", lambda *_: ())
    monkeypatch.setattr(ports, "listeners", lambda: [TAKEN])
    out = io.StringIO()
    runner = Runner({}, secrets={Secret("hunter2hunter2")})
    return Workspace(tmp_path, Config("x"), runner, Console({}, out=out, err=out), {})


def test_a_container_is_named_with_its_project_and_what_ends_it(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = replace(container("other"), project="")
    monkeypatch.setattr(engine, "publishing", lambda *_: (container("web"), alone))
    holder = holders.of_listener(ws, TAKEN)
    assert holder.name == "container x-web-1 of project x, x-other-1"
    assert holder.end == "docker stop x-web-1 x-other-1"
    assert str(holders.of_port(ws, 8080)) == f"{holder.name}   (ended by: {holder.end})"


def test_a_process_is_named_with_its_command_without_secrets(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "owner", lambda _: ports.Process(7, "serve --key hunter2hunter2"))
    assert str(holders.of_port(ws, 8080)) == "process 7: serve --key ***"
    assert holders.of_port(ws, 8081).name == "it has let go of it since"


def test_what_another_user_has_is_told_without_a_name(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "owner", lambda _: None)
    assert str(holders.of_listener(ws, TAKEN)) == "a process of another user"
