"""Caches as bake gets them: scopes, when they are written, and what is left out with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.build.caching import Caches, Caching
from hullwright.config.models import Build, Config, Service
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REGISTRY: Final = "registry.example.com/team"
API: Final = Service("api", targets=("development", "production"))
GITHUB: Final = {"ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_RESULTS_URL": "https://results.example"}
LENIENT: Final = "mode=max,ignore-error=true"


def caches(
    root: Path,
    *cache: str,
    writes: bool = True,
    service: Service = API,
    registry: str = REGISTRY,
    stage: str = "production",
    environ: Mapping[str, str] = GITHUB,
) -> Caches:
    config = Config("shop", registry=registry, build=Build(cache=cache))
    caching = Caching(workspace(root, config, None, **environ), writes)
    return caching.of(service, stage, f"{registry}/api" if registry else "api")


def test_each_form_has_a_scope_of_the_service_and_target(tmp_path: Path) -> None:
    found = caches(tmp_path, "registry", "local", "gha")
    assert found.sources == (
        f"type=registry,ref={REGISTRY}/api:buildcache-production",
        "type=gha,scope=api-production",
    )
    assert found.goals == (
        f"type=registry,ref={REGISTRY}/api:buildcache-production,{LENIENT}",
        "type=local,dest=.hullwright/cache/api-production,mode=max",
        f"type=gha,scope=api-production,{LENIENT}",
    )
    assert found.notes == ()


def test_caches_that_others_read_are_written_by_pushes_and_in_ci_only(tmp_path: Path) -> None:
    found = caches(tmp_path, "registry", "local", "gha", writes=False)
    assert len(found.sources) == 2
    assert found.goals == ("type=local,dest=.hullwright/cache/api-production,mode=max",)


def test_a_local_cache_is_read_once_it_was_written(tmp_path: Path) -> None:
    assert caches(tmp_path, "local").sources == ()
    index = tmp_path / ".hullwright/cache/api-production/index.json"
    index.parent.mkdir(parents=True)
    index.write_text("{}", encoding="utf-8")
    assert caches(tmp_path, "local").sources == ("type=local,src=.hullwright/cache/api-production",)


@pytest.mark.parametrize(
    ("stage", "tag"), [("production", "latest"), ("development", "latest-development")]
)
def test_inline_caches_are_read_from_the_image_itself(tmp_path: Path, stage: str, tag: str) -> None:
    found = caches(tmp_path, "inline", writes=False, stage=stage)
    assert found == Caches((f"type=registry,ref={REGISTRY}/api:{tag}",), ("type=inline",))


def test_without_a_registry_its_cache_is_left_out_with_a_note(tmp_path: Path) -> None:
    found = caches(tmp_path, "registry", registry="")
    assert (found.sources, found.goals) == ((), ())
    assert "no registry is configured" in found.notes[0]


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL not set"),
        ({"ACTIONS_RUNTIME_TOKEN": "t"}, "ACTIONS_RESULTS_URL not set"),
        ({"ACTIONS_CACHE_URL": "https://c.example"}, "ACTIONS_RUNTIME_TOKEN not set"),
    ],
)
def test_without_githubs_variables_its_cache_is_left_out_and_the_note_names_them(
    tmp_path: Path, environ: Mapping[str, str], missing: str
) -> None:
    found = caches(tmp_path, "gha", environ=environ)
    assert (found.sources, found.goals) == ((), ())
    assert missing in found.notes[0]


def test_a_form_of_buildkits_is_split_into_what_is_read_and_what_is_written(
    tmp_path: Path,
) -> None:
    whole = "type=registry,ref=r.example/c:{service}-{target},mode=min,compression=zstd"
    found = caches(tmp_path, whole)
    assert found.sources == ("type=registry,ref=r.example/c:api-production",)
    assert found.goals == (
        "type=registry,ref=r.example/c:api-production,mode=min,compression=zstd",
    )
    assert caches(tmp_path, whole, writes=False).goals == ()
    folder = caches(tmp_path, "type=local,dest=/c/{service}", writes=False)
    assert folder == Caches((), ("type=local,dest=/c/api",))


def test_a_services_own_caches_win_over_those_of_all_and_of_its_bake_file(tmp_path: Path) -> None:
    baked = {
        "cache-from": [{"ref": "x/c", "type": "registry"}, "alpine:3"],
        "cache-to": [{"dest": "a,b", "type": "local"}],
    }
    found = caches(tmp_path, service=Service("api", targets=API.targets, extra=baked))
    assert found == Caches(("type=registry,ref=x/c", "alpine:3"), ('type=local,"dest=a,b"',))
    own = Service("api", targets=API.targets, cache=("inline",), extra=baked)
    assert caches(tmp_path, "registry", service=own).goals == ("type=inline",)


@pytest.mark.parametrize(
    ("environ", "writes", "written"),
    [({}, None, False), ({"CI": "true"}, None, True), ({}, True, True)],
)
def test_a_plan_writes_them_in_ci_and_for_a_push(
    tmp_path: Path, environ: Mapping[str, str], *, writes: bool | None, written: bool
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    config = Config(
        "shop",
        registry=REGISTRY,
        services={"api": Service("api")},
        build=Build(cache=("registry", "gha")),
    )
    version = SourceVersion("1.0.0", "1.0.0")
    plan = build.plan(
        workspace(tmp_path, config, None, **environ),
        BuildRequest(),
        lambda _: version,
        writes_cache=writes,
    )
    assert bool(plan.targets[0].bake.cache_to) is written
    assert [note for note in plan.notes if "GitHub's cache is left out" in note]
