"""OCI archives as a builder writes them, for tests of what differs between two builds."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Entry:
    """An entry of a layer."""

    path: str
    content: bytes = b"x"
    time_s: int = 1_700_000_000
    mode: int = 0o644
    uid: int = 0
    link: str = ""
    folder: bool = False


@dataclass(frozen=True)
class Build:
    """One platform of an image.

    Attributes:
        layers: the entries of each.
        steps: what made each layer.
        config: more of its configuration.
    """

    layers: Sequence[Sequence[Entry]]
    steps: Sequence[str] = ()
    config: dict[str, Any] = field(default_factory=dict)
    platform: str = "linux/amd64"


def layer(entries: Sequence[Entry], *, level: int = 6) -> bytes:
    """Return the compressed tar stream of a layer."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.path)
            info.mtime, info.mode, info.uid = entry.time_s, entry.mode, entry.uid
            info.type = tarfile.DIRTYPE if entry.folder else tarfile.REGTYPE
            if entry.link:
                info.type, info.linkname = tarfile.SYMTYPE, entry.link
            info.size = len(entry.content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(entry.content))
    return gzip.compress(plain.getvalue(), level, mtime=0)


def archive(path: Path, *builds: Build, level: int = 6, attested: bool = False) -> Path:
    """Write an OCI archive, several platforms in an index of their own, as a builder does."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"digest": f"sha256:{digest}", "size": len(content)}

    def document(value: Any) -> dict[str, Any]:
        return blob(json.dumps(value, sort_keys=True).encode())

    entries = []
    for build in builds:
        system, _, arch = build.platform.partition("/")
        told = [{"created_by": step} for step in build.steps]
        config = {"os": system, "architecture": arch, "history": told, **build.config}
        manifest = {
            "schemaVersion": 2,
            "config": document(config),
            "layers": [blob(layer(entries, level=level)) for entries in build.layers],
        }
        entries.append(document(manifest))
    if attested:
        note = {"vnd.docker.reference.type": "attestation-manifest"}
        entries.append({**document({"layers": []}), "annotations": note})
    if len(entries) > 1:
        entries = [{**document({"mediaType": _INDEX, "manifests": entries}), "mediaType": _INDEX}]
    with tarfile.open(path, "w") as file:
        for name, content in (
            *((f"blobs/sha256/{digest}", content) for digest, content in blobs.items()),
            ("index.json", json.dumps({"manifests": entries}).encode()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path
