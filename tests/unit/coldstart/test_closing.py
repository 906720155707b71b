"""What a series leaves behind when it is over, or is interrupted."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.coldstart import Request, lifetime
from hullwright.coldstart.repeated import Series
from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("keep", "runs", "said"),
    [
        (
            True,
            0,
            (
                "left running; look: docker compose -p shop-cold ps"
                " · remove: docker compose -p shop-cold down --volumes"
            ),
        ),
        # The result itself tells of it.
        (True, 1, ""),
        (False, 0, ""),
    ],
)
def test_what_is_kept_without_a_result_says_how_it_is_removed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keep: bool,  # noqa: FBT001  a parameter of the test
    runs: int,
    said: str,
) -> None:
    removed: list[object] = []
    monkeypatch.setattr(lifetime, "remove", lambda _, started: removed.append(started))
    out = io.StringIO()
    ws = Workspace(tmp_path, Config("x"), Runner({}), Console({}, out=out, err=out), {})
    cold: Any = SimpleNamespace(up=SimpleNamespace(project="shop-cold"))
    started: Any = "started"
    series = Series(ws, cold, started, Request(keep=keep), "")
    run: Any = SimpleNamespace(failures=())
    series.runs.extend([run] * runs)
    series.close()
    assert removed == ([] if keep else ["started"])
    assert said in out.getvalue()
    assert bool(said) == bool(out.getvalue())
