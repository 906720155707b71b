"""Which versions of Debian's packages a stand-in holds: read from it once, then kept in a note.

The note lies in this user's cache, as the stand-ins lie in the engine of this machine: whether
packages moved is then told by files alone.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.errors import HullwrightError
from hullwright.files import make_folder, write_atomic
from hullwright.run import cache_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.workspace import Workspace


def noted(ws: Workspace, image: str, recipe: str) -> Mapping[str, str] | None:
    """Return the packages of the stand-in that was made last from this recipe; None if unknown."""
    try:
        told = json.loads(_note(ws, image).read_bytes())
        return dict(told["packages"]) if told["recipe"] == recipe else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is a cache: what is not there is read again


def note(ws: Workspace, image: str, recipe: str) -> Mapping[str, str]:
    """Return the packages of a stand-in of the local store, and keep them in the note.

    An image without dpkg's list has none.

    Raises:
        UnavailableError: the engine does not answer.
        CommandError: the image is not there.
    """
    packages = _read(ws, image)
    make_folder(_note(ws, image).parent)
    written = {"image": image, "recipe": recipe, "packages": packages}
    write_atomic(_note(ws, image), json.dumps(written, indent=1) + "\n")
    return packages


def forget(ws: Workspace, image: str) -> None:
    """Remove the note of an image, which is another one now."""
    with suppress(OSError):
        _note(ws, image).unlink(missing_ok=True)


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Return what became of packages, such as `libc6 2.41-12 → 2.41-13`, in their order."""
    told = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before is None:
            told.append(f"{name} {after} added")
        elif after is None:
            told.append(f"{name} removed")
        elif before != after:
            told.append(f"{name} {before} → {after}")
    return tuple(told)


def parse_status(text: str) -> dict[str, str]:
    """Return the versions of installed packages from the text of dpkg's list."""
    found = {}
    for paragraph in text.split("\n\n"):
        lines = (line.partition(": ") for line in paragraph.splitlines() if line[:1].strip())
        fields = {key: value for key, _, value in lines}
        if fields.get("Status", "").endswith(" installed") and "Version" in fields:
            found[fields.get("Package", "")] = fields["Version"]
    return found


def _read(ws: Workspace, image: str) -> dict[str, str]:
    """Return what dpkg's list says, from a container that is never started."""
    # The command is never run, but an image that names none needs one.
    made = ws.runner.run("docker", "container", "create", "--pull", "never", image, "true")
    container = made.stdout.strip()
    try:
        with tempfile.TemporaryDirectory(prefix="hullwright-packages-") as folder:
            copy = Path(folder) / "status"
            words = ("docker", "container", "cp", f"{container}:/var/lib/dpkg/status", str(copy))
            ws.runner.run(*words, check=False)
            if not copy.is_file():
                return {}
            return parse_status(copy.read_text(encoding="utf-8", errors="replace"))
    finally:
        with suppress(HullwrightError):
            ws.runner.run("docker", "container", "rm", container)


def _note(ws: Workspace, image: str) -> Path:
    name = image.replace("/", "_").replace(":", "_")
    return cache_dir(ws.environ) / "stand-ins" / f"{name}.json"
