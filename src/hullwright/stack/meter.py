"""What containers use while they start, sampled: of one that has ended nothing is left to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.tools import cgroups, ports

if TYPE_CHECKING:
    from hullwright.stack.track import Track

# Between two samples: one takes 30 µs a container, so many of them are sampled less often.
_SAMPLE_S: Final = 0.05
_SAMPLE_EACH_S: Final = 0.005


@dataclass
class Meter:
    """Samples control groups, and finds processes by them without asking the engine.

    Attributes:
        next_at: when the next sample is due, epoch seconds.
    """

    # By container: its groups, and the start of the run that they are of.
    _groups: dict[str, tuple[float | None, cgroups.Group]] = field(default_factory=dict)
    # By container: seconds of processor time of its earlier runs.
    _before_s: dict[str, float] = field(default_factory=dict)
    _known: cgroups.Group | None = None
    next_at: float = 0.0

    def locate(self, track: Track) -> None:
        """Find the process of a container that has just started, where one was seen before it.

        All containers of an engine stand beside each other, so an inspection of one tells where
        the groups of all are.
        """
        if self._known is None or track.pid or not track.running:
            return
        group = self._known.beside(track.id)
        pid = group.process()
        if pid and ports.runs_container(pid, track.id):
            track.pid = pid
            self._take(track, group)

    def sample(self, tracks: list[Track], now: float) -> None:
        """Read what running containers have used, if it is time to."""
        unseen = [track for track in tracks if track.running and track.id not in self._groups]
        if now < self.next_at and not unseen:
            return
        running = [track for track in tracks if track.running] if now >= self.next_at else unseen
        if running is not unseen:
            self.next_at = now + max(_SAMPLE_S, _SAMPLE_EACH_S * len(tracks))
        for track in running:
            self._read(track)

    def _read(self, track: Track) -> None:
        started_at, group = self._groups.get(track.id, (None, None))
        if group is None or started_at != track.started_at:
            found = cgroups.of_process(track.pid, track.id) if track.pid else None
            if found is None:
                return
            self._known = self._known or found
            self._take(track, found)
            group = found
        usage = group.usage()
        if usage.peak_memory_bytes is not None:
            track.peak_memory_bytes = max(track.peak_memory_bytes or 0, usage.peak_memory_bytes)
        if usage.cpu_s is not None:
            track.cpu_s = self._before_s.get(track.id, 0.0) + usage.cpu_s

    def _take(self, track: Track, group: cgroups.Group) -> None:
        # Another run of the same container counts from nothing again.
        self._before_s[track.id] = track.cpu_s or 0.0
        self._groups[track.id] = (track.started_at, group)
