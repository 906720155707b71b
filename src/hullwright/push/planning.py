"""What a push is going to do: images, their tags in the order of moving, and the gates."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hullwright.errors import UsageError
from hullwright.images import TAG, Reference
from hullwright.push.models import PHASES, Named
from hullwright.push.moving import at
from hullwright.push.promoting import check_tag
from hullwright.push.together import together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.config.models import Config
    from hullwright.push.models import Clients, Content, Kind


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image that is pushed, and the tags that it gets.

    Attributes:
        service, target: whose it is.
        repository: as people write it.
        fixed, moving: its tags.
    """

    service: str
    target: str
    repository: str
    fixed: tuple[str, ...]
    moving: tuple[str, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """All of its tags, in the order in which they move."""
        return (*self.fixed, *self.moving)

    def of(self, kind: Kind) -> tuple[str, ...]:
        """Return its tags of one kind."""
        return self.fixed if kind == "fixed" else self.moving

    def named(self, content: Content, more: Iterable[str] = ()) -> Named:
        """Return its tags for content that the registry has, others after its own.

        A whole version or a commit among the others never comes to name another image, either.
        """
        others = [(tag, check_tag(tag)) for tag in more if tag not in self.tags]
        fixed = (tag for tag, kind in others if kind == "fixed")
        moving = (tag for tag, kind in others if kind == "moving")
        return Named(
            content.repository, content.digest, (*self.fixed, *fixed), (*self.moving, *moving)
        )


@dataclass(frozen=True, slots=True)
class PushPlan:
    """A push before anything of it is done.

    Attributes:
        images: what gets tags.
        gates: commands that must end with 0 before that.
        attestations: what is attached to each image.
        budgets: figures that are limited, by the service whose image they are of.
        signed: the key that signs each image before its tags; empty for none.
        part: the platforms that are pushed of the images, which get no tags then; empty for a
            push of all.
    """

    images: tuple[PlannedImage, ...]
    gates: tuple[tuple[str, ...], ...] = ()
    attestations: tuple[str, ...] = ()
    budgets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    signed: str = ""
    part: str = ""

    @property
    def repositories(self) -> tuple[str, ...]:
        """Where the images go; each one once."""
        return tuple(dict.fromkeys(image.repository for image in self.images))

    def image(self, service: str, target: str) -> PlannedImage | None:
        """Return the image of a service's stage; None where it gets no tags."""
        found = (i for i in self.images if (i.service, i.target) == (service, target))
        return next(found, None)

    def text(self) -> str:
        """Return the plan for a person; stable, so tests assert it."""
        count = "1 image" if len(self.images) == 1 else f"{len(self.images)} images"
        attached = f" · with {' and '.join(self.attestations)}" if self.attestations else ""
        if self.part:
            lines = [f"push a part of {count}, by digest, without any tag: {self.part}{attached}"]
            return "\n".join([*lines, *(f"  {image.repository}" for image in self.images)])
        lines = [f"push {count}, by digest, before any tag{attached}"]
        lines += [f"  {image.repository}" for image in self.images]
        for service, metrics in self.budgets.items():
            lines.append(f"budgets  {service}: {', '.join(metrics)}")
        for gate in self.gates:
            lines.append(f"gate  {shlex.join(gate)}")
        if self.signed:
            lines.append(f"sign  with {self.signed}, by digest")
        for kind in PHASES:
            tags = [(image, tag) for image in self.images for tag in image.of(kind)]
            if tags:
                lines.append(f"{kind} tags, {'first' if kind == 'fixed' else 'last'}")
            lines += [f"  {image.repository}:{tag}" for image, tag in tags]
        return "\n".join(lines)


def require_registry(config: Config) -> str:
    """Return the registry that images go to.

    Raises:
        UsageError: none is configured.
    """
    if config.registry:
        return config.registry
    services = config.services.values()
    first = {service.name: service.image.partition("/") for service in services}
    # As Docker reads a name: only what has a dot or a port before a slash is a registry.
    named = [n for n, (domain, slash, _) in first.items() if slash and set(domain) & set(".:")]
    without = [name for name in first if name not in named]
    why = [("no registry", f"images of {', '.join(without)} stay local")] if without else []
    if named:
        told = "named by the images, but they are pushed to the registry of the configuration only"
        why.append(("own registry", f"of {', '.join(named)}: {told}"))
    raise UsageError(
        "there is no registry to push to",
        why=why or "images without one stay local",
        next_step='set `registry = "registry.example.com/team"` in the configuration\n'
        "or try it with the registry that `invoke setup --install` starts here: "
        "HULLWRIGHT_REGISTRY=127.0.0.1:5000 invoke push",
    )


def planned_image(
    service: str,
    target: str,
    *,
    reference: str,
    tags: Sequence[str],
    fixed: Sequence[str],
    stage: str = "",
) -> PlannedImage:
    """Return an image with its tags, which have its stage as a suffix where it has one.

    Args:
        service: whose it is.
        target: stage of its Dockerfile.
        reference: what a build calls it.
        tags: what its rules give.
        fixed: those of them that never move.
        stage: the suffix, such as `-development`; empty for the default stage.

    Raises:
        UsageError: a tag is too long with its suffix.
    """
    for tag in tags:
        if not TAG.fullmatch(f"{tag}{stage}"):
            raise UsageError(
                f"the tag {tag}{stage} of {service} is too long",
                why="a tag has 128 characters at most, with the name of its stage",
            )
    return PlannedImage(
        service,
        target,
        Reference.parse(reference).repository,
        tuple(f"{tag}{stage}" for tag in tags if tag in fixed),
        tuple(f"{tag}{stage}" for tag in tags if tag not in fixed),
    )


def of_sources(plan: PushPlan, versions: Mapping[tuple[str, str], str]) -> PushPlan:
    """Return the plan with the tags that sources of these versions may have.

    The name of a version, a Git tag or a commit means one image for ever, and what is in no commit
    could never be made again. A changed tree is refused the first two, and leaves out the last:
    else the push of the commit itself would find its name taken.

    Args:
        plan: what is pushed.
        versions: of the images' sources, by service and target.

    Raises:
        UsageError: an image of a changed tree would get such a name, or has no other.
    """
    dirty = {key for key, version in versions.items() if "dirty" in _words(version)}
    images = tuple(
        _without_commit(image) if (image.service, image.target) in dirty else image
        for image in plan.images
    )
    wrong = [
        (_name(image), f"{versions[image.service, image.target]} as {', '.join(names)}")
        for image in images
        if (image.service, image.target) in dirty
        for names in [[tag for tag in image.fixed if "dirty" not in tag.split(".")]]
        if names
    ]
    nameless = [(_name(image), "a commit's is its only tag") for image in images if not image.tags]
    if wrong or nameless:
        raise UsageError(
            "a changed tree gets no tag of a version or a commit",
            why=[*wrong, *nameless, ("rule", "such a tag names what was committed")],
            next_step="git status   (untracked files count, ignored ones do not); commit, stash or "
            "ignore what it shows",
        )
    return replace(plan, images=images)


def moved_by_changes(plan: PushPlan, versions: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """Return which tags that move come to name images of a changed tree, a line for each tag."""
    names: dict[str, list[str]] = {}
    for image in plan.images:
        if "dirty" in _words(versions.get((image.service, image.target), "")):
            for tag in image.moving:
                names.setdefault(tag, []).append(_name(image))
    return tuple(
        f"the tag {tag} moves to what is in no commit: {', '.join(images)} of a changed tree"
        for tag, images in names.items()
    )


def _without_commit(image: PlannedImage) -> PlannedImage:
    return replace(image, fixed=tuple(t for t in image.fixed if not t.startswith("sha-")))


def _name(image: PlannedImage) -> str:
    return f"{image.service} {image.target}".strip()


def _words(version: str) -> list[str]:
    return version.partition("+")[2].split(".")


def check_rights(clients: Clients, repositories: Sequence[str]) -> None:
    """Return where every repository may be pushed to, asked before anything is built.

    Raises:
        UnavailableError: no registry is there, or it does not let us; in its words.
    """

    def check(repository: str) -> None:
        client, path = at(clients, repository)
        client.check_push(path)

    together(check, repositories)
