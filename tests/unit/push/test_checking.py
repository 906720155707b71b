"""What was pushed, held against what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from hullwright.errors import CheckFailedError, UsageError
from hullwright.push import check, refuse_stand_ins
from pushing import IMAGE, INDEX, Memory

from .conftest import HOST, content


def entry(digest: str, platform: str, **more: Any) -> dict[str, Any]:
    """Return what an index says of one manifest."""
    system, _, arch = platform.partition("/")
    told = {"os": system, "architecture": arch}
    return {"mediaType": IMAGE, "digest": digest, "size": 1, "platform": told, **more}


def attestation(memory: Memory, of: str, *predicates: str) -> dict[str, Any]:
    """Store attestations, and return their entry in an index."""
    layers = [{"annotations": {"in-toto.io/predicate-type": each}} for each in predicates]
    digest = memory.add("team/api", {"mediaType": IMAGE, "layers": layers, "of": of})
    annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": of,
    }
    return entry(digest, "unknown/unknown", annotations=annotations)


def index(memory: Memory, *entries: dict[str, Any]) -> str:
    """Store an index."""
    return memory.add("team/api", {"mediaType": INDEX, "manifests": list(entries)})


def problems(
    memory: Memory,
    digest: str,
    *attestations: str,
    platforms: tuple[str, ...] = ("linux/amd64",),
) -> str:
    """Return what is said of an image that is not what was asked for."""
    with pytest.raises(CheckFailedError) as raised:
        check({HOST: memory}, [content(digest, platforms=platforms)], attestations)
    return str(raised.value)


PROVENANCE = "https://slsa.dev/provenance/v0.2"
SBOM = "https://spdx.dev/Document"


def test_a_single_manifest_is_of_its_configurations_platform(memory: Memory) -> None:
    digest = memory.image("team/api", labels={"a": "b"})
    (checked,) = check({HOST: memory}, [content(digest)])
    assert checked.platforms == {"linux/amd64": digest}
    assert checked.media_type == IMAGE
    assert checked.labels == {"a": "b"}


def test_an_index_has_the_platforms_that_were_asked_for(memory: Memory) -> None:
    amd, arm = memory.image("team/api"), memory.image("team/api", architecture="arm64")
    digest = index(memory, entry(amd, "linux/amd64"), entry(arm, "linux/arm64"))
    (checked,) = check(
        {HOST: memory}, [content(digest, platforms=("linux/amd64", "linux/arm64/v8"))]
    )
    assert checked.platforms == {"linux/amd64": amd, "linux/arm64": arm}
    assert "it is for linux/arm64 too" in problems(memory, digest)
    wanted = ("linux/amd64", "linux/s390x")
    assert "it lacks linux/s390x" in problems(memory, digest, platforms=wanted)


def test_a_label_of_any_platform_is_found(memory: Memory) -> None:
    amd = memory.image("team/api", labels={"a": "first"})
    arm = memory.image("team/api", labels={"a": "second", "b": "own"}, architecture="arm64")
    digest = index(memory, entry(amd, "linux/amd64"), entry(arm, "linux/arm64"))
    asked = [content(digest, platforms=("linux/amd64", "linux/arm64"))]
    (checked,) = check({HOST: memory}, asked)
    assert checked.labels == {"a": "first"}
    assert [checked.label(name) for name in ("a", "b", "c")] == ["first", "own", ""]


def test_attestations_that_were_asked_for_are_there_for_each_platform(memory: Memory) -> None:
    amd, arm = memory.image("team/api"), memory.image("team/api", architecture="arm64")
    both = (entry(amd, "linux/amd64"), entry(arm, "linux/arm64"))
    first = attestation(memory, amd, PROVENANCE, SBOM)
    digest = index(memory, *both, first, attestation(memory, arm, PROVENANCE, SBOM))
    platforms = ("linux/amd64", "linux/arm64")
    (checked,) = check(
        {HOST: memory}, [content(digest, platforms=platforms)], ("provenance", "sbom")
    )
    assert checked.attestations == {"provenance", "sbom"}
    assert set(checked.platforms) == set(platforms)
    half = index(memory, *both, first)
    told = problems(memory, half, "provenance", "sbom", platforms=platforms)
    assert "provenance is attached to some platforms only" in told


def test_a_missing_attestation_is_a_failure(memory: Memory) -> None:
    digest = memory.image("team/api")
    assert "provenance is not attached" in problems(memory, digest, "provenance")


def test_an_unexpected_attestation_is_a_failure(memory: Memory) -> None:
    amd = memory.image("team/api")
    digest = index(memory, entry(amd, "linux/amd64"), attestation(memory, amd, PROVENANCE))
    told = problems(memory, digest)
    assert "what was pushed is not what was asked for, so no release tag was changed" in told
    assert "provenance is attached (as platform unknown/unknown), and was not asked for" in told


def test_a_manifest_for_no_platform_is_a_failure(memory: Memory) -> None:
    amd = memory.image("team/api")
    digest = index(memory, entry(amd, "linux/amd64"), entry(amd, "unknown/unknown"))
    assert "is for no platform, and no attestation" in problems(memory, digest)


def test_what_is_no_image_is_a_failure(memory: Memory) -> None:
    odd = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:0", "size": 2}
    digest = memory.add("team/api", {"mediaType": IMAGE, "config": odd, "layers": []})
    told = problems(memory, digest)
    assert "it is no image: application/vnd.oci.image.manifest.v1+json with a" in told


def test_an_index_of_another_kind_of_manifests_is_a_failure(memory: Memory) -> None:
    amd = memory.image("team/api")
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    digest = index(memory, entry(amd, "linux/amd64", mediaType=docker))
    assert f"linux/amd64 is a {docker} in a {INDEX}" in problems(memory, digest)


def test_content_that_is_gone_is_a_failure(memory: Memory) -> None:
    assert "the registry has no" in problems(memory, f"sha256:{'0' * 64}")


def test_stand_ins_are_refused_unless_they_are_allowed() -> None:
    images = [("api production", "python:3.13-slim"), ("web", "")]
    with pytest.raises(UsageError) as raised:
        refuse_stand_ins(images, allowed=False)
    assert "api production  made on a stand-in for python:3.13-slim" in str(raised.value)
    assert "--allow-stand-ins" in str(raised.value)
    refuse_stand_ins(images, allowed=True)
    refuse_stand_ins(images[1:], allowed=False)
