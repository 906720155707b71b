"""Where the results of builds go: to the local store, or where `--output` says."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.build.repeatable import loads
from hullwright.errors import UsageError
from hullwright.tools.buildx import LOCAL_STORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A builder elsewhere makes the image, says its digest, and keeps what it is made of in its cache.
KEPT: Final[tuple[str, ...]] = ("type=image,oci-mediatypes=true",)
# What is only needed by something else is built, and goes nowhere.
NOWHERE: Final[tuple[str, ...]] = ("type=cacheonly",)
_PLACES: Final = re.compile(r"\{(?P<name>service|target)\}")
_IMAGES: Final = frozenset({"image", "registry", "docker", "oci"})

# How files of exporters that write one are called.
_ENDINGS: Final = {"oci": ".tar", "docker": ".tar", "tar": ".tar"}


def attributes(text: str) -> dict[str, str]:
    """Return the `name=value` words of an exporter or a cache as BuildKit writes them."""
    words = next(csv.reader([text]), [])
    return dict(word.partition("=")[::2] for word in words)


def written(values: Mapping[str, str]) -> str:
    """Return attributes as BuildKit writes them."""
    words = (f"{name}={value}" for name, value in values.items())
    return ",".join(f'"{word}"' if "," in word else word for word in words)


def placed(text: str, service: str, target: str) -> str:
    """Return `text` with `{service}` and `{target}` replaced."""
    values = {"service": service, "target": target}
    return _PLACES.sub(lambda match: values[match["name"]], text)


def exporters(asked: Sequence[str], service: str, target: str) -> tuple[str, ...]:
    """Return the exporters of one target; where none is asked for, that of the local store.

    Raises:
        UsageError: one writes to standard output, which belongs to the report.
    """
    if not asked:
        return (LOCAL_STORE,)
    found = []
    for text in asked:
        values = _exporter(placed(text, service, target))
        if values.get("dest") == "-":
            raise UsageError(
                f'--output "{text}" writes to standard output, where the report goes',
                next_step="name a file or a folder: --output type=oci,dest=image.tar",
            )
        found.append(written(values))
    return tuple(found)


def refuse_one_place(asked: Iterable[str], images: Sequence[tuple[str, str]]) -> None:
    """Refuse one file or folder for the results of several images, each (service, target).

    Raises:
        UsageError: an exporter has a place that does not differ from image to image.
    """
    for text in asked:
        values = _exporter(text)
        dest, kind = values.get("dest", ""), values.get("type", "local")
        if dest and len({placed(dest, *image) for image in images}) < len(images):
            raise UsageError(
                f'--output "{text}" is one place for {len(images)} images',
                why=[("images", ", ".join(" ".join(image).rstrip() for image in images))],
                next_step="write {service} or {target} into it: "
                f"--output type={kind},dest=out/{{service}}{_ENDINGS.get(kind, '')}",
            )


def refuse_load(asked: Sequence[str]) -> None:
    """Refuse exporters beside `--load` that bring no image to the local store.

    Raises:
        UsageError: results go where `--output` says, and only there.
    """
    if asked and not stores(asked):
        raise UsageError(
            f"--load and --output {asked[0]} cannot be meant together",
            why="what is built goes where --output says, in place of the local store",
            next_step="leave one of them out, or build twice: the second build has the cache",
        )


def places(outputs: Iterable[str], root: Path) -> tuple[Path, ...]:
    """Return the files and folders that exporters or caches write to, absolute."""
    found = (attributes(output).get("dest", "") for output in outputs)
    return tuple(Path(os.path.normpath(root / dest)) for dest in found if dest)


def stores(outputs: Iterable[str]) -> bool:
    """Return whether an image with these exporters is in the local store afterwards."""
    listed = list(outputs)
    exported = [attributes(output) for output in listed]
    unpacked = any(each.get("type") == "docker" and "dest" not in each for each in exported)
    return unpacked or any(map(loads, listed))


def kept(outputs: Iterable[str]) -> bool:
    """Return whether these exporters only make an image, where the builder is, and keep it."""
    exported = [attributes(output) for output in outputs]
    return bool(exported) and all(
        each.get("type") == "image" and "push" not in each for each in exported
    )


def takes_annotations(outputs: Iterable[str]) -> bool:
    """Return whether any of these exporters writes an image, which annotations are about."""
    return any(attributes(output).get("type") in _IMAGES for output in outputs)


def _exporter(text: str) -> dict[str, str]:
    # A word without a type is a folder, as buildx has it.
    if "=" not in text:
        return {"type": "tar", "dest": "-"} if text == "-" else {"type": "local", "dest": text}
    return attributes(text)
