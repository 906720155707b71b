"""Images of a registry: what is asked for, and what is wrong with what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from answering import INDEX, MANIFEST, refusal
from archives import Layout, digest, tar
from hullwright.config.models import Config
from hullwright.errors import ExitCode, HullwrightError
from hullwright.images import Platform
from hullwright.run import Result
from hullwright.sizes import Subject, measure
from hullwright.sizes.choosing import locate
from hullwright.tools import registryclient
from hullwright.tools.registryclient import Patience, RegistryClient, RegistryError
from hullwright.tools.registryhttp import Answer, Request
from hullwright.tools.registrysending import Sending
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

REFERENCE: Final = "registry.example.com/team/app:1"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Return a workspace whose engine has no image."""
    gone = Result(("docker",), 1, "", "Error response from daemon: No such image\n")
    return workspace(tmp_path, Config("shop"), Replay({}, results={("docker",): gone}))


def layout() -> Layout:
    """Return an image of two platforms, of which a container sees 20 and 5 bytes."""
    made = Layout()
    made.image(tar({"etc/a": b"x" * 1000}), tar({"etc/.wh.a": b"", "b": b"y" * 20}))
    made.image(tar({"arm": b"z" * 5}), arch="arm64")
    return made


@dataclass
class Registry:
    """A registry that has an image, and how it misbehaves.

    Attributes:
        instead: answers by what the path ends with.
        asked: path of each request, without what all have.
        clients: how many clients of it there were.
    """

    made: Layout
    instead: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    clients: int = 0

    def __post_init__(self) -> None:
        amd, arm = (
            {**each, "mediaType": MANIFEST, "platform": {"os": "linux", "architecture": arch}}
            for each, arch in zip(self.made.manifests, ("amd64", "arm64"), strict=False)
        )
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [amd, arm]}
        self.index = json.dumps(index).encode()

    def send(self, request: Request) -> Answer:
        path = request.url.removeprefix("https://registry.example.com/v2/")
        self.asked.append(path)
        for end, answer in self.instead.items():
            if path.endswith(end):
                return answer
        if not path:
            return Answer(200)
        content = self.index if path.endswith("/1") else self.made.blobs[path.rpartition("/")[2]]
        if "/manifests/" in path:
            return Answer(200, {"content-type": MANIFEST}, content)
        if "Range" in request.headers:
            first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
            return Answer(206, {}, content[int(first) : int(last) + 1])
        return Answer(200, {}, content)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the registry that is found where one is asked for; its client waits for nothing."""
    found = Registry(layout())
    patience = Patience(attempts=2, sleep=lambda _: None)

    def connect(_: Workspace, domain: str) -> RegistryClient:
        found.clients += 1
        return RegistryClient(Sending(domain, f"https://{domain}", found, None, patience))

    monkeypatch.setattr(registryclient, "connect", connect)
    return found


def of_registry(ws: Workspace, *platforms: str, deep: bool = False, count: int = 1) -> Any:
    images = [Subject(REFERENCE)] * count
    return measure(ws, images, place="registry", platforms=platforms, deep=deep).images


def test_of_a_registry_only_manifests_and_configurations_are_read(
    ws: Workspace, registry: Registry
) -> None:
    rows = of_registry(ws)
    assert [row.figures.platform for row in rows] == ["linux/amd64", "linux/arm64"]
    for row, manifest in zip(rows, registry.made.manifests, strict=False):
        layers = json.loads(registry.made.blobs[manifest["digest"]])["layers"]
        assert row.figures.compressed_bytes == sum(layer["size"] for layer in layers)
        assert row.figures.unpacked_bytes is None
    # The index, and a manifest and a configuration for each platform.
    assert len(registry.asked) == 5


def test_of_platforms_that_are_not_asked_for_nothing_is_read(
    ws: Workspace, registry: Registry
) -> None:
    (row,) = of_registry(ws, "linux/arm64")
    assert row.figures.platform == "linux/arm64"
    assert len(registry.asked) == 3


def test_images_of_one_registry_share_a_client(ws: Workspace, registry: Registry) -> None:
    assert len(of_registry(ws, "linux/amd64", count=40)) == 40
    assert len(registry.asked) == 120
    assert registry.clients == 1


def test_layers_of_a_registry_are_read_where_they_are_asked_for(
    ws: Workspace, registry: Registry
) -> None:
    rows = of_registry(ws, deep=True)
    assert [row.figures.visible_bytes for row in rows] == [20, 5]
    asked = len(registry.asked)
    assert [row.figures.visible_bytes for row in of_registry(ws, deep=True)] == [20, 5]
    # The tag may name another image by now; what its digest names is known.
    assert registry.asked[asked:] == ["team/app/manifests/1"]


def test_an_image_that_a_registry_lacks_is_said(ws: Workspace, registry: Registry) -> None:
    registry.instead["/manifests/1"] = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    with pytest.raises(HullwrightError, match="app:1 is not in its registry") as raised:
        of_registry(ws)
    assert raised.value.exit_code == ExitCode.FAILED


def test_an_image_that_is_nowhere_is_said(ws: Workspace, registry: Registry) -> None:
    registry.instead["/manifests/1"] = refusal(404, "NAME_UNKNOWN", "repository name not known")
    with pytest.raises(
        HullwrightError, match="not in the local store, nor in its registry"
    ) as raised:
        measure(ws, [Subject(REFERENCE)])
    assert "docker pull" not in raised.value.next_step


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_registry_that_refuses_is_unavailable(
    ws: Workspace, registry: Registry, status: int
) -> None:
    registry.instead["/manifests/1"] = refusal(status, "REFUSED", "for a reason of its own")
    with pytest.raises(RegistryError, match=r"registry\.example\.com") as raised:
        of_registry(ws, count=3)
    assert raised.value.exit_code == ExitCode.UNAVAILABLE


def test_a_manifest_of_an_unknown_type_is_named(ws: Workspace, registry: Registry) -> None:
    kind = "application/vnd.docker.distribution.manifest.v1+json"
    told = json.dumps({"schemaVersion": 1, "fsLayers": []}).encode()
    registry.instead["/manifests/1"] = Answer(200, {"content-type": kind}, told)
    with pytest.raises(HullwrightError, match="no image that can be measured") as raised:
        of_registry(ws)
    assert raised.value.exit_code == ExitCode.FAILED
    assert kind in str(raised.value)


def test_an_index_whose_manifest_is_gone_is_named(ws: Workspace, registry: Registry) -> None:
    gone = registry.made.manifests[0]["digest"]
    registry.instead[gone] = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    with pytest.raises(HullwrightError, match="is not whole in its registry") as raised:
        of_registry(ws)
    assert gone in str(raised.value)


def test_a_layer_of_a_registry_with_a_wrong_digest_is_named(
    ws: Workspace, registry: Registry
) -> None:
    layer = registry.made.first_layer()
    registry.made.blobs[layer] = bytes(len(registry.made.blobs[layer]))
    with pytest.raises(HullwrightError, match=layer) as raised:
        of_registry(ws, deep=True)
    assert raised.value.exit_code == ExitCode.FAILED


def test_half_a_layer_of_a_registry_is_its_fault(ws: Workspace, registry: Registry) -> None:
    layer = registry.made.first_layer()
    registry.instead[layer] = Answer(206, {}, registry.made.blobs[layer][:20])
    with pytest.raises(RegistryError, match="is at fault") as raised:
        of_registry(ws, deep=True)
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    # It is not asked again for what it did not cut off.
    assert sum(path.endswith(layer) for path in registry.asked) == 1


def test_the_digest_of_a_platform_is_its_manifests(ws: Workspace, registry: Registry) -> None:
    located = locate(ws, Subject(REFERENCE), "registry")
    assert located is not None
    assert located.digest == digest(registry.index)
    (image,) = located.source().images({Platform("linux", "amd64")})
    assert image.digest == registry.made.manifests[0]["digest"]
