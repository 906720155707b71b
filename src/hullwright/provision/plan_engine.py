"""Decides on the engine: use it, start the recorded one, install one, or say what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from hullwright.provision.apt import PREFERENCES_FILE, SOURCES_FILE
from hullwright.provision.facts import (
    COMPOSE_FLOOR,
    ENGINE_FLOOR,
    Facts,
    Offer,
    at_least,
)
from hullwright.provision.operations import (
    Action,
    Blocker,
    Command,
    Operation,
    RemoveFile,
    WaitForEngine,
    WriteFile,
)
from hullwright.provision.state import FILE_NAME, EngineRecord

DAEMON_FILE: Final = Path("/etc/docker/daemon.json")
PID_FILE: Final = Path("/run/docker.pid")
_CONTAINERD_PID: Final = Path("/run/docker/containerd/containerd.pid")
DOCKERD: Final = "/usr/sbin/dockerd"

BUILDX_PIN: Final = "v0.33.0"
COMPOSE_PIN: Final = "v5.1.2"
# Of each plugin: its main package at the pinned version, and the variable that holds the version.
_MODULES: Final = {
    "buildx": (
        f"github.com/docker/buildx/cmd/buildx@{BUILDX_PIN}",
        "github.com/docker/buildx/version.Version",
    ),
    "compose": (
        f"github.com/docker/compose/v5/cmd@{COMPOSE_PIN}",
        "github.com/docker/compose/v5/internal.Version",
    ),
}
_INSTALL_GUIDE: Final = (
    "install Docker Engine 26 or newer with buildx and Compose: "
    "https://docs.docker.com/engine/install/"
)


def chosen_offer(facts: Facts) -> Offer | None:
    """Return the offer that an engine is installed from; None if none is wanted or acceptable."""
    if facts.engine.state != "absent" or facts.apt is None or not facts.machine.packaged:
        return None
    return next((offer for offer in facts.apt.offers if not offer.refused), None)


def blockers(facts: Facts) -> list[Blocker]:
    """Return what keeps setup from an engine; empty if there is one or there will be one."""
    engine = facts.engine
    if engine.state == "running":
        return _running_blockers(facts)
    if engine.state == "denied":
        return [
            Blocker(
                "Docker engine",
                "the Docker engine's socket may not be used by this user",
                "the engine runs, and only root and the group of its socket may talk to it",
                "sudo usermod -aG docker $USER, then log in again",
            )
        ]
    if engine.state == "unreachable":
        return [_unreachable(facts)]
    if engine.state == "stopped" and not ours(facts):
        return [_stopped(facts)]
    if engine.state == "absent" and chosen_offer(facts) is None:
        return [_not_installable(facts)]
    return []


def ours(facts: Facts) -> bool:
    """Return whether the engine on this machine is the one that an earlier run recorded."""
    record = facts.engine.record
    return record is not None and set(facts.engine.packages) <= set(record.packages)


def _running_blockers(facts: Facts) -> list[Blocker]:
    engine = facts.engine
    found = []
    if engine.client is None:
        found.append(
            Blocker(
                "Docker client",
                "the docker client is missing, though an engine runs",
                "setup adds nothing to an engine that is not its own",
                "install the client that belongs to it (docker-cli or docker-ce-cli)",
            )
        )
    elif not at_least(engine.version, ENGINE_FLOOR):
        origin = ", ".join(engine.packages) or engine.host or "no package of this machine"
        found.append(
            Blocker(
                "Docker engine",
                f"Docker Engine {engine.version} is too old",
                f"26 or newer is needed, and setup changes no engine that is there ({origin})",
                "upgrade it from where it came",
            )
        )
    missing = [name for name, _, _ in missing_plugins(facts)]
    if missing and facts.tools.go is None and not found:
        found.append(
            Blocker(
                "client plugins",
                f"docker {' and '.join(missing)}: missing or too old",
                "a buildx with history inspect --format and Compose 2.26 are needed, and without "
                "Go setup cannot build them",
                "install docker-buildx-plugin and docker-compose-plugin from where the engine "
                "came, or Go",
            )
        )
    return found


def _unreachable(facts: Facts) -> Blocker:
    if facts.engine.host:
        return Blocker(
            "Docker engine",
            "the engine that DOCKER_HOST names does not answer",
            f"DOCKER_HOST is {facts.engine.host}",
            "start that engine, or unset DOCKER_HOST to use this machine's own",
        )
    return Blocker(
        "Docker engine",
        "the engine of the chosen docker context does not answer",
        f"the context is {facts.engine.context}",
        "start that engine, or: docker context use default",
    )


def _stopped(facts: Facts) -> Blocker:
    found = ", ".join(facts.engine.packages) or facts.engine.dockerd or "a socket without an engine"
    if facts.engine.packages == ("podman-docker",):
        step = "remove podman-docker, or set DOCKER_HOST to a Docker engine"
    elif facts.machine.systemd:
        step = "start it as root: systemctl start docker"
    else:
        step = "start it as root: service docker start"
    return Blocker(
        "Docker engine",
        "there is a Docker engine on this machine, and it does not run",
        f"found: {found}; setup starts only an engine that it installed itself",
        step,
    )


def _not_installable(facts: Facts) -> Blocker:
    machine = facts.machine
    what = "no Docker engine"
    if machine.os_id not in {"debian", "ubuntu"}:
        why = f"setup installs packages on Debian and Ubuntu only; this is {machine.os_name}"
        return Blocker("Docker engine", what, why, _INSTALL_GUIDE)
    if not machine.root:
        why = "packages are installed as root, and this is another user"
        return Blocker("Docker engine", what, why, "sudo ./scripts/setup --install")
    if facts.apt is None or facts.apt.error:
        why = f"the package lists could not be read: {facts.apt.error if facts.apt else 'no apt'}"
        return Blocker("Docker engine", what, why, "make apt-get update work, then run it again")
    tried = "; ".join(f"{offer.suite}: {offer.refused}" for offer in facts.apt.offers)
    why = f"no package of 26 or newer can be installed ({tried or 'none is offered'})"
    return Blocker("Docker engine", what, why, _INSTALL_GUIDE)


def missing_plugins(facts: Facts) -> list[tuple[str, str, str]]:
    """Return (plugin, module's main package, flag of its version) for what has to be built."""
    engine, offer = facts.engine, chosen_offer(facts)
    if engine.state == "running" or (engine.state == "stopped" and ours(facts)):
        lacking = {
            "buildx": not engine.buildx_history,
            "compose": not at_least(engine.compose, COMPOSE_FLOOR),
        }
        names = [name for name, lacks in lacking.items() if lacks]
    else:
        names = list(offer.builds) if offer else []
    return [(name, *_MODULES[name]) for name in names]


def plugin_operations(facts: Facts) -> list[Operation]:
    """Return the builds of client plugins that are missing or too old.

    A throwaway main module is needed: `go install` refuses modules with replace directives.
    """
    found = []
    for plugin, package, flag in missing_plugins(facts):
        path, _, version = package.partition("@")
        folder = facts.cache / "modules" / plugin
        target = facts.plugins / f"docker-{plugin}"
        known = facts.engine.buildx if plugin == "buildx" else facts.engine.compose
        found.append(
            Operation(
                f"docker {plugin} {version}",
                f"{known} is too old" if known else "it is missing",
                (
                    WriteFile(folder / "go.mod", f"module hullwright.invalid/{plugin}\n"),
                    Command(("go", "get", package), cwd=folder),
                    Command(
                        (
                            *("go", "build", "-trimpath", "-ldflags", f"-s -w -X {flag}={version}"),
                            *("-o", str(target), path),
                        ),
                        cwd=folder,
                    ),
                ),
            )
        )
    return found


def source_operation(facts: Facts) -> Operation | None:
    """Return the addition of newer suites, where the chosen offer, or cosign, comes from one."""
    offer = chosen_offer(facts)
    if facts.apt is None:
        return None
    if offer is not None and offer.suite != "own":
        cause = f"{facts.machine.os_name} has no engine that is new enough, and {offer.suite} has"
    elif "=" in facts.apt.signing:
        cause = f"{facts.machine.os_name} has no cosign, and a newer suite has"
    else:
        return None
    return Operation(
        "package source",
        cause,
        (
            WriteFile(PREFERENCES_FILE, facts.apt.preferences),
            WriteFile(SOURCES_FILE, facts.apt.sources),
        ),
    )


def record_operation(facts: Facts) -> Operation | None:
    """Return the writing of record and configuration, which comes before the installation.

    In that order an installation that is interrupted is still known as ours.
    """
    offer = chosen_offer(facts)
    if offer is None:
        return None
    config = WriteFile(_config_path(facts), _config(facts))
    record = new_record(facts, offer)
    actions: list[Action] = [WriteFile(facts.state / FILE_NAME, record.to_json())]
    if facts.engine.config is None or not facts.machine.systemd:
        actions.append(config)
    return Operation("engine record and configuration", "no engine is there", tuple(actions))


def start_operation(facts: Facts) -> Operation | None:
    """Return the start of an engine: the one that is being installed, or the recorded one."""
    offer, record = chosen_offer(facts), facts.engine.record
    if offer is not None:
        record, cause = new_record(facts, offer), "once installed, it has to run"
    elif facts.engine.state == "stopped" and record is not None and ours(facts):
        cause = "an earlier --install recorded it as its own, and it does not run"
    else:
        return None
    # Nothing runs, so what names a process is left from before a crash; by now its number may be
    # another program's, and the engine would not start.
    stale = (RemoveFile(PID_FILE), RemoveFile(_CONTAINERD_PID)) if record.pid_file else ()
    return Operation(
        "Docker engine",
        cause,
        (*stale, Command(record.start), WaitForEngine(record.log, record.pid_file)),
    )


def new_record(facts: Facts, offer: Offer) -> EngineRecord:
    """Return the record of the engine that an offer installs."""
    names = tuple(word.partition("=")[0] for word in offer.packages)
    if facts.machine.systemd:
        return EngineRecord(names, "systemd", ("systemctl", "enable", "--now", "docker.service"))
    log = facts.state / "dockerd.log"
    # Debian's own tool for this, on every Debian and Ubuntu: the engine gets a session of its own,
    # so it outlives setup and the terminal.
    start = (
        *("start-stop-daemon", "--start", "--oknodo", "--background"),
        *("--output", str(log), "--exec", DOCKERD, "--"),
        *("--config-file", str(_config_path(facts)), "--pidfile", str(PID_FILE)),
    )
    return EngineRecord(names, "detached", start, str(log), str(PID_FILE))


def _config_path(facts: Facts) -> Path:
    return DAEMON_FILE if facts.machine.systemd else facts.state / "daemon.json"


def _config(facts: Facts) -> str:
    """Return the engine's configuration: what the machine already says, and the image store."""
    try:
        given = json.loads(facts.engine.config or "{}")
    except ValueError:
        given = {}
    settings = given if isinstance(given, dict) else {}
    features = settings.get("features")
    known = features if isinstance(features, dict) else {}
    settings["features"] = {**known, "containerd-snapshotter": True}
    return json.dumps(settings, indent=2) + "\n"
