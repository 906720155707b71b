"""Dates by the tokens of moment.js; what is expected was said by moment itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tagging.moment import formatted

LAST_DAY = datetime(2023, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
MORNING = datetime(2020, 1, 10, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("YYYYMMDD-HHmmss", "20231231-235959"),
        ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2023-12-31T23:59:59.999Z"),
        ("dddd, MMMM Do YYYY, h:mm:ss a", "Sunday, December 31st 2023, 11:59:59 pm"),
        ("ddd dd d do e E", "Sun Su 0 0th 0 7"),
        ("M Mo MM MMM Q Qo", "12 12th 12 Dec 4 4th"),
        ("D DDD DDDD DDDo", "31 365 365 365th"),
        ("w ww W WW gggg GGGG gg GG", "1 01 52 52 2024 2023 24 23"),
        ("YY Y YYYYYY", "23 2023 +002023"),
        ("H HH h hh k kk A", "23 23 11 11 23 23 PM"),
        ("X x", "1704067199 1704067199999"),
        ("Z ZZ z", "+00:00 +0000 UTC"),
        ("LT LTS L LL", "11:59 PM 11:59:59 PM 12/31/2023 December 31, 2023"),
        ("S SS SSSS", "9 99 9990"),
        ("[at] HH [o'clock]", "at 23 o'clock"),
        ("hmm Hmmss", "1159 235959"),
    ],
)
def test_each_token_is_written_as_moment_does(pattern: str, expected: str) -> None:
    assert formatted(LAST_DAY, pattern) == expected


def test_a_time_zone_moves_the_day() -> None:
    assert formatted(MORNING, "YYYYMMDD-HHmmss Z z", "Asia/Tokyo") == "20200110-093000 +09:00 JST"
    assert formatted(MORNING, "YYYYMMDD Z", "America/New_York") == "20200109 -05:00"


def test_without_a_pattern_it_is_iso_8601() -> None:
    assert formatted(MORNING) == "2020-01-10T00:30:00Z"
    assert formatted(MORNING, zone="Asia/Tokyo") == "2020-01-10T09:30:00+09:00"


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", ""])
def test_an_unknown_time_zone_is_told(zone: str) -> None:
    with pytest.raises(UsageError) as raised:
        formatted(MORNING, "YYYY", zone)
    assert raised.value.exit_code == ExitCode.USAGE
    assert f'the time zone "{zone}" is not known' in str(raised.value)
