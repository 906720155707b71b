"""Figures that flags take: what is none is refused by us, with 2 and without a traceback."""

from __future__ import annotations

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tasks.figures import figure
from hullwright.tasks.image import build
from hullwright.tasks.info import history
from hullwright.tasks.pruning import prune
from hullwright.tasks.publishing import push


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("3", 3), ("012", 12)])
def test_a_figure_is_a_whole_number(text: str, number: int) -> None:
    assert figure("jobs", text, "builds") == number


@pytest.mark.parametrize("text", ["x", "-1", "", "1.5", "²", "1_0"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no number of builds") as raised:
        figure("jobs", text, "builds")
    assert raised.value.exit_code is ExitCode.USAGE
    assert raised.value.next_step == "0 or more"


@pytest.mark.parametrize(
    ("task", "flag"),
    [(build, "jobs"), (push, "jobs"), (prune, "keep"), (history, "limit")],
)
def test_invoke_parses_no_figure_itself(task: object, flag: str) -> None:
    kinds = {arg.name: arg.kind for arg in task.get_arguments()}  # type: ignore[attr-defined]  # Invoke's task
    assert kinds[flag] is str
