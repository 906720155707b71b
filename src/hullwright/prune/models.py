"""What is looked at, what is planned, and what came of it: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from hullwright.images import size_text

if TYPE_CHECKING:
    from hullwright.tools.storage import CacheUse

Kind = Literal["container", "network", "volume", "image", "tag", "cache"]
Action = Literal["remove", "keep"]

# A stack that was stopped today may be started again, and a cold start that was kept is looked at.
RESTING: Final = timedelta(days=1)
# A push that is under way holds its staging names for minutes.
STAGING: Final = timedelta(hours=1)
# What is said of a tag that stays because its registry offers no way to remove just that tag.
NO_SINGLE_TAGS: Final = "the registry removes no single tags, which is no failure"
CACHE_AGE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Limits:
    """What may go.

    Attributes:
        keep: newest images of each service and stage that stay.
        older_than: nothing younger goes; None for no such limit, and for the default of projects
            (a day) and of the build cache (a week).
        images, projects, cache, registry: what is looked at.
    """

    keep: int = 5
    older_than: timedelta | None = None
    images: bool = True
    projects: bool = True
    cache: bool = False
    registry: bool = False

    def older_than_s(self, default: timedelta) -> float:
        """Return the age from which something goes, in seconds, where none was given `default`."""
        return (default if self.older_than is None else self.older_than).total_seconds()

    @property
    def cache_unused_s(self) -> int:
        """Seconds that nobody used what goes of the build cache."""
        return int(self.older_than_s(CACHE_AGE))


@dataclass(frozen=True, slots=True)
class OwnImage:
    """An image of this project.

    Attributes:
        id: how the store knows it.
        names: all of its names, staging names included; empty for one that lost its name.
        strange: those of them that no service of this project has.
        at: epoch seconds.
        own_bytes: on disk that it shares with no other image; None where it was not counted.
    """

    id: str
    names: tuple[str, ...]
    strange: tuple[str, ...]
    service: str
    target: str
    version: str
    at: float
    digests: frozenset[str]
    own_bytes: int | None = None

    @property
    def title(self) -> str:
        """What it is an image of: service and stage."""
        return " ".join(part for part in (self.service, self.target) if part)


@dataclass(frozen=True, slots=True)
class User:
    """A container, of whoever, and the image that it uses."""

    id: str
    name: str
    image_id: str
    image: str
    running: bool


@dataclass(frozen=True, slots=True)
class OwnProject:
    """A compose project that this repository started.

    Attributes:
        throwaway: whether a cold start made it.
        containers: id and name of each.
        running: whether any of them runs.
        held: whether a run of ours uses it now.
        strange: whether something in it was started from elsewhere.
        since: when the last of its containers ended, or was made; epoch seconds, 0 if unknown.
    """

    name: str
    throwaway: bool
    containers: tuple[tuple[str, str], ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    running: bool
    held: bool
    strange: bool
    since: float


@dataclass(frozen=True, slots=True)
class StagingTag:
    """A tag of the registry under which a push put content before it was released."""

    domain: str
    path: str
    tag: str

    @property
    def reference(self) -> str:
        """Repository and tag, with the registry."""
        return f"{self.domain}/{self.path}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there, at `now` (epoch seconds).

    Attributes:
        recorded: digests and references that `.hullwright/images.json` names.
    """

    project: str
    now: float
    images: tuple[OwnImage, ...] = ()
    users: tuple[User, ...] = ()
    recorded: frozenset[str] = frozenset()
    projects: tuple[OwnProject, ...] = ()
    cache: CacheUse | None = None
    staged: tuple[StagingTag, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that goes, or stays though its number or age would let it go.

    Attributes:
        name: of the resource, as a person knows it.
        cause: why.
        id: what the engine must still know it by when it goes; empty where the name is enough.
        forced: whether a container goes though it runs, with its data: one of a throwaway.
        own_bytes: of an image, on disk and shared with no other; None where that is not known.
    """

    action: Action
    kind: Kind
    name: str
    cause: str
    id: str = ""
    forced: bool = False
    own_bytes: int | None = None

    def text(self) -> str:
        """Return it as a line."""
        return f"{self.action:<8}  {self.kind} {self.name}: {self.cause}"


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What goes and what stays.

    Attributes:
        operations: in the order in which they are done.
        cache_unused_s: age of build cache that goes, in seconds.
    """

    project: str
    operations: tuple[Operation, ...]
    cache_unused_s: int = 0

    def __bool__(self) -> bool:
        return any(operation.action == "remove" for operation in self.operations)

    @property
    def own_bytes(self) -> int:
        """Bytes on disk that go at least: those of images that no other image shares."""
        return sum(each.own_bytes or 0 for each in self.operations if each.action == "remove")

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [f"project {self.project}"]
        lines += [f"  {operation.text()}" for operation in self.operations]
        if not self:
            lines.append("  nothing goes")
        elif self.own_bytes:
            lines.append(f"  frees     at least {size_text(self.own_bytes)} of images' own layers")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What came of a plan.

    Attributes:
        removed: what is gone.
        left: what should have gone, and why it did not, in the words of the engine or registry.
    """

    plan: PrunePlan
    removed: tuple[Operation, ...]
    left: tuple[tuple[Operation, str], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something that could be gone is there."""
        return any(why != NO_SINGLE_TAGS for _, why in self.left)
