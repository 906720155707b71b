"""What a person asks of a push."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.build import BuildRequest

Share = Literal["", "part", "join"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks of a push besides its build.

    Attributes:
        ref: whose tags the images get; empty for what is checked out, or for what CI says.
        allow_stand_ins: whether images on stand-ins are pushed.
        all_tags: whether other local tags of the same images are pushed too.
        release_file: where version and digests are written; empty for nowhere.
        why: whether each decision is explained.
        timeline: where the build is drawn; empty for nowhere.
        share: `part` for what one of several runners does of it, `join` for what follows them.
        platform: of a part; empty for all platforms of its images.
    """

    ref: str = ""
    allow_stand_ins: bool = False
    all_tags: bool = False
    release_file: str = ""
    why: bool = False
    timeline: str = ""
    share: Share = ""
    platform: str = ""


def meant(
    request: BuildRequest, options: Options, *, part: bool, join: bool, failed: bool
) -> tuple[BuildRequest, Options]:
    """Return what is built of which push: all of it, one runner's share, or what joins those.

    A share has the whole images for its request; its own platform is among the options.

    Args:
        request: as it was typed.
        options: likewise.
        part: whether `--part` was typed.
        join: whether `--join` was.
        failed: whether `--failed` was.

    Raises:
        UsageError: what was typed cannot be meant.
    """
    from hullwright.images import Platform

    if failed and (request.force or request.no_cache):
        raise UsageError(
            "--failed builds only what is not in the registry, and --force and --no-cache all",
            next_step="leave one of them out",
        )
    if part and join:
        raise UsageError(
            "--part and --join cannot both be meant",
            why="each runner pushes its part, and one run after all of them joins the parts",
            next_step="invoke push --part on each runner, then: invoke push --join",
        )
    if join:
        typed = {
            "--platform": request.platforms,
            "--no-cache": request.no_cache,
            "--timeline": options.timeline,
        }
        _refuse("--join", typed, "it builds nothing, and joins all of the configured platforms")
    if not part:
        return request, replace(options, share="join" if join else "")
    typed = {"--release-file": options.release_file, "--all-tags": options.all_tags}
    _refuse("--part", typed, "a part has no tags and is no release; what is joined of all is")
    if len(request.platforms) > 1:
        raise UsageError(
            f"a part is for one platform, not for {' and '.join(request.platforms)}",
            next_step="push a part for each, or leave --platform out for all in one",
        )
    own = f"{Platform.parse(request.platforms[0])}" if request.platforms else ""
    return replace(request, platforms=()), replace(options, share="part", platform=own)


def _refuse(flag: str, typed: Mapping[str, object], why: str) -> None:
    wrong = " and ".join(name for name, value in typed.items() if value)
    if wrong:
        raise UsageError(
            f"{flag} and {wrong} cannot be meant together",
            why=why,
            next_step=f"leave {wrong} out",
        )
