"""What a plan says is done to the word, and what refuses to go is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import LockedError
from hullwright.files import lock
from hullwright.prune import Operation, PrunePlan, execute
from hullwright.prune.models import NO_SINGLE_TAGS
from hullwright.run import Result
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

ID = f"sha256:{1:064x}"
ANOTHER = f"sha256:{2:064x}"


def told(kind: str, name: str, identifier: str = "", **fields: object) -> Operation:
    return Operation("remove", kind, name, "old", identifier, **fields)  # type: ignore[arg-type]  # each test gives what fits


def done(tmp_path: Path, *operations: Operation, code: int = 0) -> tuple[list[str], list[str]]:
    """Return what was run of a plan, and what was left and why."""
    ok = Result(("docker",), code, "", "" if code == 0 else "conflict: in use\n")
    seen = Result(("docker",), 0, json.dumps([{"Id": ID, "RepoTags": ["shop/api:1"]}]))
    runner = Replay({}, results={("docker", "image", "inspect"): seen, ("docker",): ok})
    ws = workspace(tmp_path, runner=runner)
    made = execute(ws, PrunePlan("shop", operations, cache_unused_s=604800))
    ran = [
        " ".join(call.argv[1:]) for call in runner.calls if call.argv[1:3] != ("image", "inspect")
    ]
    return ran, [f"{operation.name}: {why}" for operation, why in made.left]


def test_what_is_planned_is_done_to_the_word(tmp_path: Path) -> None:
    ran, left = done(
        tmp_path,
        told("container", "cold-1", "c0ffee", forced=True),
        told("container", "shop-api-1", "decade"),
        told("network", "shop_default"),
        told("volume", "cold_data"),
        Operation("keep", "volume", "shop_data", "data"),
        told("image", "shop/api:1", ID),
        told("cache", "of builder default"),
    )
    assert ran == [
        "container rm --force --volumes c0ffee",
        "container rm decade",
        "network rm shop_default",
        "volume rm cold_data",
        "image rm shop/api:1",
        "buildx prune --force --filter until=604800s",
    ]
    assert left == []


def test_a_name_that_stands_for_another_image_now_stays(tmp_path: Path) -> None:
    ran, left = done(
        tmp_path,
        told("image", "shop/api:1", ANOTHER),
        told("image", ID, ID),
    )
    assert ran == []
    assert len(left) == 2
    assert left[0] == "shop/api:1: it is not what it was when it was looked at"


def test_what_the_engine_refuses_is_left_with_its_words(tmp_path: Path) -> None:
    ran, left = done(
        tmp_path, told("network", "shop_default"), told("network", "shop_other"), code=1
    )
    assert len(ran) == 2
    assert left == ["shop_default: conflict: in use", "shop_other: conflict: in use"]


def test_images_stay_while_a_build_runs(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    with (
        lock(ws.state_dir / "build.lock", "the build of shop"),
        pytest.raises(LockedError, match="in use by another run"),
    ):
        execute(ws, PrunePlan("shop", (told("image", "shop/api:1", "sha256:1"),)))


def test_a_registry_that_removes_no_single_tags_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Client:
        def delete_tag(self, repository: str, tag: str) -> bool:
            asked.append(f"{repository}:{tag}")
            return False

    monkeypatch.setattr("hullwright.tools.registryclient.connect", lambda *_: Client())
    _, left = done(
        tmp_path,
        told("tag", "registry.example.com/team/api:hullwright-1"),
        told("tag", "registry.example.com/team/web:hullwright-2"),
    )
    assert asked == ["team/api:hullwright-1"]
    assert [line.rpartition(": ")[2] for line in left] == [NO_SINGLE_TAGS] * 2
