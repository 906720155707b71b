"""What is proposed after a failure names the stack that it is about."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config, Stack
from hullwright.console import Console
from hullwright.errors import CheckFailedError
from hullwright.run import Result, Runner
from hullwright.stack import DownPlan, Selection, StopPlan, entering, execute_down, execute_stop
from hullwright.workspace import Workspace
from waiting import container

if TYPE_CHECKING:
    from pathlib import Path


class Refusing(Runner):
    """Does nothing, and says that it failed."""

    def run(self, *argv: str, **_: object) -> Result:
        return Result(argv, 1, "", "it is in use")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    told = io.StringIO()
    console = Console({}, out=told, err=told)
    return Workspace(
        tmp_path, Config("x"), Refusing({}), console, {"XDG_STATE_HOME": str(tmp_path)}
    )


@pytest.mark.parametrize(("stack", "named"), [("default", ""), ("jobs", " --stack jobs")])
def test_the_next_step_is_for_the_stack_that_is_meant(
    ws: Workspace, stack: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckFailedError) as left:
        execute_down(ws, DownPlan("x", ("x-db-1",), (), stack=stack))
    assert left.value.next_step == f"end what still uses it, then: invoke down{named}"
    with pytest.raises(CheckFailedError) as running:
        execute_stop(ws, StopPlan(stack, "x", ("x-db-1",), ("db",)))
    assert running.value.next_step == f"invoke ps{named}   (shows what still runs)"
    monkeypatch.setattr(entering, "running", lambda *_: replace(container(), state="exited"))
    with pytest.raises(CheckFailedError) as ended:
        entering.exec_(ws, Selection(Stack(stack, ())), "db", ["true"])
    assert ended.value.next_step == (f"invoke logs --service db{named}, then: invoke up{named}")
