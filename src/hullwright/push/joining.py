"""Makes one image of parts: the manifests of its platforms, which several builders pushed.

Only manifests are read and written, so joining costs the same whatever the images hold. The index
follows from the parts alone: whoever joins the same parts gets the same digest.
Sources: https://github.com/opencontainers/image-spec/blob/main/image-index.md and
https://docs.docker.com/build/metadata/attestations/attestation-storage/
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import CheckFailedError
from hullwright.images import Platform
from hullwright.push.together import together
from hullwright.tools.published import ATTESTATION, FINGERPRINT
from hullwright.tools.registryclient import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.push.models import Registry

INDEX: Final = "application/vnd.oci.image.index.v1+json"
_IMAGE: Final = "application/vnd.oci.image.manifest.v1+json"
_DOCKER_IMAGE: Final = "application/vnd.docker.distribution.manifest.v2+json"
# The classic store pushes Docker's own kinds of the very same blobs.
_OCI_KINDS: Final = {
    _DOCKER_IMAGE: _IMAGE,
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": (
        "application/vnd.oci.image.layer.v1.tar+gzip"
    ),
    "application/vnd.docker.image.rootfs.diff.tar.zstd": (
        "application/vnd.oci.image.layer.v1.tar+zstd"
    ),
}
_OF: Final = "vnd.docker.reference.digest"
_OCI: Final = "org.opencontainers.image."
# What every part of one image must say alike.
_SAME: Final = (f"{_OCI}version", f"{_OCI}revision")
_PLATFORM_KEYS: Final = ("architecture", "os", "os.version", "os.features", "variant")
_CONFIG_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """What one builder pushed of an image.

    Attributes:
        platform: which of its platforms is meant.
        digest: of its manifest, or of an index that holds it, with its attestations if it has any.
        fingerprint: that its label must say; empty for any.
    """

    platform: str
    digest: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A part as the registry has it.

    Attributes:
        part: which it is.
        manifest: of its image; None where it is not there.
        platform: as an index says it.
        attached: what the index of the part says of the attestations of this image.
        labels: of its configuration.
        problems: why it cannot be joined, in a few words each.
    """

    part: Part
    manifest: Manifest | None = None
    platform: Mapping[str, Any] = field(default_factory=dict)
    attached: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def join(
    client: Registry,
    repository: str,
    parts: Sequence[Part],
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the index of these parts, which the repository has by its digest now; no tag moves.

    It says of the image what all of its parts say alike. Attestations stay with their image.

    Args:
        client: of the registry.
        repository: in it, without its domain; it holds every part.
        parts: one for each platform, in any order.
        annotations: what it says besides, and in place of that.

    Raises:
        CheckFailedError: the parts do not make one image; all that is wrong at once.
        UnavailableError: the registry cannot be asked, or refuses.
    """
    read = together(lambda part: _read(client, repository, part), parts)
    problems = [*_problems(read), *_twice(parts), *_differing(read)]
    if problems or not read:
        raise CheckFailedError(
            f"the parts of {repository} do not make one image, so no tag was changed",
            why=problems or "there are none",
            next_step="push what is wrong again: invoke push --part --force --platform …",
        )
    read = sorted(read, key=lambda each: _order(each.part))
    images = [_as_oci(each.manifest) for each in read if each.manifest]
    for each, image in zip(read, images, strict=True):
        if image is not each.manifest:
            client.put_manifest(repository, image.digest, image)
    said = {**_alike(read), **(annotations or {})}
    index = _index(read, images, said)
    client.put_manifest(repository, index.digest, index)
    return index


def _index(
    read: Sequence[_Read], images: Sequence[Manifest], annotations: Mapping[str, str]
) -> Manifest:
    """Return the index: the images in their order, then their attestations in the same."""
    entries = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(image.content),
            "platform": dict(each.platform),
        }
        for each, image in zip(read, images, strict=True)
    ]
    attached = [
        {**entry, "annotations": {**entry["annotations"], _OF: image.digest}}
        for each, image in zip(read, images, strict=True)
        for entry in each.attached
    ]
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [*entries, *attached],
    }
    if annotations:
        document["annotations"] = dict(sorted(annotations.items()))
    return _manifest(INDEX, document)


def _read(client: Registry, repository: str, part: Part) -> _Read:
    found = client.manifest(repository, part.digest)
    if found is None:
        return _Read(part, problems=(f"the registry has no {repository}@{part.digest}",))
    attached: tuple[Mapping[str, Any], ...] = ()
    entries = found.document().get("manifests")
    if entries is not None:
        chosen = next((e for e in entries if _is_of(e, part.platform)), None)
        if chosen is None:
            held = ", ".join(filter(None, map(_platform_of, entries))) or "no platform"
            return _Read(part, problems=(f"{part.digest} is for {held}",))
        attached = tuple(e for e in entries if _belongs(e, f"{chosen['digest']}"))
        found = client.manifest(repository, f"{chosen['digest']}")
        if found is None:
            told = f"the registry has no {repository}@{chosen['digest']}"
            return _Read(part, problems=(told,))
    return _configured(client, repository, part, found, attached)


def _configured(
    client: Registry,
    repository: str,
    part: Part,
    manifest: Manifest,
    attached: tuple[Mapping[str, Any], ...],
) -> _Read:
    """Return a part with what its configuration says: its platform and its labels."""
    config = manifest.document().get("config") or {}
    if manifest.media_type not in {_IMAGE, _DOCKER_IMAGE} or not config.get("digest"):
        return _Read(part, problems=(f"{part.digest} is no image: {manifest.media_type}",))
    told = json.loads(client.blob(repository, config["digest"], _CONFIG_BYTES))
    platform = {key: told[key] for key in _PLATFORM_KEYS if told.get(key)}
    labels = (told.get("config") or {}).get("Labels") or {}
    problems = []
    if _told(platform) != str(Platform.parse(part.platform)):
        problems.append(f"{part.digest} is for {_told(platform) or 'no platform'}")
    if part.fingerprint and labels.get(FINGERPRINT) != part.fingerprint:
        problems.append(f"{part.digest} was made from other inputs")
    return _Read(part, manifest, platform, attached, labels, tuple(problems))


def _problems(read: Iterable[_Read]) -> Iterator[tuple[str, str]]:
    return ((each.part.platform, problem) for each in read for problem in each.problems)


def _twice(parts: Iterable[Part]) -> Iterator[tuple[str, str]]:
    seen: dict[str, Part] = {}
    for part in parts:
        platform = str(Platform.parse(part.platform))
        other = seen.setdefault(platform, part)
        if other is not part:
            yield platform, f"two parts are for it: {other.digest} and {part.digest}"


def _differing(read: Sequence[_Read]) -> Iterator[tuple[str, str]]:
    """Yield what parts say differently of what is one thing for the whole image."""
    for name in _SAME:
        values = {each.labels.get(name, "") for each in read if each.manifest}
        if len(values) > 1:
            short = name.removeprefix(_OCI)
            for each in read:
                yield each.part.platform, f"its {short} is {each.labels.get(name) or 'not told'}"


def _alike(read: Sequence[_Read]) -> dict[str, str]:
    """Return what all parts say alike, by annotations or, as in the classic store, by labels."""
    said = [
        {
            **{name: value for name, value in each.labels.items() if name.startswith(_OCI)},
            **(each.manifest.document().get("annotations") or {} if each.manifest else {}),
        }
        for each in read
    ]
    first, *rest = said
    return {
        name: f"{value}"
        for name, value in first.items()
        if all(other.get(name) == value for other in rest)
    }


def _as_oci(manifest: Manifest) -> Manifest:
    """Return a manifest as an index of OCI may name it: the same blobs by their kinds there."""
    if manifest.media_type == _IMAGE:
        return manifest
    document = dict(manifest.document())

    def kind(descriptor: Mapping[str, Any]) -> dict[str, Any]:
        told = descriptor.get("mediaType", "")
        return {**descriptor, "mediaType": _OCI_KINDS.get(told, told)}

    document["mediaType"] = _IMAGE
    document["config"] = kind(document["config"])
    document["layers"] = [kind(layer) for layer in document.get("layers") or ()]
    return _manifest(_IMAGE, document)


def _manifest(media_type: str, document: Mapping[str, Any]) -> Manifest:
    content = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Manifest(media_type, content, f"sha256:{hashlib.sha256(content).hexdigest()}")


def _order(part: Part) -> str:
    return str(Platform.parse(part.platform))


def _is_of(entry: Mapping[str, Any], platform: str) -> bool:
    return _platform_of(entry) == str(Platform.parse(platform))


def _belongs(entry: Mapping[str, Any], digest: str) -> bool:
    annotations = entry.get("annotations") or {}
    return ATTESTATION in annotations and annotations.get(_OF) == digest


def _platform_of(entry: Mapping[str, Any]) -> str:
    """Return the platform of an index's entry; empty for one that is no image."""
    if ATTESTATION in (entry.get("annotations") or {}):
        return ""
    return _told(entry.get("platform") or {})


def _told(platform: Mapping[str, Any]) -> str:
    names = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    if not (names[0] and names[1]):
        return ""
    # What is plain arm64 for people is written with its variant by some.
    return str(Platform.parse("/".join(f"{name}" for name in names if name)))
