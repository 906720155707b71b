"""Decides on the registry of this machine: start it, start it again, or say how to have one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hullwright.provision.facts import REGISTRY_PORT
from hullwright.provision.operations import (
    Command,
    Operation,
    RemoveFile,
    WaitForRegistry,
    WriteFile,
)
from hullwright.provision.state import REGISTRY_FILE_NAME, RegistryRecord

if TYPE_CHECKING:
    from hullwright.provision.facts import Facts

PACKAGE: Final = "docker-registry"
# Where Debian's package has it.
_PROGRAM: Final = "/usr/bin/docker-registry"
_BY_HAND: Final = "docker run --detach --publish 127.0.0.1:5000:5000 registry:2"


def registry_operation(facts: Facts) -> Operation | None:
    """Return the start of the registry that tests and examples push to.

    It is optional: builds need none, and a team has one of its own.
    """
    registry = facts.registry
    program = _program(facts)
    if program is None or registry.port == 0 or registry.state not in {"stopped", "absent"}:
        return None
    record = new_record(facts, program)
    if registry.taken:
        wanted = registry.record.port if registry.record else REGISTRY_PORT
        cause = f"port {wanted} is taken by {registry.taken}, {registry.port} is free"
    elif registry.state == "stopped":
        cause = "an earlier --install recorded it as its own, and it does not run"
    else:
        cause = "no registry is there to push to"
    return Operation(
        f"registry on {record.address}",
        cause,
        (
            WriteFile(facts.state / REGISTRY_FILE_NAME, record.to_json()),
            WriteFile(facts.state / "registry.yml", _config(facts)),
            # Its process is not there; by now the number may be another registry's.
            RemoveFile(facts.state / "registry.pid"),
            Command(record.start),
            WaitForRegistry(record.address, record.log, record.pid_file),
        ),
        optional=True,
    )


def new_record(facts: Facts, program: str) -> RegistryRecord:
    """Return the record of the registry that is being started."""
    config, log = facts.state / "registry.yml", facts.state / "registry.log"
    pid_file = facts.state / "registry.pid"
    # As with the engine: a session of its own. It looks at the process that the file names, so a
    # registry of somebody else is neither taken for this one nor touched.
    start = (
        *("start-stop-daemon", "--start", "--oknodo", "--background", "--make-pidfile"),
        *("--pidfile", str(pid_file), "--output", str(log), "--exec", program),
        *("--", "serve", str(config)),
    )
    return RegistryRecord(facts.registry.port, start, str(log), str(pid_file), str(config))


def warnings(facts: Facts) -> list[str]:
    """Return why this machine gets no registry, and what gives one."""
    registry = facts.registry
    if not _local(facts) or registry.state in {"running", "foreign"}:
        return []
    if registry.port == 0:
        return [f"no registry: port {REGISTRY_PORT} and those after it are taken"]
    if _program(facts) is None:
        return [f"no registry on this machine, and no package of one; to have one: {_BY_HAND}"]
    return []


def _program(facts: Facts) -> str | None:
    """Return the program, which is there or is being installed; None if neither."""
    if not _local(facts):
        return None
    if facts.tools.docker_registry:
        return facts.tools.docker_registry
    apt = facts.apt
    return _PROGRAM if facts.machine.packaged and apt and PACKAGE in apt.available else None


def _local(facts: Facts) -> bool:
    """Return whether the engine is this machine's: another one does not reach its loopback."""
    host = facts.engine.host
    return facts.engine.context is None and (not host or host.startswith("unix://"))


def _config(facts: Facts) -> str:
    """Return the configuration: storage in this machine's state, loopback only, tags deletable."""
    folder = json.dumps(str(facts.state / "registry"))
    return (
        "version: 0.1\n"
        "log: {level: info, accesslog: {disabled: true}}\n"
        "storage:\n"
        f"  filesystem: {{rootdirectory: {folder}}}\n"
        "  delete: {enabled: true}\n"
        f'http: {{addr: "127.0.0.1:{facts.registry.port}"}}\n'
    )
