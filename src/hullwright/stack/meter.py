"""What containers use while they start, sampled: of one that has ended nothing is left to read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.beside import repeated
from hullwright.tools import cgroups, ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.stack.track import Track
    from hullwright.stack.wait import Wait

# Between two samples: one takes 30 µs a container, so many of them are sampled less often.
_SAMPLE_S: Final = 0.05
_SAMPLE_EACH_S: Final = 0.0025


@dataclass
class Meter:
    """Samples control groups, and finds processes by them without asking the engine."""

    _known: cgroups.Group | None = None
    # By container: the run that was seen last, its processor time, and that of those before it.
    _runs: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    @contextmanager
    def sampling(self, wait: Wait) -> Iterator[None]:
        """Sample what a wait knows of while the block runs, and at its end.

        It has a thread of its own: a container may be gone before an inspection of another one
        has come back.
        """

        def sampled() -> float:
            self.sample(wait.live())
            return _pause_s(wait)

        try:
            with repeated(_pause_s(wait), sampled):
                yield
        finally:
            self.sample(wait.live())

    def locate(self, track: Track) -> None:
        """Find the process of a container that has just started.

        All containers of an engine stand beside each other, so an inspection of one tells where
        the groups of all are.
        """
        if not track.running:
            return
        if self._known is None and track.pid:
            self._known = cgroups.of_process(track.pid, track.id)
        group = self._group(track.id)
        if group is not None and not track.pid:
            pid = group.process()
            if pid and ports.runs_container(pid, track.id):
                track.pid = pid

    def sample(self, tracks: list[Track]) -> None:
        """Read what has been used until now by those that run."""
        for track in tracks:
            # One that was only created may run by now: its event is still on its way.
            group = self._group(track.id) if track.ended_at is None else None
            if group is not None:
                self._read(track, group)

    def _group(self, container: str) -> cgroups.Group | None:
        if self._known is None:
            self._known = cgroups.usual(container)
        return self._known and self._known.beside(container)

    def _read(self, track: Track, group: cgroups.Group) -> None:
        run, usage = group.run(), group.usage()
        if usage.peak_memory_bytes is not None:
            track.peak_memory_bytes = max(track.peak_memory_bytes or 0, usage.peak_memory_bytes)
        if usage.cpu_s is not None:
            # Another run of the same container counts from nothing again.
            last, used_s, before_s = self._runs.get(track.id, (run, 0.0, 0.0))
            before_s += used_s if run != last else 0.0
            self._runs[track.id] = (run, usage.cpu_s, before_s)
            track.cpu_s = before_s + usage.cpu_s


def _pause_s(wait: Wait) -> float:
    return max(_SAMPLE_S, _SAMPLE_EACH_S * len(wait.tracks))
