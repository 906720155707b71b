"""Which base images builds take, fixed by digest: what `images.lock` in the repository says.

`bases` writes it and tells whether it still fits the Dockerfiles; `build` takes the digests from
it. The file is meant to be read in a diff: TOML, sorted, one image a table. What did not change
keeps its lines, its time too.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.files import write_atomic
from hullwright.images import DIGEST, Platform, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullwright.workspace import Workspace

FILE: Final = "images.lock"
_SCHEMA: Final = 1
_NEVER: Final = datetime.fromtimestamp(0, UTC)
_HEAD: Final = """\
# The base images that Dockerfiles of this repository name, as builds take them.
# invoke images --lock brings it up to date with the Dockerfiles and moves nothing else;
# invoke images --outdated says what moved since, invoke images --update NAME takes it.
"""


@dataclass(frozen=True, slots=True)
class LockedImage:
    """A base image as it was when it was locked.

    Attributes:
        name: as Dockerfiles name it, its tag always written.
        digest: of the index or manifest that a `FROM` means; empty for a stand-in, which each
            machine makes for itself.
        platforms: digest of the manifest for each platform, such as `linux/amd64`.
        source: reference that it was read from, a mirror's where one served it; the folder of the
            recipe for a stand-in.
        at: when it was locked, in UTC.
        stand_in: digest of the recipe of a stand-in; empty for an image of a registry.
        packages: versions of a stand-in's packages.
    """

    name: str
    digest: str = ""
    platforms: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    at: datetime = _NEVER
    stand_in: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def pinned(self) -> str:
        """The reference that builds take in place of the name; empty for a stand-in."""
        return f"{self.name}@{self.digest}" if self.digest else ""


@dataclass(frozen=True, slots=True)
class Lock:
    """What is locked, by the name of the image."""

    images: Mapping[str, LockedImage] = field(default_factory=dict)

    def find(self, image: str) -> LockedImage | None:
        """Return what is locked under an image's name, however its tag is written."""
        return self.images.get(full_name(image))

    def text(self) -> str:
        """Return the content of the file; the same for the same images."""
        tables = ("\n".join(_table(self.images[name])) for name in sorted(self.images))
        return "\n\n".join([f"{_HEAD}\nschema = {_SCHEMA}", *tables]) + "\n"


def full_name(image: str) -> str:
    """Return an image's name with the tag that it means; what is no reference stays as it is."""
    try:
        reference = Reference.parse(image)
    except UsageError:
        return image
    return f"{reference}" if reference.tag or reference.digest else f"{reference}:latest"


def load(root: Path) -> Lock | None:
    """Return the lock of the repository at `root`; None where it has none.

    Raises:
        UsageError: the file cannot be read, or is none that `save` wrote.
    """
    path = root / FILE
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{FILE} cannot be read", why=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{FILE} cannot be read",
            why=f"it is not what `invoke images --lock` writes: {error}",
            next_step=f"restore it (git checkout -- {FILE}), or remove it and lock again",
        ) from error


def parse(text: str) -> Lock:
    """Return the lock that `text` writes.

    Raises:
        ValueError: it is no TOML, or a value is not of its form.
        KeyError, TypeError, AttributeError: a table is not of its form.
    """
    told = tomllib.loads(text)
    if told["schema"] != _SCHEMA:
        reason = f"its schema is {told['schema']}, and this version knows {_SCHEMA}"
        raise ValueError(reason)
    images = told.get("image", {})
    return Lock(MappingProxyType({name: _image(name, images[name]) for name in images}))


def save(ws: Workspace, changes: Mapping[str, LockedImage | None]) -> Lock:
    """Write each of the images in place of its predecessor, None removes it; return the lock.

    What another run wrote meanwhile about other images stays.

    Raises:
        LockedError: another run is writing the file.
        UsageError: the file that is there cannot be read.
        HullwrightError: the disk is full or the folder cannot be written.
    """
    path = ws.root / FILE
    with ws.writing(path, FILE) as new:
        before = load(ws.root)
        merged = {**(before.images if before else {}), **changes}
        lock = Lock({name: image for name, image in merged.items() if image is not None})
        if before is None or lock.text() != path.read_text(encoding="utf-8"):
            write_atomic(path, lock.text(), by=new)
    return lock


def _image(name: str, told: dict[str, Any]) -> LockedImage:
    at: datetime = told["at"]
    image = LockedImage(
        name=full_name(name),
        digest=told.get("digest", ""),
        platforms={f"{Platform.parse(k)}": v for k, v in told.get("platforms", {}).items()},
        source=told["source"],
        at=at.astimezone(UTC),
        stand_in=told.get("stand-in", ""),
        packages=dict(told.get("packages", {})),
    )
    if bool(image.digest) is bool(image.stand_in):
        reason = f"{name} needs either a digest or a stand-in"
        raise ValueError(reason)
    for digest in (image.digest or image.stand_in, *image.platforms.values()):
        if not DIGEST.fullmatch(digest):
            reason = f'{name}: "{digest}" is no digest'
            raise ValueError(reason)
    return image


def _table(image: LockedImage) -> Iterator[str]:
    # Strings of JSON are strings of TOML; names and versions hold nothing that both write apart.
    key = f"image.{json.dumps(image.name)}"
    yield f"[{key}]"
    if image.stand_in:
        yield f"stand-in = {json.dumps(image.stand_in)}"
    else:
        yield f"digest = {json.dumps(image.digest)}"
    yield f"source = {json.dumps(image.source)}"
    yield f"at = {image.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for name, values in (("platforms", image.platforms), ("packages", image.packages)):
        if values:
            yield f"\n[{key}.{name}]"
            yield from (f"{_key(each)} = {json.dumps(values[each])}" for each in sorted(values))


def _key(text: str) -> str:
    bare = text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    return text if bare else json.dumps(text)
