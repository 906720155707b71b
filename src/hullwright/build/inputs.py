"""What the images of a plan are made from, as far as files and Dockerfiles tell.

Nothing is asked here but the file system; the digests of images that are not made here are given.
"""

from __future__ import annotations

import os
import platform as machine
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.build import pinning
from hullwright.build.fingerprint import Fingerprint, Inputs, fingerprint_of
from hullwright.build.ignoring import STATE
from hullwright.build.linking import context_key
from hullwright.errors import UsageError
from hullwright.images import Platform, Reference
from hullwright.tools.buildcontext import Contexts
from hullwright.tools.dockerfile import WORD, parse, substitute
from hullwright.tools.dockerignore import ignore_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.tools.dockerfile import Dockerfile, ImageUse
    from hullwright.workspace import Workspace

FOLDER: Final = "inputs"
# Every build may read it and it differs from machine to machine: a way to reach things, no input.
_CA_BUNDLE: Final = "ca-bundle"
# It names the sources, as VERSION does, and changes with every commit; looking at it may, too.
_NAMING: Final = frozenset({".git"})
_IMAGE: Final = "docker-image://"
_TARGET: Final = "target:"
_SAME: Final = "reproducible"
_REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]*://|git@")
_OVERRIDE: Final = re.compile(r"(?P<target>[^.=]+)\.(?P<key>[^=]+?)(?:\+?=|$)")
_NO_INPUT: Final = frozenset(
    {"cache-from", "cache-to", "no-cache", "output", "outputs", "pull", "tags"}
)
# They name other files than those that the plan has.
_MOVING: Final = frozenset({"context", "contexts", "dockerfile", "dockerfile-inline", "target"})


@dataclass(frozen=True, slots=True)
class Material:
    """What the image of one target is made from, before any digest is known.

    Attributes:
        dockerfile: its path from the repository's root, as people know it.
        content: exact bytes of the Dockerfile.
        folders: contexts that are folders, with their ignore rules; the main one's name is empty.
        images: names of the images that are not made here.
        siblings: bake's names of the targets that it is built on.
        overrides: of bake's attributes, those that are meant for it.
        unknown: what makes it impossible to know all inputs, in sentences.
    """

    planned: PlannedTarget
    dockerfile: str
    content: bytes
    folders: Mapping[str, tuple[Path, bytes]]
    images: tuple[str, ...]
    siblings: tuple[str, ...]
    overrides: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def unpinned(self) -> tuple[str, ...]:
        """The images whose digests somebody has to be asked for."""
        return tuple(name for name in self.images if not pinning.digest(self.planned.pins, name))

    def shown_folders(self, root: Path) -> dict[str, str]:
        """Return what stands before the paths of each context, for people."""
        shown = {}
        for name, (folder, _) in self.folders.items():
            relative = os.path.relpath(folder, root)
            shown[name] = "" if relative == "." else f"{relative}/"
        return shown


def contexts_of(ws: Workspace) -> Contexts:
    """Return the contexts of one run, none of which was looked at yet."""
    state = ws.root.resolve() / STATE
    return Contexts(state / FOLDER / "hashes.json", state, _NAMING)


def materials(ws: Workspace, plan: BuildPlan) -> tuple[Material, ...]:
    """Return what each target of a plan is made from, in the order of the plan."""
    parsed: dict[bytes, Dockerfile] = {}
    return tuple(_material(ws, planned, plan.overrides, parsed) for planned in plan.targets)


def fingerprints(
    read: Iterable[Material], contexts: Contexts, digests: Mapping[str, str]
) -> dict[str, Fingerprint]:
    """Return the fingerprint of each target by bake's name.

    Args:
        read: each after those that it is built on.
        contexts: the folders of this run.
        digests: of images that are not made here, by the names that Dockerfiles have for them.
    """
    found: dict[str, Fingerprint] = {}
    for material in read:
        found[material.planned.name] = fingerprint_of(_inputs(material, contexts, digests, found))
    return found


def pinned(name: str) -> str:
    """Return the digest that an image's name holds itself; empty where it holds none."""
    try:
        return Reference.parse(name).digest or ""
    except UsageError:
        return ""


def host_platform() -> str:
    """Return the platform of this machine, which an image gets where none is asked for."""
    return str(Platform.parse(f"linux/{machine.machine()}"))


def _inputs(
    material: Material,
    contexts: Contexts,
    digests: Mapping[str, str],
    found: Mapping[str, Fingerprint],
) -> Inputs:
    bake = material.planned.bake
    folders = {name: contexts.of(*folder) for name, folder in material.folders.items()}
    pins = material.planned.pins
    known = {
        name: pinned(name) or pinning.digest(pins, name) or digests.get(name, "")
        for name in material.images
    }
    siblings = {name: found[name] for name in material.siblings if name in found}
    unknown = [
        *material.unknown,
        *(f"{path} cannot be read" for context in folders.values() for path in context.unreadable),
        *(f"the digest of {name} is not known" for name, digest in known.items() if not digest),
        *(f"{why} (of {name})" for name, sibling in siblings.items() for why in sibling.unknown),
    ]
    return Inputs(
        stage=bake.stage,
        dockerfile=material.content,
        arguments=bake.arguments,
        labels=bake.labels,
        platforms=bake.platforms or (host_platform(),),
        secrets=tuple(name for name in map(_id, bake.secrets) if name != _CA_BUNDLE),
        ssh=tuple(agent.partition("=")[0] for agent in bake.ssh),
        # It has other bytes than the image of the same inputs whose times are those of its build.
        attributes={**bake.extra, **({_SAME: True} if material.planned.reproducible else {})},
        overrides=material.overrides,
        contexts=folders,
        images=known,
        siblings={name: sibling.value for name, sibling in siblings.items()},
        unknown=tuple(unknown),
    )


def _material(
    ws: Workspace,
    planned: PlannedTarget,
    overrides: Iterable[str],
    parsed: dict[bytes, Dockerfile],
) -> Material:
    bake = planned.bake
    top = ws.root / bake.context
    path = Path(os.path.normpath(top / bake.dockerfile))
    content, ignore = _read(ws, planned, path, top)
    dockerfile = parsed.setdefault(content, parse(content.decode("utf-8", "replace")))
    folders = {"": (top, ignore)}
    images, siblings, unknown = list[str](), list(planned.links.values()), list[str]()
    for name, value in bake.contexts.items():
        if name in planned.pins:
            continue  # it stands for an image that the Dockerfile names
        if value.startswith(_TARGET):
            siblings.append(value.removeprefix(_TARGET))
        elif value.startswith(_IMAGE):
            images.append(value.removeprefix(_IMAGE))
        elif _REMOTE.match(value):
            unknown.append(f"context {name} is {value}, which only the build reads")
        else:
            folder = ws.root / value
            folders[name] = (folder, _bytes(folder / ".dockerignore"))
    for use in _uses(dockerfile, planned):
        unknown += [
            f"line {use.line} names an image by ${name}, which has no value" for name in use.missing
        ]
        images += [] if use.missing else _for_platforms(use, planned.platforms)
    mine = tuple(_meant(overrides, planned.name))
    unknown += [f"--set {override} replaces it" for key, override in mine if key in _MOVING]
    unknown += _remote_additions(dockerfile, planned)
    service = ws.config.services.get(planned.service)
    return Material(
        planned=planned,
        dockerfile=service.dockerfile if service else os.path.relpath(path, ws.root),
        content=content,
        folders=folders,
        images=tuple(dict.fromkeys(images)),
        siblings=tuple(dict.fromkeys(siblings)),
        overrides=tuple(override for _, override in mine),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _read(ws: Workspace, planned: PlannedTarget, path: Path, top: Path) -> tuple[bytes, bytes]:
    """Return the Dockerfile and the ignore rules of its context."""
    # What a plan generates is not written before it is executed.
    generated = {str(ws.root / file.path): file.content for file in planned.generated}
    own = f"{path}.dockerignore"
    if str(path) in generated and own in generated:
        return generated[str(path)], generated[own]
    found = ignore_file(path, top)
    return path.read_bytes(), _bytes(found) if found else b""


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _uses(dockerfile: Dockerfile, planned: PlannedTarget) -> Iterator[ImageUse]:
    given = (name for name in planned.bake.contexts if name not in planned.pins)
    names = (*given, *planned.links)
    keys = {context_key(name) for name in names}
    stage = _stage(dockerfile, planned)
    for use in dockerfile.images(planned.bake.arguments, target=stage, contexts=names):
        if context_key(use.image) not in keys:
            yield use


def _stage(dockerfile: Dockerfile, planned: PlannedTarget) -> str:
    return planned.bake.stage or str(len(dockerfile.all_stages) - 1)


def _for_platforms(use: ImageUse, platforms: Iterable[str]) -> list[str]:
    """Return the image's names on all platforms; they differ where the name says so."""
    if "$" not in use.image:
        return [use.image]
    host = host_platform()
    return [
        substitute(
            use.image, _platform_values("BUILD", host) | _platform_values("TARGET", goal)
        ).text
        for goal in platforms or (host,)
    ]


def _platform_values(side: str, platform: str) -> dict[str, str]:
    parsed = Platform.parse(platform)
    return {
        f"{side}PLATFORM": platform,
        f"{side}OS": parsed.os,
        f"{side}ARCH": parsed.arch,
        f"{side}VARIANT": parsed.variant,
    }


def _remote_additions(dockerfile: Dockerfile, planned: PlannedTarget) -> Iterator[str]:
    """Yield what the Dockerfile fetches by itself, and does not hold to a checksum."""
    for stage in dockerfile.needed_stages(_stage(dockerfile, planned), planned.bake.arguments):
        for step in stage.instructions:
            if step.keyword == "ADD" and not step.flag("checksum"):
                sources = WORD.findall(step.value)[:-1]
                yield from (
                    f"line {step.line} adds {source}, which may have changed (--checksum pins it)"
                    for source in sources
                    if _REMOTE.match(source.strip("\"'[, "))
                )


def _meant(overrides: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    """Yield the attribute and the whole of each override that changes this target's image."""
    for override in overrides:
        match = _OVERRIDE.match(override)
        key = match["key"].partition(".")[0] if match else ""
        if match and fnmatchcase(name, match["target"]) and key not in _NO_INPUT:
            yield key, override.partition(".")[2]


def _id(secret: str) -> str:
    fields = dict(field.partition("=")[::2] for field in secret.split(","))
    return fields.get("id", "")
