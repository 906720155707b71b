"""The resolved configuration, key by key, with where each value came from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hullwright.config.durations import duration_text
from hullwright.config.models import Budget, Push, TagRule
from hullwright.config.table import key_path
from hullwright.images import Platform
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.config.models import Config

# What it means that these are left out.
_ABSENT: Final = {
    "registry": "default: images stay local",
    "platforms": "default: this machine's",
    "history.url": "default: only the file above",
}
# What discovery tells of a service; the rest of it is a default.
_FOUND: Final = frozenset({"context", "dockerfile", "targets", "image", "build-args"})
_ALWAYS_SHOWN: Final = ("project", "registry", "platforms")
_SIZE_UNITS: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def text(config: Config) -> str:
    """Return `key = value`, and where it came from, one line each; keys without value left out."""
    return aligned([(f"{key} = {_toml(value)}", origin) for key, value, origin in _shown(config)])


def markdown(config: Config) -> str:
    """Return the same as a table."""
    rows = [(f"`{key}`", f"`{_toml(value)}`", origin) for key, value, origin in _shown(config)]
    return markdown_table(("key", "value", "from"), rows)


def as_json(config: Config) -> dict[str, object]:
    """Return the configuration as a file would write it, and the origin of every key."""
    plain = _top(config)
    origins = {key: _origin(config, key) for key, _ in _flat(plain)}
    return {"schema": 1, "config": plain, "origins": origins}


def _shown(config: Config) -> Iterator[tuple[str, object, str]]:
    for key, value in _flat(_top(config)):
        if value not in ("", [], 0) or key in _ALWAYS_SHOWN or key in config.origins:
            yield key, value, _origin(config, key)


def _origin(config: Config, key: str) -> str:
    if key in config.origins:
        return config.origins[key]
    parts = key.split(".")
    found = parts[0] == "services" and bool(_FOUND & {*parts[2:]})
    if found and "services" in config.origins:
        return config.origins["services"]
    return _ABSENT.get(key, "default")


def _top(config: Config) -> dict[str, object]:
    names = [each.name for each in fields(config) if each.name != "origins"]
    return {name.replace("_", "-"): _plain(getattr(config, name)) for name in names}


def _plain(value: object) -> object:
    """Return a value as a file would write it; what has no value is left out of tables."""
    if isinstance(value, Platform):
        return f"{value}"
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if is_dataclass(value):
        return _plain_model(value)
    return value


def _plain_model(model: object) -> dict[str, object]:
    plain: dict[str, object] = {}
    for each in fields(model):  # type: ignore[arg-type]  # the caller saw that it is one
        value = getattr(model, each.name)
        if value is None or each.name == "name":
            continue
        if isinstance(model, Budget) and value == "":
            continue  # of all platforms, which is written by writing none
        if isinstance(model, Budget) and model.metric != "layers" and isinstance(value, int):
            value = _size(value)
        if isinstance(model, Push):
            value = tuple(shlex.join(gate) for gate in value)
        if isinstance(model, TagRule) and each.name == "attributes":
            plain.update(value)
        else:
            plain[each.name.replace("_", "-")] = _plain(value)
    return plain


def _size(count_bytes: int) -> str:
    """Return a size that reads back as exactly these bytes."""
    for unit, value in _SIZE_UNITS:
        if count_bytes and count_bytes % value == 0:
            return f"{count_bytes // value}{unit}"
    return f"{count_bytes}B"


def _flat(plain: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from _flat(value, key_path(path, key))
    elif isinstance(plain, list) and plain and isinstance(plain[0], dict):
        for index, value in enumerate(plain):
            yield from _flat(value, f"{path}[{index}]")
    elif path:
        yield path, plain


def _toml(value: object) -> str:
    # JSON's notation of strings, numbers, booleans and lists of them is TOML's too.
    return json.dumps(value, ensure_ascii=False)
