"""Finds the parts of a release that several runners pushed, each by name alone, and joins them.

Nothing is carried from runner to runner: whoever has the same checkout knows the inputs and the
version of each part, and so the name under which the registry has it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.push.joining import Part, join
from hullwright.push.moving import at
from hullwright.push.together import together
from hullwright.tools.published import FINGERPRINT, Published, part_tag, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hullwright.push.models import Clients

_PART_TAG: Final = re.compile(r"hullwright-[0-9a-f]{32}-[0-9a-f]{8}")
# Why a part is missing is looked for in so many others; a registry may keep those of long ago.
_LOOKED_AT: Final = 24


@dataclass(frozen=True, slots=True)
class WantedPart:
    """A part of an image, and what a registry has of it.

    Attributes:
        service, target: whose it is.
        repository: as people write it.
        platform: that it is for; empty for the runner's own, which is the whole image then.
        fingerprint: of its inputs on that platform.
        version: of its sources.
        digest: that its name has in the registry; empty where it is not there, or was not looked
            for.
    """

    service: str
    target: str
    repository: str
    platform: str
    fingerprint: str
    version: str
    digest: str = ""

    @property
    def tag(self) -> str:
        """The tag under which it waits."""
        return part_tag(self.fingerprint, self.version)

    @property
    def name(self) -> str:
        """Service, stage and platform, for a person."""
        return " ".join(word for word in (self.service, self.target, self.platform) if word)


@dataclass(frozen=True, slots=True)
class WantedImage:
    """An image that is to be made of parts.

    Attributes:
        whole: the same as one part, for a runner that built all of its platforms.
        parts: one for each platform; none where it has one platform only.
    """

    whole: WantedPart
    parts: tuple[WantedPart, ...] = ()

    @property
    def digest(self) -> str:
        """The digest of what one runner pushed as a whole; empty where none did."""
        return self.whole.digest

    @property
    def missing(self) -> tuple[WantedPart, ...]:
        """The parts that no runner pushed."""
        if self.digest:
            return ()
        return tuple(part for part in self.parts or (self.whole,) if not part.digest)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags under which it and its parts wait."""
        return tuple(part.tag for part in (self.whole, *self.parts))


def look_for(clients: Clients, images: Sequence[WantedImage]) -> tuple[WantedImage, ...]:
    """Return the images with the digests of the parts that registries have.

    Raises:
        UnavailableError: a registry cannot be asked.
    """

    def found(part: WantedPart) -> WantedPart:
        client, path = at(clients, part.repository)
        there = client.describe(path, part.tag)
        return replace(part, digest=there.digest if there else "")

    wanted = [part for image in images for part in (image.whole, *image.parts)]
    answers = iter(together(found, wanted))
    return tuple(
        WantedImage(next(answers), tuple(next(answers) for _ in image.parts)) for image in images
    )


def joined(clients: Clients, images: Sequence[WantedImage]) -> tuple[str, ...]:
    """Return the digest of each image, made of its parts; the registry has it, under no tag.

    Raises:
        CheckFailedError: parts do not make one image.
        UnavailableError: a registry refuses.
    """

    def made(image: WantedImage) -> str:
        if image.digest:
            return image.digest
        client, path = at(clients, image.whole.repository)
        parts = [Part(part.platform, part.digest, part.fingerprint) for part in image.parts]
        return join(client, path, parts, {FINGERPRINT: image.whole.fingerprint}).digest

    return tuple(together(made, images))


def refuse_missing(
    clients: Clients,
    images: Sequence[WantedImage],
    listed: Callable[[str], Sequence[str]],
    flags: Sequence[str] = (),
) -> None:
    """Return where no part of any image is missing.

    Args:
        clients: of the registries.
        images: once they were looked for.
        listed: gives all tags of a repository, to tell what is there in place of a part.
        flags: of the command that makes parts, such as `--target development`.

    Raises:
        CheckFailedError: some are; each is named, with the commands that make them.
    """
    missing = [part for image in images for part in image.missing]
    if not missing:
        return
    count = "1 part is" if len(missing) == 1 else f"{len(missing)} parts are"
    facts = [(part.name, _instead(clients, part, listed)) for part in missing]
    raise CheckFailedError(
        f"{count} not in the registry, so no tag was changed",
        why=facts,
        next_step="\n".join(_commands(missing, flags)),
    )


def _commands(missing: Sequence[WantedPart], flags: Sequence[str]) -> Iterator[str]:
    """Yield the commands that make parts, one for each platform."""
    for platform in dict.fromkeys(part.platform for part in missing):
        services = ",".join(p.service for p in missing if p.platform == platform)
        chosen = ["--platform", platform] if platform else []
        yield shlex.join(("invoke", "push", "--part", *chosen, "--service", services, *flags))


def _instead(clients: Clients, part: WantedPart, listed: Callable[[str], Sequence[str]]) -> str:
    """Return that a part is missing, and what is there in its place."""
    told = f"no part of {part.version}"
    client, _ = at(clients, part.repository)
    try:
        tags = [tag for tag in listed(part.repository) if _PART_TAG.fullmatch(tag)]
        # Those of the same inputs first: they say most.
        tags.sort(key=lambda tag: not tag.startswith(part.tag[:-9]))
        read_tags = [read(client, part.repository, tag) for tag in tags[:_LOOKED_AT]]
    except UnavailableError:
        return told
    others = [
        found
        for found in read_tags
        if found and (not part.platform or part.platform in found.platforms)
    ]
    return next((f"{told}; {why}" for why in _whys(part, others)), told)


def _whys(part: WantedPart, others: Sequence[Published]) -> Iterator[str]:
    for found in others:
        if found.fingerprint == part.fingerprint:
            yield f"one of these inputs is there, which says {found.version or 'no version'}"
    for found in others:
        if found.version == part.version and found.image == (part.service, part.target):
            yield (
                "one of this version is there, of other inputs: another base image, argument or "
                "configuration   (invoke images --lock   lets all runners take the same bases)"
            )
