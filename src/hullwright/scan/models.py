"""What is searched, and what was found: plain values without any secret in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullwright.findings import failed, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullwright.findings import Finding


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What was asked for.

    Attributes:
        images: references in the local store; empty means what builds recorded.
        git_history: whether every object of the Git repository is searched.
        context: whether the build contexts are searched.
    """

    images: tuple[str, ...] = ()
    git_history: bool = False
    context: bool = False


@dataclass(frozen=True, slots=True)
class ScannedImage:
    """An image that is searched.

    Attributes:
        reference: how people call it.
        digest: by which the local store knows it; empty where it is not there.
    """

    reference: str
    digest: str


@dataclass(frozen=True, slots=True)
class ScannedContext:
    """A build context as it is sent.

    Attributes:
        name: the folder, relative to the root, and a Dockerfile's own ignore file that holds.
        folder: the same, absolute.
        ignore: content of the ignore file that holds for it.
    """

    name: str
    folder: Path
    ignore: bytes


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """The places that a scan searches.

    Attributes:
        images: in the local store; those that are not there have no digest, and are told of.
        files: compose files, Dockerfiles and examples, relative to the root.
        contexts: build contexts; empty where they were not asked for.
        git_history: whether Git's objects are searched.
        gitleaks: whether gitleaks is there to be run beside.
    """

    images: tuple[ScannedImage, ...]
    files: tuple[str, ...]
    contexts: tuple[ScannedContext, ...] = ()
    git_history: bool = False
    gitleaks: bool = False

    def text(self) -> str:
        """Return the plan as lines, one for each place."""
        lines = [
            f"search image {image.reference}: each file of each layer, configuration, attestations"
            if image.digest
            else f"leave out image {image.reference}: it is not in the local store"
            for image in self.images
        ]
        lines += [f"search context {context.name}: as it is sent" for context in self.contexts]
        lines += ["search every object of the Git repository"] if self.git_history else []
        lines += [f"search file {name}" for name in self.files]
        lines += [f"run gitleaks on {', '.join(self.for_gitleaks)}"] if self.for_gitleaks else []
        return "\n".join(lines or ["search nothing: there is no image and no file to search"])

    @property
    def for_gitleaks(self) -> tuple[str, ...]:
        """What gitleaks looks at: the history, which holds committed files too, or files."""
        if not self.gitleaks:
            return ()
        return ("the Git history",) if self.git_history else self.files


@dataclass(frozen=True, slots=True)
class Searched:
    """A place that was searched.

    Attributes:
        place: how people call it.
        bytes: how much was read of it, after decompression.
    """

    place: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found.

    Attributes:
        values: names of the secrets that were searched for.
        short: names of those whose values are too short to be searched for.
        searched: the places, in the order of the plan.
        findings: what was found; the gravest first.
        environments: those whose values were searched for.
    """

    values: tuple[str, ...]
    short: tuple[str, ...]
    searched: tuple[Searched, ...]
    findings: tuple[Finding, ...]
    environments: tuple[str, ...] = ()

    def beside(self, environments: Iterable[str], unread: Iterable[Finding]) -> ScanReport:
        """Return the same with whose values were searched for, and whose could not be read."""
        findings = ordered((*unread, *self.findings))
        return replace(self, findings=findings, environments=tuple(environments))

    @property
    def failed(self) -> bool:
        """Whether a value was found, or a place could not be searched."""
        return failed(self.findings)
