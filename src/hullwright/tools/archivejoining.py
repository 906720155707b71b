"""Joins OCI archives of single platforms into one archive of an image for all of them.

https://specs.opencontainers.org/image-spec/image-layout/
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'


def join_archives(
    parts: Sequence[Path], whole: Path, reference: str, annotations: Mapping[str, str]
) -> str:
    """Write one archive of several, and return the digest of its index.

    Blobs are copied as they are, each once. The platforms stand in the order of the parts, and
    what belongs to a manifest (its attestations) stands behind it.

    Args:
        parts: archives with one image each, as BuildKit writes them.
        whole: where the archive goes.
        reference: name and tag of the image.
        annotations: what the index says of itself.
    """
    manifests: list[Any] = []
    written: set[str] = set()
    with tarfile.open(whole, "w") as out:
        _add(out, "oci-layout", _LAYOUT)
        for part in parts:
            with tarfile.open(part) as archive:
                for member in archive:
                    blob = member.isfile() and member.name.startswith("blobs/")
                    if blob and member.name not in written:
                        written.add(member.name)
                        out.addfile(member, archive.extractfile(member))
                manifests += _manifests(archive)
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}
        content = _written({**index, **({"annotations": dict(annotations)} if annotations else {})})
        digest = hashlib.sha256(content).hexdigest()
        _add(out, f"blobs/sha256/{digest}", content)
        named = Reference.parse(reference)
        descriptor = {
            "mediaType": _INDEX,
            "digest": f"sha256:{digest}",
            "size": len(content),
            "annotations": {
                "io.containerd.image.name": f"{named.domain}/{named.path}:{named.tag}",
                "org.opencontainers.image.ref.name": named.tag,
            },
        }
        top = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [descriptor]}
        _add(out, "index.json", _written(top))
    return f"sha256:{digest}"


def _manifests(archive: tarfile.TarFile) -> list[Any]:
    """Return the descriptors of an archive's image: of its platform, and of what belongs to it."""
    (top,) = _read(archive, "index.json")["manifests"]
    if top["mediaType"] == _INDEX:
        name = f"blobs/{top['digest'].replace(':', '/')}"
        return list(_read(archive, name)["manifests"])
    platform = top.get("platform") or _platform(archive, top["digest"])
    kept = {key: top[key] for key in ("mediaType", "digest", "size")}
    return [{**kept, "platform": platform}]


def _platform(archive: tarfile.TarFile, digest: str) -> dict[str, str]:
    manifest = _read(archive, f"blobs/{digest.replace(':', '/')}")
    config = _read(archive, f"blobs/{manifest['config']['digest'].replace(':', '/')}")
    names = ("architecture", "os", "os.version", "variant")
    return {name: config[name] for name in names if config.get(name)}


def _read(archive: tarfile.TarFile, name: str) -> Any:
    content = archive.extractfile(name)
    return json.loads(content.read()) if content else {}


def _add(out: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    out.addfile(entry, io.BytesIO(content))


def _written(document: Any) -> bytes:
    return json.dumps(document, indent=2).encode()
