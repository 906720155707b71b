"""The other stages of the root Dockerfile: development restarts, test tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import docker

from .conftest import VERSION, built

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Containers

pytestmark = pytest.mark.docker

STARTED = "Started server process"


def test_the_development_stage_restarts_when_a_source_changes(
    python_image: str, snapshot: Path, containers: Containers
) -> None:
    with built(snapshot, "development", VERSION) as image:
        container = containers.run(
            *("--read-only", "--tmpfs=/tmp", f"--volume={snapshot}/src:/app/src:ro"),
            *("--env=HULLWRIGHT_DATABASE_HOST=127.0.0.1", "--env=HULLWRIGHT_DATABASE_PASSWORD=p"),
            *("--env=HULLWRIGHT_HISTORY_TOKEN=a-token-of-the-tests", "--entrypoint=python", image),
            *("-m", "uvicorn", "--factory", "hullwright.dashboard.reloading:application"),
            *("--reload", "--reload-dir=/app/src", "--port=8080"),
        )
        containers.until(container, STARTED)
        (snapshot / "src/hullwright/dashboard/page.py").touch()
        containers.until(container, STARTED, 2)
        containers.remove(container)


def test_a_failing_unit_test_fails_the_test_stage(python_image: str, snapshot: Path) -> None:
    """One test stands for all of them: what runs in the container is what the stage copied."""
    broken = snapshot / "tests/unit"
    kept = snapshot / "tests/kept"
    broken.rename(kept)
    try:
        broken.mkdir()
        (broken / "test_one.py").write_text("def test_one() -> None:\n    assert 1 == 1\n")
        with built(snapshot, "test", VERSION) as image:
            done = docker("run", "--rm", "--network=none", image)
            assert "1 passed" in done
        (broken / "test_one.py").write_text("def test_one() -> None:\n    assert 1 == 2\n")
        with (
            pytest.raises(AssertionError, match="did not complete successfully"),
            built(snapshot, "test", VERSION),
        ):
            pass
    finally:
        for left in broken.iterdir():
            left.unlink()
        broken.rmdir()
        kept.rename(broken)
