"""Secrets as files in memory, for as long as a stack needs them: one folder for each project.

    PLACE/hullwright-UID/PROJECT/files/SERVICE/NAME     one secret of one service
    PLACE/hullwright-UID/PROJECT/generations/SERVICE    changes whenever that service's files do

The folders have mode 0700, so on the host nobody but their owner and root gets to a file, whatever
the file's own mode is. A container has the file alone: the engine mounts it by its path.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError, LockedError, UsageError
from hullwright.secret import Secret
from hullwright.tools import memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

VARIABLE: Final = "HULLWRIGHT_SECRETS_DIR"
_SHARED: Final = "/dev/shm"  # noqa: S108  the place of a folder of our own, checked to be ours
_FILES: Final = "files"
_GENERATIONS: Final = "generations"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret of one service as a file.

    Attributes:
        service: the compose service.
        name: the secret's name in the compose file.
        value: what stands in the file.
        mode: its permissions.
        uid, gid: whom it belongs to on the host; None for who runs this.
    """

    service: str
    name: str
    value: Secret
    mode: int = 0o400
    uid: int | None = None
    gid: int | None = None

    def below(self, folder: Path) -> Path:
        """Return its path in the folder of a project."""
        return folder / _FILES / self.service / self.name


def folder_of(environ: Mapping[str, str], project: str) -> Path | None:
    """Return a project's folder, there or not; None where this machine has no place in memory.

    Raises:
        UsageError: `HULLWRIGHT_SECRETS_DIR` names a place that is not in memory.
    """
    there = next((path for path in _candidates(environ, project) if path.is_dir()), None)
    if there is not None:
        return there
    for place in _places(environ):
        if _in_memory(place):
            return _own(place) / project
    if environ.get(VARIABLE):
        raise UsageError(
            f"{VARIABLE} names no folder in memory that can be written: {environ[VARIABLE]}",
            why="secrets would stand on a disk there",
            next_step=f"unset {VARIABLE}, or name a folder on tmpfs",
        )
    return None


def names(environ: Mapping[str, str], project: str) -> tuple[str, ...]:
    """Return the files that are there of a project, as SERVICE/NAME."""
    found = {
        path.relative_to(folder / _FILES).as_posix()
        for folder in _candidates(environ, project)
        for path in folder.glob(f"{_FILES}/*/*")
    }
    return tuple(sorted(found))


def contents(environ: Mapping[str, str], project: str) -> set[Secret]:
    """Return what stands in a project's files that are texts: what output must not show."""
    found = set()
    for folder in _candidates(environ, project):
        for path in folder.glob(f"{_FILES}/*/*"):
            # Another run may tidy up, and what is no text is in no log either.
            with suppress(OSError, UnicodeDecodeError):
                found.add(Secret(path.read_bytes().decode()))
    return found


def projects(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the projects that have a folder."""
    places = [_own(place) for place in _places(environ)]
    found = {path.name for place in places if place.is_dir() for path in place.iterdir()}
    return tuple(sorted(found))


def generation(folder: Path, service: str, files: Iterable[SecretFile]) -> str:
    """Return the generation of a service's files where they are just these; else nothing."""
    wanted = {file.name: file for file in files}
    own = folder / _FILES / service
    try:
        if {path.name for path in own.iterdir()} != set(wanted):
            return ""
        if not all(_is(own / name, file) for name, file in wanted.items()):
            return ""
        return (folder / _GENERATIONS / service).read_text(encoding="ascii")
    except OSError:
        return ""


def is_of_a_file(told: str) -> bool:
    """Return whether an engine's words are of a file that was here and is no longer."""
    ours = re.search(rf"/hullwright-\d+/[^/\s]+/{_FILES}/", told)
    return ours is not None and "no such file" in told


def new_generation() -> str:
    """Return a name that tells nothing of what is in the files."""
    return uuid.uuid4().hex


def make(folder: Path, files: Sequence[SecretFile], generations: Mapping[str, str]) -> None:
    """Write the files of services, and remove others that those services had.

    Each file is replaced whole: a container that runs keeps what it mounted, and the next start of
    it mounts the new one. The generation is written last, so that a crash before it counts as none.

    Raises:
        HullwrightError: the memory is full, or somebody else's folder stands there.
    """
    try:
        for part in (folder.parent, folder, folder / _FILES, folder / _GENERATIONS):
            _make_own(part)
        for service, told in generations.items():
            own = folder / _FILES / service
            _make_own(own)
            (folder / _GENERATIONS / service).unlink(missing_ok=True)
            for file in (each for each in files if each.service == service):
                _write(folder, file)
            kept = {each.name for each in files if each.service == service}
            for path in own.iterdir():
                if path.name not in kept:
                    path.unlink()
            (folder / _GENERATIONS / service).write_text(told, encoding="ascii")
    except OSError as error:
        raise HullwrightError(
            f"the secrets of {folder.name} cannot be written to {folder}",
            why=error.strerror or str(error),
            next_step=f"free memory or permissions there, or name another place with {VARIABLE}",
        ) from error


def remove(environ: Mapping[str, str], project: str) -> None:
    """Remove a project's folders with all that is in them.

    Raises:
        LockedError: another run starts with them.
        HullwrightError: one could not be removed.
    """
    for folder in _candidates(environ, project):
        if not folder.is_dir():
            continue
        try:
            with held(folder):
                shutil.rmtree(folder)
        except OSError as error:
            raise HullwrightError(
                f"the secrets of {project} could not be removed from memory",
                why=f"{folder}: {error.strerror or error}",
                next_step=f"rm -r {folder}",
            ) from error


def forget(environ: Mapping[str, str], project: str) -> None:
    """Remove a project's folders where no run holds them."""
    for folder in _candidates(environ, project):
        if folder.is_dir():
            with suppress(LockedError), held(folder):
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from tidying a project's folder up; the kernel lets go however this run ends.

    Raises:
        LockedError: another run holds it.
        HullwrightError: it cannot be made, or somebody else's stands there.
    """
    try:
        _make_own(folder.parent)
        _make_own(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HullwrightError(
            f"the folder {folder} cannot be made", why=error.strerror or str(error)
        ) from error
    try:
        _lock(descriptor, folder.name)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, project: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(f"the secrets of {project} are in use by another run") from None


def _places(environ: Mapping[str, str]) -> list[Path]:
    """Return where a folder of ours may be, best first.

    Root's own runtime folder is emptied when root logs out, so root takes what outlives that.
    """
    if environ.get(VARIABLE):
        return [Path(environ[VARIABLE])]
    own = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    return [Path("/run"), Path(_SHARED)] if os.geteuid() == 0 else [Path(own), Path(_SHARED)]


def _in_memory(place: Path) -> bool:
    return memory.folder({"XDG_RUNTIME_DIR": str(place)}) == place


def _own(place: Path) -> Path:
    return place / f"hullwright-{os.geteuid()}"


def _candidates(environ: Mapping[str, str], project: str) -> list[Path]:
    return [_own(place) / project for place in _places(environ)]


def _make_own(folder: Path) -> None:
    """Make a folder of mode 0700; one that is there must be ours, and nobody else's to enter."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is somebody else's") from None
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)


def _is(path: Path, file: SecretFile) -> bool:
    found = path.stat()
    return (
        stat.S_IMODE(found.st_mode) == file.mode
        and found.st_uid == (os.geteuid() if file.uid is None else file.uid)
        and (file.gid is None or found.st_gid == file.gid)
        and path.read_bytes() == file.value.reveal().encode()
    )


def _write(folder: Path, file: SecretFile) -> None:
    path = file.below(folder)
    # Not beside it: a kill may leave it there, and the service's folder holds its files alone.
    fresh = folder / f"new-{os.getpid()}"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(file.value.reveal().encode())
        if file.uid is not None or file.gid is not None:
            unchanged = -1
            uid = unchanged if file.uid is None else file.uid
            os.fchown(opened.fileno(), uid, unchanged if file.gid is None else file.gid)
        os.fchmod(opened.fileno(), file.mode)
    fresh.replace(path)
