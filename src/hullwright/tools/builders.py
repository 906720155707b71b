"""Builders of buildx: which one builds go to, what its nodes can run, and how ours are made."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UnavailableError, UsageError
from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullwright.workspace import Workspace

INSPECT: Final = ("docker", "buildx", "inspect")
_FIELD: Final = re.compile(r"(?P<name>[A-Z][A-Za-z ]*):\s*(?P<value>.*)")
_OPTION: Final = re.compile(r'(?P<name>[\w.-]+)="(?P<value>[^"]*)"')
# Where inspect shows the daemon's configuration, each line of it after this mark.
_FILE: Final = "File#buildkitd.toml:"
_FILE_LINE: Final = " > "


@dataclass(frozen=True, slots=True)
class Builder:
    """A BuildKit instance as buildx tells of it.

    Attributes:
        name: such as `default`.
        driver: `docker`, `docker-container`, `remote` or `kubernetes`.
        platforms: whose code its nodes run, each node's own first; empty where it does not say,
            as of a builder that was not started yet.
    """

    name: str
    driver: str
    platforms: tuple[str, ...] = ()


def current(ws: Workspace) -> Builder:
    """Return the builder that a build of this run goes to.

    It is the one that `BUILDX_BUILDER` names, which is set where one of ours was chosen.

    Raises:
        UnavailableError: there is no buildx, no such builder, or no engine.
    """
    result = ws.runner.read(*INSPECT, cwd=ws.root, check=False)
    builder = parse(result.stdout) if result.ok else None
    if builder is None:
        told = (result.stderr or result.stdout).strip()
        raise UnavailableError(
            "docker buildx does not say which builder it uses",
            why=told.removeprefix("ERROR: "),
            next_step="invoke setup   (says what is missing)",
        )
    return builder


def parse(text: str) -> Builder | None:
    """Return what `docker buildx inspect` prints, or None where it is something else."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = _FIELD.fullmatch(line)
        if match:
            fields.setdefault(match["name"], []).append(match["value"].strip())
    if not fields.get("Name") or not fields.get("Driver"):
        return None
    told = (word for line in fields.get("Platforms", ()) for word in line.split(","))
    # A star marks what somebody said of a node, and not the node itself.
    words = dict.fromkeys(word.strip().rstrip("*") for word in told if word.strip())
    platforms = dict.fromkeys(_normal(word) for word in words)
    return Builder(fields["Name"][0], fields["Driver"][0], tuple(platforms))


def _normal(text: str) -> str:
    try:
        return str(Platform.parse(text))
    except UsageError:
        return text


@dataclass(frozen=True, slots=True)
class Instance:
    """A builder of one node as it is made for us.

    Attributes:
        name: buildx's name of it.
        driver: `docker-container`, `remote` or `kubernetes`.
        endpoint: where it runs; empty leaves that to buildx.
        platforms: what it is said to build; empty for what it says of itself.
        options: of its driver, such as where certificates are.
        config: of its daemon, as TOML; empty for the daemon's own.
    """

    name: str
    driver: str
    endpoint: str = ""
    platforms: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    config: str = ""


def create_argv(instance: Instance, config_file: str = "") -> tuple[str, ...]:
    """Return what makes a builder; its daemon's configuration is in a file."""
    return (
        *("docker", "buildx", "create", "--name", instance.name, "--driver", instance.driver),
        *(("--platform", ",".join(instance.platforms)) if instance.platforms else ()),
        *(word for name, value in instance.options for word in ("--driver-opt", f"{name}={value}")),
        *(("--buildkitd-config", config_file) if instance.config else ()),
        *((instance.endpoint,) if instance.endpoint else ()),
    )


def remove_argv(instance: Instance) -> tuple[str, ...]:
    """Return what forgets a builder; what a container of its own has cached is kept."""
    kept = ("--keep-state",) if instance.driver == "docker-container" else ()
    return ("docker", "buildx", "rm", *kept, instance.name)


def is_made(instance: Instance, told: str) -> bool:
    """Return whether what `docker buildx inspect` prints is of this very instance."""
    fields = dict(_pairs(told.splitlines()))
    said = _OPTION.finditer(fields.get("Driver Options", ""))
    options = {match["name"]: match["value"] for match in said}
    stars = (word.strip() for word in fields.get("Platforms", "").split(","))
    platforms = {_normal(word.rstrip("*")) for word in stars if word.endswith("*")}
    return (
        fields.get("Driver") == instance.driver
        and instance.endpoint in {"", fields.get("Endpoint")}
        and platforms == {_normal(platform) for platform in instance.platforms}
        and dict(instance.options).items() <= options.items()
        and _configuration(told) == tomllib.loads(instance.config)
    )


def _configuration(told: str) -> dict[str, Any]:
    """Return the configuration of a builder's daemon, which buildx writes in a form of its own."""
    lines = told.partition(_FILE)[2].splitlines()
    marked = (line.removeprefix(_FILE_LINE) for line in lines if line.startswith(_FILE_LINE))
    try:
        return tomllib.loads("\n".join(marked))
    except tomllib.TOMLDecodeError:
        # Another one than any that we write.
        return {"": told}


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a builder of one node; the first of a name is the builder's own."""
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match:
            yield match["name"], match["value"].strip()
