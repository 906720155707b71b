"""Gives the images of a release a further tag, by their digests and without a build."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UsageError
from hullwright.images import TAG
from hullwright.push.models import MovePlan, MoveReport, Named
from hullwright.push.moving import at, move, plan_moves
from hullwright.push.together import together

if TYPE_CHECKING:
    from hullwright.push.models import Clients, Kind
    from hullwright.push.release import Release, ReleasedImage

# What names one image for ever: whole versions (`1.4.1`, `v1.4.1-rc.1`, `api-1.4.1`), commits.
_FIXED: Final = re.compile(r"(?:[A-Za-z][\w.-]*[-_])?v?\d+\.\d+\.\d+.*|sha-[0-9a-f]{7,40}")
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+.*")
# How content lies in a registry before it has a tag of its own.
_STAGED: Final = re.compile(r"hullwright-[0-9a-f]{32}(?:-[0-9a-f]{8})?")


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a promotion is going to do.

    Attributes:
        release: what is promoted.
        tag: that it gets; images of another stage than the usual one get it with their suffix.
        moves: the tags, and what they name now.
    """

    release: Release
    tag: str
    moves: MovePlan

    def text(self) -> str:
        """Return the plan for a person; stable, so tests assert it."""
        head = f"promote {self.release.project} {self.release.version} to {self.tag}"
        return f"{head}\n\n{self.moves.text()}"

    @property
    def note(self) -> str:
        """What a person should know before it: the tag names another version; mostly empty."""
        named = _VERSION.search(self.tag) if check_tag(self.tag) == "fixed" else None
        if named is None or self.tag.startswith("sha-"):
            return ""
        release = self.release
        versions = {release.version, *(image.version for image in release.images)}
        if named[0] in {version.replace("+", ".") for version in versions}:
            return ""
        return f"{self.tag} is a version other than that of the release, {release.version}"


@dataclass(frozen=True, slots=True)
class Promoted:
    """What came of a promotion."""

    promotion: Promotion
    report: MoveReport


def check_tag(tag: str) -> Kind:
    """Return whether a tag names one image for ever (`fixed`) or the newest (`moving`).

    Raises:
        UsageError: no image can have it, or it is one of those under which content is staged.
    """
    if not TAG.fullmatch(tag):
        raise UsageError(
            f'"{tag}" is no legal tag',
            why="letters, digits, and . _ - after the first; 128 at most, and one at least",
            next_step="a tag such as prod",
        )
    if _STAGED.fullmatch(tag):
        raise UsageError(
            f"{tag} is how content is staged, and no name for a release",
            next_step="a tag such as prod",
        )
    return "fixed" if _FIXED.fullmatch(tag) else "moving"


def plan(clients: Clients, release: Release, tag: str) -> Promotion:
    """Return which tags name what now, once every image of the release is known to be there.

    Raises:
        UsageError: the tag is none, or two images would get it in one repository.
        CheckFailedError: a registry lacks an image of the release, or the tag is a version that
            names another image.
        UnavailableError: a registry cannot be asked.
    """
    kind = check_tag(tag)
    for image in release.images:
        check_tag(f"{tag}{image.suffix}")
    _check_there(clients, release)
    named = [_named(image, f"{tag}{image.suffix}", kind) for image in release.images]
    return Promotion(release, tag, plan_moves(clients, named))


def execute(clients: Clients, promotion: Promotion) -> Promoted:
    """Let the tags name the release's images: all of them, or, after a failure, none."""
    return Promoted(promotion, move(clients, promotion.moves))


def _named(image: ReleasedImage, tag: str, kind: Kind) -> Named:
    fixed, moving = ((tag,), ()) if kind == "fixed" else ((), (tag,))
    return Named(image.repository, image.digest, fixed, moving)


def _check_there(clients: Clients, release: Release) -> None:
    def there(image: ReleasedImage) -> bool:
        client, path = at(clients, image.repository)
        return client.describe(path, image.digest) is not None

    answers = together(there, release.images)
    missing = [image for image, found in zip(release.images, answers, strict=True) if not found]
    if missing:
        count, all_of_them = len(missing), len(release.images)
        raise CheckFailedError(
            f"{count} of {all_of_them} images of {release.project} {release.version} "
            f"{'is' if count == 1 else 'are'} not in the registry, so no tag was moved",
            why=[(image.name, image.reference) for image in missing],
            next_step="push it again: invoke push --release-file FILE",
        )
