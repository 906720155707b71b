"""Deciding: for each image that is lacking, where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.bases.models import Build, Plan, Pull
from hullwright.bases.observe import mirrored
from hullwright.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.bases.models import ListedImage, Observed
    from hullwright.tools.registry import Answer


def plan_images(seen: Observed, *, stand_ins: bool) -> Plan:
    """Return what makes every image present.

    A registry that has the image, refuses or lacks it is pulled from: the engine may hold a login
    that the question did not have, and if it fails too, that is the error. A stand-in is built only
    with `stand_ins`, and only where no registry answered at all.

    Raises:
        UnavailableError: no registry answers, and nothing stands in for an image; all at once.
    """
    operations: list[Pull | Build] = []
    hopeless: list[ListedImage] = []
    lacking = {image.image for image in seen.listing.missing}
    for listed in seen.listing.images:
        if listed.origin == "built here":
            continue
        if listed.image in lacking:
            planned = _for_lacking(listed, seen, stand_ins=stand_ins)
            operations += planned
            hopeless += [] if planned else [listed]
        elif listed.state == "stale" and stand_ins:
            operations += _for_stale(listed, seen)
    if hopeless:
        raise _hopeless(hopeless, seen)
    changed = {operation.image for operation in operations}
    kept = (i.image for i in seen.listing.images if i.origin != "built here")
    return Plan(tuple(image for image in kept if image not in changed), tuple(operations))


def _for_lacking(listed: ListedImage, seen: Observed, *, stand_ins: bool) -> list[Pull | Build]:
    answers = seen.answers.get(listed.image, ())
    if not stand_ins or not _silent(answers):
        return [*_pulls(listed, seen, answers)]
    if not listed.recipe:
        return []
    present = "" if listed.state == "missing" else " for every wanted platform"
    cause = f"not in the local store{present}, and no registry answers"
    return [_build(listed, seen, cause)]


def _for_stale(listed: ListedImage, seen: Observed) -> list[Pull | Build]:
    answers = seen.answers.get(listed.image, ())
    if any(answer.verdict == "present" for answer in answers):
        return [*_pulls(listed, seen, answers)]
    return [_build(listed, seen, "its recipe has changed")] if _silent(answers) else []


def _pulls(listed: ListedImage, seen: Observed, answers: tuple[Answer, ...]) -> Iterable[Pull]:
    source = listed.image
    # The mirror is asked first. Where it refuses us the engine may have a login for it, but what
    # another registry has for everybody needs none.
    served = any(answer.verdict == "present" for answer in answers[1:])
    if seen.mirror and answers[0].verdict in {"present", "refused"} and not served:
        source = mirrored(listed.image, seen.mirror)
    stand_in = listed.state == "stale" or listed.origin == "stand-in"
    cause = "takes the place of a stand-in" if stand_in else "not in the local store"
    for platform in listed.wanted if stand_in else listed.lacking or listed.wanted:
        yield Pull(listed.image, source, platform, answers, cause)


def _build(listed: ListedImage, seen: Observed, cause: str) -> Build:
    platforms = tuple(dict.fromkeys((*listed.platforms, *listed.wanted)))
    return Build(listed.image, seen.recipes[listed.image], platforms, cause)


def _silent(answers: Iterable[Answer]) -> bool:
    return all(answer.verdict == "unreachable" for answer in answers)


def _hopeless(images: list[ListedImage], seen: Observed) -> UnavailableError:
    names = ", ".join(image.image for image in images)
    facts = [("image", f"{image.image}, wanted by {image.uses[0].place}") for image in images]
    asked = {answer.host: answer.words for image in images for answer in seen.answers[image.image]}
    facts += list(asked.items())
    facts.append(("stand-ins", ", ".join(seen.recipes) or "no recipe in deploy/base-images"))
    return UnavailableError(
        f"no registry answers, and no recipe stands in for {names}",
        why=facts,
        next_step="name a mirror: HULLWRIGHT_MIRROR, or [build] mirror",
    )
