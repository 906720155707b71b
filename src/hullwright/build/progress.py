"""The state of a running bake, kept from its status lines: steps, logs, errors, digests."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hullwright.tools.buildx import (
    Activity,
    StepLog,
    StepName,
    Vertex,
    parse_progress,
    parse_step,
    parse_target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

_KEPT_LINES: Final = 40
# The classic image store says `writing image`, and knows an image by its configuration.
_MANIFEST: Final = re.compile(
    r"(?:exporting manifest(?P<list> list)?|writing image) (?P<digest>sha256:[0-9a-f]{64})"
)
# What a run begins with: the bake file and the Dockerfiles.
_READING: Final = re.compile(r"internal\] load .*\bdefinition")
# BuildKit ends the other targets of a run when one fails; theirs is not the failure.
_CANCELLED: Final = re.compile(r"context canceled|CANCELED", re.IGNORECASE)


def cancelled(words: str) -> bool:
    """Return whether an error only says that something else ended the build."""
    return _CANCELLED.search(words) is not None


def is_export(vertex: Vertex) -> bool:
    """Return whether a vertex puts an image where it goes."""
    return "exporting to" in vertex.name


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a Dockerfile, as one target and platform needs it."""

    name: StepName
    vertex: Vertex

    @property
    def seconds(self) -> float:
        """How long it ran; 0 until it ended."""
        if self.vertex.started is None or self.vertex.completed is None:
            return 0.0
        return (self.vertex.completed - self.vertex.started).total_seconds()

    @property
    def text(self) -> str:
        """The step for a person: `builder step 3 of 9: RUN make`, without its flags."""
        step = f"step {self.name.number} of {self.name.total}: {self.name.brief}"
        return f"{self.name.stage} {step}" if self.name.stage else step


@dataclass
class Progress:
    """What a bake run has told so far.

    Attributes:
        targets: bake's names of what it builds.
        vertexes: the newest state of each, by target and digest; shared steps appear for each.
        logs: the last lines of each step, by digest.
        said: lines outside of the build: excerpts of Dockerfiles and the final error.
        hearing: gets each whole line that a step prints, when it does; None for nobody.
    """

    targets: Sequence[str]
    vertexes: dict[tuple[str, str], Vertex] = field(default_factory=dict)
    logs: dict[str, deque[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    hearing: Callable[[str], None] | None = None
    _open_lines: dict[str, str] = field(default_factory=dict)
    _digests: dict[str, tuple[bool, str]] = field(default_factory=dict)

    def feed(self, line: str) -> list[tuple[str, Vertex]]:
        """Take one line, and return the (target, vertex) that began or ended with it."""
        events = parse_progress(line)
        if events is None:
            self.said.append(line)
            return []
        changed = []
        for event in events:
            if isinstance(event, Vertex):
                key = (parse_target(event.name, self.targets), event.digest)
                if self._merge(key, event):
                    changed.append((key[0], self.vertexes[key]))
            elif isinstance(event, StepLog):
                self._log(event)
            else:
                self._activity(event)
        return changed

    def steps(self, target: str, siblings: Iterable[str] = ()) -> list[Step]:
        """Return the instructions that `target` needs, without FROM, which runs nothing.

        BuildKit counts the steps of a sibling that it is built on among its own; those of
        `siblings` are left out.
        """
        left_out = frozenset(siblings)
        others = {digest for owner, digest in self.vertexes if owner in left_out}
        return [
            step
            for step in self._steps(target)
            if step.vertex.digest not in others and not step.name.instruction.startswith("FROM ")
        ]

    def running(self) -> list[tuple[str, Vertex]]:
        """Return what runs now, by target, the longest first."""
        # A copy, for the clock of the display looks while lines come in.
        known = list(self.vertexes.items())
        running = [(target, v) for (target, _), v in known if v.started and not v.completed]
        return sorted(running, key=lambda item: str(item[1].started))

    def failures(self, target: str) -> list[Vertex]:
        """Return the vertexes that failed in `target` of themselves, not cancelled by another.

        An export that is cut short says in many words that its stream ended. So beside a step that
        failed it counts as cancelled: it goes again, and fails then if it was of itself.
        """
        failed = {
            key: vertex
            for key, vertex in self.vertexes.items()
            if vertex.error and not cancelled(vertex.error)
        }
        others = any(owner != target and not is_export(v) for (owner, _), v in failed.items())
        return [
            vertex
            for (owner, _), vertex in failed.items()
            if owner == target and not (others and is_export(vertex))
        ]

    def step_of(self, vertex: Vertex) -> Step | None:
        """Return a vertex as a Dockerfile's step, or None for one of BuildKit's own."""
        name = parse_step(vertex.name, prefixed=len(self.targets) > 1)
        return Step(name, vertex) if name else None

    def exports(self, target: str) -> int:
        """Return how many exporters of `target` wrote and completed what they write."""
        exported = [
            v for (owner, _), v in self.vertexes.items() if owner == target and is_export(v)
        ]
        done = [vertex for vertex in exported if vertex.completed and not vertex.error]
        return len(done) if len(done) == len(exported) else 0

    def digest(self, target: str) -> str:
        """Return the digest that the export of `target` wrote and completed, or nothing."""
        for (owner, key), vertex in self.vertexes.items():
            exported = owner == target and is_export(vertex)
            if exported and vertex.completed and not vertex.error and key in self._digests:
                return self._digests[key][1]
        return ""

    def seconds(self, target: str) -> float:
        """Return the seconds from the first step of `target` to the end of its last.

        A step that a build of somebody else runs at the same moment is shared with it, and began
        when that one asked for it; nothing of this run began before its Dockerfiles were read.
        """
        own = [vertex for (owner, _), vertex in self.vertexes.items() if owner == target]
        started: list[datetime] = [vertex.started for vertex in own if vertex.started]
        completed: list[datetime] = [vertex.completed for vertex in own if vertex.completed]
        if not started or not completed:
            return 0.0
        read = [v.started for v in self.vertexes.values() if v.started and _READING.search(v.name)]
        began = max(min(started), min(read, default=min(started)))
        return max(0.0, (max(completed) - began).total_seconds())

    def output(self, vertex: Vertex) -> tuple[str, ...]:
        """Return the last lines that a step printed."""
        lines = list(self.logs.get(vertex.digest, ()))
        rest = self._open_lines.get(vertex.digest, "")
        return tuple([*lines, rest] if rest else lines)

    def _steps(self, target: str) -> Iterator[Step]:
        for (owner, _), vertex in self.vertexes.items():
            step = self.step_of(vertex) if owner == target else None
            if step:
                yield step

    def _merge(self, key: tuple[str, str], event: Vertex) -> bool:
        known = self.vertexes.get(key)
        if known is None:
            self.vertexes[key] = event
            return bool(event.started)
        merged = replace(
            event,
            # A vertex that starts again keeps its first start; its last end counts.
            started=known.started or event.started,
            completed=event.completed or known.completed,
            cached=event.cached or known.cached,
            error=event.error or known.error,
            inputs=event.inputs or known.inputs,
        )
        self.vertexes[key] = merged
        return (known.started is None) != (merged.started is None) or (
            (known.completed is None) != (merged.completed is None)
        )

    def _log(self, event: StepLog) -> None:
        *whole, rest = (self._open_lines.pop(event.vertex, "") + event.text).split("\n")
        kept = self.logs.setdefault(event.vertex, deque(maxlen=_KEPT_LINES))
        # A progress bar overwrites its line; what it showed last is the line.
        shown = [line.rstrip("\r").rpartition("\r")[2] for line in whole]
        kept.extend(shown)
        if self.hearing is not None:
            for line in shown:
                self.hearing(line)
        if rest:
            self._open_lines[event.vertex] = rest[-4096:]

    def _activity(self, event: Activity) -> None:
        match = _MANIFEST.fullmatch(event.text)
        if match and event.completed:
            is_list = bool(match["list"])
            # The index of several platforms comes after its manifests, and is the image.
            if is_list or not self._digests.get(event.vertex, (False, ""))[0]:
                self._digests[event.vertex] = (is_list, match["digest"])
