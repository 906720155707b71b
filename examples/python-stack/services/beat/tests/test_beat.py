"""The schedule: what is asked for, and what counts as a sign of life."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
from celery.signals import after_task_publish

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("REDIS_PASSWORD", "secret")
    return importlib.import_module("beat.schedule")


def test_what_is_due_is_looked_at_every_second(schedule: ModuleType) -> None:
    [entry] = schedule.app.conf.beat_schedule.values()
    assert (entry["task"], entry["schedule"]) == ("nudge.sweep", 1.0)
    assert entry["options"]["expires"] > entry["schedule"]


def test_only_what_reached_the_queue_is_a_sign_of_life(
    schedule: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "ALIVE", tmp_path / "beat")
    assert not schedule.ALIVE.exists()
    after_task_publish.send(sender="nudge.sweep", headers={}, body=())
    assert schedule.ALIVE.exists()
