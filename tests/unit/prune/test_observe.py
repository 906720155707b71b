"""What of this project is seen: the engine is replayed, and asked for labels."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config, Service, Stack
from hullwright.errors import UsageError
from hullwright.files import lock
from hullwright.prune import Limits, look
from hullwright.prune.observe import repositories
from hullwright.run import Result
from hullwright.tools import storage
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path


def test_repositories_are_those_of_the_services_with_the_registry() -> None:
    services = {"Api": Service("Api"), "web": Service("web", image="front")}
    assert repositories(Config("shop", services=services)) == {"api", "front"}
    config = Config("shop", registry="registry.example.com/team", services=services)
    assert repositories(config) == {
        "registry.example.com/team/api",
        "registry.example.com/team/front",
    }


def inspected(number: int, *tags: str, **labels: str) -> dict[str, object]:
    return {
        "Id": f"sha256:{number:064x}",
        "RepoTags": list(tags),
        "RepoDigests": [f"shop/api@sha256:{number:064x}"],
        "Created": "1970-01-01T00:00:00Z",
        "Metadata": {"LastTagTime": "2026-11-20T12:00:00.5Z"},
        "Config": {"Labels": {f"dev.hullwright.{name}": value for name, value in labels.items()}},
    }


def container(name: str, **fields: object) -> dict[str, object]:
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.project.working_dir": fields.pop("folder", "/nowhere"),
        **fields.pop("labels", {}),  # type: ignore[dict-item]  # each test gives labels
    }
    return {
        "Id": name,
        "Name": f"/{name}",
        "Image": "sha256:0",
        "Created": "2026-11-01T00:00:00Z",
        "State": {"Status": "exited", "FinishedAt": "2026-11-02T00:00:00Z", **fields},
        "Config": {"Image": "postgres:17", "Labels": labels},
    }


def answers(**replies: object) -> dict[tuple[str, ...], Result]:
    """Return what the engine answers, by the words after `docker`."""
    words = {
        "ps": ("docker", "ps"),
        "containers": ("docker", "container", "inspect"),
        "images": ("docker", "image", "ls"),
        "inspected": ("docker", "image", "inspect"),
        "df": ("docker", "system", "df"),
        "networks": ("docker", "network", "ls"),
        "volumes": ("docker", "volume", "ls"),
    }
    told: dict[str, object] = {
        "ps": "", "containers": [], "images": "", "inspected": [], "df": [], "networks": "",
        "volumes": "", **replies,
    }  # fmt: skip
    return {
        words[key]: Result(words[key], 0, value if isinstance(value, str) else json.dumps(value))
        for key, value in told.items()
    }


SHOP: Final = Config(
    "shop",
    services={"api": Service("api", image="shop/api")},
    stacks={"default": Stack("default", ("deploy/compose.yaml",))},
)


def test_images_of_the_project_are_seen_with_names_age_and_their_own_bytes(tmp_path: Path) -> None:
    labels = {"project": "shop", "service": "api", "target": "production"}
    replies = answers(
        images="sha256:1\nsha256:1\nsha256:2\n",
        inspected=[inspected(1, "shop/api:1", **labels), inspected(2, "theirs/api:1", **labels)],
        df=[{"ID": f"sha256:{1:064x}", "UniqueSize": "1.5MB"}, {"ID": "x", "UniqueSize": "N/A"}],
    )
    runner = Replay({}, results=replies)
    seen = look(workspace(tmp_path, SHOP, runner), Limits(projects=False)).images
    assert [(each.names, each.strange, each.own_bytes) for each in seen] == [
        (("shop/api:1",), (), 1_500_000),
        (("theirs/api:1",), ("theirs/api:1",), None),
    ]
    # Not the date that a reproducible image carries, but when it was named here.
    assert seen[0].at == pytest.approx(1795176000.5)
    asked = next(call.argv for call in runner.calls if call.argv[1:3] == ("image", "ls"))
    assert "label=dev.hullwright.project=shop" in asked


def test_names_from_before_the_registry_was_set_or_changed_are_ours(tmp_path: Path) -> None:
    labels = {"project": "shop", "service": "api", "target": "production"}
    ours = ("old.example.com/shop/api:1", "r.example.com/new/shop/api:1", "shop/api:1")
    theirs = ("old.example.com/workshop/api:1", "theirs/shop/api:1")
    config = replace(SHOP, registry="r.example.com/new")
    replies = answers(images="sha256:1\n", inspected=[inspected(1, *ours, *theirs, **labels)])
    ws = workspace(tmp_path, config, Replay({}, results=replies))
    (seen,) = look(ws, Limits(projects=False)).images
    assert seen.names == tuple(sorted((*ours, *theirs)))
    assert seen.strange == theirs


def test_a_count_that_fails_beside_a_build_leaves_bytes_unknown(tmp_path: Path) -> None:
    labels = {"project": "shop", "service": "api", "target": ""}
    replies = answers(images="sha256:1", inspected=[inspected(1, "shop/api:1", **labels)])
    df = ("docker", "system", "df")
    replies[df] = Result(df, 1, "", "snapshot does not exist: not found")
    seen = look(workspace(tmp_path, SHOP, Replay({}, results=replies)), Limits(projects=False))
    assert seen.images[0].own_bytes is None


def test_a_stack_is_ours_by_its_folder_and_a_throwaway_by_its_name(tmp_path: Path) -> None:
    thrown = {"dev.hullwright.kind": "throwaway", "dev.hullwright.project": "shop-cold-0a1b2c3d"}
    theirs = {"dev.hullwright.kind": "throwaway", "dev.hullwright.project": "inn-cold-0a1b2c3d"}
    replies = answers(
        ps="a b c d",
        containers=[
            container("shop-api-1", folder=str(tmp_path / "deploy")),
            container("cold-1", labels=thrown),
            container("cold-2", labels=theirs),
            container("inn-1", labels={"com.docker.compose.project": "inn"}),
        ],
        networks="shop-cold-0a1b2c3d\tcold_default\nshop\tshop_default\ninn\tinn_default\n",
        volumes="shop\tshop_b\nshop\tshop_a\n",
    )
    ws = workspace(tmp_path, SHOP, Replay({}, results=replies), XDG_STATE_HOME=str(tmp_path))
    found = {each.name: each for each in look(ws, Limits(images=False)).projects}
    # The engine of this test answers every question for networks alike.
    assert set(found) == {"shop-cold-0a1b2c3d", "shop"}
    assert found["shop"].volumes == ("shop_a", "shop_b")
    assert found["shop"].networks == ("shop_default",)
    assert not found["shop"].strange
    assert found["shop-cold-0a1b2c3d"].throwaway


def test_a_throwaway_whose_run_holds_its_lock_is_in_use(tmp_path: Path) -> None:
    labels = {"dev.hullwright.kind": "throwaway", "dev.hullwright.project": "shop-cold-0a1b2c3d"}
    replies = answers(ps="a", containers=[container("cold-1", labels=labels)])
    ws = workspace(tmp_path, SHOP, Replay({}, results=replies), XDG_STATE_HOME=str(tmp_path))
    path = tmp_path / "hullwright/locks/shop-cold-0a1b2c3d.lock"
    with lock(path, "the throwaway project"):
        assert look(ws, Limits(images=False)).projects[0].held
    assert not look(ws, Limits(images=False)).projects[0].held


def test_staging_tags_need_a_registry(tmp_path: Path) -> None:
    ws = workspace(tmp_path, SHOP, Replay({}))
    with pytest.raises(UsageError, match="there is no registry"):
        look(ws, Limits(images=False, projects=False, registry=True))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Less than a second ago", 1),
        ("6 seconds ago", 6),
        ("About a minute ago", 60),
        ("About an hour ago", 3600),
        ("3 hours ago", 10800),
        ("2 weeks ago", 1_209_600),
        ("", float("inf")),
    ],
)
def test_what_docker_says_of_ages_is_read(text: str, seconds: float) -> None:
    assert storage.ago_s(text) == seconds


def test_build_cache_is_counted_by_its_last_use() -> None:
    du = ("docker", "buildx", "du")
    lines = [
        {"Size": "1GB", "Reclaimable": True, "LastUsedAt": "8 days ago"},
        {"Size": "2kB", "Reclaimable": True, "LastUsedAt": "3 hours ago"},
        {"Size": "4MB", "Reclaimable": False, "LastUsedAt": "9 days ago"},
    ]
    inspect = ("docker", "buildx", "inspect")
    runner = Replay(
        {},
        results={
            du: Result(du, 0, "\n".join(map(json.dumps, lines))),
            inspect: Result(inspect, 0, "Name:   mine\nDriver: docker\n"),
        },
    )
    assert storage.cache_use(runner, 7 * 86400) == storage.CacheUse(
        "mine", 1_004_002_000, 1_000_000_000, 1
    )
