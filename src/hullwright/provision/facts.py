"""What setup knows of a machine: plain data, gathered by `observe`, decided on by `plan`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.provision.state import EngineRecord, RegistryRecord

# The floors: below these, something that the tasks rely on is missing.
ENGINE_FLOOR: Final = (26, 0)
COMPOSE_FLOOR: Final = (2, 26)
SOPS_FLOOR: Final = (3, 10)
# `history inspect --format` came with this one; a running buildx is asked whether it has it.
BUILDX_FLOOR: Final = (0, 22)

DEBIAN: Final = "debian"
UBUNTU: Final = "ubuntu"

# Every package that is, contains or stands in for an engine, under the names of all distributions.
ENGINE_PACKAGES: Final = (
    "docker",
    "docker-ce",
    "docker-ce-rootless-extras",
    "docker-desktop",
    "docker-ee",
    "docker-engine",
    "docker.io",
    "moby-engine",
    "podman-docker",
)

EngineState = Literal["running", "denied", "unreachable", "stopped", "absent"]

# Where people expect a registry of their own; the next free one where somebody else has it.
REGISTRY_PORT: Final = 5000


def version_tuple(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, so that floors compare; empty if there are none.

    Takes what programs and packages print: `v3.13.3`, `28.5.2+dfsg4-5`, `5:27.0.1-1~debian`.
    """
    found = re.match(r"(?:\d+:)?v?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def at_least(version: str | None, floor: tuple[int, ...]) -> bool:
    """Return whether a version is known and not below the floor."""
    return version is not None and version_tuple(version) >= floor


@dataclass(frozen=True)
class Machine:
    """The operating system and what may be done on it.

    Attributes:
        os_id: `ID` of os-release, such as `debian`.
        os_version: `VERSION_ID` of os-release; empty for rolling releases.
        codename: `VERSION_CODENAME` of os-release.
        os_name: `PRETTY_NAME` of os-release.
        arch: the architecture as Go names it: amd64, arm64.
        root: whether this process may install packages.
        systemd: whether systemd runs, rather than only being installed.
        policy_rc: whether something already tells packages not to start their services.
    """

    os_id: str = ""
    os_version: str = ""
    codename: str = ""
    os_name: str = "an unknown system"
    arch: str = "amd64"
    root: bool = False
    systemd: bool = False
    policy_rc: bool = False

    @property
    def packaged(self) -> bool:
        """Whether packages can be installed here: Debian or Ubuntu, as root."""
        return self.os_id in {DEBIAN, UBUNTU} and self.root


@dataclass(frozen=True)
class Engine:
    """The Docker engine, its client and its plugins, as the client reaches them.

    Attributes:
        state: running · denied (no permission) · unreachable (DOCKER_HOST or a context names it)
            · stopped (there is one on this machine) · absent.
        version: of the server; None unless it is running.
        client: path of the docker client.
        buildx: version of the plugin, None without it.
        buildx_history: whether `docker buildx history inspect` knows `--format`.
        compose: version of the plugin, None without it.
        packages: installed packages that are or contain an engine.
        dockerd: path of an engine's binary, packaged or not.
        host: the value of DOCKER_HOST.
        context: the client's context where it is not the default one.
        config: content of /etc/docker/daemon.json, None without one.
        record: the engine that an earlier `--install` recorded as its own.
    """

    state: EngineState = "absent"
    version: str | None = None
    client: str | None = None
    buildx: str | None = None
    buildx_history: bool = False
    compose: str | None = None
    packages: tuple[str, ...] = ()
    dockerd: str | None = None
    host: str | None = None
    context: str | None = None
    config: str | None = None
    record: EngineRecord | None = None


@dataclass(frozen=True)
class Tools:
    """Versions or paths of the other programs; None where one is missing.

    Attributes:
        emulation: whether the kernel runs the other platform's programs, in containers too.
        binfmt_mounted: whether the kernel's register of foreign formats is mounted.
    """

    sops: str | None = None
    age: str | None = None
    actionlint: str | None = None
    go: str | None = None
    mmdebstrap: str | None = None
    docker_registry: str | None = None
    qemu: str | None = None
    update_binfmts: str | None = None
    emulation: bool = False
    binfmt_mounted: bool = False
    cosign: str | None = None


@dataclass(frozen=True)
class Registry:
    """The registry on this machine's loopback.

    Attributes:
        state: running (the recorded one) · foreign (somebody else's serves at its port, and is used
            as it is) · stopped (recorded, and its process is not there) · absent.
        port: of 127.0.0.1 where it serves, or would: the recorded one, else the first free one.
        taken: what holds the port that it would rather have; empty if that is free.
        record: the registry that an earlier `--install` recorded as its own.
    """

    state: Literal["running", "foreign", "stopped", "absent"] = "absent"
    port: int = REGISTRY_PORT
    taken: str = ""
    record: RegistryRecord | None = None


@dataclass(frozen=True)
class PythonEnvironment:
    """The repository's `.venv`, and what could fill it.

    Attributes:
        python: the interpreter that the environment is made with.
        state: current · stale (the lock or the metadata changed) · absent (or made elsewhere) ·
            unmanaged (a repository of a user, which has no lock of ours).
        stamp: what the environment will be stamped with.
        uv: path of the installer.
        pip: whether `python` has pip.
        ensurepip: whether `python` can put pip into a new environment.
    """

    python: str = "python3"
    state: Literal["current", "stale", "absent", "unmanaged"] = "absent"
    stamp: str = ""
    uv: str | None = None
    pip: bool = False
    ensurepip: bool = False

    @property
    def wanted(self) -> bool:
        """Whether the environment has to be made or filled."""
        return self.state in {"stale", "absent"}


@dataclass(frozen=True)
class Offer:
    """A set of packages that would give an engine with its plugins.

    Attributes:
        suite: where the engine comes from.
        packages: words for apt-get: `name`, or `name=version` where the suite is a newer one.
        builds: client plugins that are not among them, and are built from their modules.
        refused: why apt-get would not do it; empty if it would.
    """

    suite: str
    packages: tuple[str, ...]
    builds: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Apt:
    """What Debian's package manager could install, tried in folders of its own.

    Attributes:
        sources: text of the source file for newer suites; empty if none is needed or derivable.
        preferences: text of the file that pins those suites low.
        offers: ways to an engine, the preferred one first; each was simulated.
        available: package names of ours that the machine's own suites have.
        error: why the package lists could not be read; empty if they could.
        signing: word for apt-get that gives cosign; empty where no suite has it, or none is wanted.
    """

    sources: str = ""
    preferences: str = ""
    offers: tuple[Offer, ...] = ()
    available: tuple[str, ...] = ()
    error: str = ""
    signing: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that a plan depends on.

    Attributes:
        root: top folder of the repository.
        cache: folder of tools that setup builds; programs in its `bin` are found by all tasks.
        state: folder of the engine's record, configuration and logs.
        plugins: the user's folder of client plugins.
        signing: whether images of this repository are signed or verified, or its tests do that.
    """

    root: Path
    cache: Path
    state: Path
    plugins: Path
    machine: Machine = field(default_factory=Machine)
    engine: Engine = field(default_factory=Engine)
    tools: Tools = field(default_factory=Tools)
    registry: Registry = field(default_factory=Registry)
    python: PythonEnvironment = field(default_factory=PythonEnvironment)
    apt: Apt | None = None
    signing: bool = False
