"""Budgets before the tags of a push: what is over a hard one is no release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .conftest import Yard, yard_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.fixture
def one(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of one service."""
    with yard_in(tmp_path, 1) as made_yard:
        yield made_yard


def limit(yard: Yard, *budgets: str, more: str = "") -> None:
    """Give the last service these budgets, and commit them."""
    file = yard.matrix.root / "hullwright.toml"
    text = file.read_text(encoding="utf-8").partition("budgets = ")[0]
    kept = ", ".join(f"{{ {budget} }}" for budget in budgets)
    file.write_text(f"{text}budgets = [{kept}]\n{more}", encoding="utf-8")
    yard.matrix.commit()


def test_an_image_over_a_hard_budget_gets_no_tag_and_no_gate(yard: Yard) -> None:
    gate = '[push]\ngates = ["touch gated"]\n'
    limit(yard, 'metric = "unpacked", hard = "1kB"', 'metric = "layers", hard = 99', more=gate)
    told = yard.push(code=1)
    assert "s1 linux/amd64 is over its hard budget by" in told, told
    assert "so no release tag was changed" in told
    assert "invoke sizes --deep --service s1" in told
    assert yard.all_tags() == {}
    assert not (yard.matrix.root / "gated").exists()
    (record, *_) = yard.matrix.json("history")["records"][-1:]
    assert (record["kind"], record["status"]) == ("push", "failed")


def test_a_refused_push_is_told_to_machines_too(one: Yard, tmp_path: Path) -> None:
    limit(one, 'metric = "visible", hard = "1kB"')
    summary = tmp_path / "summary.md"
    done = one.matrix.run("push", "--format", "json", code=1, GITHUB_STEP_SUMMARY=str(summary))
    told = json.loads(done.stdout)
    assert (told["pushed"], told["tags"]) == (False, [])
    assert told["failure"].startswith("s0 linux/amd64 is over its hard budget by")
    (image,) = told["images"]
    (row,) = image["sizes"]
    assert row["verdict"] == "fail"
    assert row["budgets"][0]["exceeded"] == "hard"
    assert row["budgets"][0]["value"] == row["visible_bytes"] > 1000
    assert f"✗ {told['failure']}" in summary.read_text(encoding="utf-8")
    assert "s0 linux/amd64 is over its hard budget" in done.stderr


def test_a_soft_budget_warns_and_lets_the_release_through(one: Yard) -> None:
    limit(one, 'metric = "compressed", soft = "1kB", hard = "1GB"')
    told = one.push()
    assert "s0 linux/amd64 is over its soft budget by" in told
    assert len(one.all_tags()) == 3
    again = one.matrix.json("push")
    assert again["images"][0]["sizes"][0]["verdict"] == "warn"


def test_a_dry_push_says_that_budgets_will_be_held(one: Yard) -> None:
    limit(one, 'metric = "unpacked", hard = "1kB"', 'metric = "layers", soft = 1')
    assert "\nbudgets  s0: unpacked, layers\n" in one.push("--dry")


GROWTH = 'metric = "unpacked", hard = "100MB", own-growth = "10kB"'
RELEASES = 'tags = [{ type = "semver", pattern = "{{version}}" }, { type = "sha" }]\n'


def test_growth_is_held_against_the_last_release(busybox: str, tmp_path: Path) -> None:
    with yard_in(tmp_path, 1, tags=RELEASES) as one:
        limit(one, GROWTH)
        one.matrix.repository.git("tag", "v1.1.0")
        # Before the first release that was pushed there is nothing to compare with.
        first = one.push()
        assert "own growth was not judged: there is no image of s0 at release" in first, first
        one.matrix.steps("s0", "head -c 20000 /bin/busybox > /grown")
        one.matrix.commit()
        before = one.all_tags()
        told = one.push(code=1)
        assert "s0 linux/amd64 is over its budget of own growth by 10." in told, told
        assert "RUN sh /s0.sh" in told
        assert one.all_tags() == before
        one.matrix.steps("s0", "head -c 5000 /bin/busybox > /grown")
        one.matrix.commit()
        row = one.matrix.json("push")["images"][0]["sizes"][0]
        assert 5000 <= row["budgets"][0]["growth"] < 6000
        assert row["compared"]["asked"] == "release"


def test_what_only_the_registry_has_is_read_there(one: Yard, tmp_path: Path) -> None:
    one.push()
    one.matrix.remove()
    limit(one, 'metric = "unpacked", hard = "1kB"')
    cache = str(tmp_path / "empty")
    told = one.push(code=1, XDG_CACHE_HOME=cache)
    assert "s0 linux/amd64 is over its hard budget by" in told
    assert one.matrix.images() == []
