"""A time axis: where its marks stand, and how seconds are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_MARKS: Final = 8
_STEPS_S: Final = (
    *(base * 10.0**power for power in range(-3, 1) for base in (1, 2, 5)),
    *(
        10.0,
        20.0,
        30.0,
        60.0,
        120.0,
        300.0,
        600.0,
        1200.0,
        1800.0,
        3600.0,
        7200.0,
        21600.0,
        86400.0,
    ),
)
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis: its seconds, and what stands there."""

    at_s: float
    text: str


def marks(total_s: float) -> tuple[Mark, ...]:
    """Return at most eight marks at even distances, from 0 to the end at most."""
    if total_s <= 0:
        return (Mark(0.0, "0 s"),)
    step = next((step for step in _STEPS_S if total_s / step < _MOST_MARKS), 0.0)
    if not step:
        step = -(-total_s // (_STEPS_S[-1] * (_MOST_MARKS - 1))) * _STEPS_S[-1]
    count = int(total_s / step + 1e-9) + 1
    return tuple(Mark(step * i, _mark_text(step * i, step)) for i in range(count))


def seconds_text(seconds: float) -> str:
    """Return a time with its unit: `<1 ms`, `1.42 s`, `12.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if 0 < seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE_S - 0.05:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02d} s"
    minutes = round(seconds / _MINUTE_S)
    return f"{minutes // _MINUTE_S} h {minutes % _MINUTE_S:02d} min"


def _mark_text(at_s: float, step_s: float) -> str:
    if at_s < _MINUTE_S and step_s < _MINUTE_S:
        places = max(0, next(n for n in range(5) if round(step_s * 10**n, 6) % 1 == 0))
        return f"{at_s:.{places}f} s"
    hours, rest = divmod(round(at_s), _HOUR_S)
    minutes, seconds = divmod(rest, _MINUTE_S)
    if step_s < _MINUTE_S:
        return f"{hours * 60 + minutes}:{seconds:02d} min"
    return f"{hours}:{minutes:02d} h" if hours else f"{minutes} min"
