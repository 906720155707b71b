"""Registries in memory that behave as they are told to, for tests that may open no socket."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullwright.errors import UnavailableError
from hullwright.tools.registryclient import Descriptor, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def digest_of(content: bytes) -> str:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest(document: dict[str, Any]) -> Manifest:
    """Return a manifest with this document."""
    content = json.dumps({"schemaVersion": 2, **document}).encode()
    return Manifest(str(document.get("mediaType", IMAGE)), content, digest_of(content))


@dataclass
class Memory:
    """A registry: manifests by (repository, digest), tags by (repository, tag).

    Attributes:
        deletes: whether it removes single tags.
        whole: whether it removes an image with any of its tags.
        before_put: called with the tag before each PUT is stored; may raise.
        after_put: the same once it is stored: the answer got lost.
        puts: tags in the order of their PUTs.
    """

    manifests: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    deletes: bool = True
    whole: bool = False
    before_put: Callable[[str], None] = lambda _: None
    after_put: Callable[[str], None] = lambda _: None
    puts: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    denied: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, repository: str, document: dict[str, Any] | str, *tags: str) -> str:
        """Store an image; a text is one that says only this. Returns its digest."""
        if isinstance(document, str):
            document = {"mediaType": IMAGE, "annotations": {"says": document}}
        made = manifest(document)
        self.manifests[repository, made.digest] = made
        self.tags.update({(repository, tag): made.digest for tag in tags})
        return made.digest

    def image(
        self, repository: str, *tags: str, labels: dict[str, str] | None = None, **platform: str
    ) -> str:
        """Store a whole image of one platform; returns its digest."""
        config = {"os": "linux", "architecture": "amd64", **platform}
        content = json.dumps({**config, "config": {"Labels": labels or {}}}).encode()
        self.blobs[digest_of(content)] = content
        descriptor = {"mediaType": CONFIG, "digest": digest_of(content), "size": len(content)}
        return self.add(repository, {"mediaType": IMAGE, "config": descriptor, "layers": []}, *tags)

    def named(self, repository: str) -> dict[str, str]:
        """Return the tags of a repository with what they name."""
        return {tag: digest for (path, tag), digest in self.tags.items() if path == repository}

    def manifest(self, repository: str, reference: str, /) -> Manifest | None:
        digest = self.tags.get((repository, reference), reference)
        return self.manifests.get((repository, digest))

    def describe(self, repository: str, reference: str, /) -> Descriptor | None:
        found = self.manifest(repository, reference)
        if found is None:
            return None
        return Descriptor(found.digest, found.media_type, len(found.content))

    def put_manifest(self, repository: str, reference: str, manifest: Manifest, /) -> str:
        self.before_put(reference)
        with self.lock:
            self.puts.append(reference)
            self.tags[repository, reference] = manifest.digest
            self.manifests[repository, manifest.digest] = manifest
        self.after_put(reference)
        return manifest.digest

    def delete_tag(self, repository: str, tag: str, /) -> bool:
        if self.deletes:
            digest = self.tags.pop((repository, tag))
            if self.whole:
                del self.manifests[repository, digest]
                self.tags = {name: named for name, named in self.tags.items() if named != digest}
        return self.deletes

    def blob(self, repository: str, digest: str, most_bytes: int, /) -> bytes:
        return self.blobs[digest][:most_bytes]

    def check_push(self, repository: str, /) -> None:
        self.checked.append(repository)
        if self.denied:
            raise UnavailableError(f"the registry does not take {repository}", why=self.denied)
