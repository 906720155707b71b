"""The release file: what was pushed, to the digest, and what a deploy needs to take it over.

It is one JSON document. Its compose overrides name images by digest and nothing else of a stack,
so the file holds no value of a variable, no secret and no path of the machine that wrote it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import CheckFailedError
from hullwright.files import write_atomic
from hullwright.images import Platform, Reference
from hullwright.push.moving import at
from hullwright.push.together import together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from hullwright.push.models import Clients, Content, Registry

SCHEMA: Final = 1
# The stack whose override stands at the top of the file, where there are several.
DEFAULT_STACK: Final = "default"
# Attestations stand in an index as a platform of this name, and are none.
_UNKNOWN: Final = "unknown"
_CONFIG_BYTES: Final = 4 << 20

ServiceTarget = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReleasedImage:
    """An image of a release.

    Attributes:
        service, target: whose it is.
        repository: as people write it: `registry.example.com/team/api`.
        digest: of its manifest, or of the index of several.
        platforms: digest of each platform's manifest.
        tags: that the push gave it.
        fingerprint: of its inputs; empty where it has none.
        version, revision: what its sources are called; an image that did not change since an
            earlier commit keeps that one's.
    """

    service: str
    target: str
    repository: str
    digest: str
    platforms: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    fingerprint: str = ""
    version: str = ""
    revision: str = ""

    @property
    def domain(self) -> str:
        """The registry."""
        return Reference.parse(self.repository).domain

    @property
    def reference(self) -> str:
        """The reference that always means this very image."""
        return f"{self.repository}@{self.digest}"

    @property
    def name(self) -> str:
        """Service and stage, for a person."""
        return f"{self.service} {self.target}".strip()

    @property
    def suffix(self) -> str:
        """What its tags end with, where it is not the usual stage of its service."""
        ending = f"-{self.target}"
        own = bool(self.target and self.tags) and all(tag.endswith(ending) for tag in self.tags)
        return ending if own else ""


@dataclass(frozen=True, slots=True)
class StackPart:
    """A stack of the repository, as a push hands it over.

    Attributes:
        stack: its name.
        files: its compose files, relative to the repository.
        config_hash: what `config_hash` gives for them.
        services: of the compose services that run an image of ours, whose image that is.
    """

    stack: str
    files: tuple[str, ...]
    config_hash: str
    services: Mapping[str, ServiceTarget] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleasedStack:
    """A stack of a release.

    Attributes:
        stack: its name.
        files: its compose files, relative to the repository.
        config_hash: of those files; the same on every machine.
        images: reference by digest of each compose service that runs an image of the release.
    """

    stack: str
    files: tuple[str, ...]
    config_hash: str
    images: Mapping[str, str] = field(default_factory=dict)

    def override(self) -> dict[str, Any]:
        """Return the compose override that pins the release: JSON is YAML, so it is one as it is.

        The files may say `pull_policy: never` or `build` of what was built where they lie; on a
        server the image is fetched where it is missing.
        """
        pinned = {
            name: {"image": image, "pull_policy": "missing"}
            for name, image in sorted(self.images.items())
        }
        return {"services": pinned}


@dataclass(frozen=True, slots=True)
class Release:
    """A release: version, digests and what the stacks are made of.

    Attributes:
        project: whose release it is.
        version: what the repository was called.
        revision: its full commit; empty where there was none.
        created: when the file was made, RFC 3339 in UTC.
        images: in the order of the build.
        compose: its stacks.
    """

    project: str
    version: str
    revision: str
    created: str
    images: tuple[ReleasedImage, ...]
    compose: tuple[ReleasedStack, ...] = ()

    def override(self) -> dict[str, Any]:
        """Return the compose override of the stack `default`, or of the first one without it."""
        named = [stack for stack in self.compose if stack.stack == DEFAULT_STACK]
        chosen = (named or list(self.compose))[:1]
        return chosen[0].override() if chosen else {"services": {}}

    def as_json(self) -> dict[str, Any]:
        """Return the document; `releasereading.from_json` gives the release back."""
        return {
            "schema": SCHEMA,
            "project": self.project,
            "version": self.version,
            "revision": self.revision,
            "created": self.created,
            "images": [_image_json(image) for image in self.images],
            "compose": [
                {
                    "stack": stack.stack,
                    "files": list(stack.files),
                    "config_hash": stack.config_hash,
                    "override": stack.override(),
                }
                for stack in self.compose
            ],
            "override": self.override(),
        }


def make(
    clients: Clients,
    contents: Iterable[Content],
    *,
    project: str,
    version: str,
    revision: str,
    created: datetime,
    tags: Mapping[ServiceTarget, Sequence[str]],
    stacks: Iterable[StackPart] = (),
) -> Release:
    """Return the release of images that a registry holds; each one's platforms are asked for.

    Args:
        clients: of the registries that the contents are in.
        contents: the images, staged.
        project: whose release it is.
        version: what the repository is called.
        revision: its full commit; empty for none.
        created: when the release is made, with a time zone.
        tags: that each image gets, by service and target, the one that people read first.
        stacks: of the repository; what they run that is not in `contents` is left out.

    Raises:
        CheckFailedError: a registry does not have one of the images.
        UnavailableError: a registry cannot be asked.
    """
    images = tuple(
        together(lambda content: _released(clients, content, tags), tuple(contents)),
    )
    by_target = {(image.service, image.target): image.reference for image in images}
    return Release(
        project=project,
        version=version,
        revision=revision,
        created=created.isoformat(timespec="seconds").replace("+00:00", "Z"),
        images=images,
        compose=tuple(
            ReleasedStack(
                part.stack,
                part.files,
                part.config_hash,
                {name: by_target[of] for name, of in part.services.items() if of in by_target},
            )
            for part in stacks
        ),
    )


def save(path: Path, release: Release) -> None:
    """Write a release file, whole or not at all.

    Raises:
        HullwrightError: the disk is full, or the folder cannot be written.
    """
    write_atomic(path, json.dumps(release.as_json(), indent=2, ensure_ascii=False) + "\n")


def config_hash(root: Path, files: Iterable[Path], profiles: Iterable[str] = ()) -> str:
    """Return the hash of what a stack is made of, the same on every machine.

    It is of bytes, not of what Compose makes of them: that holds absolute paths, names of folders
    and values of the environment, and changes with Compose's version. Line ends are those of Git's
    own form, so a checkout with CRLF has the same hash.

    Args:
        root: folder that the files' names are relative to.
        files: compose files in the order in which they override, with those that they include.
        profiles: profiles that are on.
    """
    total = hashlib.sha256()
    for file in files:
        content = file.read_bytes().replace(b"\r\n", b"\n")
        name = Path(os.path.relpath(file, root)).as_posix()
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    for profile in sorted(set(profiles)):
        total.update(f"profile\0{profile}\n".encode())
    return f"sha256:{total.hexdigest()}"


def platforms_of(client: Registry, path: str, digest: str) -> dict[str, str] | None:
    """Return the digest of each platform's manifest; None where the registry has no such image."""
    manifest = client.manifest(path, digest)
    if manifest is None:
        return None
    document = manifest.document()
    if "manifests" not in document:
        own = _platform(_config(client, path, document))
        return {own: digest} if own else {}
    found: dict[str, str] = {}
    for entry in document["manifests"]:
        if "platform" not in entry:
            # It may be left out; the image itself tells.
            found |= platforms_of(client, path, entry["digest"]) or {}
        elif own := _platform(entry["platform"]):
            found[own] = entry["digest"]
    return found


def _released(
    clients: Clients, content: Content, tags: Mapping[ServiceTarget, Sequence[str]]
) -> ReleasedImage:
    client, path = at(clients, content.repository)
    platforms = platforms_of(client, path, content.digest)
    if platforms is None:
        raise CheckFailedError(
            f"the registry has no {content.reference}",
            why=f"it is the image of {content.name} in this release",
            next_step="push it again: invoke push",
        )
    return ReleasedImage(
        service=content.service,
        target=content.target,
        repository=content.repository,
        digest=content.digest,
        platforms=platforms,
        tags=tuple(tags.get((content.service, content.target), ())),
        fingerprint=content.fingerprint,
        version=content.version,
        revision=content.revision,
    )


def _config(client: Registry, path: str, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    described = manifest.get("config") or {}
    if "digest" not in described:
        return {}
    config = json.loads(client.blob(path, described["digest"], _CONFIG_BYTES))
    return config if isinstance(config, dict) else {}


def _platform(told: Mapping[str, Any]) -> str:
    """Return a platform in its usual form; empty for an attestation, and for what is no image."""
    parts = [told.get(key) for key in ("os", "architecture", "variant")]
    if not parts[0] or not parts[1] or _UNKNOWN in parts:
        return ""
    return f"{Platform.parse('/'.join(part for part in parts if part))}"


def _image_json(image: ReleasedImage) -> dict[str, Any]:
    return {
        "service": image.service,
        "target": image.target,
        "repository": image.repository,
        "digest": image.digest,
        "platforms": dict(image.platforms),
        "tags": list(image.tags),
        "fingerprint": image.fingerprint,
        "version": image.version,
        "revision": image.revision,
    }
