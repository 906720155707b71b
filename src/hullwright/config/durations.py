"""Durations as configuration writes them: `20s`, `1m30s`, `250ms`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from hullwright.errors import UsageError

_UNIT_MS: Final = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def parse_duration(text: str) -> timedelta:
    """Return the time that `text` writes as figures with units, the largest unit first.

    Raises:
        UsageError: a figure has no unit, or units repeat or are out of order.
    """
    parts = _PART.findall(text)
    order = [list(_UNIT_MS).index(unit) for _, unit in parts]
    whole = "".join(figure + unit for figure, unit in parts) == text.strip()
    if not parts or not whole or order != sorted(set(order)):
        raise UsageError(
            f'"{text}" is not a duration', why="expected figures with units: 20s, 1m30s or 250ms"
        )
    return timedelta(milliseconds=sum(float(figure) * _UNIT_MS[unit] for figure, unit in parts))


def duration_text(duration: timedelta) -> str:
    """Return a duration as configuration writes it; `parse_duration` gives the same back."""
    left_ms = round(duration / timedelta(milliseconds=1))
    written = ""
    for unit, unit_ms in _UNIT_MS.items():
        figure, left_ms = divmod(left_ms, unit_ms)
        written += f"{figure}{unit}" if figure else ""
    return written or "0s"
