"""Build contexts whose files have the time of the commit.

BuildKit keeps the times of what it copies from a context, and brings only newer ones down to
SOURCE_DATE_EPOCH, at the very end. So a file that was checked out before the commit would give its
own time to the image, and a step that packs files (a wheel, a jar, byte code) or compares their
times would see those of the clone. A reproducible image is built from a copy of its context, which
holds what BuildKit would get, with one time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.build.inputs import contexts_of, materials
from hullwright.build.repeatable import ARCHIVES, EPOCH
from hullwright.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hullwright.build.inputs import Material
    from hullwright.build.models import BuildPlan, PlannedTarget
    from hullwright.workspace import Workspace

_FOLDER: Final = "settled"


@contextmanager
def settled(ws: Workspace, plan: BuildPlan) -> Iterator[BuildPlan]:
    """Yield the plan with its reproducible images built from contexts of the commit's times.

    The plan comes back as it is where the files have that time. Copies are removed at the end, and
    so are archives of a build that was cut short.
    """
    top = ws.state_dir / _FOLDER
    same = [t for t in plan.building if t.reproducible and t.bake.arguments.get(EPOCH)]
    if not same:
        yield plan
        return
    read = materials(ws, replace(plan, targets=tuple(same)))
    settling = _Settling(ws, top)
    try:
        made = {material.planned.name: settling.target(material) for material in read}
        yield replace(plan, targets=tuple(made.get(t.name, t) for t in plan.targets))
    finally:
        shutil.rmtree(top, ignore_errors=True)
        shutil.rmtree(ws.root / ARCHIVES, ignore_errors=True)


class _Settling:
    def __init__(self, ws: Workspace, top: Path) -> None:
        self._ws, self._top = ws, top
        self._contexts = contexts_of(ws)
        self._made: dict[tuple[Path, bytes, str], Path | None] = {}

    def target(self, material: Material) -> PlannedTarget:
        planned, root = material.planned, self._ws.root
        bake, epoch = planned.bake, planned.bake.arguments[EPOCH]
        copies = {name: self._copy(*found, epoch) for name, found in material.folders.items()}
        contexts = {
            name: os.path.relpath(copies[name] or value, root) if copies.get(name) else value
            for name, value in bake.contexts.items()
        }
        main = copies.get("")
        if main is not None:
            dockerfile = root / bake.context / bake.dockerfile
            bake = replace(
                bake,
                context=os.path.relpath(main, root),
                dockerfile=os.path.relpath(os.path.normpath(dockerfile), main),
            )
        return replace(planned, bake=replace(bake, contexts=contexts))

    def _copy(self, folder: Path, ignore: bytes, epoch: str) -> Path | None:
        """Return the copy of a context; None where it needs none."""
        key = (folder.resolve(), ignore, epoch)
        if key not in self._made:
            paths = self._contexts.of(folder, ignore).files
            other = any(_differs(key[0] / path, int(epoch)) for path in ("", *paths))
            self._made[key] = self._write(key[0], paths, ignore, int(epoch)) if other else None
        return self._made[key]

    def _write(self, folder: Path, paths: Iterable[str], ignore: bytes, epoch: int) -> Path:
        name = hashlib.sha256(f"{folder}\0{epoch}\0".encode() + ignore).hexdigest()[:16]
        copy = self._top / name
        shutil.rmtree(copy, ignore_errors=True)
        make_folder(copy)
        # A folder stands before what is in it, and gets its time after that.
        ordered = sorted(paths)
        for path in ordered:
            _copied(folder / path, copy / path)
        for path in (*reversed(ordered), ""):
            if os.path.lexists(copy / path):
                os.utime(copy / path, (epoch, epoch), follow_symlinks=False)
        return copy


def _differs(path: Path, epoch: int) -> bool:
    try:
        return path.lstat().st_mtime != epoch
    except OSError:
        return False


def _copied(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(exist_ok=True)
        shutil.copymode(source, target)
    elif source.is_file():
        shutil.copy(source, target)
