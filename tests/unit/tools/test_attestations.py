"""What is attached to an image is read from its index, and what cannot be read is left out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hullwright.tools import attestations
from hullwright.tools.attestations import Attached, OfPlatform

if TYPE_CHECKING:
    from collections.abc import Mapping

AMD, ARM, BESIDE, STRAY = (f"sha256:{letter * 64}" for letter in "abcd")
PROVENANCE, SBOM, OTHER, CONFIG = (f"sha256:{letter * 64}" for letter in "ef01")


class Documents:
    """The documents of one image, in memory."""

    def __init__(self, manifests: dict[str, Any], blobs: dict[str, Any]) -> None:
        self.manifests, self.blobs = manifests, blobs

    def manifest(self, digest: str, /) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.manifests.get(digest, {})
        return found

    def blob(self, digest: str, _size_bytes: int, /) -> bytes:
        content = self.blobs.get(digest, "")
        return content if isinstance(content, bytes) else json.dumps(content).encode()


def layer(digest: str, predicate: str, size: int = 1000) -> dict[str, Any]:
    return {"digest": digest, "size": size, "annotations": {attestations.PREDICATE: predicate}}


def image(digest: str, arch: str) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": "linux", "architecture": arch}}


def attestation(digest: str, of: str) -> dict[str, Any]:
    notes = {
        attestations.REFERENCE_TYPE: "attestation-manifest",
        attestations.REFERENCE_DIGEST: of,
    }
    platform = {"os": "unknown", "architecture": "unknown"}
    return {"digest": digest, "platform": platform, "annotations": notes}


def read(blobs: dict[str, Any], *layers: dict[str, Any], of: str = AMD) -> tuple[OfPlatform, ...]:
    index = [image(AMD, "amd64"), image(ARM, "arm64"), attestation(BESIDE, of)]
    manifests = {"index": {"manifests": index}, BESIDE: {"layers": list(layers)}}
    return attestations.read("index", Documents(manifests, blobs))


def test_each_platform_has_what_is_about_it() -> None:
    provenance = {
        "predicate": {
            "builder": {"id": "https://ci.example.com/run/7"},
            "materials": [{"uri": "pkg:docker/python@3.13"}, {"uri": "https://example.com/a.git"}],
        }
    }
    sbom = {
        "predicate": {
            "creationInfo": {"creators": ["Organization: X", "Tool: scanner-1", "Tool: buildkit"]},
            "packages": [{}, {}, {}],
        }
    }
    found = read(
        {PROVENANCE: provenance, SBOM: sbom},
        layer(PROVENANCE, "https://slsa.dev/provenance/v0.2"),
        layer(SBOM, "https://spdx.dev/Document"),
    )
    assert found == (
        OfPlatform(
            "linux/amd64",
            AMD,
            (
                Attached(
                    "provenance",
                    "https://slsa.dev/provenance/v0.2",
                    PROVENANCE,
                    1000,
                    "https://ci.example.com/run/7",
                    materials=2,
                ),
                Attached(
                    "sbom",
                    "https://spdx.dev/Document",
                    SBOM,
                    1000,
                    "scanner-1, buildkit",
                    packages=3,
                ),
            ),
        ),
        OfPlatform("linux/arm64", ARM),
    )


def test_provenance_of_version_1_is_read_too() -> None:
    told = {
        "predicate": {
            "buildDefinition": {"resolvedDependencies": [{"uri": "a"}]},
            "runDetails": {"builder": {"id": "b"}},
        }
    }
    found = read({PROVENANCE: told}, layer(PROVENANCE, "https://slsa.dev/provenance/v1"))
    (one,) = found[0].attached
    assert (one.kind, one.maker, one.materials) == ("provenance", "b", 1)


def test_what_is_garbage_or_too_large_is_listed_without_figures() -> None:
    large = attestations.MOST_BYTES + 1
    found = read(
        {PROVENANCE: b"{", SBOM: {"predicate": {"packages": 3}}, OTHER: [1]},
        layer(PROVENANCE, "https://slsa.dev/provenance/v1"),
        layer(SBOM, "https://spdx.dev/Document"),
        layer(SBOM, "https://spdx.dev/Document", large),
        layer(OTHER, "https://example.com/tests"),
        layer(OTHER, ""),
    )
    assert [
        (each.kind, each.maker, each.materials, each.packages) for each in found[0].attached
    ] == [
        ("provenance", "", None, None),
        ("sbom", "", None, None),
        ("sbom", "", None, None),
        ("https://example.com/tests", "", None, None),
        ("an attestation of no kind", "", None, None),
    ]


def test_a_maker_cannot_write_to_the_terminal() -> None:
    told = {"predicate": {"builder": {"id": "\x1b[2Jgone"}, "materials": []}}
    found = read({PROVENANCE: told}, layer(PROVENANCE, "https://slsa.dev/provenance/v0.2"))
    assert found[0].attached[0].maker == "[2Jgone"


def test_what_is_about_no_image_of_the_index_stands_last() -> None:
    found = read({}, layer(OTHER, "https://example.com/x"), of=STRAY)
    assert found[-1].platform == ""
    assert found[-1].digest == STRAY
    assert len(found[-1].attached) == 1


def test_a_single_manifest_has_its_platform_from_its_configuration() -> None:
    config = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    documents = Documents({AMD: {"config": {"digest": CONFIG, "size": 9}}}, {CONFIG: config})
    assert attestations.read(AMD, documents) == (OfPlatform("linux/arm64", AMD),)
    # An artefact has none.
    assert attestations.read(ARM, Documents({ARM: {}}, {})) == (OfPlatform("", ARM),)


def test_signatures_are_layers_that_cosign_marked() -> None:
    marked = {"digest": OTHER, "size": 237, "mediaType": "application/x"}
    marked["annotations"] = {"dev.cosignproject.cosign/signature": "MEU"}
    found = list(attestations.signatures({"layers": [marked, {"digest": SBOM, "size": 1}]}))
    assert found == [Attached("signature", "application/x", OTHER, 237)]
    assert attestations.signature_tag(AMD) == f"sha256-{'a' * 64}.sig"


def test_tags_of_cosign_are_no_names_of_releases() -> None:
    pattern = re.compile(attestations.ATTACHMENT_TAG)
    digits = "0" * 64
    for tag in (f"sha256-{digits}.sig", f"sha256-{digits}.att", f"sha256-{digits}"):
        assert pattern.fullmatch(tag), tag
    for tag in ("1.4.1", "sha256-abc", f"sha256-{digits}.tar", f"x-sha256-{digits}"):
        assert not pattern.fullmatch(tag), tag
