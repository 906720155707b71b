"""Fetches images of a release by their digests, and records them as a build would."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from hullwright import recorded
from hullwright.errors import CheckFailedError, UnavailableError, suggestion, unknown
from hullwright.images import Reference
from hullwright.push.models import short
from hullwright.push.moving import at
from hullwright.push.together import together
from hullwright.tools import engine, published, signatures
from hullwright.tools.attestations import ATTACHMENT_TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hullwright.outcome import Result
    from hullwright.push.models import Clients
    from hullwright.push.release import Release
    from hullwright.tools.published import Published
    from hullwright.tools.registryclient import RegistryClient
    from hullwright.tools.signatures import Verified
    from hullwright.workspace import Workspace

_OCI: Final = "org.opencontainers.image."
_FINGERPRINT: Final = "dev.hullwright.fingerprint"
# The engine fetches several layers of each at once.
_PULLS: Final = 4
_SHOWN_TAGS: Final = 8
# Tags that are no name of a release: of content that is staged, and of what cosign attached.
_OTHERS: Final = re.compile(rf"hullwright-|{ATTACHMENT_TAG}$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image that is wanted here.

    Attributes:
        service, target: whose it is.
        reference: repository and tag that it gets in the local store.
        digest: of it; empty until the registry has told.
        platforms: that it holds.
        version, revision: what its sources are said to be called; its labels come first.
        present: whether the local store has it under its digest.
        others: references that mean it too, where the registry lacks `reference`.
        moving: references that mean it as long as its labels are of this version or revision, or
            of the same inputs.
        fingerprint: of its inputs as they are checked out; empty where that does not count.
    """

    service: str
    target: str
    reference: str
    digest: str = ""
    platforms: tuple[str, ...] = ()
    version: str = ""
    revision: str = ""
    present: bool = False
    others: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def name(self) -> str:
        """Service and stage, for a person."""
        return f"{self.service} {self.target}".strip()

    @property
    def repository(self) -> str:
        """Where it is."""
        return Reference.parse(self.reference).repository

    @property
    def by_digest(self) -> str:
        """The reference that always means this very image."""
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull is going to do.

    Attributes:
        source: what the images belong to: a release, or a tag.
        images: what is fetched, and what is there.
        trusted: keys, one of which must have signed each of them; none where nothing is verified.
    """

    source: str
    images: tuple[Wanted, ...]
    trusted: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the plan for a person, an image in each line; stable, so tests assert it."""
        width = max((len(image.reference) for image in self.images), default=0)
        lines = [f"pull {_count(len(self.images))} of {self.source}", ""]
        for image in self.images:
            cause = "in the local store" if image.present else "not in the local store"
            verb = "keep" if image.present else "pull"
            lines.append(f"  {verb}  {image.reference:<{width}}  {short(image.digest)}  {cause}")
        if self.trusted:
            lines += ["", f"first, of each: a signature by {' or '.join(self.trusted)}"]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class PulledImage:
    """An image that is here now.

    Attributes:
        wanted: what was wanted.
        status: whether it was fetched.
        seconds: how long that took.
        version, revision, fingerprint: what its labels say.
        platforms: that are here.
    """

    wanted: Wanted
    status: Literal["pulled", "present"]
    seconds: float
    version: str
    revision: str
    fingerprint: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of a pull: the images that `up`, `cold-start` and `sizes` take from now on.

    Attributes:
        source: what they belong to.
        images: that are here.
        verified: those that a trusted key signed: all of them, or none where no key is configured.
    """

    source: str
    images: tuple[PulledImage, ...]
    verified: tuple[Verified, ...] = ()


def of_release(release: Release, services: Sequence[str], target: str) -> tuple[Wanted, ...]:
    """Return the images of a release, limited to some services or a stage.

    Raises:
        UsageError: the release has no such service, or no such stage.
    """
    names = {image.service for image in release.images}
    for service in services:
        if service not in names:
            raise unknown("service", service, names)
    chosen = [image for image in release.images if not services or image.service in services]
    targets = {image.target for image in chosen}
    if target and target not in targets:
        raise unknown("target", target, {name for name in targets if name})
    return tuple(
        Wanted(
            image.service,
            image.target,
            f"{image.repository}:{image.tags[0]}" if image.tags else image.reference,
            image.digest,
            tuple(image.platforms),
            image.version or release.version,
            image.revision or release.revision,
        )
        for image in chosen
        if not target or image.target == target
    )


def looked_up(
    clients: Mapping[str, RegistryClient],
    images: Sequence[Wanted],
    fingerprints: Callable[[], Mapping[tuple[str, str], str]] | None = None,
) -> tuple[Wanted, ...]:
    """Return what tags name now, with digests and platforms.

    Args:
        clients: of the registries, by domain.
        images: what is wanted.
        fingerprints: gives those of the inputs as they are checked out, by service and stage. It
            is called only where a moving tag names an image of another version and revision:
            what a push found current keeps its name of the commit that last changed it.

    Raises:
        CheckFailedError: a registry has no such tag; all are named.
        UnavailableError: a registry cannot be asked.
    """
    found = together(lambda image: _looked_up(clients, image), images)
    lacking = any(
        there is None and image.moving for image, there in zip(images, found, strict=True)
    )
    if lacking and fingerprints and (prints := fingerprints()):
        images = [
            there or replace(image, fingerprint=prints.get((image.service, image.target), ""))
            for image, there in zip(images, found, strict=True)
        ]
        found = together(
            lambda image: image if image.digest else _looked_up(clients, image), images
        )
    missing = [image for image, there in zip(images, found, strict=True) if there is None]
    if missing:
        raise _no_tag(clients, missing)
    return tuple(image for image in found if image is not None)


def plan(ws: Workspace, clients: Clients, source: str, images: Sequence[Wanted]) -> PullPlan:
    """Return which images are fetched, and which are here; each of the first is there to fetch.

    Raises:
        CheckFailedError: a registry lacks an image.
        UnavailableError: the engine or a registry cannot be asked, or cosign is missing where
            signatures are to be verified.
        UsageError: a key that is trusted cannot be used.
    """
    signatures.check_ready(ws)
    local = engine.images(ws.runner, [image.by_digest for image in images])
    planned = tuple(replace(image, present=local[image.by_digest] is not None) for image in images)
    absent = [image for image in planned if not image.present]

    def there(image: Wanted) -> bool:
        client, path = at(clients, image.repository)
        return client.describe(path, image.digest) is not None

    answers = together(there, absent)
    missing = [image for image, found in zip(absent, answers, strict=True) if not found]
    if missing:
        raise CheckFailedError(
            f"{_count(len(missing))} of {source} {'is' if len(missing) == 1 else 'are'} "
            "not in the registry, so nothing was pulled",
            why=[(image.name, image.by_digest) for image in missing],
            next_step="push it again: invoke push --release-file FILE",
        )
    return PullPlan(source, planned, ws.config.signing.trusted)


def execute(ws: Workspace, plan: PullPlan) -> Pulled:
    """Fetch the images, give them their tags in the local store, and record them.

    Their signatures come first, also of what is here already, so nothing is kept of what is not
    signed.

    Raises:
        CheckFailedError: an image has nothing for this machine, or no trusted key signed it.
        UnavailableError: the engine could not fetch one, or its signature cannot be looked at.
    """
    verified = _verified(ws, plan)
    count = sum(not image.present for image in plan.images)
    # Where nothing is fetched, what is shown at the end says so.
    with ws.console.step(f"pull {_count(count)}") if count else nullcontext():
        seconds = together(lambda image: _fetched(ws, image), plan.images, workers=_PULLS)
    done = _described(ws, plan, seconds)
    recorded.save(ws, [_record(image) for image in done])
    return Pulled(plan.source, done, verified)


def _verified(ws: Workspace, plan: PullPlan) -> tuple[Verified, ...]:
    if not plan.trusted:
        return ()
    with ws.console.step(f"signatures of {_count(len(plan.images))}"):
        return signatures.verify(ws, [(image.name, image.by_digest) for image in plan.images])


def _described(ws: Workspace, plan: PullPlan, seconds: Sequence[float]) -> tuple[PulledImage, ...]:
    """Return what the local store says of the images that it has now."""
    local = engine.images(ws.runner, [image.by_digest for image in plan.images])
    before = recorded.load(ws)
    done = []
    for image, took in zip(plan.images, seconds, strict=True):
        found = local[image.by_digest]
        if found is None:
            raise CheckFailedError(
                f"{image.by_digest} is not in the local store, though it was pulled",
                next_step="see that nothing removes images meanwhile, and run it again",
            )
        known = before.get((image.service, image.target))
        same = known is not None and known.digest == image.digest
        done.append(
            PulledImage(
                image,
                "present" if image.present else "pulled",
                took,
                found.labels.get(f"{_OCI}version") or image.version,
                found.labels.get(f"{_OCI}revision") or image.revision,
                found.labels.get(_FINGERPRINT, ""),
                # docker fetches the one that fits this machine; what was built here may hold more.
                known.platforms if known and same else (found.platform,),
            )
        )
    return tuple(done)


def _looked_up(clients: Mapping[str, RegistryClient], image: Wanted) -> Wanted | None:
    client = clients[Reference.parse(image.reference).domain]
    for reference in (image.reference, *image.others, *image.moving):
        there = published.read(client, image.repository, _tag(reference))
        if there and (reference not in image.moving or _is(image, there)):
            return replace(
                image, reference=reference, digest=there.digest, platforms=there.platforms
            )
    return None


def _is(image: Wanted, there: Published) -> bool:
    """Return whether what a moving tag names is the image that is wanted."""
    told = zip(
        (image.version, image.revision, image.fingerprint),
        (there.version, there.revision, there.fingerprint),
        strict=True,
    )
    return any(wanted and wanted == has for wanted, has in told)


def _no_tag(clients: Mapping[str, RegistryClient], missing: Sequence[Wanted]) -> CheckFailedError:
    facts = []
    for image in missing:
        reference = Reference.parse(image.reference)
        listed = clients[reference.domain].tags(reference.path)
        tags = sorted(tag for tag in listed if not _OTHERS.match(tag))
        some = ", ".join(tags[-_SHOWN_TAGS:]) + (" and others" if len(tags) > _SHOWN_TAGS else "")
        told = f"it has {some}{suggestion(_tag(image.reference), tags)}" if tags else "it has none"
        asked = ", ".join(_tag(name) for name in (image.reference, *image.others))
        also = "".join(
            f"; its {_tag(name)} is of {there.version}"
            for name in image.moving
            if (there := published.read(clients[reference.domain], image.repository, _tag(name)))
            and there.version
        )
        facts.append((image.name, f"{image.repository} has no tag {asked}{also}; {told}"))
    return CheckFailedError(
        f"the registry has no such image of {', '.join(image.name for image in missing)}",
        why=facts,
        next_step="name another with --tag, take a release file with --release, or: invoke push",
    )


def _tag(reference: str) -> str:
    return Reference.parse(reference).tag or ""


def _fetched(ws: Workspace, image: Wanted) -> float:
    """Fetch an image that is not here, name it, and return how long that took."""
    started = time.monotonic()
    if not image.present:
        answer = ws.runner.run("docker", "pull", "--quiet", image.by_digest, check=False)
        if not answer.ok:
            raise _not_fetched(image, answer)
    if "@" not in image.reference:
        ws.runner.run("docker", "tag", image.by_digest, image.reference)
    return time.monotonic() - started


def _not_fetched(image: Wanted, answer: Result) -> Exception:
    engine.check_reachable(answer)
    words = "\n".join(answer.tail(5)) or f"docker ended with {answer.returncode}"
    if "no matching manifest" in words:
        return CheckFailedError(
            f"{image.reference} has no image for this machine",
            why=[("it has", " ".join(image.platforms)), ("docker", words)],
            next_step="push it for this platform too: invoke push --platform OS/ARCH,…",
        )
    return UnavailableError(
        f"{image.by_digest} could not be pulled",
        why=[("docker", words)],
        next_step="try again; if it wants a login: "
        f"invoke login --registry {Reference.parse(image.reference).domain} --username NAME",
    )


def _record(image: PulledImage) -> recorded.RecordedImage:
    return recorded.RecordedImage(
        service=image.wanted.service,
        target=image.wanted.target,
        reference=image.wanted.reference,
        digest=image.wanted.digest,
        version=image.version,
        revision=image.revision,
        platforms=image.platforms,
        at=datetime.now(UTC),
        fingerprint=image.fingerprint,
    )


def _count(number: int) -> str:
    return "1 image" if number == 1 else f"{number} images"
