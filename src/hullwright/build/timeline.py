"""When each step of a build ran, by BuildKit's own clock, and which of them the end waited for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from hullwright.tools.buildx import StepName, Vertex, parse_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

# run: an instruction; source: what BuildKit fetches or reads for it; export: what it writes and
# uploads afterwards; cancelled: ended because something else failed or the run was interrupted.
StepKind = Literal["run", "cached", "source", "export", "failed", "cancelled"]

_CANCELLED: Final = re.compile(r"context canceled|CANCELED", re.IGNORECASE)
_EXPORT: Final = re.compile(
    r"(?:\[[^\]]+\] )?(?:exporting|writing|pushing|sending|importing to|unpacking|copying)\b|"
    r"(?:\[[^\]]+\] )?(?:merging|naming)\b"
)
# What a run begins with; a step shared with somebody else's build may say that it began before.
_READING: Final = re.compile(r"internal\] load .*\bdefinition")
_HEAD: Final = re.compile(r"\[(?P<words>[^\]]+)\] ?")
_SYSTEMS: Final = frozenset({"linux", "windows", "darwin", "freebsd", "wasi", "unknown"})
# BuildKit's clock and ours agree, but a vertex may be told of a moment after it began.
_SAME_MOMENT_S: Final = 0.002
_SHORTEST_WAIT_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What one bake run told of its steps.

    Attributes:
        targets: bake's names of what it built, as `Progress.targets`.
        vertexes: the last state of each by (target, digest), as `Progress.vertexes`.
        emulated: keys of the vertexes that ran foreign code through an emulator.
    """

    targets: tuple[str, ...]
    vertexes: Mapping[tuple[str, str], Vertex]
    emulated: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """Something that BuildKit did, in seconds since the first run began.

    Attributes:
        target: bake's name; empty for what a run does for all of its targets.
        platform: of the image that it is for; empty for what is done for all platforms.
        name: the instruction, or BuildKit's own words.
        place: such as `builder 3 of 9`; empty for what is no instruction.
        ready_s: when all that it waits for was there; `start_s` where it began at once.
        emulated: whether it ran foreign code through an emulator.
        critical: whether it is on the critical path.
        error: BuildKit's words on why it failed.
    """

    target: str
    platform: str
    name: str
    place: str
    kind: StepKind
    start_s: float
    end_s: float
    ready_s: float
    emulated: bool = False
    critical: bool = False
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end_s - self.start_s

    @property
    def waited_s(self) -> float:
        """How long it could have run, and did not."""
        return self.start_s - self.ready_s


@dataclass(frozen=True, slots=True)
class TimelineLane:
    """The steps of one target and platform, by their start.

    The platform is empty for what is done for all of a target's platforms, and where it has one.
    """

    target: str
    platform: str
    steps: tuple[TimelineStep, ...]

    @property
    def name(self) -> str:
        """What the lane is called."""
        return " ".join(part for part in (self.target or "bake", self.platform) if part)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A whole build.

    Attributes:
        lanes: by target, in the order of the runs, and by platform where it has several.
        critical_path: the chain of steps that the end waited for, first to last.
        total_s: from the first beginning to the last end.
    """

    lanes: tuple[TimelineLane, ...]
    critical_path: tuple[TimelineStep, ...]
    total_s: float


# A vertex of one of several runs.
_Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class _Node:
    """A vertex that ran: seconds since the origin, and what it waits for as BuildKit says."""

    key: _Key
    vertex: Vertex
    start_s: float
    end_s: float
    ended: bool
    named: StepName | None
    emulated: bool
    inputs: tuple[_Key, ...] = field(default=())


def timeline(runs: Sequence[RecordedRun]) -> Timeline:
    """Return when everything ran, of one bake run or of several that belong together.

    Steps that never began are left out; those that never ended last until the end of their run.
    """
    nodes = {node.key: node for node in _linked(list(_nodes(runs)))}
    critical = _path(nodes)
    steps = {key: _step(node, nodes, critical=key in critical) for key, node in nodes.items()}
    order = dict.fromkeys(("", *(target for run in runs for target in run.targets)))
    return Timeline(
        tuple(_lanes(steps.values(), tuple(order))),
        tuple(steps[key] for key in critical),
        max((node.end_s for node in nodes.values()), default=0.0),
    )


def _nodes(runs: Sequence[RecordedRun]) -> Iterator[_Node]:
    began = [_began(run.vertexes.values()) for run in runs]
    origin = min((moment for moment in began if moment), default=None)
    for index, (run, first) in enumerate(zip(runs, began, strict=True)):
        if origin is None or first is None:
            continue
        moments = [m for v in run.vertexes.values() for m in (v.started, v.completed) if m]
        last = max(moments)
        for (target, digest), vertex in run.vertexes.items():
            if vertex.started is None:
                continue
            start = max(vertex.started, first)
            end = max(vertex.completed or last, start)
            yield _Node(
                (index, target, digest),
                vertex,
                (start - origin).total_seconds(),
                (end - origin).total_seconds(),
                ended=vertex.completed is not None,
                named=parse_step(vertex.name, prefixed=len(run.targets) > 1),
                emulated=(target, digest) in run.emulated,
            )


def _began(vertexes: Iterable[Vertex]) -> datetime | None:
    """Return when a run began; see `Progress.seconds` for why this is when it read its files."""
    started = [(v.started, v.name) for v in vertexes if v.started]
    reading = [moment for moment, name in started if _READING.search(name)]
    return min(reading or [moment for moment, _ in started], default=None)


def _linked(nodes: Sequence[_Node]) -> Iterator[_Node]:
    """Yield the nodes with the keys of their inputs: their own target's, else another's."""
    owners: dict[tuple[int, str], list[_Key]] = {}
    for node in nodes:
        owners.setdefault((node.key[0], node.key[2]), []).append(node.key)
    for node in nodes:
        run, target, _ = node.key
        found = []
        for digest in node.vertex.inputs:
            keys = owners.get((run, digest), [])
            found += [key for key in keys if key[1] == target] or keys[:1]
        yield replace(node, inputs=tuple(found))


def _before(node: _Node, nodes: Mapping[_Key, _Node]) -> _Key | None:
    """Return what a vertex waited for last: of its inputs, or of what came before it.

    BuildKit links instructions only. What it does of itself, such as an export or reading a file,
    waits for whatever its target did last; the first of a run, for the run before.
    """
    if node.inputs:
        return max(node.inputs, key=lambda key: nodes[key].end_s)
    run, target, _ = node.key
    done = [
        other
        for other in nodes.values()
        if other.key != node.key and other.end_s <= node.start_s + _SAME_MOMENT_S
    ]
    own = [other for other in done if other.key[0] == run and other.key[1] in {target, ""}]
    earlier = [other for other in done if other.key[0] < run]
    latest = max(own or earlier, key=lambda other: other.end_s, default=None)
    return latest.key if latest else None


def _path(nodes: Mapping[_Key, _Node]) -> tuple[_Key, ...]:
    """Return the keys of the chain that ends last, first to last."""
    # What was ended because something failed did not decide when the build ended.
    failed = [node for node in nodes.values() if node.vertex.error and not _cancelled(node)]
    ends = [node for node in nodes.values() if not (failed and _cancelled(node))]
    last = max(ends, key=lambda node: (node.end_s, node.start_s), default=None)
    found: dict[_Key, None] = {}
    key = last.key if last else None
    while key is not None and key not in found:
        found[key] = None
        key = _before(nodes[key], nodes)
    return tuple(reversed(found))


def _step(node: _Node, nodes: Mapping[_Key, _Node], *, critical: bool) -> TimelineStep:
    _, target, _ = node.key
    ready_s = max((nodes[key].end_s for key in node.inputs), default=node.start_s)
    waited = node.start_s - ready_s >= _SHORTEST_WAIT_S
    name = node.named
    return TimelineStep(
        target=target,
        platform=_platform(node.vertex.name, name),
        name=name.brief if name else _HEAD.sub("", node.vertex.name),
        place=f"{name.stage} {name.number} of {name.total}".strip() if name else "",
        kind=_kind(node),
        start_s=node.start_s,
        end_s=node.end_s,
        ready_s=ready_s if waited else node.start_s,
        emulated=node.emulated,
        critical=critical,
        error=node.vertex.error,
    )


def _kind(node: _Node) -> StepKind:
    vertex = node.vertex
    if _cancelled(node):
        return "cancelled"
    if vertex.error:
        return "failed"
    if _EXPORT.match(vertex.name):
        return "export"
    if vertex.cached:
        return "cached"
    own = node.named is not None and not node.named.instruction.startswith("FROM ")
    return "run" if own else "source"


def _cancelled(node: _Node) -> bool:
    return not node.ended or bool(_CANCELLED.search(node.vertex.error))


def _platform(vertex_name: str, name: StepName | None) -> str:
    """Return the platform of the image that a step is for; of a cross-compiling one, the goal."""
    written = name.platform if name else _own_platform(vertex_name)
    system, arrow, goal = written.partition("->")
    if not arrow:
        return written
    # `linux/amd64->arm64`: the system is written once where it stays the same.
    return goal if goal.split("/")[0] in _SYSTEMS else f"{system.split('/')[0]}/{goal}"


def _own_platform(vertex_name: str) -> str:
    """Return the platform of what BuildKit does of itself; reading is for all of a target."""
    head = _HEAD.match(vertex_name)
    words = head["words"].split() if head else []
    if "internal" in words:
        return ""
    known = [word for word in words if word.split("/")[0] in _SYSTEMS and "/" in word]
    return known[0] if known else ""


def _lanes(steps: Iterable[TimelineStep], targets: Sequence[str]) -> Iterator[TimelineLane]:
    """Yield the lanes by target; one that is built for a single platform has one lane."""
    of_target: dict[str, list[TimelineStep]] = {target: [] for target in targets}
    for step in sorted(steps, key=lambda step: (step.start_s, step.end_s)):
        of_target[step.target].append(step)
    for target, own in of_target.items():
        platforms = {step.platform for step in own}
        if len(platforms - {""}) > 1:
            for platform in sorted(platforms):
                lane = tuple(step for step in own if step.platform == platform)
                yield TimelineLane(target, platform, lane)
        elif own:
            yield TimelineLane(target, "", tuple(own))
