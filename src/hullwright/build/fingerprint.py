"""The fingerprint of an image's inputs: one value for all that it is made from.

What names the sources (version, revision, dates) is no input: a commit that touches none of an
image's inputs leaves its fingerprint, so an image of these inputs is as good as a new one.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from posixpath import dirname
from typing import TYPE_CHECKING, Any, Final

from hullwright.build.labelling import OCI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullwright.tools.buildcontext import Context

LABEL: Final = "dev.hullwright.fingerprint"
# Raised when the same inputs get another value, so that old images are not taken for new ones.
FORMAT: Final = 1
_NAMING_ARGUMENTS: Final = frozenset(
    {"VERSION", "GIT_COMMIT", "GIT_REVISION", "BUILD_DATE", "SOURCE_DATE_EPOCH"}
)
_NAMING_LABELS: Final = frozenset(
    {f"{OCI}{name}" for name in ("version", "revision", "created", "base.digest")} | {LABEL}
)
_SHOWN: Final = 8
_SINGLE_FILES: Final = 4


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that an image is made from.

    Attributes:
        stage: of its Dockerfile.
        dockerfile: exact bytes.
        arguments, labels: all that the build gives; those that name the sources are left out.
        platforms: that it is built for; the builder's own where none is asked for.
        secrets, ssh: ids that steps may ask for; values are no inputs.
        attributes: other attributes of the bake target.
        overrides: as bake's `--set` takes them, in their order.
        contexts: folders, by the name that the Dockerfile has for them; the main one's is empty.
        images: digests of images that are not made here, by the name that the Dockerfile has.
        siblings: fingerprints of images that are made here, by bake's name.
        unknown: what could not be found out, in sentences; where there is any, the fingerprint
            says too little.
    """

    stage: str = ""
    dockerfile: bytes = b""
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    contexts: Mapping[str, Context] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    siblings: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an image's inputs come to.

    Attributes:
        value: 64 hexadecimal digits.
        parts: what it is made of, each under a name that people understand; hashes, no values.
        files: what each context holds, by the context's digest.
        unknown: as `Inputs` has it.
    """

    value: str
    parts: Mapping[str, str]
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    unknown: tuple[str, ...] = ()


def fingerprint_of(inputs: Inputs) -> Fingerprint:
    """Return the fingerprint of inputs; the same for the same inputs on any machine."""
    parts = dict(_parts(inputs))
    written = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    files = {context.digest: context.files for context in inputs.contexts.values()}
    return Fingerprint(_hash(written), parts, files, inputs.unknown)


def _parts(inputs: Inputs) -> Iterator[tuple[str, str]]:
    yield "format", str(FORMAT)
    yield "stage", inputs.stage
    yield "Dockerfile", hashlib.sha256(inputs.dockerfile).hexdigest()
    yield "platforms", " ".join(sorted(inputs.platforms))
    if inputs.overrides:
        yield "overrides", _hash("\0".join(inputs.overrides))
    for kind, values, naming in (
        ("argument", inputs.arguments, _NAMING_ARGUMENTS),
        ("label", inputs.labels, _NAMING_LABELS),
    ):
        for name, value in values.items():
            if name not in naming:
                yield f"{kind} {name}", _hash(value)
    yield from ((f"secret {name}", "") for name in inputs.secrets)
    yield from ((f"agent {name}", "") for name in inputs.ssh)
    for name, value in inputs.attributes.items():
        yield f"attribute {name}", _hash(json.dumps(value, sort_keys=True))
    for name, context in inputs.contexts.items():
        yield f"context {name}", context.digest
    yield from ((f"image {name}", digest) for name, digest in inputs.images.items())
    yield from ((f"sibling {name}", value) for name, value in inputs.siblings.items())


def changes(
    old: Mapping[str, str],
    new: Fingerprint,
    old_files: Mapping[str, Mapping[str, str]],
    *,
    dockerfile: str,
    folders: Mapping[str, str],
) -> tuple[str, ...]:
    """Return what differs from earlier inputs, in a few words each; the rest is counted.

    Args:
        old: the parts of the earlier fingerprint.
        new: the fingerprint now.
        old_files: what the earlier contexts held, by digest; one that is missing is not told of
            file by file.
        dockerfile: path of the Dockerfile, as people know it.
        folders: what stands before a context's paths, such as `services/web/`, by its name.
    """
    told: list[str] = []
    for part in sorted({*old, *new.parts}, key=_by_weight):
        before, after = old.get(part), new.parts.get(part)
        if before == after:
            continue
        kind, _, name = part.partition(" ")
        if kind == "context" and before and after and before in old_files and after in new.files:
            files = _differences(old_files[before], new.files[after])
            told += _files({f"{folders.get(name, '')}{path}": how for path, how in files.items()})
        else:
            told.append(_change(kind, name, before, after, dockerfile))
    unique = list(dict.fromkeys(told))
    rest = len(unique) - _SHOWN
    return (*unique[:_SHOWN], *([f"and {rest} more"] if rest > 0 else []))


def _by_weight(part: str) -> tuple[int, str]:
    kinds = ("Dockerfile", "context", "image", "sibling", "argument")
    kind = part.partition(" ")[0]
    return (kinds.index(kind) if kind in kinds else len(kinds), part)


def _change(kind: str, name: str, before: str | None, after: str | None, dockerfile: str) -> str:
    how = "added" if before is None else "removed" if after is None else "changed"
    if kind == "Dockerfile":
        return f"{dockerfile} {how}"
    if kind == "image":
        return f"base {name} {'moved' if how == 'changed' else how}"
    if kind == "context":
        return f"{f'context {name}' if name else 'the context'} {how}"
    if kind == "format":
        return "fingerprints are made in another way now"
    return f"{kind} {name}".strip() + f" {how}"


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    changed = {path: "changed" for path in old.keys() & new.keys() if old[path] != new[path]}
    return (
        changed
        | dict.fromkeys(new.keys() - old.keys(), "added")
        | dict.fromkeys(old.keys() - new.keys(), "removed")
    )


def _files(differing: Mapping[str, str]) -> Iterable[str]:
    """Return what became of files: each one of a few, else a count for each folder."""
    if len(differing) <= _SINGLE_FILES:
        return [f"{path} {how}" for path, how in sorted(differing.items())]
    groups = Counter((dirname(path), how) for path, how in differing.items())
    only = {(dirname(path), how): path for path, how in differing.items()}
    return [
        f"{only[folder, how]} {how}"
        if count == 1
        else f"{count} files {how} {f'below {folder}/' if folder else 'at the top'}"
        for (folder, how), count in sorted(groups.items())
    ]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
