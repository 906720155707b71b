"""Targets that several nodes build: what each of them is told, and the one result."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.build import BuildPlan, PlannedTarget, TargetResult
from hullwright.build.models import Share
from hullwright.build.nodes import PlaceNode
from hullwright.build.parts import Joiner, expanded, part_name
from hullwright.errors import UnavailableError
from hullwright.run import Result
from hullwright.tools.archivejoining import join_archives
from hullwright.tools.buildx import LOCAL_STORE, BakeTarget
from pushing import CONFIG, IMAGE, INDEX, digest_of
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

BOTH: Final = ("linux/amd64", "linux/arm64")
SHARES: Final = tuple(
    Share(PlaceNode(f"p-{number}", f"tcp://{number}:1"), (platform,))
    for number, platform in enumerate(BOTH, start=1)
)
TARGET: Final = PlannedTarget(
    *("api", "", "shop/api:1", BOTH, "1", ""),
    BakeTarget(
        *("api", ".", "Dockerfile"),
        tags=("shop/api:1",),
        platforms=BOTH,
        annotations=("manifest:a=b", "index:a=b", "index:c=d=e"),
    ),
    shares=SHARES,
)
PART: Final = TargetResult(
    *("api", "", ("linux/amd64",), "shop/api:1", "built"),
    digest="sha256:1",
    seconds=2.0,
    steps=3,
    cached_steps=1,
    nodes=("tcp://1:1",),
)
OTHER: Final = replace(
    PART, platforms=("linux/arm64",), digest="sha256:2", seconds=5.0, nodes=("tcp://2:1",)
)


def results(target: PlannedTarget, *parts: TargetResult) -> dict[str, TargetResult]:
    return {part_name(target, p): part for p, part in zip(BOTH, parts, strict=True)}


def directed(*outputs: str) -> PlannedTarget:
    return replace(TARGET, bake=replace(TARGET.bake, outputs=outputs))


def test_each_platform_is_a_target_of_its_own_on_its_node() -> None:
    whole = replace(TARGET, bake=replace(TARGET.bake, name="web"), shares=SHARES[:1])
    plan = expanded(BuildPlan((TARGET, whole)))
    told = [(t.name, t.node, t.platforms, t.bake.platforms, t.bake.tags) for t in plan.targets]
    assert told == [
        ("api-linux_amd64", "p-1", BOTH[:1], BOTH[:1], ()),
        ("api-linux_arm64", "p-2", BOTH[1:], BOTH[1:], ()),
        ("web", "p-1", BOTH, BOTH, ("shop/api:1",)),
    ]
    assert plan.targets[0].bake.annotations == ("manifest:a=b",)
    assert plan.targets[0].bake.outputs == (
        "type=oci,dest=.hullwright/parts/api-linux_amd64.tar,oci-mediatypes=true",
    )
    again = replace(TARGET, reproducible=True)
    assert (
        expanded(BuildPlan((again,))).targets[0].bake.outputs[0].endswith("rewrite-timestamp=true")
    )


def test_parts_do_not_write_over_each_others_cache() -> None:
    sources = ("type=registry,ref=r.example/api:cache", "type=local,src=kept")
    goals = ("type=local,dest=kept,mode=max", "type=gha,scope=api", "type=local,dest=/c")
    target = replace(TARGET, bake=replace(TARGET.bake, cache_from=sources, cache_to=goals))
    part = expanded(BuildPlan((target,))).targets[1].bake
    assert part.cache_to == (
        *("type=local,dest=kept-linux-arm64,mode=max", "type=gha,scope=api-linux-arm64"),
        "type=local,dest=/c",
    )
    assert part.cache_from == (
        *("type=registry,ref=r.example/api:cache-linux-arm64", "type=local,src=kept-linux-arm64"),
        *sources,
    )


def test_a_plan_that_is_not_taken_apart_stays_as_it_is() -> None:
    plan = BuildPlan((replace(TARGET, shares=()),))
    assert expanded(plan) is plan


def test_parts_that_stay_where_they_are_make_one_result(tmp_path: Path) -> None:
    target = directed("type=image,oci-mediatypes=true")
    joiner = Joiner(workspace(tmp_path), BuildPlan((target,)))
    (found,) = joiner.whole(results(target, PART, OTHER)).values()
    assert (found.status, found.digest, found.platforms) == ("built", "", BOTH)
    assert (found.seconds, found.steps, found.cached_steps) == (5.0, 6, 2)
    assert found.parts == (("linux/amd64", "sha256:1"), ("linux/arm64", "sha256:2"))
    assert found.nodes == ("tcp://1:1", "tcp://2:1")


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_one_part_that_is_not_there_is_the_result_of_all(tmp_path: Path, status: Any) -> None:
    bad = replace(OTHER, status=status, digest="", reason="why")
    joiner = Joiner(workspace(tmp_path), BuildPlan((TARGET,)))
    (found,) = joiner.whole(results(TARGET, PART, bad)).values()
    assert (found.status, found.reason, found.digest, found.parts) == (status, "why", "", ())


def test_what_did_not_end_has_no_result(tmp_path: Path) -> None:
    joiner = Joiner(workspace(tmp_path), BuildPlan((TARGET,)))
    assert joiner.whole({part_name(TARGET, BOTH[0]): PART}) == {}


def archive(file: Path, arch: str, *, index: bool = False, platform: bool = True) -> str:
    """Write an archive of an image as BuildKit writes it; return the manifest's digest."""
    file.parent.mkdir(parents=True, exist_ok=True)
    layer = f"layer of {arch}".encode()
    config = json.dumps({"os": "linux", "architecture": arch}).encode()
    described = {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)}
    manifest = json.dumps({"mediaType": IMAGE, "config": described, "layers": []}).encode()
    top: dict[str, Any] = {
        "mediaType": IMAGE,
        "digest": digest_of(manifest),
        "size": len(manifest),
        "annotations": {"x": "y"},
    }
    if platform:
        top["platform"] = {"os": "linux", "architecture": arch}
    blobs = [layer, config, manifest, b"shared"]
    digest = top["digest"]
    if index:
        of = {"vnd.docker.reference.digest": digest}
        attached = {"mediaType": IMAGE, "digest": "sha256:att", "size": 3, "annotations": of}
        inner = json.dumps({"mediaType": INDEX, "manifests": [top, attached]}).encode()
        top = {"mediaType": INDEX, "digest": digest_of(inner), "size": len(inner)}
        blobs.append(inner)
    with tarfile.open(file, "w") as out:
        named = {f"blobs/sha256/{digest_of(blob)[7:]}": blob for blob in blobs}
        named["index.json"] = json.dumps({"manifests": [top]}).encode()
        for name, content in named.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    return str(digest)


def test_archives_are_joined_with_each_blob_once(tmp_path: Path) -> None:
    digests = [
        archive(tmp_path / "1.tar", "amd64", platform=False),
        archive(tmp_path / "2.tar", "arm64", index=True),
    ]
    whole = tmp_path / "whole.tar"
    files = [tmp_path / "1.tar", tmp_path / "2.tar"]
    digest = join_archives(files, whole, "shop/api:1", {"c": "d"})
    with tarfile.open(whole) as found:
        names = found.getnames()
        (top,) = json.load(found.extractfile("index.json") or io.BytesIO())["manifests"]
        content = found.extractfile(f"blobs/{digest.replace(':', '/')}") or io.BytesIO()
        index = json.load(content)
    assert len(names) == len(set(names))
    assert top["digest"] == digest
    assert top["annotations"]["io.containerd.image.name"] == "docker.io/shop/api:1"
    assert [entry["digest"] for entry in index["manifests"]] == [*digests, "sha256:att"]
    assert [entry.get("platform", {}).get("architecture") for entry in index["manifests"]] == [
        *("amd64", "arm64"),
        None,
    ]
    assert index["annotations"] == {"c": "d"}
    # Whoever joins the same parts gets the same image.
    assert join_archives(files, whole, "shop/api:1", {"c": "d"}) == digest


def test_joined_parts_go_to_the_local_store_and_to_files(tmp_path: Path) -> None:
    loading: dict[tuple[str, ...], Result] = {("docker", "load"): Result((), 0)}
    runner = Replay({}, results=loading)
    ws = workspace(tmp_path, runner=runner)
    target = directed(LOCAL_STORE, "type=oci,dest=out/image.tar")
    for platform, arch in zip(BOTH, ("amd64", "arm64"), strict=True):
        archive(tmp_path / f".hullwright/parts/{part_name(target, platform)}.tar", arch)
    (found,) = Joiner(ws, BuildPlan((target,))).whole(results(target, PART, OTHER)).values()
    assert found.stored
    assert found.digest.startswith("sha256:")
    assert (tmp_path / "out/image.tar").is_file()
    assert [call.argv[:2] for call in runner.calls] == [("docker", "load")]
    assert not (tmp_path / ".hullwright/parts").exists()


def test_an_engine_that_takes_no_image_is_unavailable(tmp_path: Path) -> None:
    refusal = Result((), 1, "", "no space left on device")
    ws = workspace(tmp_path, runner=Replay({}, results={("docker", "load"): refusal}))
    for platform, arch in zip(BOTH, ("amd64", "arm64"), strict=True):
        archive(tmp_path / f".hullwright/parts/{part_name(TARGET, platform)}.tar", arch)
    with pytest.raises(UnavailableError, match="the engine did not take the image shop/api:1"):
        Joiner(ws, BuildPlan((TARGET,))).whole(results(TARGET, PART, OTHER))
