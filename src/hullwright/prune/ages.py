"""Ages as people write them: `7d`, `2w`, `12h`, `1d12h`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from hullwright.config.durations import parse_duration
from hullwright.errors import UsageError

_DAYS: Final = re.compile(r"(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?P<rest>.*)")
_HOUR_S: Final = 3600
_DAY_S: Final = 86400


def parse_age(text: str) -> timedelta:
    """Return the time of an age: figures with units, the largest unit first.

    Raises:
        UsageError: it cannot be read.
    """
    match = _DAYS.fullmatch(text.strip())
    weeks, days = (match["weeks"], match["days"]) if match else (None, None)
    rest = match["rest"] if match else text
    whole = timedelta(weeks=int(weeks or 0), days=int(days or 0))
    if rest or not (weeks or days):
        try:
            whole += parse_duration(rest)
        except UsageError:
            raise UsageError(
                f'"{text}" is not an age', why="expected figures with units: 7d, 2w or 12h"
            ) from None
    return whole


def age_text(seconds: float) -> str:
    """Return how long something is ago, in its largest unit: `3 d`, `5 h`, `12 min`."""
    if seconds >= 2 * _DAY_S:
        return f"{seconds // _DAY_S:.0f} d"
    if seconds >= _HOUR_S:
        return f"{seconds // _HOUR_S:.0f} h"
    return f"{max(0.0, seconds) // 60:.0f} min"
