"""One release by several runners: each pushes a part, and one that built nothing joins them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .conftest import Yard, yard_in
from .parting import BOTH, PLATFORMS, part, prepared, rows, runner, statuses, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.fixture
def yard(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of two services for two platforms."""
    with yard_in(tmp_path, 2, configuration=PLATFORMS) as made:
        yield prepared(made)


def test_three_runners_make_one_release(yard: Yard, tmp_path: Path) -> None:
    first, second, third = (runner(yard, tmp_path, name) for name in ("one", "two", "three"))
    amd = told(first, "--part", "--platform", "linux/amd64")
    assert (amd["pushed"], amd["part"], amd["tags"]) == (False, "linux/amd64", [])
    assert statuses(amd) == {"s0": "built", "s1": "built"}
    early = third.matrix.run("push", "--join", code=1)
    assert "2 parts are not in the registry, so no tag was changed" in early.stderr
    assert "invoke push --part --platform linux/arm64 --service s0,s1" in early.stderr
    assert yard.all_tags() == {}
    told(second, "--part", "--platform", "linux/arm64")
    assert yard.all_tags() == {}
    third.matrix.remove()
    joined = told(third, "--join")
    assert joined["pushed"] is True
    assert statuses(joined) == {"s0": "joined", "s1": "joined"}
    assert third.matrix.images() == []
    for image in joined["images"]:
        assert set(image["platforms"]) == set(BOTH)
        assert set(yard.tags(image["service"]).values()) == {image["digest"]}
        document = yard.document(image["service"], "main")
        fingerprint = document["annotations"]["dev.hullwright.fingerprint"]
        assert fingerprint == image["fingerprint"]
        assert document["annotations"]["org.opencontainers.image.version"] == joined["version"]
    # What was joined is what a push from one machine would have made: it is current there.
    whole = told(first)
    assert statuses(whole) == {"s0": "current", "s1": "current"}
    assert {tag["status"] for tag in whole["tags"]} == {"unchanged"}
    again = told(third, "--join")
    assert statuses(again) == {"s0": "current", "s1": "current"}
    assert [image["digest"] for image in again["images"]] == [
        image["digest"] for image in joined["images"]
    ]


def test_only_what_changed_is_built_and_the_rest_is_taken_as_it_is(
    yard: Yard, tmp_path: Path
) -> None:
    every = [(service, platform) for service in ("s0", "s1") for platform in BOTH]
    assert rows(yard) == every
    assert rows(yard, "--missing") == every
    assert rows(yard, "--split", "platform") == [("s0,s1", platform) for platform in BOTH]
    part(yard, "linux/amd64", "--service", "s0")
    assert rows(yard, "--missing") == every[1:]
    # A runner that builds all platforms of a service pushes it as a whole.
    whole = told(yard, "--part", "--service", "s1")
    assert whole["part"] == "all of its platforms"
    assert rows(yard, "--missing") == [("s0", "linux/arm64")]
    part(yard, "linux/arm64", "--service", "s0")
    assert rows(yard, "--missing") == []
    first = told(yard, "--join")
    assert statuses(first) == {"s0": "joined", "s1": "current"}
    yard.matrix.change("s0")
    yard.matrix.commit()
    clone = runner(yard, tmp_path, "clone")
    changed = [("s0", platform) for platform in BOTH]
    assert rows(clone, "--changed-since", "HEAD~1") == changed
    assert rows(clone, "--missing") == changed
    assert statuses(part(clone, "linux/amd64")) == {"s0": "built", "s1": "current"}
    part(clone, "linux/arm64", "--service", "s0")
    # The same part again is there already.
    assert statuses(part(clone, "linux/arm64", "--service", "s0")) == {"s0": "current"}
    second = told(clone, "--join")
    assert statuses(second) == {"s0": "joined", "s1": "current"}
    assert second["images"][1]["digest"] == first["images"][1]["digest"]
    assert second["images"][1]["version"] == first["images"][1]["version"]


def test_a_part_of_a_changed_tree_is_none_of_the_commits(yard: Yard, tmp_path: Path) -> None:
    clean, dirty = runner(yard, tmp_path, "clean"), runner(yard, tmp_path, "dirty")
    dirty.matrix.repository.write("notes.txt", "What no image is made from.\n")
    part(clean, "linux/amd64")
    part(dirty, "linux/arm64", "--service", "s0")
    (dirty.matrix.root / "notes.txt").unlink()
    # Nor is one of the same commit that was built in another way.
    part(dirty, "linux/arm64", "--service", "s1", "--build-arg", "FLAVOUR=other")
    done = clean.matrix.run("push", "--join", "--format", "json", code=1)
    missing = "2 parts are not in the registry, so no tag was changed"
    assert json.loads(done.stdout)["failure"] == missing
    assert missing in done.stderr
    first, second = (
        next(line for line in done.stderr.splitlines() if line.startswith(f"  {name} linux/arm64"))
        for name in clean.matrix.names
    )
    assert "one of these inputs is there, which says" in first
    assert ".dirty" in first
    assert "one of this version is there, of other inputs" in second
    assert yard.all_tags() == {}


def test_a_dry_run_tells_of_parts_and_changes_nothing(yard: Yard) -> None:
    part(yard, "linux/amd64", "--service", "s0")
    seen = len(yard.proxy.seen)
    done = yard.matrix.run("--dry", "push", "--part", "--platform", "linux/arm64")
    head = "push a part of 2 images, by digest, without any tag: linux/arm64\n"
    assert done.stdout.startswith(head)
    assert "platforms  linux/arm64" in done.stdout
    done = yard.matrix.run("--dry", "push", "--join")
    assert "join what the registry has; nothing is built" in done.stdout
    assert "joined of linux/amd64 sha256:" in done.stdout
    assert "linux/arm64 missing (hullwright-" in done.stdout
    assert not [each for each in yard.proxy.seen[seen:] if each.method not in {"GET", "HEAD"}]


def test_what_cannot_be_meant_is_refused(yard: Yard) -> None:
    done = yard.matrix.run("push", "--part", "--platform", "linux/riscv64", code=2)
    assert "no image that is asked for is for linux/riscv64" in done.stderr
    assert "linux/amd64, linux/arm64" in done.stderr
    done = yard.matrix.run("push", "--join", "--platform", "linux/amd64", code=2)
    assert "--join and --platform cannot be meant together" in done.stderr
    done = yard.matrix.run("ci.matrix", "--platform", "linux/arm65", code=2)
    assert 'unknown platform "linux/arm65"' in done.stderr
