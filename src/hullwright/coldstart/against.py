"""Two revisions of one stack, started in turn in one job: the only honest way to compare times."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.coldstart import lifetime, repeated
from hullwright.coldstart.judging import differences, is_slower
from hullwright.coldstart.models import Against, ColdStart, Request
from hullwright.errors import (
    CheckFailedError,
    HullwrightError,
    LockedError,
    UnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.stack import Selection
    from hullwright.workspace import Workspace

# How often each side is started where nobody says.
RUNS: Final = 3
# Fewer say nothing of how much starts differ by themselves.
_LEAST_RUNS: Final = 2
_LOG_LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared.

    Attributes:
        ws: its work tree, whose `.hullwright` records the images that it starts.
        selection: its stack, with the values that both get.
        ref: what it is called, for people.
        revision: its commit.
    """

    ws: Workspace
    selection: Selection
    ref: str
    revision: str = ""

    @property
    def name(self) -> str:
        """The revision for people, as `main (1a2b3c4)`."""
        plain = not self.revision or self.revision.startswith(self.ref)
        return self.ref if plain else f"{self.ref} ({self.revision[:7]})"


def counted(words: str | None, *, against: bool) -> int:
    """Return how often a stack is started, of what a person typed.

    Raises:
        UsageError: it is no number, or nothing can be measured or compared with so few.
    """
    if words is not None and not words.isdecimal():
        raise UsageError(
            f'"{words}" is no number of runs', next_step="--runs 3   (any number from 1)"
        )
    default = RUNS if against else 1
    runs = default if words is None else int(words)
    check_runs(runs, against=against)
    return runs


def check_runs(runs: int, *, against: bool = True) -> None:
    """Refuse a number of runs that cannot be measured, or compared.

    Raises:
        UsageError: it is below 1, or below 2 where two revisions are compared.
    """
    repeated.check_runs(runs)
    if against and runs < _LEAST_RUNS:
        raise UsageError(
            "one start of each says nothing of how much starts differ by themselves",
            next_step=f"--runs {_LEAST_RUNS} or more with --against; default {RUNS}",
        )


def compare(base: Side, head: Side, request: Request) -> ColdStart:
    """Start both in turn, base first, as often as is asked, and say whether ours is slower.

    Each has a throwaway of its own, and only one of them runs at a time.

    Args:
        base: what it is compared with.
        head: ours; what is uncommitted in its work tree counts.
        request: what is asked of ours. The base is started in the same way, and never kept.

    Raises:
        CheckFailedError: the base cannot be started, or does not come up: nothing is compared.
        UsageError, LockedError: as `run`, of ours.
    """
    check_runs(request.runs)
    theirs_too = replace(request, project=None, keep=False, kill_test=False)
    with lifetime.interruptible(), ExitStack() as both:
        with of_base(base.name):
            theirs = both.enter_context(
                repeated.opened(base.ws, base.selection, theirs_too, title=base.ref)
            )
        ours = both.enter_context(repeated.opened(head.ws, head.selection, request, title=head.ref))
        while not ours.over:
            with of_base(base.name):
                theirs.measure()
            _refuse_failed(base, theirs)
            ours.measure()
        return replace(ours.result(), against=judged(base, theirs, ours))


def judged(base: Side, theirs: repeated.Series, ours: repeated.Series) -> Against:
    """Return what the starts of the base say of ours."""
    failed = any(run.failures for run in ours.runs)
    return Against(
        ref=base.ref,
        revision=base.revision,
        runs=tuple(theirs.runs),
        slower=not failed
        and is_slower([run.total_s for run in theirs.runs], [run.total_s for run in ours.runs]),
        differences=() if failed else differences(theirs.runs, ours.runs),
    )


@contextmanager
def of_base(name: str) -> Iterator[None]:
    """Say of what fails in the block that it is the base's: then nothing can be compared.

    Raises:
        CheckFailedError: in place of what was raised, but for what has nothing to do with the
            base: a lock, an engine that is away.
    """
    try:
        yield
    except (LockedError, UnavailableError):
        raise
    except HullwrightError as error:
        why = [("why", error.why)] if isinstance(error.why, str) else list(error.why)
        raise CheckFailedError(
            f"nothing to compare with: {name}: {error.what}",
            why=[(key, fact) for key, fact in why if fact],
            next_step=error.next_step,
        ) from error


def _refuse_failed(base: Side, theirs: repeated.Series) -> None:
    failures = theirs.runs[-1].failures
    if not failures:
        return
    first, *rest = failures
    logs = "\n".join(first.logs[-_LOG_LINES:])
    raise CheckFailedError(
        f"nothing to compare with: {base.name} does not come up: {first.sentence}",
        why=[
            *(fact for fact in first.facts if fact[0] not in {"logs", "try"}),
            *([("it wrote", logs)] if logs else []),
            *((each.service or "stack", each.sentence) for each in rest),
        ],
        next_step=f"compare with a revision that starts, or look at it: git switch --detach "
        f"{base.revision[:12] or base.ref} and invoke cold-start",
    )
