"""Base images that tests put into a registry by its interface alone: no engine, tiny, as dated."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any, Final

import urllib3

from registries import upload

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_CREATED: Final = "2026-10-01T00:00:00Z"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


def put(
    address: str,
    repository: str,
    tag: str,
    content: str,
    *,
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64"),
    created: str = _CREATED,
) -> str:
    """Put an image whose file `/base.txt` has a content under a tag; returns the index's digest."""
    entries = [_manifest(address, repository, content, name, created=created) for name in platforms]
    unknown = {"os": "unknown", "architecture": "unknown"}
    attestation = {**entries[0], "platform": unknown}
    attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [*entries, attestation]}
    return _put(address, repository, tag, index)


def put_single(address: str, repository: str, tag: str, content: str) -> str:
    """Put an image of one platform without an index under a tag; returns its digest."""
    entry = _manifest(address, repository, content, "linux/amd64", tag=tag)
    return f"{entry['digest']}"


def _manifest(
    address: str,
    repository: str,
    content: str,
    platform: str,
    *,
    created: str = _CREATED,
    tag: str = "",
) -> dict[str, Any]:
    system, architecture = platform.split("/")
    archive = _archive(content)
    layer = gzip.compress(archive, mtime=0)
    config = json.dumps(
        {
            "os": system,
            "architecture": architecture,
            "created": created,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(archive)]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _described(_CONFIG, config, upload(address, repository, config)),
        "layers": [_described(_LAYER, layer, upload(address, repository, layer))],
    }
    size = len(json.dumps(manifest).encode())
    digest = _digest(json.dumps(manifest).encode())
    _put(address, repository, tag or digest, manifest)
    told = {"os": system, "architecture": architecture}
    return {"mediaType": _MANIFEST, "digest": digest, "size": size, "platform": told}


def _archive(content: str) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        entry = tarfile.TarInfo("base.txt")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content.encode()))
    return written.getvalue()


def _described(media_type: str, content: bytes, digest: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _put(address: str, repository: str, reference: str, document: dict[str, Any]) -> str:
    content = json.dumps(document).encode()
    answer = urllib3.request(
        "PUT",
        f"http://{address}/v2/{repository}/manifests/{reference}",
        body=content,
        headers={"Content-Type": document["mediaType"]},
    )
    assert answer.status == 201, answer.data
    return _digest(content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
