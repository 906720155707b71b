"""Images that come out the same, bit for bit, whenever and wherever their sources are built.

Times in them are the commit's (https://reproducible-builds.org/specs/source-date-epoch/): BuildKit
gives newer files that time as it exports them. Its exporter for the engine's own store unpacks, and
refuses to; so those images are written to an OCI archive, which the engine then loads under the
same digest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from hullwright.build.ignoring import STATE
from hullwright.errors import UnavailableError, UsageError
from hullwright.tools.buildx import REWRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullwright.build.models import PlannedTarget, SourceVersion
    from hullwright.config.models import Config, Service
    from hullwright.workspace import Workspace

EPOCH: Final = "SOURCE_DATE_EPOCH"
ARCHIVES: Final = f"{STATE}/reproducible"
_IMAGES: Final = ("type=image", "type=registry", "type=oci", "type=docker")


def wanted(config: Config, service: Service, *, asked: bool) -> bool:
    """Return whether a service's image must come out the same: asked for, or configured."""
    own = service.reproducible
    return asked or (config.build.reproducible if own is None else own)


def dated(service: Service, version: SourceVersion) -> SourceVersion:
    """Return what sources are called, with no other date than their commit's.

    Raises:
        UsageError: they have no commit whose date it could be.
    """
    seconds = version.arguments.get(EPOCH, "")
    if not seconds.isdecimal():
        raise UsageError(
            f"the image of {service.name} cannot be reproducible: its sources have no date",
            why="times in the image are those of the commit, and there is none",
            next_step=f"commit the sources, or give a date: {EPOCH}=$(date +%s) invoke build",
        )
    day = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if _moment(version.created) == int(seconds):
        return version
    return replace(version, created=day, arguments={**version.arguments, "BUILD_DATE": day})


def _moment(created: str) -> int | None:
    return int(datetime.fromisoformat(created).timestamp()) if created else None


def archive(name: str) -> str:
    """Return the exporter that writes an image where `load` takes it from."""
    return f"type=oci,dest={ARCHIVES}/{name}.tar,oci-mediatypes=true,{REWRITTEN}"


def rewriting(outputs: Iterable[str], name: str) -> tuple[str, ...]:
    """Return exporters with rewritten times, where they write an image."""
    return tuple(_rewriting(output, name) for output in outputs)


def loads(output: str) -> bool:
    """Return whether an exporter is the one of `archive`."""
    return output.startswith(f"type=oci,dest={ARCHIVES}/")


def load(ws: Workspace, built: Iterable[PlannedTarget]) -> None:
    """Put built images into the local store, under the digests that they were built with.

    Raises:
        UnavailableError: the engine does not take one.
    """
    for target in built:
        if not any(map(loads, target.bake.outputs)):
            continue
        file = ws.root / ARCHIVES / f"{target.name}.tar"
        load_archive(ws, target.reference, file)
        # The store has all of it now.
        file.unlink(missing_ok=True)


def load_archive(ws: Workspace, reference: str, file: Path) -> None:
    """Put the image of an archive into the local store.

    Raises:
        UnavailableError: the engine does not take it.
    """
    result = ws.runner.run("docker", "load", "--quiet", "--input", str(file), check=False)
    if not result.ok:
        raise UnavailableError(
            f"the engine did not take the image {reference}",
            why="\n".join(result.tail(5)),
            next_step="look at the engine's log and the room on its disk, then build again",
        )


def _rewriting(output: str, name: str) -> str:
    words = output.split(",")
    if not any(word in _IMAGES for word in words) or any("rewrite-timestamp" in w for w in words):
        return output
    if "type=docker" in words and not any(word.startswith("dest=") for word in words):
        return archive(name)
    return f"{output},{REWRITTEN}"
