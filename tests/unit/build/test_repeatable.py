"""Reproducible images: exporters, dates, fingerprints, loading, contexts of the commit's times."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from hullwright import build
from hullwright.build import BuildPlan, BuildRequest, PlannedTarget, SourceVersion, outputs
from hullwright.build.repeatable import archive, dated, load, loads, rewriting, wanted
from hullwright.build.settling import settled
from hullwright.config.models import Build, Config, Service
from hullwright.errors import ExitCode, UnavailableError, UsageError
from hullwright.run import Result
from hullwright.tools.buildx import LOCAL_STORE
from hullwright.workspace import Workspace
from replaying import Replay, workspace

EPOCH_S: Final = 1_700_000_000
DAY: Final = "2023-11-14T22:13:20Z"
OURS: Final = (
    "type=oci,dest=.hullwright/reproducible/api.tar,oci-mediatypes=true,rewrite-timestamp=true"
)
API: Final = Service("api", context="api", dockerfile="api/Dockerfile", image="shop/api")


def version(*, created: str = DAY) -> SourceVersion:
    arguments = {"BUILD_DATE": created, "SOURCE_DATE_EPOCH": str(EPOCH_S)}
    return SourceVersion("1.0.0", "1.0.0", "a" * 40, created, "", arguments)


def shop(root: Path, *, service: Service = API, settings: Build | None = None) -> Workspace:
    (root / "api").mkdir(exist_ok=True)
    (root / "api/Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    config = Config("shop", services={"api": service}, build=settings or Build())
    return workspace(root, config)


def planned(ws: Workspace, *, created: str = DAY, **asked: object) -> PlannedTarget:
    request = BuildRequest(**asked)  # type: ignore[arg-type]  # each test names fields of it
    (only,) = build.plan(ws, request, lambda _: version(created=created)).targets
    return only


def test_it_is_asked_for_or_configured_and_the_service_has_the_last_word() -> None:
    plain, every = Config("shop"), Config("shop", build=Build(reproducible=True))
    assert not wanted(plain, API, asked=False)
    assert wanted(plain, API, asked=True)
    assert wanted(every, API, asked=False)
    assert not wanted(every, replace(API, reproducible=False), asked=False)
    assert wanted(plain, replace(API, reproducible=True), asked=False)


def test_the_local_store_gets_an_archive_that_is_loaded() -> None:
    assert rewriting((LOCAL_STORE,), "api") == (OURS,) == (archive("api"),)
    assert loads(OURS)
    assert outputs.stores((OURS,))
    assert not loads("type=oci,dest=out.tar")


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ("type=oci,dest=x.tar", "type=oci,dest=x.tar,rewrite-timestamp=true"),
        ("type=docker,dest=x.tar", "type=docker,dest=x.tar,rewrite-timestamp=true"),
        ("type=image,push=true", "type=image,push=true,rewrite-timestamp=true"),
        ("type=oci,dest=x,rewrite-timestamp=false", "type=oci,dest=x,rewrite-timestamp=false"),
        ("type=cacheonly", "type=cacheonly"),
        ("type=local,dest=out", "type=local,dest=out"),
    ],
)
def test_exporters_of_images_rewrite_times(asked: str, made: str) -> None:
    assert rewriting((asked,), "api") == (made,)


def test_the_plan_says_it_and_gives_the_date_to_every_dockerfile(tmp_path: Path) -> None:
    target = planned(shop(tmp_path), reproducible=True)
    assert target.reproducible
    assert target.bake.outputs == (OURS,)
    # This Dockerfile does not declare it.
    assert target.bake.arguments == {"SOURCE_DATE_EPOCH": str(EPOCH_S)}
    assert "  same       bit for bit wherever it is built" in BuildPlan((target,)).text()
    plain = planned(shop(tmp_path))
    assert (plain.reproducible, plain.bake.arguments) == (False, {})
    assert "bit for bit" not in BuildPlan((plain,)).text()


def test_an_image_says_when_its_commit_was_made_and_not_when_it_was(tmp_path: Path) -> None:
    ws = shop(tmp_path, settings=Build(created="now", reproducible=True))
    target = planned(ws, created="2026-11-21T10:00:00Z")
    assert target.bake.labels["org.opencontainers.image.created"] == DAY


def test_another_offset_of_the_same_moment_stays() -> None:
    told = version(created="2023-11-14T23:13:20+01:00")
    assert dated(API, told) is told


def test_sources_without_a_date_are_refused() -> None:
    with pytest.raises(UsageError, match="its sources have no date") as raised:
        dated(API, SourceVersion("0", "0"))
    assert raised.value.exit_code is ExitCode.USAGE
    assert "SOURCE_DATE_EPOCH=" in raised.value.next_step


def test_it_has_another_fingerprint(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    both = [
        build.fingerprints_now(ws, BuildPlan((planned(ws, reproducible=same),)))["api"]
        for same in (False, True)
    ]
    assert both[0].value != both[1].value
    assert set(both[1].parts) - set(both[0].parts) == {"attribute reproducible"}


def test_an_archive_is_loaded_and_goes(tmp_path: Path) -> None:
    replay = Replay({})
    ws = workspace(tmp_path, runner=replay)
    target = planned(shop(tmp_path), reproducible=True)
    file = tmp_path / ".hullwright/reproducible/api.tar"
    file.parent.mkdir(parents=True)
    file.touch()
    replay.results = {("docker", "load"): Result((), 0, "", "")}
    load(ws, [target, planned(shop(tmp_path))])
    (call,) = replay.calls
    assert call.argv == ("docker", "load", "--quiet", "--input", str(file))
    assert not file.exists()


def test_an_engine_that_does_not_take_it_ends_with_3(tmp_path: Path) -> None:
    replay = Replay({})
    ws = workspace(tmp_path, runner=replay)
    replay.results = {("docker", "load"): Result((), 1, "", "no space left on device")}
    with pytest.raises(UnavailableError, match="did not take the image shop/api") as raised:
        load(ws, [planned(shop(tmp_path), reproducible=True)])
    assert raised.value.exit_code is ExitCode.UNAVAILABLE
    assert "no space left" in str(raised.value)


def test_a_context_is_copied_with_the_commits_times(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    context = tmp_path / "api"
    (context / "old.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (context / "old.sh").chmod(0o755)
    os.utime(context / "old.sh", (1, 1))
    (context / "link").symlink_to("nowhere")
    (context / "left-out").touch()
    (context / ".dockerignore").write_text("left-out\n", encoding="utf-8")
    target = planned(ws, reproducible=True)
    left = tmp_path / ".hullwright/reproducible/api.tar"
    left.parent.mkdir(parents=True)
    with settled(ws, BuildPlan((target,))) as plan:
        (made,) = plan.targets
        left.touch()
        copy = tmp_path / made.bake.context
        assert copy.is_relative_to(tmp_path / ".hullwright")
        assert sorted(p.name for p in copy.iterdir()) == [
            *(".dockerignore", "Dockerfile", "link", "old.sh")
        ]
        assert {p.lstat().st_mtime for p in (copy, *copy.iterdir())} == {EPOCH_S}
        assert (copy / "old.sh").stat().st_mode & 0o777 == 0o755
        assert Path(os.path.normpath(copy / made.bake.dockerfile)) == context / "Dockerfile"
    assert not copy.exists()
    assert not left.exists()
    assert (context / "old.sh").stat().st_mtime == 1


def test_what_has_these_times_and_other_images_are_built_from_where_they_are(
    tmp_path: Path,
) -> None:
    ws = shop(tmp_path)
    for path in ("api/Dockerfile", "api"):
        os.utime(tmp_path / path, (EPOCH_S, EPOCH_S))
    settled_already = BuildPlan((planned(ws, reproducible=True),))
    with settled(ws, settled_already) as plan:
        assert plan.targets == settled_already.targets
    other = BuildPlan((planned(ws),))
    with settled(ws, other) as plan:
        assert plan is other
