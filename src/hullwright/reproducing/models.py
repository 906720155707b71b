"""What two builds of the same sources have in common, and what not: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What differs of a file; `first` and `second` where only that build has it.
Kind = Literal[
    "first", "second", "kind", "size", "content", "time", "mode", "owner", "link", "attributes"
]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why builds usually differ in a file.

    Attributes:
        summary: what it is, in a few words.
        help: what to do about it.
    """

    summary: str
    help: str


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file of a layer that is not the same in both builds.

    Attributes:
        path: relative to the image's root.
        kinds: what differs of it.
        told: the two values of the first kind, where they are short: times, modes, sizes.
        cause: the usual one; None where nothing is recognised.
    """

    path: str
    kinds: tuple[Kind, ...]
    told: str = ""
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """The first layer that is not the same in both builds.

    Attributes:
        number: from 1.
        count: layers of the first build's image.
        step: the instruction that made it; empty where the image does not say.
        place: `FILE:LINE` of that instruction; empty where it is not found.
        files: that differ, as many as are told.
        file_count: all that differ.
        further: layers above it that differ, too.
        cause: of a layer whose files are all the same: their order, or its compression.
    """

    number: int
    count: int
    step: str = ""
    place: str = ""
    files: tuple[FileDifference, ...] = ()
    file_count: int = 0
    further: int = 0
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class PlatformResult:
    """What came of one platform of an image.

    Attributes:
        platform: as people write it.
        digests: of the manifests of the two builds; empty of one that has no such platform.
        layer: the first that differs; None where none does.
        settings: keys of configuration and manifest that differ, where no layer does.
        cause: of such settings.
    """

    platform: str
    digests: tuple[str, str]
    layer: LayerDifference | None = None
    settings: tuple[str, ...] = ()
    cause: Cause | None = None

    @property
    def same(self) -> bool:
        """Whether both builds gave the same manifest, and so the same bytes."""
        return self.digests[0] == self.digests[1]


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What came of one image.

    Attributes:
        service, target: whose it is.
        platforms: in the order of the first build.
    """

    service: str
    target: str
    platforms: tuple[PlatformResult, ...]

    @property
    def same(self) -> bool:
        """Whether it came out the same on every platform."""
        return all(each.same for each in self.platforms)


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of a check.

    Attributes:
        images: in the order of the plan.
        builders: that made the first and the second build.
        seconds: of both builds and the comparison.
    """

    images: tuple[ImageResult, ...]
    builders: tuple[str, str]
    seconds: float

    @property
    def held(self) -> bool:
        """Whether everything came out the same."""
        return all(image.same for image in self.images)
