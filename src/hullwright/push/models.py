"""What a push works with, plans and gives back: plain values, and what it needs of a registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from hullwright.images import Reference
from hullwright.tools.published import staging_tag

if TYPE_CHECKING:
    from hullwright.tools.registryclient import Descriptor, Manifest

Kind = Literal["fixed", "moving"]
# `fixed` ones come first: who finds a moving tag finds the version that it stands for, too.
PHASES: tuple[Kind, ...] = ("fixed", "moving")
_SHOWN_DIGITS = len("sha256:") + 12


class Registry(Protocol):
    """What a push asks of the client of one registry; repositories are without its domain."""

    def manifest(self, repository: str, reference: str, /) -> Manifest | None:
        """Return a manifest or an index by its tag or digest; None where there is none."""

    def describe(self, repository: str, reference: str, /) -> Descriptor | None:
        """Return digest and media type of the same."""

    def put_manifest(self, repository: str, reference: str, manifest: Manifest, /) -> str:
        """Store the same bytes under a tag; return their digest as the registry has it."""

    def delete_tag(self, repository: str, tag: str, /) -> bool:
        """Remove a tag and nothing else; False where the registry cannot."""

    def blob(self, repository: str, digest: str, most_bytes: int, /) -> bytes:
        """Return a blob."""

    def check_push(self, repository: str, /) -> None:
        """Raise where a push would be refused."""


# By the domain that references begin with, such as `ghcr.io`.
Clients = Mapping[str, Registry]


@dataclass(frozen=True, slots=True)
class Content:
    """An image that belongs to a release, and where its content is.

    Attributes:
        service, target: whose it is.
        repository: as people write it: `registry.example.com/team/api`.
        digest: of its manifest or index, in the registry; until it is staged, in the local store.
        fingerprint: of its inputs.
        platforms: that it should hold; empty where that was left to the builder.
        version, revision: what the image's sources are called; of a current one, its own.
        local: its reference in the local store; empty where the builder pushed it, or only the
            registry has it.
        staged: whether the registry has it under its digest.
        status: what is said of it: `built`, `current`, or `joined` of parts.
        staging: tags under which it, or its parts, wait in the registry; default that of its
            fingerprint alone.
    """

    service: str
    target: str
    repository: str
    digest: str
    fingerprint: str
    platforms: tuple[str, ...] = ()
    version: str = ""
    revision: str = ""
    local: str = ""
    staged: bool = False
    status: str = "built"
    staging: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The registry."""
        return Reference.parse(self.repository).domain

    @property
    def path(self) -> str:
        """The repository within its registry."""
        return Reference.parse(self.repository).path

    @property
    def reference(self) -> str:
        """The reference that always means this very content."""
        return f"{self.repository}@{self.digest}"

    @property
    def staging_tags(self) -> tuple[str, ...]:
        """The tags that go when it has those of its release; it is sent under the first."""
        return self.staging or (staging_tag(self.fingerprint),)

    @property
    def name(self) -> str:
        """Service and stage, for a person."""
        return f"{self.service} {self.target}".strip()


@dataclass(frozen=True, slots=True)
class Named:
    """The tags that one image is to have.

    Attributes:
        repository: as people write it.
        digest: of the image, which that repository has.
        fixed: tags that never name another image.
        moving: tags that name the newest.
    """

    repository: str
    digest: str
    fixed: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[str, ...]:
        """Return its tags of one kind."""
        return self.fixed if kind == "fixed" else self.moving


@dataclass(frozen=True, slots=True)
class Move:
    """One tag, and what it is to name.

    Attributes:
        repository: as people write it.
        tag: the tag.
        digest: what it will name.
        kind: whether it may name something else later.
        before: what it names now; empty where it does not exist.
    """

    repository: str
    tag: str
    digest: str
    kind: Kind
    before: str = ""

    @property
    def reference(self) -> str:
        """The tag in full."""
        return f"{self.repository}:{self.tag}"

    @property
    def done(self) -> bool:
        """Whether the tag names it already."""
        return self.before == self.digest

    @property
    def cause(self) -> str:
        """Why there is something to do, or not."""
        if self.done:
            return "already there"
        return f"was {short(self.before)}" if self.before else "new"


@dataclass(frozen=True, slots=True)
class MovePlan:
    """The tags of a release, in the order in which they move.

    Attributes:
        moves: the fixed ones, then the moving ones.
        manifests: the bytes that are named now and then, by (repository, digest), so that nothing
            has to be read while tags move.
    """

    moves: tuple[Move, ...]
    manifests: Mapping[tuple[str, str], Manifest] = field(default_factory=dict, repr=False)

    def todo(self, kind: Kind) -> tuple[Move, ...]:
        """Return what has to move in one phase."""
        return tuple(move for move in self.moves if move.kind == kind and not move.done)

    def text(self) -> str:
        """Return the plan for a person, a tag in each line; stable, so tests assert it."""
        repositories = {move.repository for move in self.moves}
        where = "1 repository" if len(repositories) == 1 else f"{len(repositories)} repositories"
        count = "1 tag" if len(self.moves) == 1 else f"{len(self.moves)} tags"
        lines = [f"{count} in {where}"]
        width = max((len(move.reference) for move in self.moves), default=0)
        for kind in PHASES:
            moves = [move for move in self.moves if move.kind == kind]
            if moves:
                lines += ["", f"{kind}, {'first' if kind == 'fixed' else 'last'}"]
            lines += [
                f"  {move.reference:<{width}}  {short(move.digest)}  {move.cause}" for move in moves
            ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Left:
    """A tag that a failed release moved and that could not be taken back.

    Attributes:
        move: the tag.
        why: what stood in the way.
    """

    move: Move
    why: str


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What became of the tags of a release.

    Attributes:
        moved: tags that name the release now.
        unchanged: tags that named it before.
        window_s: from the first request that changed a tag to the end of the last one.
        restored: tags that were moved and name again what they named before.
        deleted: new tags that were removed again.
        left: tags that could not be taken back.
        failure: why it failed; empty where it did not.
        interrupted: whether Ctrl-C or a termination ended it.
    """

    moved: tuple[Move, ...] = ()
    unchanged: tuple[Move, ...] = ()
    window_s: float = 0.0
    restored: tuple[Move, ...] = ()
    deleted: tuple[Move, ...] = ()
    left: tuple[Left, ...] = ()
    failure: str = ""
    interrupted: bool = False

    @property
    def failed(self) -> bool:
        """Whether the release does not have its tags."""
        return bool(self.failure) or self.interrupted


def short(digest: str) -> str:
    """Return the beginning of a digest that people tell images apart by."""
    return digest[:_SHOWN_DIGITS]
