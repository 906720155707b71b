"""What a removal asks before anything is lost."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from invoke import Config, Context

from hullwright.console import Console
from hullwright.errors import UsageError
from hullwright.stack import DownPlan
from hullwright.tasks.session import Session
from hullwright.tasks.stack import _may_remove

if TYPE_CHECKING:
    from collections.abc import Sequence


def session() -> Session:
    made = Session(Context(Config()))
    made.__dict__["console"] = Console({}, out=io.StringIO(), err=io.StringIO())
    return made


def plan(volumes: Sequence[str] = (), images: Sequence[str] = ()) -> DownPlan:
    return DownPlan("p", ("c",), ("n",), tuple(volumes), (), tuple(images))


def test_what_can_be_made_again_goes_unasked() -> None:
    assert _may_remove(session(), [plan(), plan()])


@pytest.mark.parametrize(
    ("plans", "told", "flags"),
    [
        ([plan(["v"])], "the volume v would be gone", "--volumes"),
        ([plan(["v"]), plan(["w"])], "the volumes v, w would be gone", "--volumes"),
        ([plan(images=["i:1"])], "the image i:1 would be gone", "--images"),
        (
            [plan(["v"], ["i:1"])],
            "the volume v and the image i:1 would be gone",
            "--volumes --images",
        ),
    ],
)
def test_what_would_be_lost_is_named_where_nobody_can_be_asked(
    plans: list[DownPlan], told: str, flags: str
) -> None:
    with pytest.raises(UsageError) as caught:
        _may_remove(session(), plans)
    assert caught.value.why == f"{told}, and nobody is here to be asked"
    assert caught.value.next_step == f"invoke down {flags} --yes"


def test_the_stacks_that_were_meant_are_named_again() -> None:
    with pytest.raises(UsageError) as caught:
        _may_remove(session(), [plan(["v"])], ["b", "c"])
    assert caught.value.next_step == "invoke down --stack b,c --volumes --yes"
