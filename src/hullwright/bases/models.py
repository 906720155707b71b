"""What images a repository needs, what is there, and what would make the rest present."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.images import Platform
    from hullwright.locked import LockedImage
    from hullwright.tools.registry import Answer

STAND_IN_LABEL: Final = "dev.hullwright.stand-in"
RECIPE_LABEL: Final = "dev.hullwright.recipe"

Origin = Literal["registry", "stand-in", "built here", "unknown"]
State = Literal["present", "stale", "missing"]


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names an image.

    Attributes:
        image: as it is named, variables replaced.
        place: file with line or service, such as `Dockerfile:11 FROM` or `compose.yml: db`.
        missing: variables without a value; the image is then not known.
        native: whether it is wanted for this machine's platform only: it runs or compiles here.
    """

    image: str
    place: str
    missing: tuple[str, ...] = ()
    native: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stand-in is made from Debian's packages.

    Attributes:
        name: of its folder.
        folder: holds its Dockerfile, and hooks for the root file system.
        stands_for: official references that it stands in for.
        suite: Debian's release.
        packages: installed besides the essential ones.
        exclude: patterns of paths that are not unpacked.
        go_toolchain: version of the Go toolchain that its Dockerfile takes; empty for none.
        digest: of everything in its folder; another digest is another stand-in.
        modules: of this package that its Dockerfile takes, by their paths in it.
    """

    name: str
    folder: Path
    stands_for: tuple[str, ...]
    suite: str
    packages: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    go_toolchain: str = ""
    digest: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalBase:
    """An image of the local store as far as it matters here."""

    platforms: tuple[Platform, ...]
    stand_in: str = ""
    recipe_digest: str = ""


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image that the repository names.

    Attributes:
        uses: every place that names it.
        state: `stale` is a stand-in whose recipe has changed since.
        origin: where it came from or, if it is missing, would come from.
        platforms: those that it is present for.
        wanted: those that it is needed for.
        recipe: recipe that could stand in for it; empty for none.
        stand_in_of: official image that it stands in for, or is based on a stand-in of.
        locked: what the lock has for it; None where it is not locked.
        lockable: whether a lock is to hold it: Dockerfiles name it, and it is not made here.
    """

    image: str
    state: State
    origin: Origin
    uses: tuple[Use, ...] = ()
    platforms: tuple[Platform, ...] = ()
    wanted: tuple[Platform, ...] = ()
    recipe: str = ""
    stand_in_of: str = ""
    locked: LockedImage | None = None
    lockable: bool = False

    @property
    def lacking(self) -> tuple[Platform, ...]:
        """The platforms that it is needed for and not present for."""
        return tuple(platform for platform in self.wanted if platform not in self.platforms)


@dataclass(frozen=True, slots=True)
class Listing:
    """All images that Dockerfiles and compose files name.

    Attributes:
        images: sorted by name.
        unknown: uses whose image depends on variables without a value.
        has_lock: whether the repository locks base images.
    """

    images: tuple[ListedImage, ...]
    unknown: tuple[Use, ...] = ()
    has_lock: bool = False

    @property
    def missing(self) -> tuple[ListedImage, ...]:
        """What builds and starts would have to fetch; images that are built here are not."""
        wanted = (image for image in self.images if image.origin != "built here")
        return tuple(image for image in wanted if image.state == "missing" or image.lacking)


@dataclass(frozen=True, slots=True)
class Pull:
    """Take an image from a registry.

    Attributes:
        source: the reference that is pulled; another one than `image` where a mirror serves it.
        platform: what is pulled.
        asked: what the registries said beforehand.
    """

    image: str
    source: str
    platform: Platform
    asked: tuple[Answer, ...]
    cause: str

    def __str__(self) -> str:
        where = "" if self.source == self.image else f" from {self.source}"
        return f"pull   {self.image}  {self.platform}{where}: {self.cause}"


@dataclass(frozen=True, slots=True)
class Build:
    """Build a stand-in by its recipe, for all its platforms at once."""

    image: str
    recipe: Recipe
    platforms: tuple[Platform, ...]
    cause: str

    def __str__(self) -> str:
        names = " ".join(str(platform) for platform in self.platforms)
        return f"build  {self.image}  {names} by recipe {self.recipe.name}: {self.cause}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes the missing images present, in order.

    Attributes:
        kept: images that are there already.
        operations: each names its image and its cause.
    """

    kept: tuple[str, ...]
    operations: tuple[Pull | Build, ...]

    def __str__(self) -> str:
        lines = [f"keep   {image}: in the local store" for image in self.kept]
        return "\n".join([*lines, *(str(operation) for operation in self.operations)])


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that was carried out, and how long it took."""

    operation: Pull | Build
    seconds: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` did, and what is there now."""

    plan: Plan
    done: tuple[Done, ...]
    listing: Listing


@dataclass(frozen=True, slots=True)
class Observed:
    """The world as the plan sees it.

    Attributes:
        listing: what is needed and what is there.
        recipes: by official reference.
        answers: what registries said about each image that is lacking, the mirror first.
        mirror: prefix of `[build] mirror`; empty for none.
    """

    listing: Listing
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    mirror: str = ""
