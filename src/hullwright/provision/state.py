"""The records of the engine and the registry that setup started: later runs know them as theirs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from hullwright.files import make_folder, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "engine.json"
REGISTRY_FILE_NAME = "registry.json"


@dataclass(frozen=True)
class EngineRecord:
    """An engine that `--install` put on this machine.

    Attributes:
        packages: what was installed, so that a foreign engine is told from ours.
        manager: `systemd`, or `detached` for a process of its own session.
        start: the command that starts it.
        log: its log file; empty where systemd keeps it.
        pid_file: names its process; empty where systemd keeps it.
    """

    packages: tuple[str, ...]
    manager: Literal["systemd", "detached"]
    start: tuple[str, ...]
    log: str = ""
    pid_file: str = ""

    def to_json(self) -> str:
        """Return the record as the text of its file."""
        return json.dumps({"schema": 1, **asdict(self)}) + "\n"


def load(folder: Path) -> EngineRecord | None:
    """Return the recorded engine, or None if there is none or the record cannot be read."""
    try:
        given = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return EngineRecord(
            packages=tuple(given["packages"]),
            manager="systemd" if given["manager"] == "systemd" else "detached",
            start=tuple(given["start"]),
            log=given["log"],
            pid_file=given["pid_file"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(folder: Path, record: EngineRecord) -> None:
    """Write the record, whole or not at all."""
    write_atomic(make_folder(folder) / FILE_NAME, record.to_json())


@dataclass(frozen=True)
class RegistryRecord:
    """The registry that `--install` started on this machine's loopback.

    Attributes:
        port: of 127.0.0.1.
        start: the command that starts it.
        log: its log file.
        pid_file: names its process.
        config: its configuration; the process that has it among its words is ours.
    """

    port: int
    start: tuple[str, ...]
    log: str
    pid_file: str
    config: str

    @property
    def address(self) -> str:
        """The `host:port` that images are named by."""
        return f"127.0.0.1:{self.port}"

    def to_json(self) -> str:
        """Return the record as the text of its file."""
        return json.dumps({"schema": 1, **asdict(self)}) + "\n"


def load_registry(folder: Path) -> RegistryRecord | None:
    """Return the recorded registry, or None if there is none or the record cannot be read."""
    try:
        given = json.loads((folder / REGISTRY_FILE_NAME).read_text(encoding="utf-8"))
        return RegistryRecord(
            port=int(given["port"]),
            start=tuple(given["start"]),
            log=given["log"],
            pid_file=given["pid_file"],
            config=given["config"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
