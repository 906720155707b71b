"""The engine's images by what they are called and what they say, for who looks for one of many."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.images import Reference
from hullwright.tools.engine import check_reachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.run import Result, Runner

_QUESTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of the local store.

    Attributes:
        id: how the store knows it.
        digest: of its manifest or index; empty where a classic store does not know it.
        media_type: of what the digest names; empty on a classic store.
        tags: references with a tag, as people write them.
        pushed: digests under which a classic store knows it from registries, by repository.
        created: when it was made, as the store writes it.
    """

    id: str
    digest: str = ""
    media_type: str = ""
    tags: tuple[str, ...] = ()
    pushed: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    platform: str = ""
    created: str = ""

    def known_by(self, digest: str) -> bool:
        """Return whether a digest that a build reported names this image."""
        return digest in {self.id, self.digest, *self.pushed.values()}


def stored(runner: Runner, names: Iterable[str]) -> tuple[StoredImage, ...]:
    """Return those of the images, by reference or digest, that the store has: one question.

    Raises:
        UnavailableError: no engine answers.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return ()
    answer = runner.read("docker", "image", "inspect", *wanted, check=False)
    check_reachable(answer)
    found = {raw["Id"]: parse_stored(raw) for raw in json.loads(answer.stdout or "[]")}
    return tuple(found.values())


def rows(runner: Runner, *words: str) -> Result:
    """Return what `docker image ls` answers to these words, asked again where that failed.

    The engine looks into each image, and fails the whole question when another run removes one
    of them meanwhile.

    Raises:
        UnavailableError: no engine answers.
    """
    for _ in range(_QUESTIONS):
        answer = runner.read("docker", "image", "ls", *words, check=False)
        check_reachable(answer)
        if answer.ok:
            break
    return answer


def listed(runner: Runner, references: Iterable[str]) -> tuple[StoredImage, ...]:
    """Return those of the images, by reference with a tag, that the store has: one question.

    What they say of themselves is not among it. Looking into an image takes the engine twice as
    long as listing it, which tells of a hundred services.

    Raises:
        UnavailableError: no engine answers.
    """
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return ()
    filters = [word for reference in wanted for word in ("--filter", f"reference={reference}")]
    answer = rows(runner, "--no-trunc", "--digests", "--format", "json", *filters)
    return tuple(parse_listed(json.loads(line)) for line in answer.stdout.splitlines())


def labelled(runner: Runner, *labels: str) -> tuple[StoredImage, ...]:
    """Return the images that have all of these labels (`KEY` or `KEY=VALUE`): two questions."""
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    answer = rows(runner, "--quiet", "--no-trunc", *filters)
    return stored(runner, answer.stdout.split())


def digests_of(names: Iterable[str], images: Iterable[StoredImage]) -> dict[str, str]:
    """Return the digest of each reference that is among the images, as it is written."""
    by_tag: dict[tuple[str, str], str] = {}
    for image in images:
        for tag in image.tags:
            try:
                reference = Reference.parse(tag)
            except UsageError:
                continue  # `<none>`
            digest = image.digest or image.pushed.get(reference.repository, "")
            if digest:
                by_tag[reference.repository, reference.tag or ""] = digest
    found = {}
    for name in names:
        try:
            reference = Reference.parse(name)
        except UsageError:
            continue
        digest = by_tag.get((reference.repository, reference.tag or "latest"), "")
        if digest:
            found[name] = digest
    return found


def parse_listed(raw: Mapping[str, str]) -> StoredImage:
    """Return the image of one line of `docker image ls --digests --format json`."""
    repository, digest = raw["Repository"], raw["Digest"]
    known = digest.startswith("sha256:")
    return StoredImage(
        id=raw["ID"],
        # A store that knows images by their manifests has one digest for both.
        digest=digest if known and digest == raw["ID"] else "",
        tags=(f"{repository}:{raw['Tag']}",),
        pushed={repository: digest} if known else {},
    )


def parse_stored(raw: Mapping[str, Any]) -> StoredImage:
    """Return the image of one entry of `docker image inspect`."""
    descriptor = raw.get("Descriptor") or {}
    pushed = (entry.rpartition("@") for entry in raw.get("RepoDigests") or ())
    parts = (raw.get("Os"), raw.get("Architecture"), raw.get("Variant"))
    return StoredImage(
        id=raw["Id"],
        digest=descriptor.get("digest", ""),
        media_type=descriptor.get("mediaType", ""),
        tags=tuple(raw.get("RepoTags") or ()),
        pushed={repository: digest for repository, _, digest in pushed},
        labels=(raw.get("Config") or {}).get("Labels") or {},
        platform="/".join(part for part in parts if part),
        created=raw.get("Created") or "",
    )
