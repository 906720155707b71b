"""What is attached to an image: attestations beside it in its index, and what each of them says.

They are in-toto statements, a layer each of a manifest whose entry in the index names the image
that it is about. Sources:
https://docs.docker.com/build/metadata/attestations/attestation-storage/,
https://slsa.dev/spec/v1.0/provenance and https://slsa.dev/spec/v0.2/provenance,
https://spdx.github.io/spdx-spec/v2.3/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The tags under which cosign keeps what it says of an image, beside the tags of people: signatures,
# attestations and SBOMs by their endings, and since 3 all of it without one.
ATTACHMENT_TAG: Final = r"sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?"
PREDICATE: Final = "in-toto.io/predicate-type"
REFERENCE_TYPE: Final = "vnd.docker.reference.type"
REFERENCE_DIGEST: Final = "vnd.docker.reference.digest"
ATTESTATION_MANIFEST: Final = "attestation-manifest"
# An SBOM of a large image has some megabytes; a larger one is listed, and not looked into.
MOST_BYTES: Final = 64 << 20
# What BuildKit runs to list packages where nobody names another image.
DEFAULT_GENERATOR: Final = "docker/buildkit-syft-scanner:stable-1"
_PREDICATES: Final = {"https://slsa.dev/provenance/": "provenance", "https://spdx.dev/": "sbom"}
_COSIGN: Final = "dev.cosignproject.cosign/signature"


class Documents(Protocol):
    """Gives the manifests and blobs of an image by their digests."""

    def manifest(self, digest: str, /) -> Mapping[str, Any]:
        """Return a manifest or an index; empty where it is not there."""

    def blob(self, digest: str, size_bytes: int, /) -> bytes:
        """Return a blob; empty where it is not there."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One thing that is attached to an image.

    Attributes:
        kind: `provenance`, `sbom` or `signature`; else the predicate type.
        predicate_type: as it is written; of a signature its media type.
        digest: of the statement.
        size_bytes: of the statement.
        maker: what made it: the builder, or the program that looked for packages; empty where it
            does not say, as the engine's own builder.
        materials: things that the image was made of, as provenance names them; None for others.
        packages: packages that an SBOM lists; None for others.
    """

    kind: str
    predicate_type: str
    digest: str
    size_bytes: int
    maker: str = ""
    materials: int | None = None
    packages: int | None = None


@dataclass(frozen=True, slots=True)
class OfPlatform:
    """An image for one platform, and what is attached to it.

    Attributes:
        platform: such as `linux/arm64`.
        digest: of its manifest.
        attached: in the order of the index; of each manifest the order of its layers.
    """

    platform: str
    digest: str
    attached: tuple[Attached, ...] = ()


def kind_of(predicate_type: str) -> str:
    """Return `provenance` or `sbom` of a predicate type, else the type itself."""
    known = (name for prefix, name in _PREDICATES.items() if predicate_type.startswith(prefix))
    return next(known, predicate_type or "an attestation of no kind")


def read(digest: str, documents: Documents) -> tuple[OfPlatform, ...]:
    """Return the images of an index, or the one of a manifest, with what is attached to each.

    Attestations of an image that is not in the index stand under an empty platform, last.
    """
    document = documents.manifest(digest)
    entries = document.get("manifests")
    if not isinstance(entries, list):
        return (OfPlatform(_configured(document, documents), digest),)
    images: dict[str, str] = {}
    found: dict[str, list[Attached]] = {}
    for entry in entries:
        notes = entry.get("annotations") or {}
        if notes.get(REFERENCE_TYPE) == ATTESTATION_MANIFEST:
            of = f"{notes.get(REFERENCE_DIGEST, '')}"
            found.setdefault(of, []).extend(statements(entry["digest"], documents))
        else:
            images[entry["digest"]] = _platform(entry.get("platform") or {})
    stray = [OfPlatform("", of, tuple(found[of])) for of in found if of not in images]
    return (
        *(OfPlatform(name, of, tuple(found.get(of, ()))) for of, name in images.items()),
        *stray,
    )


def statements(manifest: str, documents: Documents) -> Iterator[Attached]:
    """Yield the statements of an attestation manifest."""
    for layer in documents.manifest(manifest).get("layers") or ():
        predicate = f"{(layer.get('annotations') or {}).get(PREDICATE, '')}"
        size = int(layer.get("size", 0))
        content = documents.blob(layer["digest"], size) if size <= MOST_BYTES else b""
        maker, materials, packages = _said(kind_of(predicate), content)
        # Of a stranger's image, and shown on a terminal.
        maker = "".join(each for each in maker if each.isprintable())
        yield Attached(
            kind_of(predicate), predicate, layer["digest"], size, maker, materials, packages
        )


def signatures(document: Mapping[str, Any]) -> Iterator[Attached]:
    """Yield the signatures of a manifest that cosign stored."""
    for layer in document.get("layers") or ():
        if _COSIGN in (layer.get("annotations") or {}):
            media_type = f"{layer.get('mediaType', '')}"
            yield Attached("signature", media_type, layer["digest"], int(layer.get("size", 0)))


def signature_tag(digest: str) -> str:
    """Return the tag under which cosign keeps the signatures of a manifest."""
    return f"{digest.replace(':', '-')}.sig"


def _said(kind: str, content: bytes) -> tuple[str, int | None, int | None]:
    """Return who made a statement, and how many materials or packages it names."""
    try:
        told = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        told = {}
    predicate = _table(_table(told).get("predicate"))
    if not predicate:
        return "", None, None
    if kind == "provenance":
        return _provenance(predicate)
    if kind == "sbom":
        packages = predicate.get("packages")
        return _tool(predicate), None, len(packages) if isinstance(packages, list) else None
    return "", None, None


def _provenance(predicate: Mapping[str, Any]) -> tuple[str, int | None, int | None]:
    # Of version 1, else of 0.2.
    run = _table(predicate.get("runDetails")) or predicate
    definition = _table(predicate.get("buildDefinition"))
    materials = definition.get("resolvedDependencies", predicate.get("materials", []))
    count = len(materials) if isinstance(materials, list) else None
    return f"{_table(run.get('builder')).get('id', '')}", count, None


def _tool(predicate: Mapping[str, Any]) -> str:
    creators = _table(predicate.get("creationInfo")).get("creators")
    named = [f"{each}" for each in creators] if isinstance(creators, list) else []
    tools = [each.removeprefix("Tool: ") for each in named if each.startswith("Tool: ")]
    return ", ".join(tools)


def _configured(manifest: Mapping[str, Any], documents: Documents) -> str:
    described = _table(manifest.get("config"))
    if "digest" not in described:
        return ""
    try:
        told = json.loads(documents.blob(described["digest"], int(described.get("size", 0))))
    except (ValueError, RecursionError):
        return ""
    return _platform(_table(told))


def _platform(told: Mapping[str, Any]) -> str:
    parts = (told.get("os"), told.get("architecture"), told.get("variant"))
    return f"{Platform.parse('/'.join(p for p in parts if p))}" if parts[0] and parts[1] else ""


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
