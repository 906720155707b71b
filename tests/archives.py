"""Small archives in memory: layers, images in an OCI layout, and hostile ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Layout", "digest", "docker_archive", "tar", "zstd"]


def tar(files: Mapping[str, bytes], extra: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """Return a tar archive of regular files, and of entries without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return buffer.getvalue()


def digest(content: bytes) -> str:
    """Return the digest of exact bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Layout:
    """An OCI layout that is filled blob by blob.

    Attributes:
        blobs: content by digest, as the archive will have it.
        manifests: descriptors of the index.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: list[dict[str, Any]] = field(default_factory=list)

    def blob(self, content: bytes) -> dict[str, Any]:
        """Add a blob and return its descriptor without a media type."""
        name = digest(content)
        self.blobs[name] = content
        return {"digest": name, "size": len(content)}

    def document(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Add a JSON document."""
        return self.blob(json.dumps(content).encode())

    def image(self, *layers: bytes, arch: str = "amd64", compress: bool = True) -> dict[str, Any]:
        """Add the image of one platform to the index, and return its manifest's descriptor."""
        stored = [gzip.compress(layer, mtime=0) if compress else layer for layer in layers]
        kind = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if compress else "")
        config = self.document(
            {
                "os": "linux",
                "architecture": arch,
                "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
                "history": [
                    {"created_by": "ENV A=b", "empty_layer": True},
                    *({"created_by": f"COPY {number} /"} for number in range(len(layers))),
                ],
            }
        )
        manifest = self.document(
            {
                "schemaVersion": 2,
                "config": config,
                "layers": [{"mediaType": kind, **self.blob(content)} for content in stored],
            }
        )
        self.manifests.append(manifest)
        return manifest

    def first_layer(self) -> str:
        """Return the digest of the first layer of the first image."""
        manifest = json.loads(self.blobs[self.manifests[0]["digest"]])
        return str(manifest["layers"][0]["digest"])

    def attestation(self) -> None:
        """Add an attestation, as BuildKit stores provenance."""
        statement = self.blob(json.dumps({"predicate": "x" * 5000}).encode())
        config = self.document({"os": "unknown", "architecture": "unknown", "rootfs": {}})
        manifest = self.document(
            {
                "config": config,
                "layers": [{"mediaType": "application/vnd.in-toto+json", **statement}],
            }
        )
        annotations = {"vnd.docker.reference.type": "attestation-manifest"}
        self.manifests.append({**manifest, "annotations": annotations})

    def archive(self) -> bytes:
        """Return the archive, blobs first, as `docker save` writes it."""
        files = {f"blobs/sha256/{n.removeprefix('sha256:')}": b for n, b in self.blobs.items()}
        index = json.dumps({"schemaVersion": 2, "manifests": self.manifests}).encode()
        return tar(dict(sorted(files.items())) | {"index.json": index})

    def write(self, folder: Path) -> Path:
        """Write it as a folder, and return that."""
        (folder / "blobs" / "sha256").mkdir(parents=True)
        for name, content in self.blobs.items():
            (folder / "blobs" / "sha256" / name.removeprefix("sha256:")).write_bytes(content)
        index = json.dumps({"schemaVersion": 2, "manifests": self.manifests})
        (folder / "index.json").write_text(index, encoding="utf-8")
        return folder


def docker_archive(
    *layers: bytes,
    compress: bool = False,
    diff_ids: Sequence[str] = (),
    without: int | None = None,
) -> bytes:
    """Return an image as `docker save` wrote it before version 25, and podman does today.

    Args:
        layers: their tar archives; one that was there before is a link to it.
        compress: whether they are stored with gzip, as some tools do.
        diff_ids: what the configuration says of them; empty for the truth.
        without: number of a layer that is left out.
    """
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"diff_ids": list(diff_ids) or [digest(layer) for layer in layers]},
            "history": [{"created_by": f"COPY {number} /"} for number in range(len(layers))],
        }
    ).encode()
    files = {}
    links = []
    for number, layer in enumerate(layers):
        path, first = f"{number}/layer.tar", layers.index(layer)
        if first < number:
            link = tarfile.TarInfo(path)
            link.type, link.linkname = tarfile.SYMTYPE, f"../{first}/layer.tar"
            links.append(link)
        elif number != without:
            files[f"{number}/VERSION"] = b"1.0"
            files[path] = gzip.compress(layer, mtime=0) if compress else layer
    name = f"{digest(config).removeprefix('sha256:')}.json"
    told = {"Config": name, "Layers": [f"{number}/layer.tar" for number in range(len(layers))]}
    return tar(files | {name: config, "manifest.json": json.dumps([told]).encode()}, links)
