"""What a team watches of a service: told by builds and cold starts, and by nothing that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hullwright.errors import UsageError
from hullwright.history import append, watched
from hullwright.history.figures import figures
from recording import record, workspace

if TYPE_CHECKING:
    from pathlib import Path


def built(minute: int, *targets: dict[str, Any]) -> Any:
    plain = {"service": "api", "target": "production", "status": "built"}
    return record("build", minute=minute, data={"targets": [{**plain, **each} for each in targets]})


def cold(minute: int, *runs: dict[str, Any], verdict: str = "healthy") -> Any:
    told = [{"services": [{"service": "api", **run}]} for run in runs]
    return record("cold-start", minute=minute, data={"verdict": verdict, "runs": told})


def told(*records: Any, plain: dict[str, str] | None = None) -> dict[str, tuple[float, ...]]:
    found = figures(records, plain or {})
    return {f"{each.service}: {each.figure}": each.values for each in found}


def test_a_build_tells_time_cache_and_sizes_the_oldest_first() -> None:
    sizes = [{"unpacked_bytes": 6, "compressed_bytes": 2}, {"unpacked_bytes": 7}]
    assert told(
        built(9, {"seconds": 3.0, "steps": 8, "cached_steps": 6, "sizes": sizes}),
        built(1, {"seconds": 12.5, "steps": 8, "cached_steps": 0}),
    ) == {
        "api: build time": (12.5, 3.0),
        "api: cache hits": (0.0, 0.75),
        "api: unpacked": (7.0,),
        "api: compressed": (2.0,),
    }


@pytest.mark.parametrize("status", ["current", "failed", "skipped"])
def test_an_image_that_was_not_built_has_no_figures(status: str) -> None:
    assert told(built(1, {"status": status, "seconds": 1.0, "steps": 3, "cached_steps": 1})) == {}


def test_another_stage_than_the_default_one_is_told_apart() -> None:
    row = {"seconds": 1.0, "target": "development"}
    assert list(told(built(1, row), plain={"api": "production"})) == ["api development: build time"]
    assert list(told(built(1, row), plain={"api": "development"})) == ["api: build time"]


def test_a_cold_start_tells_the_median_of_its_runs() -> None:
    runs = [
        {"started_s": 0.5, "ready_s": ready, "peak_memory_bytes": 10, "cpu_s": 0.2}
        for ready in (0.75, 1.0, 1.5)
    ]
    assert told(cold(1, *runs)) == {
        "api: start-up time": (0.5,),
        "api: memory": (10.0,),
        "api: CPU": (0.2,),
    }


def test_what_failed_or_is_not_known_tells_nothing() -> None:
    unknown = {"started_s": None, "ready_s": 1.0, "peak_memory_bytes": None, "cpu_s": None}
    assert told(cold(1, unknown)) == {}
    assert told(cold(1, {"started_s": 0.0, "ready_s": 1.0}, verdict="failed")) == {}
    assert told(record("up"), record("build", data={"targets": "none"})) == {}


def test_services_are_chosen_and_unknown_ones_refused(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    append(ws, built(1, {"seconds": 1.0}, {"service": "web", "seconds": 2.0}))
    append(ws, built(2, {"seconds": 4.0}))
    assert [each.values for each in watched(ws).figures] == [(1.0, 4.0), (2.0,)]
    assert [each.values for each in watched(ws, limit=1).figures] == [(4.0,)]
    assert [each.service for each in watched(ws, services=["web"]).figures] == ["web"]
    with pytest.raises(UsageError, match=r'"wbe".*did you mean "web"'):
        watched(ws, services=["wbe"])
