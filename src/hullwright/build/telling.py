"""Tells of running bakes: a line that changes on a terminal, plain timed lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from hullwright.beside import repeated
from hullwright.build.progress import cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hullwright.build.progress import Progress
    from hullwright.console import Console
    from hullwright.tools.buildx import Vertex

_SHOWN: Final = 3
# Often enough for a clock that shows tenths, seldom enough to cost nothing.
_TICK_S: Final = 0.25
_LONGEST_INSTRUCTION: Final = 100


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells a console what bake runs are doing; they may run beside each other.

    Attributes:
        started_s: monotonic time at which the first began.
        running: the progress of those that run now.
    """

    console: Console
    started_s: float
    running: list[Progress] = field(default_factory=list)

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Let the clock of the changing line go on while a long step says nothing."""
        if not self.console.live:
            yield
            return

        def tick() -> float:
            self.console.status(self._status())
            return _TICK_S

        with repeated(_TICK_S, tick):
            yield

    @contextmanager
    def following(self, progress: Progress) -> Iterator[None]:
        """Tell of a run while the block lasts."""
        self.running.append(progress)
        try:
            yield
        finally:
            self.running.remove(progress)

    def hearing(self, names: Sequence[str]) -> Callable[[str], None] | None:
        """Return what shows the output of steps as they print it: only where more was asked for."""
        if not self.console.verbose:
            return None
        who = names[0] if len(names) == 1 else ""
        return lambda line: self.console.detail(f"  {who}  {line}" if who else f"  {line}")

    def changed(self, progress: Progress, target: str, vertex: Vertex) -> None:
        """Tell that a vertex began or ended."""
        if self.console.live:
            self.console.status(self._status())
        elif vertex.completed:
            self._line(progress, target, vertex)

    def _status(self) -> str:
        running = [
            f"{target} {_short(step.text)}"
            for progress in list(self.running)
            for target, vertex in progress.running()
            if (step := progress.step_of(vertex))
        ]
        more = f" · and {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
        shown = " · ".join(running[:_SHOWN]) or "BuildKit"
        return f"… {time.monotonic() - self.started_s:.1f} s · {shown}{more}"

    def _line(self, progress: Progress, target: str, vertex: Vertex) -> None:
        step = progress.step_of(vertex)
        # BuildKit's own steps say nothing that a reader of a log would act on, unless they fail.
        if step is None and (not vertex.error or cancelled(vertex.error)):
            return
        what = step.text if step else vertex.name
        where = " ".join(part for part in (target, step.name.platform if step else "") if part)
        if vertex.error:
            ended = "cancelled" if cancelled(vertex.error) else "failed"
        elif vertex.cached:
            ended = "cached"
        else:
            ended = f"{step.seconds:.1f} s" if step else ""
        self.console.note(f"{datetime.now(UTC):%H:%M:%S} {where}  {_short(what)}  {ended}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_INSTRUCTION else f"{line[: _LONGEST_INSTRUCTION - 1]}…"
