"""Budgets of images that were built: exceeded, written anew with a reason, and held then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from matrix import made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matrix import Matrix

pytestmark = pytest.mark.docker

BUDGETS = """\
# What is shipped is small.
budgets = [
  { metric = "unpacked", soft = "1kB", hard = "2kB" }, # of all platforms
  { metric = "visible", hard = "1GB" },
]
"""


@pytest.fixture
def built(busybox: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a repository of one service with budgets that its image exceeds."""
    matrix = made(tmp_path, 1)
    file = matrix.root / "hullwright.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}{BUDGETS}", encoding="utf-8")
    matrix.commit()
    try:
        matrix.run("build")
        yield matrix
    finally:
        matrix.remove()


def test_budgets_are_written_for_what_was_measured_and_hold_then(built: Matrix) -> None:
    file = built.root / "hullwright.toml"
    before = file.read_text(encoding="utf-8")
    over = built.run("sizes", code=1)
    assert "✗ s0 linux/amd64 is over its hard budget by" in over.stdout
    planned = built.run("--dry", "sizes", "--update-budgets", "--reason", "busybox is in it")
    assert "2 limits in hullwright.toml: busybox is in it" in planned.stdout
    assert file.read_text(encoding="utf-8") == before
    told = built.json("sizes", "--update-budgets", "--reason", "busybox is in it")
    (row,) = told["images"]
    after = file.read_text(encoding="utf-8")
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(changed) == 2
    assert changed[0].endswith("}, # of all platforms")
    assert changed[1].startswith("] # 20")
    assert changed[1].endswith(": busybox is in it")
    (held,) = built.json("sizes")["images"]
    assert (row["verdict"], held["verdict"]) == ("fail", "ok")
    limits = held["budgets"][0]
    assert limits["value"] < limits["soft"] < limits["hard"] < 1.2 * limits["value"]
    records = [record["data"] for record in built.json("history")["records"]]
    (update,) = [data["update"] for data in records if "update" in data]
    assert update["reason"] == "busybox is in it"
    assert [change["limit"] for change in update["changes"]] == ["soft", "hard"]
