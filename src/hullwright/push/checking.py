"""Holds what was pushed against what was asked for: media types, platforms, attestations.

An image that nobody can pull is found here, before it has a tag. Attestations stand in an index
beside the images, as platform unknown/unknown.
Sources: https://github.com/opencontainers/image-spec/blob/main/image-index.md and
https://docs.docker.com/build/metadata/attestations/attestation-storage/
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import CheckFailedError, UsageError
from hullwright.images import Platform
from hullwright.push.moving import at
from hullwright.push.together import together
from hullwright.tools.attestations import (
    ATTESTATION_MANIFEST,
    PREDICATE,
    REFERENCE_DIGEST,
    REFERENCE_TYPE,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.push.models import Clients, Content, Registry

# The manifests that each kind of index may point at, and the configurations that belong to them.
_INDEXES: Final = {
    "application/vnd.oci.image.index.v1+json": "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json": (
        "application/vnd.docker.distribution.manifest.v2+json"
    ),
}
_CONFIGS: Final = {
    "application/vnd.oci.image.manifest.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json": (
        "application/vnd.docker.container.image.v1+json"
    ),
}
_CONFIG_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """An image as its registry has it.

    Attributes:
        content: which it is.
        media_type: of its manifest or index.
        platforms: the digest of each platform's manifest.
        attestations: `provenance` and `sbom`, as far as every platform has them.
        labels: of the configuration of its first platform.
        every_labels: the same of each platform; parts of one image may be made on other bases.
    """

    content: Content
    media_type: str
    platforms: Mapping[str, str]
    attestations: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    every_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """Return what the first platform that has a label says by it; empty where none has."""
        told = (labels.get(name, "") for labels in (self.labels, *self.every_labels.values()))
        return next(filter(None, told), "")


def check(
    clients: Clients, contents: Sequence[Content], attestations: Sequence[str] = ()
) -> tuple[Checked, ...]:
    """Return what a registry has of a release, which is what was asked for.

    Args:
        clients: of the registries.
        contents: the images, staged.
        attestations: what is to be attached to each: `provenance`, `sbom`.

    Raises:
        CheckFailedError: something of it is missing, unexpected or of a strange kind; all of
            that at once.
    """
    looked = together(lambda content: _Look(clients, content).look(), contents)
    problems = [
        (checked.content.name, problem)
        for checked, found in looked
        for problem in (*found, *_unlike(checked, frozenset(attestations)))
    ]
    if problems:
        raise CheckFailedError(
            "what was pushed is not what was asked for, so no release tag was changed",
            why=problems,
            next_step="[build] attestations and `platforms` say what is asked for; "
            "then: invoke push --force   (or --part --force and --join --force)",
        )
    return tuple(checked for checked, _ in looked)


def refuse_stand_ins(images: Iterable[tuple[str, str]], *, allowed: bool) -> None:
    """Return where no image is made on a stand-in, or where that is allowed.

    Args:
        images: name of each image, and what its base stands in for; empty for nothing.
        allowed: whether the person said so.

    Raises:
        UsageError: one is, and that was not allowed.
    """
    based = [(name, f"made on a stand-in for {official}") for name, official in images if official]
    if based and not allowed:
        raise UsageError(
            "an image on a stand-in is not for others, so it is not pushed",
            why=based,
            next_step="invoke images --prepare   gets the official base where a registry can be "
            "reached; --allow-stand-ins pushes it as it is",
        )


@dataclass
class _Look:
    clients: Clients
    content: Content
    problems: list[str] = field(default_factory=list)

    def look(self) -> tuple[Checked, list[str]]:
        client, path = at(self.clients, self.content.repository)
        manifest = client.manifest(path, self.content.digest)
        if manifest is None:
            self.problems.append(f"the registry has no {self.content.reference}")
            return Checked(self.content, "", {}), self.problems
        document = manifest.document()
        if manifest.media_type in _INDEXES:
            checked = self._index(client, path, manifest.media_type, document)
        else:
            checked = self._single(client, path, manifest.media_type, document)
        return checked, self.problems

    def _single(
        self, client: Registry, path: str, media_type: str, document: Mapping[str, Any]
    ) -> Checked:
        config = self._config(client, path, media_type, document)
        platforms = {_platform(config): self.content.digest} if config else {}
        labels = (config.get("config") or {}).get("Labels") or {}
        return Checked(self.content, media_type, platforms, frozenset(), labels)

    def _index(
        self, client: Registry, path: str, media_type: str, document: Mapping[str, Any]
    ) -> Checked:
        platforms: dict[str, str] = {}
        attached: dict[str, set[str]] = {}
        for entry in document.get("manifests") or ():
            kind = (entry.get("annotations") or {}).get(REFERENCE_TYPE, "")
            platform = _platform(entry.get("platform") or {})
            if kind == ATTESTATION_MANIFEST:
                of = entry["annotations"].get(REFERENCE_DIGEST, "")
                attached.setdefault(of, set()).update(self._attached(client, path, entry["digest"]))
            elif platform == "unknown/unknown":
                self.problems.append(f"{entry['digest']} is for no platform, and no attestation")
            elif entry.get("mediaType") != _INDEXES[media_type]:
                self.problems.append(f"{platform} is a {entry.get('mediaType')} in a {media_type}")
            elif platform in platforms:
                self.problems.append(f"{platform} is there twice")
            else:
                platforms[platform] = entry["digest"]
        stray = set(attached) - set(platforms.values())
        self.problems += [f"an attestation of {digest}, which is not in it" for digest in stray]
        every_labels = {name: self._labels(client, path, of) for name, of in platforms.items()}
        if not platforms:
            self.problems.append("its manifest of any platform is missing")
        labels = next(iter(every_labels.values()), {})
        every = [attached.get(digest, set()) for digest in platforms.values()]
        found = frozenset(set.union(*attached.values())) if attached else frozenset()
        for kind in sorted(found):
            if not all(kind in kinds for kinds in every):
                self.problems.append(f"{kind} is attached to some platforms only")
        return Checked(self.content, media_type, platforms, found, labels, every_labels)

    def _labels(self, client: Registry, path: str, digest: str) -> Mapping[str, str]:
        manifest = client.manifest(path, digest)
        if manifest is None:
            self.problems.append(f"its manifest {digest} is missing")
            return {}
        config = self._config(client, path, manifest.media_type, manifest.document())
        return (config.get("config") or {}).get("Labels") or {}

    def _config(
        self, client: Registry, path: str, media_type: str, document: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the configuration of a manifest; empty, with a problem, where it has none."""
        config = document.get("config") or {}
        wanted = _CONFIGS.get(media_type)
        if wanted is None or config.get("mediaType") != wanted:
            told = f" with a {config['mediaType']}" if config.get("mediaType") else ""
            self.problems.append(f"it is no image: {media_type}{told}")
            return {}
        told = json.loads(client.blob(path, config["digest"], _CONFIG_BYTES))
        return told if isinstance(told, dict) else {}

    def _attached(self, client: Registry, path: str, digest: str) -> set[str]:
        """Return the kinds of attestations in a manifest of them."""
        manifest = client.manifest(path, digest)
        layers = manifest.document().get("layers") or () if manifest else ()
        kinds = {(layer.get("annotations") or {}).get(PREDICATE, "") for layer in layers}
        return {kind_of(kind) for kind in kinds}


def _unlike(checked: Checked, attestations: frozenset[str]) -> list[str]:
    """Return how an image differs from what was asked for."""
    problems = []
    asked = {str(Platform.parse(text)) for text in checked.content.platforms}
    there = set(checked.platforms)
    if asked and there and asked != there:
        lacks, more = ", ".join(sorted(asked - there)), ", ".join(sorted(there - asked))
        problems += [f"it lacks {lacks}"] if lacks else []
        problems += [f"it is for {more} too"] if more else []
    missing, other = attestations - checked.attestations, checked.attestations - attestations
    problems += [f"{kind} is not attached" for kind in sorted(missing)] if there else []
    problems += [
        f"{kind} is attached (as platform unknown/unknown), and was not asked for"
        for kind in sorted(other)
    ]
    return problems


def _platform(told: Mapping[str, Any]) -> str:
    name, arch = told.get("os") or "unknown", told.get("architecture") or "unknown"
    variant = told.get("variant") or ""
    # What is plain arm64 for people is written with its variant by some.
    return str(Platform.parse("/".join(part for part in (name, arch, variant) if part)))
