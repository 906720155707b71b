"""The registry that a reference names comes first, and the local store where it cannot tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.errors import CheckFailedError, ExitCode, HullwrightError, UnavailableError
from hullwright.outcome import Result
from hullwright.push.attestations import listing
from hullwright.tools.attestations import signature_tag
from pushing import INDEX, Memory
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

NAME = "registry.example.com/team/api:1"


def stored(root: Path, *images: dict[str, Any]) -> Workspace:
    """Return a repository whose local store has these images."""
    inspect = Result(("docker",), 0 if images else 1, json.dumps(images))
    return workspace(root, runner=Replay({}, results={("docker", "image", "inspect"): inspect}))


def local(digest: str) -> dict[str, Any]:
    descriptor = {"digest": digest, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    return {"Id": digest, "Descriptor": descriptor, "Os": "linux", "Architecture": "amd64"}


def test_an_image_of_the_registry_has_the_signatures_that_are_kept_there(
    tmp_path: Path, memory: Memory
) -> None:
    image = memory.image("team/api")
    entry = {"digest": image, "platform": {"os": "linux", "architecture": "amd64"}}
    index = memory.add("team/api", {"mediaType": INDEX, "manifests": [entry]}, "1")
    layer = {"digest": image, "size": 9, "mediaType": "x"}
    layer["annotations"] = {"dev.cosignproject.cosign/signature": "MEU"}
    memory.add("team/api", {"layers": [layer]}, signature_tag(index), signature_tag(image))
    found = listing(stored(tmp_path), NAME, lambda _ws, _domain: memory)
    assert (found.place, found.digest, found.silent) == ("registry", index, "")
    assert [one.kind for one in found.images[0].attached] == ["signature"]
    assert [one.kind for one in found.signatures] == ["signature"]
    # A single manifest has its signatures once.
    memory.tags["team/api", "1"] = image
    found = listing(stored(tmp_path), NAME, lambda _ws, _domain: memory)
    assert found.images[0].attached == ()
    assert len(found.signatures) == 1


def test_what_only_the_local_store_has_is_looked_at_there(tmp_path: Path, memory: Memory) -> None:
    digest = f"sha256:{'a' * 64}"
    found = listing(stored(tmp_path, local(digest)), NAME, lambda _ws, _domain: memory)
    assert (found.place, found.digest) == ("local store", digest)
    assert found.images[0].platform == "linux/amd64"


def test_a_registry_that_does_not_answer_is_told_of_beside_the_local_image(tmp_path: Path) -> None:
    def away(_ws: Workspace, domain: str) -> Memory:
        raise UnavailableError(f"{domain} cannot be reached")

    found = listing(stored(tmp_path, local(f"sha256:{'a' * 64}")), NAME, away)
    assert (found.place, found.silent) == ("local store", "registry.example.com")
    with pytest.raises(UnavailableError, match="cannot be reached"):
        listing(stored(tmp_path), NAME, away)


def test_what_is_nowhere_ends_with_1(tmp_path: Path, memory: Memory) -> None:
    with pytest.raises(CheckFailedError) as caught:
        listing(stored(tmp_path), NAME, lambda _ws, _domain: memory)
    assert caught.value.exit_code == ExitCode.FAILED
    assert caught.value.lines() == [
        f"there is no image {NAME}",
        "  why   neither registry.example.com has it, nor the local store",
        "  next  invoke build, or push it: invoke push",
    ]


def test_a_strange_index_is_a_failure_and_no_bug(tmp_path: Path, memory: Memory) -> None:
    memory.add("team/api", {"mediaType": INDEX, "manifests": [{"platform": {}}]}, "1")
    with pytest.raises(HullwrightError, match="cannot be read"):
        listing(stored(tmp_path), NAME, lambda _ws, _domain: memory)
