"""How a figure of a kind of run moved: picked out of the records' data, one series for like runs.

A kind without an entry in `FIGURES` has no trend.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hullwright.history.record import Record

# So many of the newest are what a run is held against.
_USUAL_RUNS: Final = 10
_NAMED_IMAGES: Final = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """What is followed of a kind of run.

    Attributes:
        name: what it is, for people and as the machines' key.
        unit: of the figure: `s` or `MB`.
        series: which runs can be compared with each other: those of one name.
        value: the figure; None where a run came to none.
        verdict: what came of the run, in a word.
    """

    name: str
    unit: str
    series: Callable[[Mapping[str, Any]], str]
    value: Callable[[Mapping[str, Any]], float | None]
    verdict: Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Point:
    """One record of a trend; its value is None where the run came to none."""

    record: Record
    value: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Trend:
    """Records that can be compared, the oldest first.

    Attributes:
        series: what they have in common, such as the stack.
        figure: what is followed.
        points: one for each record.
    """

    series: str
    figure: Figure
    points: tuple[Point, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The figures, of runs that came to one."""
        return tuple(point.value for point in self.points if point.value is not None)


@dataclass(frozen=True, slots=True)
class Usual:
    """What like runs came to: how many, their median, and the branch where it is of one only."""

    runs: int
    median: float
    branch: str = ""


def trends(kind: str | None, records: Iterable[Record]) -> tuple[Trend, ...]:
    """Return the trends of records of one kind, the one with the newest record first.

    Args:
        kind: of the records; None, or one that has no figure, has no trend.
        records: the newest first.
    """
    figure = FIGURES.get(kind or "")
    if figure is None:
        return ()
    series: dict[str, list[Point]] = {}
    for record in records:
        name = figure.series(record.data)
        # A run that broke off before it began tells nothing of what it was.
        if name:
            point = Point(record, figure.value(record.data), figure.verdict(record.data))
            series.setdefault(name, []).append(point)
    return tuple(Trend(name, figure, tuple(reversed(each))) for name, each in series.items())


def usual(
    kind: str, records: Iterable[Record], like: Mapping[str, Any], branch: str = ""
) -> Usual | None:
    """Return what the newest like runs came to; None where there are none.

    Args:
        kind: of the records.
        records: the newest first.
        like: data of the run that is to be compared with them.
        branch: if any of them are of it, only those count.
    """
    figure = FIGURES[kind]
    name = figure.series(like)
    found = [record for record in records if figure.series(record.data) == name]
    known = [each for each in found if figure.value(each.data) is not None]
    on_branch = [each for each in known if branch and each.data.get("branch") == branch]
    values = [figure.value(each.data) for each in (on_branch or known)[:_USUAL_RUNS]]
    told = [value for value in values if value is not None]
    if not told:
        return None
    return Usual(len(told), statistics.median(told), branch if on_branch else "")


def _started(data: Mapping[str, Any]) -> str:
    """Return what a cold start was of: the stack, and how it was started where that matters."""
    if not data.get("stack"):
        return ""
    only, profiles = data.get("only") or (), data.get("profiles") or ()
    told = [
        f"only {', '.join(map(str, only))}" if only else "",
        f"profile {', '.join(map(str, profiles))}" if profiles else "",
        "warm volumes" if data.get("warm_volumes") else "",
        "" if data.get("fast_probes", True) else "probes as configured",
    ]
    return ", ".join([str(data["stack"]), *(each for each in told if each)])


def _median_s(data: Mapping[str, Any]) -> float | None:
    """Return a cold start's median; one that failed took a time that means nothing."""
    value = data.get("median_s")
    known = isinstance(value, int | float) and data.get("verdict") != "failed"
    return float(value) if known and value is not None else None


def _verdict(data: Mapping[str, Any]) -> str:
    return str(data.get("verdict") or "")


def _images(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = data.get("images")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _measured(data: Mapping[str, Any]) -> str:
    """Return which images were measured: runs of the same ones can be compared."""
    names = [f"{_image(row)} {row.get('platform') or ''}".rstrip() for row in _images(data)]
    more = len(names) - _NAMED_IMAGES
    told = names[:_NAMED_IMAGES] + ([f"and {more} more"] if more > 0 else [])
    return ", ".join(told)


def _image(row: Mapping[str, Any]) -> str:
    """Return a service and its stage, or the repository of an image that is of none."""
    if row.get("service"):
        return " ".join(str(row[key]) for key in ("service", "target") if row.get(key))
    head, slash, last = str(row.get("reference") or "").partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _unpacked_mb(data: Mapping[str, Any]) -> float | None:
    """Return what all images of a run unpack to; None where one of them is not known."""
    values = [row.get("unpacked_bytes") for row in _images(data)]
    known = [value for value in values if isinstance(value, int | float)]
    return sum(known) / 1_000_000 if known and len(known) == len(values) else None


def _worst(data: Mapping[str, Any]) -> str:
    verdicts = {row.get("verdict") for row in _images(data)}
    return next((each for each in ("fail", "warn", "ok") if each in verdicts), "")


FIGURES: Final[Mapping[str, Figure]] = {
    "cold-start": Figure("median", "s", _started, _median_s, _verdict),
    "sizes": Figure("unpacked", "MB", _measured, _unpacked_mb, _worst),
}
