"""What a real engine pushed is found again by its fingerprint, also through a bad connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright.tools.published import FINGERPRINT, Wanted, lookup, read
from hullwright.tools.registryclient import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flaky import Proxy
    from hullwright.workspace import Workspace

pytestmark = pytest.mark.docker

PRINT = "5" * 64
VERSION = "org.opencontainers.image.version"
REVISION = "org.opencontainers.image.revision"
SAID = {FINGERPRINT: PRINT, VERSION: "1.4.1", REVISION: "b" * 40}


@pytest.fixture
def name(engine: str, proxy: Proxy, repository: str) -> Iterator[str]:
    """A repository behind the proxy; its images are removed from the local store."""
    name = f"{proxy.address}/{repository}"
    yield name
    left = docker("image", "ls", "--quiet", "--filter", f"reference={name}").split()
    if left:
        docker("image", "rm", "--force", *set(left))


def pushed(folder: Path, name: str, *words: str) -> None:
    """Build an image of one file and push it."""
    (folder / "file").write_text(name, encoding="utf-8")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY file /\n", encoding="utf-8")
    docker("buildx", "build", "--quiet", "--load", "--tag", f"{name}:1", *words, str(folder))
    docker("push", "--quiet", f"{name}:1")


def test_a_label_is_found_on_a_single_image(tmp_path: Path, name: str, ws: Workspace) -> None:
    labels = [f"--label={key}={value}" for key, value in SAID.items()]
    pushed(tmp_path, name, "--provenance=false", *labels)
    found = lookup(ws)([Wanted(name, ("0", "1"), PRINT), Wanted(name, ("1",), "6" * 64)])
    assert list(found) == [PRINT]
    image = found[PRINT]
    assert (image.repository, image.tag, image.attested) == (name, "1", False)
    assert (image.version, image.revision) == ("1.4.1", "b" * 40)
    assert [platform.split("/")[0] for platform in image.platforms] == ["linux"]


def test_an_annotation_is_found_on_an_index(
    tmp_path: Path, name: str, ws: Workspace, proxy: Proxy
) -> None:
    noted = [f"--annotation=index:{key}={value}" for key, value in SAID.items()]
    pushed(tmp_path, name, "--provenance=mode=min", *noted)
    proxy.seen.clear()
    image = read(connect(ws, proxy.address), name, "1")
    assert image is not None
    assert (image.fingerprint, image.version, image.attested) == (PRINT, "1.4.1", True)
    assert image.media_type == "application/vnd.oci.image.index.v1+json"
    assert len(image.platforms) == 1
    # One request is all it takes.
    assert len(proxy.seen) == 1


def test_the_proxy_can_break_a_push_of_the_engine(tmp_path: Path, name: str, proxy: Proxy) -> None:
    proxy.cut(100, method="PUT", path="/blobs/uploads/", uploading=True)
    with pytest.raises(AssertionError, match="EOF"):
        pushed(tmp_path, name, "--provenance=false")
    proxy.answer(500, method="PUT", path="/manifests/1$", times=None)
    with pytest.raises(AssertionError, match="500 Internal Server Error"):
        docker("push", "--quiet", f"{name}:1")
    proxy.forget()
    docker("push", "--quiet", f"{name}:1")
    assert proxy.counted("PUT", "/manifests/1$") >= 2
