"""What a team watches of each service, out of the records of its builds and cold starts.

Times are seconds, sizes and memory are bytes, cache hits are the share of steps from 0 to 1.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from hullwright.errors import unknown
from hullwright.history.store import list_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.history.record import Record
    from hullwright.workspace import Workspace

Unit = Literal["s", "share", "bytes"]
# In the order in which they are shown.
FIGURES: Final[Mapping[str, Unit]] = {
    "build time": "s",
    "cache hits": "share",
    "unpacked": "bytes",
    "compressed": "bytes",
    "start-up time": "s",
    "memory": "bytes",
    "CPU": "s",
}


@dataclass(frozen=True, slots=True)
class ServiceFigure:
    """One figure of a service over its runs.

    Attributes:
        service: of a build, with its stage where that is not the default one; or of a stack.
        figure: a key of `FIGURES`.
        values: one for each run that came to one, the oldest first; never empty.
    """

    service: str
    figure: str
    values: tuple[float, ...]

    @property
    def unit(self) -> Unit:
        """What the values are counted in."""
        return FIGURES[self.figure]

    @property
    def newest(self) -> float:
        """The value of the last run."""
        return self.values[-1]

    @property
    def median(self) -> float:
        """The median over all runs that are shown."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Watched:
    """The figures of services, by service and in the order of `FIGURES`."""

    figures: tuple[ServiceFigure, ...] = ()


def watched(ws: Workspace, limit: int | None = None, services: Sequence[str] = ()) -> Watched:
    """Return the figures of services over the newest builds and cold starts.

    Args:
        ws: the repository.
        limit: how many builds, and how many cold starts, are looked at.
        services: which are told of; empty means all.

    Raises:
        UsageError: a service was never built and never started.
    """
    records = [*list_records(ws, "build", limit), *list_records(ws, "cold-start", limit)]
    plain = {name: service.default_target for name, service in ws.config.services.items()}
    found = figures(records, plain)
    known = {each.service.partition(" ")[0] for each in found}
    for name in services:
        if name not in known:
            raise unknown("service", name, known)
    kept = (each for each in found if not services or each.service.partition(" ")[0] in services)
    return Watched(tuple(kept))


def figures(records: Iterable[Record], plain: Mapping[str, str]) -> tuple[ServiceFigure, ...]:
    """Return the figures that records hold, by service.

    Args:
        records: of any kinds; the order does not matter.
        plain: the stage of each service that is told without its name.
    """
    values: dict[tuple[str, str], list[float]] = {}
    for record in sorted(records, key=lambda each: each.at):
        told = _BY_KIND.get(record.kind, _nothing)(record.data, plain)
        for service, figure, value in told:
            values.setdefault((service, figure), []).append(value)
    order = list(FIGURES)
    keys = sorted(values, key=lambda key: (key[0], order.index(key[1])))
    return tuple(ServiceFigure(*key, tuple(values[key])) for key in keys)


_Told = tuple[str, str, float]


def _nothing(_data: Mapping[str, Any], _plain: Mapping[str, str]) -> Iterator[_Told]:
    return iter(())


def _built(data: Mapping[str, Any], plain: Mapping[str, str]) -> Iterator[_Told]:
    """Yield what a build says; an image that was not built has no time, and no steps."""
    for row in _rows(data.get("targets")):
        if row.get("status") != "built" or not row.get("service"):
            continue
        service, stage = str(row["service"]), str(row.get("target") or "")
        name = service if stage in {"", plain.get(service, "production")} else f"{service} {stage}"
        steps, cached = _number(row.get("steps")), _number(row.get("cached_steps"))
        sizes = _rows(row.get("sizes"))
        told = {
            "build time": _number(row.get("seconds")),
            "cache hits": cached / steps if steps and cached is not None else None,
            "unpacked": _largest(size.get("unpacked_bytes") for size in sizes),
            "compressed": _largest(size.get("compressed_bytes") for size in sizes),
        }
        yield from ((name, figure, value) for figure, value in told.items() if value is not None)


def _started(data: Mapping[str, Any], _plain: Mapping[str, str]) -> Iterator[_Told]:
    """Yield what a cold start says: the median over its runs, and nothing of one that failed."""
    found: dict[tuple[str, str], list[float]] = {}
    runs = _rows(data.get("runs")) if data.get("verdict") != "failed" else []
    for row in (row for run in runs for row in _rows(run.get("services"))):
        started, ready = _number(row.get("started_s")), _number(row.get("ready_s"))
        told = {
            "start-up time": ready - started if ready is not None and started is not None else None,
            "memory": _number(row.get("peak_memory_bytes")),
            "CPU": _number(row.get("cpu_s")),
        }
        for figure, value in told.items():
            if value is not None and row.get("service"):
                found.setdefault((str(row["service"]), figure), []).append(value)
    for (service, figure), values in found.items():
        yield service, figure, statistics.median(values)


_BY_KIND: Final = {"build": _built, "cold-start": _started}


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _largest(values: Iterable[object]) -> float | None:
    known = [value for value in map(_number, values) if value is not None]
    return max(known, default=None)
