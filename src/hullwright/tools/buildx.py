"""Docker buildx: the argument list of a bake, its definition, and parsers of what it reports.

Progress is read from `--progress rawjson` (one BuildKit status for each line) and results from
`--metadata-file`. Nothing here starts a process.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

# What the metadata file says of provenance is not read; asking for none saves a request.
BAKE_ENVIRONMENT: Final = {"BUILDX_METADATA_PROVENANCE": "disabled"}
# Default provenance holds the time of the build, so that an unchanged build has a new digest.
NO_PROVENANCE: Final = "type=provenance,disabled=true"
LOCAL_STORE: Final = "type=docker,oci-mediatypes=true"
# Files that are newer than SOURCE_DATE_EPOCH get its time; layers of the base image stay.
REWRITTEN: Final = "rewrite-timestamp=true"
# What bake reads where no file is named, in its order; later ones override earlier ones.
# https://docs.docker.com/build/bake/reference/#file-lookup
BAKE_FILES: Final = (
    *("docker-bake.json", "docker-bake.hcl"),
    *("docker-bake.override.json", "docker-bake.override.hcl"),
)
BAKE_PRINT: Final = ("docker", "buildx", "bake", "--print")
_TARGET_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class BakeTarget:
    """One bake target: what is built from what, under which name, and where it goes.

    Attributes:
        name: bake's name of it; see `bake_name`.
        context: build context, relative to the folder in which bake runs, or absolute.
        dockerfile: path relative to the context, as bake has it.
        stage: stage of the Dockerfile; empty for the last.
        tags: references that it gets.
        platforms: empty for the builder's own.
        arguments: build arguments; never a secret.
        labels: labels of the image's configuration.
        annotations: what manifest and index say, such as `manifest:name=value`.
        secrets: BuildKit secrets, such as `id=ca-bundle,src=/path`.
        ssh: agents and keys, such as `default` or `id=/path`.
        contexts: what names of images and stages stand for: `target:NAME` for another bake target,
            `docker-image://REFERENCE@DIGEST` for an image, else a folder.
        cache_from, cache_to: where layers come from and go to, as BuildKit writes them.
        outputs: exporters.
        attestations: such as `NO_PROVENANCE`.
        extra: other attributes of a bake file of the repository's own, such as `network`, as
            bake printed them.
    """

    name: str
    context: str
    dockerfile: str
    stage: str = ""
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    contexts: Mapping[str, str] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    outputs: tuple[str, ...] = (LOCAL_STORE,)
    attestations: tuple[str, ...] = (NO_PROVENANCE,)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def definition(self) -> dict[str, Any]:
        """Return the target as bake's JSON has it; what is empty is left out."""
        # Bake substitutes ${…} in strings, and a value from Git or the user is never a template.
        written: dict[str, Any] = {
            **self.extra,
            "context": _literal(self.context),
            "dockerfile": _literal(self.dockerfile),
            "target": self.stage,
            "tags": list(self.tags),
            "platforms": list(self.platforms),
            "args": {name: _literal(value) for name, value in self.arguments.items()},
            "labels": {name: _literal(value) for name, value in self.labels.items()},
            "annotations": [_literal(annotation) for annotation in self.annotations],
            "secret": [_literal(secret) for secret in self.secrets],
            "ssh": [_literal(agent) for agent in self.ssh],
            "contexts": {name: _literal(value) for name, value in self.contexts.items()},
            "cache-from": [_literal(source) for source in self.cache_from],
            "cache-to": [_literal(goal) for goal in self.cache_to],
            "output": list(self.outputs),
            "attest": list(self.attestations),
        }
        return {key: value for key, value in written.items() if value}


def bake_name(service: str, stage: str) -> str:
    """Return a name that bake accepts for a service's target; other characters become `_`."""
    return _TARGET_NAME.sub("_", f"{service}-{stage}" if stage else service)


def definition_json(targets: Iterable[BakeTarget]) -> str:
    """Return the bake definition of `targets`, all of them in the default group."""
    built = list(targets)
    document = {
        "group": {"default": {"targets": [target.name for target in built]}},
        "target": {target.name: target.definition() for target in built},
    }
    return json.dumps(document, indent=2) + "\n"


def bake_argv(
    file: Path,
    metadata_file: Path,
    *,
    targets: Sequence[str] = (),
    no_cache: bool = False,
    pull: bool = False,
    overrides: Sequence[str] = (),
    allow: Sequence[str] = (),
    builder: str = "",
) -> tuple[str, ...]:
    """Return the bake that builds what a definition has, and reports in JSON lines.

    Args:
        file: the definition. Standard input would hold 64 KiB of it, which 50 services exceed.
        metadata_file: gets digests by target when everything was built.
        targets: bake's names of what is built; empty for the default group.
        no_cache: build every step again.
        pull: look for newer base images.
        overrides: as `--set` takes them: `target.key=value`.
        allow: entitlements, such as `fs.read=/path`.
        builder: that builds; empty for the current one.
    """
    return (
        *("docker", "buildx", "bake", "--file", str(file), "--progress", "rawjson"),
        *("--metadata-file", str(metadata_file)),
        *(("--builder", builder) if builder else ()),
        *(("--no-cache",) if no_cache else ()),
        *(("--pull",) if pull else ()),
        *(word for override in overrides for word in ("--set", override)),
        *(f"--allow={entitlement}" for entitlement in allow),
        *targets,
    )


def check_argv(file: Path, *, overrides: Sequence[str], allow: Sequence[str]) -> tuple[str, ...]:
    """Return the bake that checks Dockerfiles by BuildKit's own rules and builds nothing.

    The targets of the definition must have no tags: an empty image would get them.
    """
    return (
        *("docker", "buildx", "bake", "--check", "--file", str(file), "--progress", "quiet"),
        *(word for override in overrides for word in ("--set", override)),
        *(f"--allow={entitlement}" for entitlement in allow),
    )


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node of the build graph as one status line has it; later lines complete earlier ones.

    Attributes:
        digest: its key; two targets that share a step share it.
        name: such as `[api linux/amd64 builder 3/9] RUN make`.
        error: why it failed; empty while it did not.
        inputs: digests of the vertexes that it waits for.
    """

    digest: str
    name: str
    started: datetime | None = None
    completed: datetime | None = None
    cached: bool = False
    error: str = ""
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepLog:
    """What a running step printed."""

    vertex: str
    text: str


@dataclass(frozen=True, slots=True)
class Activity:
    """A part of a vertex: layers that are fetched, a manifest that is written."""

    vertex: str
    text: str
    completed: bool


Event = Vertex | StepLog | Activity


def parse_progress(line: str) -> list[Event] | None:
    """Return what a line of `--progress rawjson` tells, or None for a line of plain text.

    Plain text is what buildx says outside of the build: the excerpt of a Dockerfile, an error.
    """
    if not line.startswith("{"):
        return None
    try:
        status = json.loads(line)
        vertexes = [_vertex(entry) for entry in status.get("vertexes", ())]
        activities = [
            Activity(entry["vertex"], entry["id"], "completed" in entry)
            for entry in status.get("statuses", ())
        ]
        logs = [
            StepLog(entry["vertex"], base64.b64decode(entry["data"]).decode(errors="replace"))
            for entry in status.get("logs", ())
        ]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
    return [*vertexes, *activities, *logs]


@dataclass(frozen=True, slots=True)
class StepName:
    """The parts of a Dockerfile step's name.

    Attributes:
        target: bake's name of the target; empty in a bake of one target.
        platform: such as `linux/arm64`, or `linux/amd64->arm64` of a cross-compiling stage;
            empty for a build of one platform.
        stage: name or `stage-N` of the stage; empty in a Dockerfile of one unnamed stage.
        number: from 1.
        total: steps of that stage.
        instruction: as the Dockerfile has it, arguments resolved.
    """

    target: str
    platform: str
    stage: str
    number: int
    total: int
    instruction: str

    @property
    def brief(self) -> str:
        """The instruction without the flags of `RUN`: they are long, and not what it does."""
        return _FLAGS.sub(" ", self.instruction)


# A continued line leaves its indentation between two of them.
_FLAGS: Final = re.compile(r"(?<=^RUN)(?:\s+--[a-z]+=\S+)+\s+")
_PREFIX: Final = re.compile(r"\[(?P<head>[^\]]+)\] ?(?P<rest>.*)", re.DOTALL)
_COUNT: Final = re.compile(r"(\d+)/(\d+)")
_PLATFORM: Final = re.compile(r"[a-z0-9]+/[a-z0-9/]+(?:->[a-z0-9/]+)?")


def parse_target(name: str, targets: Sequence[str]) -> str:
    """Return which of several bake targets a vertex belongs to; empty for none.

    In a bake of one target nothing is prefixed, and everything belongs to it.
    """
    if len(targets) == 1:
        return targets[0]
    match = _PREFIX.match(name)
    words = match["head"].split() if match else []
    return words[0] if words and words[0] in targets else ""


def parse_step(name: str, *, prefixed: bool) -> StepName | None:
    """Return the parts of a Dockerfile step's name; None for a step of BuildKit's own.

    Args:
        name: a vertex's name.
        prefixed: whether names begin with the target, as they do in a bake of several.
    """
    match = _PREFIX.match(name)
    if match is None:
        return None
    words = match["head"].split()
    count = _COUNT.fullmatch(words.pop())
    if count is None:
        return None
    target = words.pop(0) if prefixed and words else ""
    platform = words.pop(0) if words and _PLATFORM.fullmatch(words[0]) else ""
    return StepName(
        target, platform, " ".join(words), int(count[1]), int(count[2]), match["rest"].strip()
    )


@dataclass(frozen=True, slots=True)
class TargetMetadata:
    """What the metadata file says of one target.

    Attributes:
        digest: of the manifest, or of the index of several; empty where no image came out.
        platform: of a single manifest; None for an index.
        media_type: of the descriptor.
    """

    digest: str
    platform: Platform | None
    media_type: str


def parse_metadata(text: str) -> dict[str, TargetMetadata]:
    """Return the metadata of each target, by bake's name; other keys of the file are left out."""
    document: dict[str, Any] = json.loads(text) if text.strip() else {}
    return {
        name: _target_metadata(entry)
        for name, entry in document.items()
        if isinstance(entry, dict) and "buildx.build.ref" in entry
    }


def _target_metadata(entry: Mapping[str, Any]) -> TargetMetadata:
    descriptor = entry.get("containerimage.descriptor", {})
    platform = descriptor.get("platform")
    return TargetMetadata(
        digest=entry.get("containerimage.digest", ""),
        platform=platform
        and Platform(platform["os"], platform["architecture"], platform.get("variant", "")),
        media_type=descriptor.get("mediaType", ""),
    )


def _vertex(entry: Mapping[str, Any]) -> Vertex:
    return Vertex(
        digest=entry["digest"],
        name=entry["name"],
        started=_time(entry.get("started")),
        completed=_time(entry.get("completed")),
        cached=bool(entry.get("cached")),
        error=entry.get("error", ""),
        inputs=tuple(entry.get("inputs") or ()),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _literal(text: str) -> str:
    # https://github.com/hashicorp/hcl/blob/main/json/spec.md: strings of JSON are templates too
    return text.replace("${", "$${").replace("%{", "%%{")


def literal_of(text: str) -> str:
    """Return what a string of a printed bake definition stands for."""
    return text.replace("$${", "${").replace("%%{", "%{")
