"""Recipes of stand-ins: the folders below `deploy/base-images` of a repository."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.bases.models import Recipe
from hullwright.errors import HullwrightError, UsageError, suggestion
from hullwright.images import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER: Final = "deploy/base-images"
# Part of each digest: raised when the same recipe would give another image.
_FORMAT: Final = 1
_LISTS: Final = ("stands-for", "packages", "exclude", "modules")
# Modules of this package, which a recipe may ask for by their paths in it.
_OWN: Final = Path(__file__).parents[1]
_TEXTS: Final = ("suite", "go-toolchain")


def load_recipes(root: Path) -> dict[str, Recipe]:
    """Return the repository's recipes by the references that they stand in for.

    Raises:
        UsageError: recipes are wrong, all problems at once.
    """
    problems: list[tuple[str, str]] = []
    found: dict[str, Recipe] = {}
    for file in sorted((root / FOLDER).glob("*/recipe.toml")):
        recipe = _load(file, file.relative_to(root).as_posix(), problems)
        if recipe is None:
            continue
        for reference in recipe.stands_for:
            other = found.setdefault(reference, recipe)
            if other is not recipe:
                problems.append((recipe.name, f"{other.name} stands for {reference} too"))
    if problems:
        raise UsageError("recipes of base images are wrong", why=problems)
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
