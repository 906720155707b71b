"""Recipes of stand-ins: folders of a repository, and folders that this machine names.

A repository's own lie below `deploy/base-images`. `HULLWRIGHT_STAND_INS` names further folders with
recipes, so that several repositories share them without having any.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hullwright.bases.models import Recipe
from hullwright.errors import HullwrightError, UsageError, suggestion
from hullwright.images import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER: Final = "deploy/base-images"
VARIABLE: Final = "HULLWRIGHT_STAND_INS"
# Part of each digest: raised when the same recipe would give another image.
_FORMAT: Final = 1
_LISTS: Final = ("stands-for", "packages", "exclude", "modules")
# Modules of this package, which a recipe may ask for by their paths in it.
_OWN: Final = Path(__file__).parents[1]
_TEXTS: Final = ("suite", "go-toolchain")


def load_recipes(
    root: Path, environ: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Recipe]:
    """Return the recipes by the references that they stand in for, the repository's own first.

    Args:
        root: top folder of the repository.
        environ: `HULLWRIGHT_STAND_INS` names more folders, as PATH does: the first wins.

    Raises:
        UsageError: recipes are wrong, all problems at once, or a folder is not there.
    """
    problems: list[tuple[str, str]] = []
    found: dict[str, Recipe] = {}
    for folder in (root / FOLDER, *_shared(root, environ)):
        own = _in_folder(folder, root, problems)
        found |= {reference: own[reference] for reference in own if reference not in found}
    if problems:
        raise UsageError("recipes of base images are wrong", why=problems)
    return found


def _shared(root: Path, environ: Mapping[str, str]) -> list[Path]:
    named = [name for name in environ.get(VARIABLE, "").split(os.pathsep) if name]
    folders = [root / Path(name).expanduser() for name in named]
    lacking = [name for name, folder in zip(named, folders, strict=True) if not folder.is_dir()]
    if lacking:
        raise UsageError(
            f"{VARIABLE} names what is no folder: {', '.join(lacking)}",
            why="it is a list of folders with recipes of base images, as PATH is one of programs",
            next_step=f"{VARIABLE}=/path/to/base-images, or unset it",
        )
    return folders


def _in_folder(folder: Path, root: Path, problems: list[tuple[str, str]]) -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for file in sorted(folder.glob("*/recipe.toml")):
        inside = file.is_relative_to(root)
        name = file.relative_to(root).as_posix() if inside else f"{file}"
        recipe = _load(file, name, problems)
        if recipe is None:
            continue
        for reference in recipe.stands_for:
            other = found.setdefault(reference, recipe)
            if other is not recipe:
                problems.append((recipe.name, f"{other.name} stands for {reference} too"))
    return found


def _load(file: Path, name: str, problems: list[tuple[str, str]]) -> Recipe | None:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append((name, f"{error}"))
        return None
    wrong = list(_wrong(table))
    if not (file.parent / "Dockerfile").is_file():
        wrong.append("there is no Dockerfile beside it")
    if wrong:
        problems.extend((name, problem) for problem in wrong)
        return None
    return Recipe(
        name=file.parent.name,
        folder=file.parent,
        stands_for=tuple(f"{Reference.parse(text)}" for text in table["stands-for"]),
        suite=table["suite"],
        packages=tuple(table.get("packages", ())),
        exclude=tuple(table.get("exclude", ())),
        go_toolchain=table.get("go-toolchain", ""),
        modules=tuple(table.get("modules", ())),
        digest=digest(file.parent, table.get("modules", ())),
    )


def _wrong(table: Mapping[str, object]) -> list[str]:
    known = (*_LISTS, *_TEXTS)
    wrong = [f"{key}: unknown key{suggestion(key, known)}" for key in table if key not in known]
    for key in _LISTS:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            wrong.append(f"{key}: expected a list of texts")
    wrong += [
        f"{key}: expected a text" for key in _TEXTS if not isinstance(table.get(key, ""), str)
    ]
    wrong += [f"{key}: is needed" for key in ("stands-for", "suite") if not table.get(key)]
    return wrong or [
        *_wrong_references(table["stands-for"]),
        *_wrong_modules(table.get("modules")),
    ]


def _wrong_modules(modules: object) -> list[str]:
    named = modules if isinstance(modules, list) else []
    return [
        f'modules: there is no module "{name}" of hullwright'
        for name in named
        if ".." in name or not name.endswith(".py") or not (_OWN / name).is_file()
    ]


def module_file(name: str) -> Path:
    """Return the file of a module that a recipe asks for."""
    return _OWN / name


def _wrong_references(references: object) -> list[str]:
    wrong = []
    for text in references if isinstance(references, list) else ():
        try:
            reference = Reference.parse(text)
        except HullwrightError as error:
            wrong.append(f"stands-for: {error.what}")
        else:
            if reference.tag is None or reference.digest:
                wrong.append(f'stands-for: "{text}" needs a tag, and no digest')
    return wrong


def digest(folder: Path, modules: Iterable[str] = ()) -> str:
    """Return the digest of a recipe: names, executable bits and contents of its files.

    Args:
        folder: its files.
        modules: of this package that it asks for; their contents are part of it.
    """
    total = hashlib.sha256(f"{_FORMAT}\n".encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        executable = bool(path.stat().st_mode & 0o100)
        name = path.relative_to(folder).as_posix()
        total.update(f"{name}\0{executable}\0{len(content)}\0".encode())
        total.update(content)
    for name in sorted(modules):
        content = module_file(name).read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return f"sha256:{total.hexdigest()}"
