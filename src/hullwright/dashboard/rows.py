"""What the page shows of a record's data: cells, read without trust in their shape.

The data of a record is whatever JSON its sender reported, perhaps a newer Hullwright, so each
value is taken only where it has the type that is expected.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.history import Record

_MOST_LINES: Final = 12
NONE: Final = "–"


def build_lines(record: Record) -> list[str]:
    """Return one line for each image of a build: its name, what became of it, cached steps."""
    return _capped(
        " · ".join(part for part in (_image(item), _text(item, "status"), _cached(item)) if part)
        for item in _items(record.data, "targets")
    )


def size_cells(record: Record) -> list[tuple[str, str, str, str]]:
    """Return image, platform, compressed and unpacked size of each image that was measured."""
    cells = [
        (
            _image(item) or _text(item, "reference"),
            _text(item, "platform") or NONE,
            _bytes(item, "compressed_bytes"),
            _bytes(item, "unpacked_bytes"),
        )
        for item in _items(record.data, "images")
    ]
    return cells[:_MOST_LINES]


def cold_start_lines(record: Record) -> list[str]:
    """Return one line for each service of a cold start, in the order in which they got there."""
    services = [
        service
        for run in _items(record.data, "runs")[-1:]
        for service in sorted(_items(run, "services"), key=_end_s)
    ]
    return _capped(
        " · ".join(part for part in (_text(service, "service"), _moment(service)) if part)
        for service in services
    )


def version(record: Record) -> str:
    """Return the version without what repeats the commit; that it was not clean is kept."""
    base, _, build = record.version.partition("+")
    return f"{base} dirty" if "dirty" in build.split(".") else base


def took(record: Record) -> str:
    """Return the seconds that count: of a cold start until all is healthy, else of the run."""
    totals = [_number(run, "total_s") for run in _items(record.data, "runs")[-1:]]
    total_s = totals[0] if totals else None
    return f"{record.duration_s:.1f} s" if total_s is None else f"{total_s:.2f} s"


def _items(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = data.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _capped(lines: Iterable[str]) -> list[str]:
    found = [line for line in lines if line]
    more = len(found) - _MOST_LINES
    return [*found[:_MOST_LINES], f"and {more} more"] if more > 0 else found


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _number(item: Mapping[str, Any], name: str) -> float | None:
    value = item.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _image(item: Mapping[str, Any]) -> str:
    return " ".join(part for part in (_text(item, "service"), _text(item, "target")) if part)


def _cached(item: Mapping[str, Any]) -> str:
    steps, cached = _number(item, "steps"), _number(item, "cached_steps")
    return f"{cached:.0f} of {steps:.0f} steps cached" if steps and cached is not None else ""


def _bytes(item: Mapping[str, Any], name: str) -> str:
    value = _number(item, name)
    return NONE if value is None or value < 0 else size_text(int(value))


def _end_s(item: Mapping[str, Any]) -> float:
    ends = (_number(item, "healthy_s"), _number(item, "ended_s"))
    return next((end for end in ends if end is not None), math.inf)


def _moment(item: Mapping[str, Any]) -> str:
    for name, told in (("healthy_s", "healthy"), ("ended_s", "ended")):
        value = _number(item, name)
        if value is not None:
            code = _number(item, "exit_code") if name == "ended_s" else None
            return f"{told}{'' if code is None else f' {code:.0f}'} at {value:.2f} s"
    return _text(item, "status")
