"""Where configuration is written: files of the repository, the environment, the command line."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from hullwright.config.problems import ConfigurationError, Problem
from hullwright.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hullwright.config.problems import Notes

OWN_FILE: Final = "hullwright.toml"
PYPROJECT: Final = "pyproject.toml"
COMMAND_LINE: Final = "command line"


def _listed(text: str) -> object:
    return [word for word in text.replace(",", " ").split() if word]


def _spaced(text: str) -> object:
    # An entry in bake's own form has commas of its own.
    return text.split()


def _counted(text: str) -> object:
    # Text that is no figure stays text, and is refused where the type of the key is known.
    return int(text) if text.isascii() and text.isdigit() else text


def _as_is(text: str) -> object:
    return text


# The keys that the environment and the command line can set, and how their text is read.
_SETTABLE: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "project": ("HULLWRIGHT_PROJECT", _as_is),
    "registry": ("HULLWRIGHT_REGISTRY", _as_is),
    "platforms": ("HULLWRIGHT_PLATFORMS", _listed),
    "secrets.file": ("HULLWRIGHT_SECRETS_FILE", _as_is),
    "build.jobs": ("HULLWRIGHT_JOBS", _counted),
    "build.cache": ("HULLWRIGHT_CACHE", _spaced),
    "build.ca-bundle": ("HULLWRIGHT_CA_BUNDLE", _as_is),
    "build.mirror": ("HULLWRIGHT_MIRROR", _as_is),
    "history.path": ("HULLWRIGHT_HISTORY_PATH", _as_is),
    "history.url": ("HULLWRIGHT_HISTORY", _as_is),
}


def read_files(root: Path) -> tuple[str, Mapping[str, object]]:
    """Return the name of the file that configures a repository, and its table.

    Without one it is `pyproject.toml`, the place where a table would be looked for, and no keys.

    Raises:
        UsageError: two files configure it, or one cannot be read.
    """
    own = root / OWN_FILE
    pyproject = root / PYPROJECT
    table = _table(_parsed(pyproject)) if _may_name_us(pyproject) else None
    if own.is_file() and table is not None:
        raise UsageError(
            "two files configure this repository",
            why=[("one", f"[tool.hullwright] in {PYPROJECT}"), ("other", OWN_FILE)],
            next_step="move the keys into one of them, and remove the other",
        )
    if own.is_file():
        return OWN_FILE, _parsed(own)
    return PYPROJECT, table or {}


def override(
    raw: Mapping[str, object],
    notes: Notes,
    environ: Mapping[str, str],
    command_line: Mapping[str, str],
) -> dict[str, object]:
    """Return the table with what the environment and, before it, the command line say.

    Each origin is written into `notes`. An empty variable says nothing, as CI systems pass
    variables on that are not set; an empty word on the command line takes the file's value away.

    Raises:
        UsageError: the command line sets a key that cannot be set there.
    """
    merged = dict(raw)
    for path in command_line:
        if path not in _SETTABLE:
            raise unknown("key", path, _SETTABLE)
    for path, (variable, read) in _SETTABLE.items():
        text, origin = command_line.get(path), COMMAND_LINE
        if text is None:
            text, origin = environ.get(variable) or None, variable
        if text is not None and _put(merged, path, read(text)):
            notes.origins[path] = origin
    return merged


def _put(table: dict[str, object], path: str, value: object) -> bool:
    *parents, key = path.split(".")
    for parent in parents:
        inner = table.get(parent, {})
        if not isinstance(inner, dict):
            return False
        table[parent] = table = dict(inner)
    table[key] = value
    return True


def has_table(folder: Path) -> bool:
    """Return whether a folder's `pyproject.toml` has our table."""
    pyproject = folder / PYPROJECT
    try:
        return _may_name_us(pyproject) and _table(_parsed(pyproject)) is not None
    except UsageError:
        # It names us and cannot be read: the root, so that loading it says why.
        return True


def _may_name_us(pyproject: Path) -> bool:
    # Parsing costs milliseconds, and on the way up most files do not name us at all.
    return pyproject.is_file() and b"hullwright" in pyproject.read_bytes()


def _table(document: Mapping[str, object]) -> Mapping[str, object] | None:
    tool = document.get("tool")
    table = tool.get("hullwright") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _parsed(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError((Problem("", f"not TOML: {error}", file.name),)) from None
