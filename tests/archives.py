"""Small archives in memory: layers, images in an OCI layout, and hostile ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
