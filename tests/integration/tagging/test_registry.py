"""A sample of random refs is really pushed: a registry takes each of their tags."""

from __future__ import annotations

import hashlib
import json
import random
import urllib.request
from typing import TYPE_CHECKING, Final

from hullwright.tagging import Clone, compute
from registries import registry
from tagging import on

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE: Final = 300
LETTERS: Final = "abAB019-_./äß日🚀 &=+#@%!{}()'\"$,;<>|`\u00a0"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"


def request(method: str, url: str, data: bytes = b"", kind: str = "") -> tuple[int, str, bytes]:
    """Return status, location and body of a request to the registry on loopback."""
    made = urllib.request.Request(url, data=data or None, method=method)  # noqa: S310  loopback
    made.add_header("Content-Type", kind or "application/octet-stream")
    with urllib.request.urlopen(made, timeout=30) as answer:  # noqa: S310  loopback
        return answer.status, answer.headers.get("Location", ""), answer.read()


def manifest(root: str) -> bytes:
    """Upload the smallest image configuration; return a manifest of it."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers"}})
    digest = f"sha256:{hashlib.sha256(config.encode()).hexdigest()}"
    _, place, _ = request("POST", f"{root}/blobs/uploads/")
    sign = "&" if "?" in place else "?"
    assert request("PUT", f"{place}{sign}digest={digest}", config.encode())[0] == 201
    described = {"mediaType": CONFIG_TYPE, "digest": digest, "size": len(config)}
    told = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described, "layers": []}
    return json.dumps(told).encode()


def test_a_registry_takes_the_tags_of_random_refs(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311  a fixed sequence is what is wanted
    names = {"".join(chance.choices(LETTERS, k=chance.randint(1, 160))) for _ in range(SAMPLE)}
    clone = Clone(tuple(f"refs/heads/{name}" for name in sorted(names)))
    tags = {compute(on(ref, clone)).primary for ref in clone.refs}
    assert len(tags) == len(names)
    with registry(tmp_path) as address:
        root = f"http://{address}/v2/sample"
        image = manifest(root)
        for tag in sorted(tags):
            assert request("PUT", f"{root}/manifests/{tag}", image, MANIFEST_TYPE)[0] == 201
        listed = json.loads(request("GET", f"{root}/tags/list")[2])["tags"]
    assert set(listed) == tags
