"""How two revisions take turns, and what is said where one of them cannot."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from hullwright.coldstart import repeated
from hullwright.coldstart.against import Side, compare, counted, of_base
from hullwright.coldstart.models import ColdRun, ColdStart, Request
from hullwright.errors import (
    CheckFailedError,
    ExitCode,
    LockedError,
    UnavailableError,
    UsageError,
)
from hullwright.stack.explain import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = Failure("db", "crash", "db crashed: it ended with 4", (("exit", "4"),), ("no licence",))


class Turns:
    """Starts that take as long as they are told to, and note their order.

    Attributes:
        order: whose start it was, and what was opened and closed.
        totals: seconds of each side's starts; a negative one fails.
    """

    def __init__(self, **totals: tuple[float, ...]) -> None:
        self.order: list[str] = []
        self.totals = {name: iter(each) for name, each in totals.items()}
        self.requests: dict[str, Request] = {}

    @contextmanager
    def opened(
        self, _ws: object, _selection: object, request: Request, *, title: str
    ) -> Iterator[Any]:
        """Stand in for `repeated.opened`."""
        turns = self
        self.requests[title] = request

        class Series(repeated.Series):
            def __init__(self) -> None:
                self.request, self.runs = request, []

            def measure(self) -> None:
                turns.order.append(title)
                total_s = next(turns.totals[title])
                failures = (BROKEN,) if total_s < 0 else ()
                self.runs.append(ColdRun(abs(total_s), (), failures))

            def result(self) -> ColdStart:
                return ColdStart("shop", "p", tuple(self.runs))

        self.order.append(f"open {title}")
        try:
            yield Series()
        finally:
            self.order.append(f"close {title}")


def compared(
    monkeypatch: pytest.MonkeyPatch, turns: Turns, request: Request | None = None
) -> ColdStart:
    monkeypatch.setattr(repeated, "opened", turns.opened)
    nothing = cast("Any", None)
    base = Side(nothing, nothing, "main", "1a2b3c4d5e")
    return compare(base, Side(nothing, nothing, "ours"), request or Request(runs=3))


def test_they_start_in_turn_and_the_base_first(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(main=(2.0, 2.1, 2.0), ours=(4.0, 4.1, 4.0))
    done = compared(monkeypatch, turns, Request(project="p", keep=True, runs=3, kill_test=True))
    assert turns.order == [
        *("open main", "open ours"),
        *("main", "ours", "main", "ours", "main", "ours"),
        *("close ours", "close main"),
    ]
    # Nothing of the base is kept, and its name is made up.
    assert turns.requests["main"] == Request(runs=3)
    assert done.against is not None
    assert (done.against.ref, done.against.revision) == ("main", "1a2b3c4d5e")
    assert (done.against.median_s, done.median_s) == (2.0, 4.0)
    assert (done.verdict, done.failed) == ("slower", True)


def test_a_base_that_fails_ends_it_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(main=(2.0, -1.0), ours=(2.0,))
    with pytest.raises(CheckFailedError) as raised:
        compared(monkeypatch, turns)
    assert raised.value.exit_code == ExitCode.FAILED
    assert str(raised.value).startswith(
        "nothing to compare with: main (1a2b3c4) does not come up: db crashed: it ended with 4"
    )
    assert ("it wrote", "no licence") in raised.value.why
    assert turns.order[-2:] == ["close ours", "close main"]


def test_ours_that_fails_ends_it_and_is_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(main=(2.0, 2.0, 2.0), ours=(2.0, -9.0))
    done = compared(monkeypatch, turns)
    assert turns.order.count("main") == 2
    assert (done.verdict, done.failures) == ("failed", (BROKEN,))
    assert done.against is not None
    assert not done.against.slower


@pytest.mark.parametrize(
    ("words", "against_", "runs"), [(None, False, 1), (None, True, 3), ("5", True, 5)]
)
def test_runs_have_a_default_of_their_own(words: str | None, *, against_: bool, runs: int) -> None:
    assert counted(words, against=against_) == runs


@pytest.mark.parametrize(
    ("words", "against_", "told"),
    [
        ("0", False, "cannot be measured 0 times"),
        ("-1", False, '"-1" is no number of runs'),
        ("two", False, '"two" is no number of runs'),
        ("1", True, "one start of each says nothing"),
    ],
)
def test_too_few_runs_are_refused(words: str, *, against_: bool, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        counted(words, against=against_)


def test_what_is_wrong_with_the_base_is_a_check_that_failed() -> None:
    with pytest.raises(CheckFailedError) as raised, of_base("main (1a2b3c4)"):
        raise UsageError("3 variables have no value", why="they do not", next_step="give them")
    assert raised.value.lines() == [
        "nothing to compare with: main (1a2b3c4): 3 variables have no value",
        "  why   they do not",
        "  next  give them",
    ]


@pytest.mark.parametrize("error", [LockedError("held"), UnavailableError("no engine")])
def test_what_is_not_the_bases_fault_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), of_base("main"):
        raise error


def test_a_commit_is_named_once() -> None:
    nothing = cast("Any", None)
    assert Side(nothing, nothing, "1a2b3c4", "1a2b3c4d5e").name == "1a2b3c4"
    assert Side(nothing, nothing, "main", "1a2b3c4d5e").name == "main (1a2b3c4)"
