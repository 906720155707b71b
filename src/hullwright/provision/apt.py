"""Debian's package manager: sources of newer suites, and which packages could be installed.

Pure functions over text; `observe_apt` feeds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.provision.facts import (
    BUILDX_FLOOR,
    COMPOSE_FLOOR,
    ENGINE_FLOOR,
    UBUNTU,
    Machine,
    Offer,
    at_least,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SOURCES_FILE: Final = Path("/etc/apt/sources.list.d/hullwright-newer.sources")
PREFERENCES_FILE: Final = Path("/etc/apt/preferences.d/hullwright-newer")

# The suites after a Debian release that may have what it lacks, nearest first.
_NEWER_SUITES: Final = {"11": ("trixie", "sid"), "12": ("trixie", "sid"), "13": ("sid",)}
# Below the priority of installed packages (100): nothing comes from there unless named.
_PRIORITIES: Final = {"trixie": 50, "sid": 40}

# What the tests and the stand-ins need; of each line the first name that there is.
TOOL_PACKAGES: Final = (
    ("mmdebstrap",),
    ("docker-registry",),
    ("qemu-user-static", "qemu-user-binfmt"),
    ("binfmt-support",),
    ("age",),
)
# What signs images and verifies them, where a repository asks for that.
SIGNING_PACKAGE: Final = "cosign"
_DEBIAN_ENGINE: Final = ("docker.io", "docker-cli", "containerd")
_UBUNTU_ENGINE: Final = ("docker.io", "containerd")
_COMPOSE: Final = ("docker-compose-v2", "docker-compose")
ASKED_PACKAGES: Final = (
    *_DEBIAN_ENGINE,
    "docker-buildx",
    *_COMPOSE,
    *(name for names in TOOL_PACKAGES for name in names),
    SIGNING_PACKAGE,
)
_STABLE_NAMES: Final = frozenset({"stable", "oldstable", "oldoldstable"})


@dataclass(frozen=True)
class Source:
    """One source of packages, whichever of the two file formats it was written in."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def newer_suites(machine: Machine) -> tuple[str, ...]:
    """Return the suites that may be added on this machine; none outside of Debian."""
    if machine.os_id == UBUNTU:
        return ()
    return _NEWER_SUITES.get(machine.os_version, ("sid",))


def derive_source(
    files: Mapping[str, str], codename: str, suites: Iterable[str]
) -> tuple[str, str]:
    """Return the texts of a source file for `suites` and of the preferences that pin them low.

    They have the addresses and the signing key of the machine's own source, so that a mirror stays
    a mirror. Both are empty if no source of the machine's own release is found.

    Args:
        files: the machine's source files, name to text.
        codename: the machine's own release.
        suites: the newer ones.
    """
    own = _own_source(files, codename)
    wanted = tuple(suites)
    if own is None or not wanted:
        return "", ""
    lines = [
        "Types: deb",
        f"URIs: {' '.join(own.uris)}",
        f"Suites: {' '.join(wanted)}",
        "Components: main",
    ]
    if own.signed_by:
        lines.append(f"Signed-By: {own.signed_by}")
    pins = [
        f"Package: *\nPin: release n={suite}\nPin-Priority: {_PRIORITIES.get(suite, 40)}\n"
        for suite in wanted
    ]
    return "\n".join(lines) + "\n", "\n".join(pins)


def _own_source(files: Mapping[str, str], codename: str) -> Source | None:
    for name, text in sorted(files.items()):
        parse = _parse_deb822 if name.endswith(".sources") else _parse_one_line
        for source in parse(text):
            if "main" in source.components and {codename, *_STABLE_NAMES} & set(source.suites):
                return source
    return None


def _parse_deb822(text: str) -> list[Source]:
    """Return the enabled binary sources of a `.sources` file (sources.list(5), deb822 style)."""
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and key:
                fields[key] += f"\n{line.rstrip()}"
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.lower()
                fields[key] = value.strip()
        enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        if enabled and "deb" in fields.get("types", "").split():
            found.append(
                Source(
                    tuple(fields.get("uris", "").split()),
                    tuple(fields.get("suites", "").split()),
                    tuple(fields.get("components", "").split()),
                    fields.get("signed-by", ""),
                )
            )
    return found


def _parse_one_line(text: str) -> list[Source]:
    """Return the binary sources of a `.list` file (sources.list(5), one-line style)."""
    found = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^#\s]+)*)", line.strip())
        if match:
            signed = re.search(r"signed-by=(\S+)", match[1] or "")
            found.append(
                Source(
                    (match[2],), (match[3],), tuple(match[4].split()), signed[1] if signed else ""
                )
            )
    return found


@dataclass(frozen=True)
class Versions:
    """Which versions of a package the suites have.

    Attributes:
        table: (package, suite) to version; the machine's own suites are all called `own`.
    """

    table: Mapping[tuple[str, str], str]

    def of(self, package: str, suite: str) -> str | None:
        """Return the version of a package in a suite."""
        return self.table.get((package, suite))

    def first(self, packages: Sequence[str], suite: str, floor: tuple[int, ...]) -> str | None:
        """Return the first package that the suite has in a version not below the floor."""
        return next((name for name in packages if at_least(self.of(name, suite), floor)), None)


OWN: Final = "own"


def parse_madison(text: str, newer: Iterable[str]) -> Versions:
    """Return what `apt-cache madison` printed; the newest version of each suite wins."""
    names = set(newer)
    table: dict[tuple[str, str], str] = {}
    for line in text.splitlines():
        package, version, place = (part.strip() for part in (*line.split("|"), "", "")[:3])
        words = place.split()
        if len(words) > 1 and not place.endswith("Sources"):
            suite = words[1].partition("/")[0]
            # The table of madison begins with the newest version.
            table.setdefault((package, suite if suite in names else OWN), version)
    return Versions(table)


def engine_offers(versions: Versions, machine: Machine) -> list[Offer]:
    """Return the ways to an engine that the floors allow, the preferred one first.

    Whole sets from one suite come first, the nearest suite before newer ones; then engines of
    which a plugin would have to be built from its module.
    """
    engine = _UBUNTU_ENGINE if machine.os_id == UBUNTU else _DEBIAN_ENGINE
    found = []
    for suite in (OWN, *newer_suites(machine)):
        if not at_least(versions.of("docker.io", suite), ENGINE_FLOOR):
            continue
        plugins = {
            "buildx": versions.first(("docker-buildx",), suite, BUILDX_FLOOR),
            "compose": versions.first(_COMPOSE, suite, COMPOSE_FLOOR),
        }
        names = [name for name in (*engine, *plugins.values()) if name]
        have = [name for name in names if versions.of(name, suite)]
        builds = tuple(plugin for plugin, package in plugins.items() if package is None)
        found.append(Offer(suite, _words(versions, suite, have), builds))
    return sorted(found, key=lambda offer: len(offer.builds))


def _words(versions: Versions, suite: str, names: Iterable[str]) -> tuple[str, ...]:
    if suite == OWN:
        return tuple(names)
    return tuple(f"{name}={versions.of(name, suite)}" for name in names)


def available_tools(versions: Versions) -> tuple[str, ...]:
    """Return of each line of `TOOL_PACKAGES` the first that the machine's own suites have."""
    found = (
        next((name for name in names if versions.of(name, OWN) is not None), None)
        for names in TOOL_PACKAGES
    )
    return tuple(name for name in found if name is not None)


def signing_words(versions: Versions, suites: Iterable[str]) -> tuple[str, ...]:
    """Return the words for apt-get that would give cosign, the machine's own suite first."""
    found = ((suite, versions.of(SIGNING_PACKAGE, suite)) for suite in (OWN, *suites))
    return tuple(
        word
        for suite, version in found
        if version
        for word in _words(versions, suite, (SIGNING_PACKAGE,))
    )


def refusal(returncode: int, simulated: str) -> str:
    """Return why a simulated installation is not acceptable; empty if it is.

    New packages are welcome; removing or upgrading what a machine has is not ours to do.
    """
    if returncode != 0:
        told = [line.strip() for line in simulated.splitlines() if line.startswith((" ", "E:"))]
        return told[0] if told else "apt-get refuses it"
    for line in simulated.splitlines():
        if line.startswith("Remv "):
            return f"it would remove {line.split()[1]}"
        # `Inst name [installed version] (new version …)`: brackets only for an upgrade.
        upgrade = re.match(r"Inst (\S+) \[([^\]]+)\]", line)
        if upgrade:
            return f"it would upgrade {upgrade[1]} {upgrade[2]}"
    return ""
