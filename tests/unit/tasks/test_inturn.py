"""Several stacks come one after another, and the first that fails is the last."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from invoke import Config, Context

from hullwright.console import Console
from hullwright.errors import CheckFailedError
from hullwright.report import ending
from hullwright.stack import StopPlan
from hullwright.tasks.inturn import in_turn
from hullwright.tasks.session import Session

if TYPE_CHECKING:
    from hullwright.tasks.inturn import Show


@pytest.fixture
def session() -> Session:
    made = Session(Context(Config()))
    made.environ = {}
    made.__dict__["console"] = Console({}, out=io.StringIO(), err=io.StringIO())
    return made


def told(session: Session) -> tuple[str, str]:
    out, err = session.console.out, session.console.err
    assert isinstance(out, io.StringIO)
    assert isinstance(err, io.StringIO)
    return out.getvalue(), err.getvalue()


def stopping(name: str | None, show: Show) -> bool:
    show(StopPlan(str(name), f"p-{name}", ("c",), ("s",)))
    return name != "b"


def test_one_stack_is_shown_as_ever(session: Session) -> None:
    assert in_turn(session, [None], stopping, ending, "json")
    assert json.loads(told(session)[0])["stack"] == "None"


def test_those_after_a_failure_are_named_and_not_touched(session: Session) -> None:
    held = in_turn(session, ["a", "b", "c"], stopping, ending, "text", undone="not stopped")
    out, err = told(session)
    assert not held
    assert [line.split(":")[0] for line in out.splitlines()] == ["project p-a", "", "project p-b"]
    assert err == "not stopped: c\n"


def test_several_are_one_document(session: Session) -> None:
    in_turn(session, ["a", "b", "c"], stopping, ending, "json", undone="not stopped")
    document = json.loads(told(session)[0])
    assert [each["stack"] for each in document["stacks"]] == ["a", "b"]
    assert (document["schema"], document["not_stopped"]) == (1, ["c"])


def test_an_error_shows_what_was_done_before_it(session: Session) -> None:
    def work(name: str | None, show: Show) -> bool:
        if name == "b":
            raise CheckFailedError("no image")
        return stopping(name, show)

    with pytest.raises(CheckFailedError):
        in_turn(session, ["a", "b", "c"], work, ending, "json", undone="not stopped")
    document = json.loads(told(session)[0])
    assert [each["stack"] for each in document["stacks"]] == ["a"]
    assert document["not_stopped"] == ["c"]
