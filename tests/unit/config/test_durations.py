"""Durations: what is written reads back, and what cannot be meant is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.config.durations import duration_text, parse_duration
from hullwright.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20s", 20),
        ("1m30s", 90),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("2h", 7200),
        ("1h2m3s4ms", 3723.004),
        (" 5s ", 5),
        ("0s", 0),
    ],
)
def test_figures_with_units_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "20", "s", "20 s", "1s1m", "1s2s", "-1s", "1d", "1s and more", "s20"]
)
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration") as raised:
        parse_duration(text)
    assert f'"{text}"' in str(raised.value)


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_reads_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(duration_text(duration)) == duration
