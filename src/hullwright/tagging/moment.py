"""Dates in the format tokens that moment.js documents, in English.

Source: https://momentjs.com/docs/#/displaying/format/
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_HALF_DAY: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = datetime(1970, 1, 1, 0, 0, 0, 1000) - datetime(1970, 1, 1)  # noqa: DTZ001  only their difference counts
_TOKENS: Final = re.compile(
    r"\[[^\[\]]*\]|\\.|LTS|LT|L{1,4}|l{1,4}|Mo|M{1,4}|Qo|Q|Do|DDDo|D{1,4}|do|d{1,4}|e|E"
    r"|wo|ww|w|Wo|WW|W|Y{6}|YYYYY|YYYY|YY|Y|y{1,4}|N{1,5}|gg(?:ggg?)?|GG(?:GGG?)?"
    r"|A|a|HH|H|hmmss|hmm|Hmmss|Hmm|hh|h|kk|k|mm|m|ss|s|S{1,9}|zz?|ZZ?|X|x",
)
_LONG: Final[Mapping[str, str]] = {
    "LT": "h:mm A",
    "LTS": "h:mm:ss A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}


def formatted(moment: datetime, pattern: str | None = None, zone: str = "UTC") -> str:
    """Return a moment in a time zone; without a pattern in ISO 8601 with whole seconds.

    Raises:
        UsageError: the time zone is not known.
    """
    local = moment.astimezone(_zone(zone))
    if pattern is None:
        # A zone without an offset is written `Z`, as moment does for UTC.
        told = "[Z]" if not _offset_minutes(local) and zone.upper() == "UTC" else "Z"
        pattern = f"YYYY-MM-DDTHH:mm:ss{told}"
    pattern = re.sub(
        r"\[[^\[\]]*\]|\\.|LTS|LT|L{1,4}|l{1,4}",
        lambda found: _LONG.get(found[0], found[0]),
        pattern,
    )
    return _TOKENS.sub(lambda found: _written(local, found[0]), pattern)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f'the time zone "{name}" is not known',
            why="names are those of the tz database, such as Europe/Berlin",
            next_step="correct tz='…', or install the tz database (Debian: apt-get install tzdata)",
        ) from None


def _written(local: datetime, token: str) -> str:
    if token[0] == "[":
        return token[1:-1]
    if token[0] == "\\":
        return token[1:]
    if token[0] == "S":
        return f"{local.microsecond:06d}000"[: len(token)]
    if token in _MORE:
        return _MORE[token](local)
    return _PLAIN[token](local)


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _weekday(local: datetime) -> int:
    """Return the day of the week from Sunday, 0."""
    return local.isoweekday() % 7


def _us_week(local: datetime) -> tuple[int, int]:
    """Return year and week where weeks begin on Sunday and the first has 1 January in it."""
    # By the Saturday that ends the week: its year is the week's.
    saturday = local.toordinal() + 6 - _weekday(local)
    end = datetime.fromordinal(saturday)
    return end.year, (end.timetuple().tm_yday - 1) // 7 + 1


def _offset_minutes(local: datetime) -> int:
    offset = local.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def _offset(local: datetime, separator: str) -> str:
    minutes = _offset_minutes(local)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{separator}{abs(minutes) % 60:02d}"


def _twelve(local: datetime) -> int:
    return local.hour % _HALF_DAY or _HALF_DAY


def _half(local: datetime) -> str:
    return "am" if local.hour < _HALF_DAY else "pm"


def _year_day(local: datetime) -> int:
    return local.timetuple().tm_yday


def _quarter(local: datetime) -> int:
    return (local.month + 2) // 3


_PLAIN: Final[Mapping[str, Callable[[datetime], str]]] = {
    "M": lambda t: f"{t.month}",
    "Mo": lambda t: _ordinal(t.month),
    "MM": lambda t: f"{t.month:02d}",
    "MMM": lambda t: _MONTHS[t.month - 1][:3],
    "MMMM": lambda t: _MONTHS[t.month - 1],
    "Q": lambda t: f"{_quarter(t)}",
    "Qo": lambda t: _ordinal(_quarter(t)),
    "D": lambda t: f"{t.day}",
    "Do": lambda t: _ordinal(t.day),
    "DD": lambda t: f"{t.day:02d}",
    "DDD": lambda t: f"{_year_day(t)}",
    "DDDo": lambda t: _ordinal(_year_day(t)),
    "DDDD": lambda t: f"{_year_day(t):03d}",
    "d": lambda t: f"{_weekday(t)}",
    "do": lambda t: _ordinal(_weekday(t)),
    "dd": lambda t: _DAYS[_weekday(t)][:2],
    "ddd": lambda t: _DAYS[_weekday(t)][:3],
    "dddd": lambda t: _DAYS[_weekday(t)],
    "e": lambda t: f"{_weekday(t)}",
    "E": lambda t: f"{t.isoweekday()}",
    "YY": lambda t: f"{t.year % 100:02d}",
    "YYYY": lambda t: f"{t.year:04d}",
    "Y": lambda t: f"{t.year}",
    "A": lambda t: _half(t).upper(),
    "a": _half,
    "H": lambda t: f"{t.hour}",
    "HH": lambda t: f"{t.hour:02d}",
    "h": lambda t: f"{_twelve(t)}",
    "hh": lambda t: f"{_twelve(t):02d}",
    "k": lambda t: f"{t.hour or 24}",
    "kk": lambda t: f"{t.hour or 24:02d}",
    "m": lambda t: f"{t.minute}",
    "mm": lambda t: f"{t.minute:02d}",
    "s": lambda t: f"{t.second}",
    "ss": lambda t: f"{t.second:02d}",
    "z": lambda t: t.tzname() or "",
    "zz": lambda t: t.tzname() or "",
    "Z": lambda t: _offset(t, ":"),
    "ZZ": lambda t: _offset(t, ""),
    "X": lambda t: f"{int(t.timestamp())}",
    "x": lambda t: f"{(t.astimezone(UTC) - _EPOCH) // _MILLISECOND}",
}
_MORE: Final[Mapping[str, Callable[[datetime], str]]] = {
    "w": lambda t: f"{_us_week(t)[1]}",
    "wo": lambda t: _ordinal(_us_week(t)[1]),
    "ww": lambda t: f"{_us_week(t)[1]:02d}",
    "W": lambda t: f"{t.isocalendar().week}",
    "Wo": lambda t: _ordinal(t.isocalendar().week),
    "WW": lambda t: f"{t.isocalendar().week:02d}",
    "YYYYY": lambda t: f"{t.year:05d}",
    "YYYYYY": lambda t: f"+{t.year:06d}",
    **dict.fromkeys(("y", "yy", "yyy", "yyyy"), lambda t: f"{t.year}"),
    **dict.fromkeys(("N", "NN", "NNN", "NNNNN"), lambda _: "AD"),
    "NNNN": lambda _: "Anno Domini",
    "gg": lambda t: f"{_us_week(t)[0] % 100:02d}",
    "gggg": lambda t: f"{_us_week(t)[0]:04d}",
    "ggggg": lambda t: f"{_us_week(t)[0]:05d}",
    "GG": lambda t: f"{t.isocalendar().year % 100:02d}",
    "GGGG": lambda t: f"{t.isocalendar().year:04d}",
    "GGGGG": lambda t: f"{t.isocalendar().year:05d}",
    "hmm": lambda t: f"{_twelve(t)}{t.minute:02d}",
    "hmmss": lambda t: f"{_twelve(t)}{t.minute:02d}{t.second:02d}",
    "Hmm": lambda t: f"{t.hour}{t.minute:02d}",
    "Hmmss": lambda t: f"{t.hour}{t.minute:02d}{t.second:02d}",
}
