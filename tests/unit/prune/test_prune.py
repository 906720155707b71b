"""What goes: the rules one by one, what the engine is asked, and what it is told to do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config, Service, Stack
from hullwright.errors import LockedError, UsageError
from hullwright.files import lock
from hullwright.prune import Limits, Operation, PrunePlan, execute, look, parse_age, plan
from hullwright.prune.models import NO_SINGLE_TAGS, Observed, OwnImage, OwnProject, User
from hullwright.prune.observe import repositories
from hullwright.prune.plan import release_of
from hullwright.run import Result
from hullwright.tools import storage
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = 1_800_000_000.0
DAY: Final = 86400.0
STAGED: Final = f"shop/api:hullwright-{'0f' * 16}"


def image(number: int, days: float, *names: str, version: str = "") -> OwnImage:
    identifier = f"sha256:{number:064x}"
    return OwnImage(
        identifier, names, (), "api", "production", version, NOW - days * DAY,
        frozenset({identifier}),
    )  # fmt: skip


def goes(observed: Observed, limits: Limits) -> list[str]:
    return [each.name for each in plan(observed, limits).operations if each.action == "remove"]


def project(**fields: object) -> OwnProject:
    base = OwnProject(
        "shop", throwaway=False, containers=(("c", "shop-api-1"),), networks=("shop_default",),
        volumes=("shop_data",), running=False, held=False, strange=False, since=NOW - 3 * DAY,
    )  # fmt: skip
    return replace(base, **fields)  # type: ignore[arg-type]  # each test gives what fits


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_ages_are_read(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "7", "d", "7 days", "12h1d", "-1d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an age"):
        parse_age(text)


@pytest.mark.parametrize("version", ["1.2.3", "1.2.3-rc.1"])
def test_a_release_is_known_by_its_version(version: str) -> None:
    assert str(release_of(version)) == version


@pytest.mark.parametrize(
    "version",
    ["", "main", "1.2.4-0.dev.3+gabc", "1.3.0-rc.1.dev.5", "1.2.3+gabc.dirty.12345678"],
)
def test_a_development_build_is_no_release(version: str) -> None:
    assert release_of(version) is None


def test_the_newest_stay_and_younger_ones_too_where_an_age_is_given() -> None:
    images = tuple(image(n, n, f"shop/api:{n}") for n in range(1, 8))
    observed = Observed("shop", NOW, images)
    assert goes(observed, Limits(keep=5)) == ["shop/api:6", "shop/api:7"]
    assert goes(observed, Limits(keep=2, older_than=timedelta(days=6, hours=1))) == ["shop/api:7"]
    assert goes(observed, Limits(keep=0, older_than=timedelta(days=30))) == []


def test_an_image_whose_name_moved_on_counts_for_nothing_and_goes() -> None:
    observed = Observed("shop", NOW, (image(1, 0.5), image(2, 1, "shop/api:a")))
    assert goes(observed, Limits(keep=1)) == [f"sha256:{1:064x}"]


def test_what_a_push_may_be_using_now_stays() -> None:
    young = Observed("shop", NOW, (image(1, 0.01, STAGED), image(2, 0.01, "shop/api:a", STAGED)))
    assert goes(young, Limits(keep=1)) == []
    old = Observed("shop", NOW, (image(1, 0.5, STAGED), image(2, 0.6, "shop/api:a", STAGED)))
    assert sorted(goes(old, Limits(keep=1))) == [STAGED, STAGED]


def test_the_highest_release_and_the_candidate_above_it_stay() -> None:
    versions = ["1.9.0", "1.10.0", "2.0.0-rc.1", "1.11.0-0.dev.1+gabc", "1.2.0-rc.9"]
    images = tuple(image(n, n, f"shop/api:{n}", version=v) for n, v in enumerate(versions))
    kept = {1, 2}
    assert goes(Observed("shop", NOW, images), Limits(keep=0)) == [
        f"shop/api:{n}" for n in range(len(versions)) if n not in kept
    ]


def test_what_a_container_uses_stays_unless_that_goes_too() -> None:
    user = User("c", "shop-api-1", f"sha256:{1:064x}", "shop/api:1", running=False)
    observed = Observed("shop", NOW, (image(1, 9, "shop/api:1"),), (user,))
    assert goes(observed, Limits(keep=0)) == []
    gone = replace(observed, projects=(project(),))
    assert goes(gone, Limits(keep=0)) == ["shop-api-1", "shop_default", "shop/api:1"]


def test_an_image_with_a_name_of_somebody_else_stays_whole() -> None:
    named = replace(image(1, 9, "shop/api:1", "theirs:1"), strange=("theirs:1",))
    made = plan(Observed("shop", NOW, (named,)), Limits(keep=0))
    assert not made
    assert "theirs:1 is no name of this project's services" in made.text()


@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({}, ["shop-api-1", "shop_default"]),
        ({"running": True}, []),
        ({"since": NOW - 3600}, []),
        ({"strange": True}, []),
        ({"throwaway": True}, ["shop-api-1", "shop_default", "shop_data"]),
        ({"throwaway": True, "since": NOW - 60}, ["shop-api-1", "shop_default", "shop_data"]),
        ({"throwaway": True, "running": True}, ["shop-api-1", "shop_default", "shop_data"]),
        ({"throwaway": True, "running": True, "since": NOW - 3600}, []),
        ({"throwaway": True, "held": True}, []),
        (
            {"throwaway": True, "containers": (), "since": 0.0},
            ["shop_default", "shop_data"],
        ),
    ],
    ids=lambda value: "-".join(value) or "stopped" if isinstance(value, dict) else "",
)
def test_which_projects_go(fields: dict[str, object], gone: list[str]) -> None:
    observed = Observed("shop", NOW, projects=(project(**fields),))
    assert goes(observed, Limits()) == gone


def test_an_age_holds_for_projects_too() -> None:
    week = Limits(older_than=timedelta(days=7))
    for throwaway in (True, False):
        observed = Observed("shop", NOW, projects=(project(throwaway=throwaway),))
        assert goes(observed, week) == []


def test_only_throwaways_are_forced() -> None:
    for throwaway in (True, False):
        made = plan(Observed("shop", NOW, projects=(project(throwaway=throwaway),)), Limits())
        assert made.operations[0].forced == throwaway


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


def told(kind: str, name: str, identifier: str = "", **fields: object) -> Operation:
    return Operation("remove", kind, name, "old", identifier, **fields)  # type: ignore[arg-type]  # each test gives what fits


def done(tmp_path: Path, *operations: Operation, code: int = 0) -> tuple[list[str], list[str]]:
    """Return what was run of a plan, and what was left and why."""
    ok = Result(("docker",), code, "", "" if code == 0 else "conflict: in use\n")
    seen = Result(("docker",), 0, json.dumps([inspected(1, "shop/api:1")]))
    runner = Replay({}, results={("docker", "image", "inspect"): seen, ("docker",): ok})
    ws = workspace(tmp_path, SHOP, runner)
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
        told("image", "shop/api:1", f"sha256:{1:064x}"),
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
        told("image", "shop/api:1", f"sha256:{2:064x}"),
        told("image", f"sha256:{1:064x}", f"sha256:{1:064x}"),
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
    ws = workspace(tmp_path, SHOP)
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
