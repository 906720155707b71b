"""The images that `build` recorded: what `up`, `cold-start` and `sizes` take, to the digest.

The file `.hullwright/images.json` holds one entry for each service and target, the last one that
was built. It is replaced whole, and read by whoever starts or measures what was built.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import HullwrightError
from hullwright.files import lock, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullwright.workspace import Workspace

_SCHEMA: Final = 1
_FILE: Final = "images.json"


@dataclass(frozen=True, slots=True)
class RecordedImage:
    """One image that a build made and the local store holds.

    Attributes:
        service: the service of the configuration.
        target: stage of its Dockerfile; empty for the last stage under no name.
        reference: name and tag, as in `docker run`.
        digest: what the store knows it by: the index or manifest that the build reported.
        version: version of the sources.
        revision: full commit of the sources; empty where there was none.
        platforms: platforms that it holds, such as `linux/amd64`.
        at: when it was recorded, in UTC.
        fingerprint: of its inputs; empty where it was recorded before there were any.
    """

    service: str
    target: str
    reference: str
    digest: str
    version: str
    revision: str
    platforms: tuple[str, ...]
    at: datetime
    fingerprint: str = ""


def load(ws: Workspace) -> dict[tuple[str, str], RecordedImage]:
    """Return what was recorded, by (service, target); empty where nothing was built yet.

    Raises:
        HullwrightError: the file is not one that `save` wrote.
    """
    # Not `state_dir`: looking at a repository must not make a folder in it.
    path = ws.root / ".hullwright" / _FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise HullwrightError(
            f"{path} cannot be read",
            why=error.strerror or str(error),
            next_step="give this user permission to read it",
        ) from error
    try:
        entries = json.loads(content)["images"]
        images = [_from_json(entry) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise HullwrightError(
            f"{path} cannot be read",
            why=f"it is not what a build writes: {error!r}",
            next_step="remove it and run: invoke build",
        ) from error
    return {(image.service, image.target): image for image in images}


def save(ws: Workspace, images: Iterable[RecordedImage]) -> Path:
    """Add images to what is recorded, each in place of its predecessor, and return the file.

    Raises:
        LockedError: another run is recording at this very moment.
        HullwrightError: the disk is full or the folder cannot be written.
    """
    path = ws.state_dir / _FILE
    with lock(ws.state_dir / "images.lock", str(path)):
        recorded = load(ws) | {(image.service, image.target): image for image in images}
        entries = [_to_json(recorded[key]) for key in sorted(recorded)]
        document = {"schema": _SCHEMA, "images": entries}
        write_atomic(path, json.dumps(document, indent=2) + "\n")
    return path


def _to_json(image: RecordedImage) -> dict[str, Any]:
    return {**asdict(image), "platforms": list(image.platforms), "at": image.at.isoformat()}


def _from_json(entry: dict[str, Any]) -> RecordedImage:
    return RecordedImage(
        service=entry["service"],
        target=entry["target"],
        reference=entry["reference"],
        digest=entry["digest"],
        version=entry["version"],
        revision=entry["revision"],
        platforms=tuple(entry["platforms"]),
        at=datetime.fromisoformat(entry["at"]),
        fingerprint=entry.get("fingerprint", ""),
    )
