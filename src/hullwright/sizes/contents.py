"""What an image's layers add up to: what is seen, what is wasted, and whose it is. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ecosystem = Literal["dpkg", "apk", "python", "go", "npm"]
WasteKind = Literal["replaced", "deleted", "cache", "duplicate", "unstripped", "debug"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file that a container sees: its path, bytes, and the number of its layer from 0.

    Attributes:
        package: index in `Contents.packages`; -1 for a file of none.
        type: such as `program`, `library`, `python`, `javascript`, `data`, `documentation`.
    """

    path: str
    size_bytes: int
    layer: int
    content: str = ""
    package: int = -1
    type: str = "data"


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and the bytes of its files that a container sees."""

    ecosystem: Ecosystem
    name: str
    version: str
    size_bytes: int
    files: int
    layer: int


@dataclass(frozen=True, slots=True)
class Waste:
    """Bytes that the image could do without.

    Attributes:
        kind: why.
        path: a file, or the folder of a cache.
        size_bytes: what it would save.
        layer: where the bytes lie, from 0.
        by: for what a later layer replaced or deleted, that layer; -1 else.
    """

    kind: WasteKind
    path: str
    size_bytes: int
    layer: int
    by: int = -1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about it, in one sentence, and what it would save; the reason is one fact."""

    id: str
    sentence: str
    saves_bytes: int
    layer: int = -1


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of one platform's image, and what follows from them.

    Attributes:
        seen: regular files that a container sees, by path.
        packages: largest first.
        waste: largest first; `replaced` and `deleted` add up to `waste_bytes` of the figures.
        advice: what saves most first.
    """

    seen: tuple[Seen, ...]
    packages: tuple[Package, ...] = ()
    waste: tuple[Waste, ...] = ()
    advice: tuple[Advice, ...] = ()
