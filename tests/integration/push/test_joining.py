"""Parts in a real registry: what the classic image store pushes can be joined, too."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.push import Content, check
from hullwright.push.joining import Part, join
from hullwright.run import Runner
from hullwright.tools.registryclient import Manifest, RegistryClient, connect
from hullwright.workspace import Workspace
from registries import registry, upload

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
BOTH = ("linux/amd64", "linux/arm64")
NAME = "team/api"


def classic(client: RegistryClient, address: str, platform: str) -> str:
    """Push an image as the classic store does, and return its digest."""
    layer = b"a layer, of which only the digest counts here"
    config = json.dumps(
        {"os": "linux", "architecture": platform.partition("/")[2], "config": {"Labels": {}}}
    ).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": upload(address, NAME, config),
            "size": len(config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "digest": upload(address, NAME, layer),
                "size": len(layer),
            }
        ],
    }
    content = json.dumps(document).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return client.put_manifest(NAME, digest, Manifest(DOCKER, content, digest))


def test_a_real_registry_takes_what_is_joined(tmp_path: Path) -> None:
    with registry(tmp_path) as address:
        console = Console({}, out=io.StringIO(), err=io.StringIO())
        ws = Workspace(tmp_path, Config("shop"), Runner({}), console, {})
        client = connect(ws, address)
        parts = [Part(platform, classic(client, address, platform)) for platform in BOTH]
        joined = join(client, NAME, parts, {"dev.hullwright.fingerprint": "f" * 64})
        found = client.manifest(NAME, joined.digest)
        assert found == joined
        # No name was given: who looks for a release finds none.
        assert client.tags(NAME) == ()
        content = Content("api", "", f"{address}/{NAME}", joined.digest, "f" * 64, BOTH)
        (checked,) = check({address: client}, [content])
        assert set(checked.platforms) == set(BOTH)
        assert not set(checked.platforms.values()) & {part.digest for part in parts}
