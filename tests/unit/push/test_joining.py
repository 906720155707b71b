"""One image made of the parts that several builders pushed."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from hullwright.errors import CheckFailedError
from hullwright.push import check
from hullwright.push.joining import Part, join
from pushing import CONFIG, IMAGE, INDEX, Memory, digest_of

from .conftest import HOST, content

OCI = "org.opencontainers.image."
FINGERPRINT = "dev.hullwright.fingerprint"
SAME = {f"{OCI}version": "1.4.1", f"{OCI}revision": "ab" * 20}
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
PROVENANCE = "https://slsa.dev/provenance/v0.2"


def image(memory: Memory, arch: str, **labels: str) -> str:
    """Store an image of the one version for a platform, and return its digest."""
    return memory.image("team/api", labels={**SAME, **labels}, architecture=arch)


def attested(memory: Memory, arch: str) -> tuple[str, str, str]:
    """Store an index of one platform with its provenance; return it, the image and that."""
    own = image(memory, arch)
    layers = [{"annotations": {"in-toto.io/predicate-type": PROVENANCE}}]
    attestation = memory.add("team/api", {"mediaType": IMAGE, "layers": layers, "of": own})
    entries = [
        {
            "mediaType": IMAGE,
            "digest": own,
            "size": 1,
            "platform": {"os": "linux", "architecture": arch},
        },
        {
            "mediaType": IMAGE,
            "digest": attestation,
            "size": 1,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": own,
            },
        },
    ]
    return memory.add("team/api", {"mediaType": INDEX, "manifests": entries}), own, attestation


def both(memory: Memory) -> list[Part]:
    """Store an image for each of two platforms."""
    return [
        Part("linux/arm64", image(memory, "arm64")),
        Part("linux/amd64", image(memory, "amd64")),
    ]


def refused(memory: Memory, parts: list[Part]) -> str:
    """Return why parts are not joined; nothing is stored then."""
    before = dict(memory.tags)
    with pytest.raises(CheckFailedError) as raised:
        join(memory, "team/api", parts)
    assert memory.tags == before
    assert raised.value.exit_code == 1
    return str(raised.value)


def test_the_index_holds_each_part_and_is_stored_by_its_digest_only(memory: Memory) -> None:
    parts = both(memory)
    joined = join(memory, "team/api", parts)
    assert memory.puts == [joined.digest]
    document = joined.document()
    assert document["mediaType"] == joined.media_type == INDEX
    assert [(e["platform"], e["digest"]) for e in document["manifests"]] == [
        ({"architecture": "amd64", "os": "linux"}, parts[1].digest),
        ({"architecture": "arm64", "os": "linux"}, parts[0].digest),
    ]
    sizes = [len(memory.manifests["team/api", p.digest].content) for p in reversed(parts)]
    assert [entry["size"] for entry in document["manifests"]] == sizes
    platforms = ("linux/amd64", "linux/arm64")
    (checked,) = check({HOST: memory}, [content(joined.digest, platforms=platforms)])
    assert set(checked.platforms) == set(platforms)


def test_the_order_of_parts_makes_no_difference(memory: Memory) -> None:
    parts = [*both(memory), Part("linux/riscv64", image(memory, "riscv64"))]
    found = {join(memory, "team/api", list(order)).digest for order in permutations(parts)}
    assert len(found) == 1


def test_the_index_says_what_all_parts_say_and_what_it_is_given(memory: Memory) -> None:
    first = image(memory, "amd64", **{f"{OCI}title": "api", FINGERPRINT: "a", "other": "x"})
    second = image(memory, "arm64", **{f"{OCI}title": "api", FINGERPRINT: "b", "other": "x"})
    parts = [Part("linux/amd64", first), Part("linux/arm64", second)]
    told = join(memory, "team/api", parts, {FINGERPRINT: "whole"}).document()["annotations"]
    assert told == {**SAME, f"{OCI}title": "api", FINGERPRINT: "whole"}


def test_attestations_stay_with_their_image(memory: Memory) -> None:
    parts, expected = [], []
    for arch in ("amd64", "arm64"):
        index, own, attestation = attested(memory, arch)
        parts.append(Part(f"linux/{arch}", index))
        expected.append((own, attestation))
    joined = join(memory, "team/api", parts)
    entries = joined.document()["manifests"]
    assert [e["digest"] for e in entries[:2]] == [own for own, _ in expected]
    assert [
        (e["annotations"]["vnd.docker.reference.digest"], e["digest"]) for e in entries[2:]
    ] == expected
    platforms = ("linux/amd64", "linux/arm64")
    asked = [content(joined.digest, platforms=platforms)]
    (checked,) = check({HOST: memory}, asked, ("provenance",))
    assert checked.attestations == {"provenance"}


def test_one_index_may_hold_several_of_the_parts(memory: Memory) -> None:
    first = join(memory, "team/api", both(memory)).digest
    third = image(memory, "riscv64")
    parts = [
        Part("linux/amd64", first),
        Part("linux/arm64", first),
        Part("linux/riscv64", third),
    ]
    entries = join(memory, "team/api", parts).document()["manifests"]
    assert [e["platform"]["architecture"] for e in entries] == ["amd64", "arm64", "riscv64"]


def test_what_the_classic_store_pushed_becomes_oci(memory: Memory) -> None:
    config = json.dumps({"os": "linux", "architecture": "arm64", "config": {"Labels": SAME}})
    memory.blobs[digest_of(config.encode())] = config.encode()
    descriptor = {"mediaType": DOCKER_CONFIG, "digest": digest_of(config.encode()), "size": 9}
    layer = {"mediaType": DOCKER_LAYER, "digest": "sha256:1", "size": 7}
    told: dict[str, Any] = {"mediaType": DOCKER, "config": descriptor, "layers": [layer]}
    classic = memory.add("team/api", told)
    parts = [Part("linux/amd64", image(memory, "amd64")), Part("linux/arm64", classic)]
    joined = join(memory, "team/api", parts)
    digest = joined.document()["manifests"][1]["digest"]
    made = memory.manifests["team/api", digest].document()
    assert made["mediaType"] == IMAGE
    assert made["config"] == {**descriptor, "mediaType": CONFIG}
    assert made["layers"] == [{**layer, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}]
    platforms = ("linux/amd64", "linux/arm64")
    assert check({HOST: memory}, [content(joined.digest, platforms=platforms)])


def test_arm64_is_arm64_with_its_variant_and_without(memory: Memory) -> None:
    digest = memory.image("team/api", labels=SAME, architecture="arm64", variant="v8")
    entries = join(memory, "team/api", [Part("linux/arm64", digest)]).document()["manifests"]
    assert entries[0]["platform"]["variant"] == "v8"
    both_ways = [Part("linux/arm64/v8", digest), Part("linux/arm64", digest)]
    assert "two parts are for it" in refused(memory, both_ways)


def test_a_part_that_is_not_there_is_named(memory: Memory) -> None:
    parts = [*both(memory), Part("linux/riscv64", "sha256:" + "0" * 64)]
    told = refused(memory, parts)
    assert "linux/riscv64  the registry has no team/api@sha256:000" in told
    assert "invoke push --part" in told


def test_no_parts_are_no_image(memory: Memory) -> None:
    assert "there are none" in refused(memory, [])


def test_two_parts_of_one_platform_are_refused(memory: Memory) -> None:
    (arm, amd) = both(memory)
    other = Part("linux/amd64", image(memory, "amd64", **{f"{OCI}title": "another"}))
    told = refused(memory, [arm, amd, other])
    assert f"linux/amd64  two parts are for it: {amd.digest} and {other.digest}" in told


def test_parts_of_two_versions_are_refused(memory: Memory) -> None:
    other = image(memory, "arm64", **{f"{OCI}version": "1.4.0"})
    told = refused(
        memory, [Part("linux/amd64", image(memory, "amd64")), Part("linux/arm64", other)]
    )
    assert "linux/amd64  its version is 1.4.1" in told
    assert "linux/arm64  its version is 1.4.0" in told
    assert "revision" not in told


def test_a_part_of_other_inputs_than_those_that_are_meant_is_refused(memory: Memory) -> None:
    digest = image(memory, "amd64", **{FINGERPRINT: "a"})
    joined = join(memory, "team/api", [Part("linux/amd64", digest, "a")])
    assert joined.document()["manifests"][0]["digest"] == digest
    told = refused(memory, [Part("linux/amd64", digest, "b")])
    assert "was made from other inputs" in told


def test_a_part_of_another_platform_than_it_is_for_is_refused(memory: Memory) -> None:
    digest = image(memory, "amd64")
    assert f"{digest} is for linux/amd64" in refused(memory, [Part("linux/arm64", digest)])
    index = join(memory, "team/api", both(memory)).digest
    told = refused(memory, [Part("linux/riscv64", index)])
    assert "is for linux/amd64, linux/arm64" in told


def test_what_is_no_image_is_refused(memory: Memory) -> None:
    odd = memory.add("team/api", {"mediaType": "application/vnd.cncf.helm+json"})
    assert "is no image" in refused(memory, [Part("linux/amd64", odd)])
