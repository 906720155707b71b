"""Secrets of services as files in memory, in place of what Compose would make of them.

Compose copies a secret that comes from a variable into the container's file system, which a
read-only one refuses. So each service gets files that are made here and mounted: of secrets with
`environment: KEY`, and of those with a `file:` that is absent where a key of that name is given.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.secret import Secret
from hullwright.stack import handing
from hullwright.stack.override import Tagged
from hullwright.tools import engine, secretfolder
from hullwright.tools.secretfolder import SecretFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.stack.override import Override
    from hullwright.stack.selection import Selection
    from hullwright.tools.compose import ComposeService, Model
    from hullwright.workspace import Workspace

# Changes with a service's files, so that Compose makes a container anew that has old ones.
LABEL: Final = "dev.hullwright.secrets"
_LOCAL: Final = "unix:"
_EVERYBODY: Final = 0o444
_OWNER: Final = 0o400


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """The secrets of a stack that are handed over as files.

    Attributes:
        folder: where they are; None where there are none.
        files: all of them.
        generations: the generation of each service's files.
        changed: services whose files are not there yet, or are others.
    """

    folder: Path | None = None
    files: tuple[SecretFile, ...] = ()
    generations: Mapping[str, str] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()

    @property
    def to_write(self) -> tuple[SecretFile, ...]:
        """The files of services that have changed."""
        return tuple(file for file in self.files if file.service in self.changed)


@dataclass(frozen=True, slots=True)
class _Use:
    """One secret of one service: its entry in the service, and where its value is."""

    service: ComposeService
    entry: Mapping[str, Any]
    name: str
    key: str


def plan(
    ws: Workspace,
    selection: Selection,
    model: Model,
    services: Sequence[str],
    override: Override,
) -> SecretFiles:
    """Return the files of a stack's secrets, and put into the override that they are mounted.

    Where the engine is another machine's, or nothing here is in memory, Compose does what it can.

    Raises:
        UsageError: a secret has no value.
    """
    uses = [use for name in services for use in _uses(selection, model, model.services[name])]
    if not uses or not engine_is_here(ws.environ):
        return SecretFiles()
    folder = secretfolder.folder_of(ws.environ, model.name)
    if folder is None:
        ws.console.note("no folder here is in memory: secrets are left to Compose")
        return SecretFiles()
    values = _values(ws, selection, uses)
    images = {
        use.service.name: override.service(use.service.name).get("image") or use.service.image
        for use in uses
    }
    owners = _Owners(ws, [use.service for use in uses], images)
    files = tuple(owners.file(use, values[use.key]) for use in uses if use.key in values)
    generations, changed = {}, set()
    for name in dict.fromkeys(file.service for file in files):
        own = [file for file in files if file.service == name]
        there = secretfolder.generation(folder, name, own)
        generations[name] = there or secretfolder.new_generation()
        if not there:
            changed.add(name)
        _mount(model, name, own, folder, override)
        labels = override.service(name).setdefault("labels", {})
        labels[LABEL] = generations[name]
    return SecretFiles(folder, files, generations, frozenset(changed))


@contextmanager
def provided(files: SecretFiles) -> Iterator[None]:
    """Write what has changed, and keep others from tidying it up until the block is left.

    Raises:
        HullwrightError: the memory is full, or somebody else's folder stands there.
    """
    if files.folder is None:
        yield
        return
    changed = {name: told for name, told in files.generations.items() if name in files.changed}
    with secretfolder.held(files.folder):
        secretfolder.make(files.folder, files.to_write, changed)
        yield


def who(file: SecretFile) -> str:
    """Return who can read a file, for people."""
    if file.mode & 0o004:
        return f"mode {file.mode:04o} in a folder of mode 0700"
    return f"mode {file.mode:04o}" + ("" if file.uid is None else f", user {file.uid}")


def engine_is_here(environ: Mapping[str, str]) -> bool:
    """Return whether the engine is on this machine, as far as its address says.

    The order is Docker's own: https://docs.docker.com/engine/manage-working-with-contexts/
    """
    return (environ.get("DOCKER_HOST") or _host_of_context(environ)).startswith("unix:")


def _host_of_context(environ: Mapping[str, str]) -> str:
    """Return the engine's address by the context that is chosen, which the client keeps in files.

    Of a context that cannot be read every command fails, and says so better than this could.
    """
    given = environ.get("DOCKER_CONFIG")
    folder = Path(given) if given else Path(environ.get("HOME", "/")) / ".docker"
    try:
        name = environ.get("DOCKER_CONTEXT")
        if not name:
            name = json.loads((folder / "config.json").read_bytes()).get("currentContext")
        if name in {None, "", "default"}:
            return _LOCAL
        at = hashlib.sha256(name.encode()).hexdigest()
        meta = json.loads((folder / "contexts/meta" / at / "meta.json").read_bytes())
        return str(meta["Endpoints"]["docker"].get("Host") or _LOCAL)
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return _LOCAL


def _uses(selection: Selection, model: Model, service: ComposeService) -> Iterable[_Use]:
    top = model.raw.get("secrets") or {}
    for entry in service.raw.get("secrets") or ():
        name = entry["source"]
        source = top.get(name) or {}
        key = source.get("environment") or _key_of_absent(selection, name, source)
        if key:
            yield _Use(service, entry, name, key)


def _key_of_absent(selection: Selection, name: str, source: Mapping[str, Any]) -> str:
    """Return the key that stands for a secret's file that is not there; nothing for others."""
    path = source.get("file")
    if not path or Path(path).exists():
        return ""
    known = {*selection.environment, *selection.long}
    upper = re.sub(r"[^A-Z0-9_]", "_", name.upper())
    found = next((key for key in (name, upper) if key in known), "")
    if known and not found:
        raise UsageError(
            f"the secret {name} has neither its file nor a key",
            why=[("file", f"{path} does not exist"), ("keys", f"neither {name} nor {upper}")],
            next_step=f"invoke secrets.set --key {upper}   (or write the file)",
            cause="missing-value",
        )
    return found


def _values(ws: Workspace, selection: Selection, uses: Iterable[_Use]) -> dict[str, Secret]:
    given = {**ws.environ, **selection.environment, **selection.long}
    keys = dict.fromkeys(use.key for use in uses)
    lacking = [key for key in keys if key not in given]
    found = {**given, **handing.from_dotenv(ws, selection, lacking)}
    values = {
        key: Secret(value) if isinstance(value, str) else value
        for key, value in found.items()
        if key in keys
    }
    public = {key for key in keys if isinstance(selection.environment.get(key), str)}
    ws.runner.secrets.update(value for key, value in values.items() if key not in public)
    return values


def _mount(
    model: Model, service: str, files: Sequence[SecretFile], folder: Path, override: Override
) -> None:
    """Let a service mount its files, and its other secrets as before."""
    ours = {file.name: file for file in files}
    entries = []
    for entry in model.services[service].raw["secrets"]:
        file = ours.get(entry["source"])
        if file is None:
            entries.append(dict(entry))
            continue
        name = f"hullwright-{service}-{file.name}"
        # A dollar sign of a path is no variable.
        override.secrets[name] = {"file": str(file.below(folder)).replace("$", "$$")}
        entries.append({"source": name, "target": entry.get("target") or file.name})
    override.service(service)["secrets"] = Tagged("!override", entries)


class _Owners:
    """Whom files belong to, so that the service's user can read them and as few others as can be.

    The user of a service is known by its number alone. Its file is that user's with mode 0400 where
    this run is the same user, or root. Else it has 0444: on the host the folder around it keeps
    others out, and a container has none but its own files.
    """

    def __init__(
        self, ws: Workspace, services: Iterable[ComposeService], images: Mapping[str, str]
    ) -> None:
        self._uid = os.geteuid()
        asked = {each.name: images[each.name] for each in services if not each.raw.get("user")}
        found = engine.images(ws.runner, [image for image in asked.values() if image])
        local = {name: found.get(image) for name, image in asked.items()}
        self._users = {name: image.user or "0" for name, image in local.items() if image}
        # With mapped users a number of a container is another one here.
        self._mapped = self._uid == 0 and engine.maps_users(ws.runner)

    def file(self, use: _Use, value: Secret) -> SecretFile:
        """Return the file of a secret, with its owner and mode."""
        own = use.service
        user = own.raw.get("user") or self._users.get(own.name, "")
        wanted = str(use.entry.get("uid") or str(user).partition(":")[0])
        gid = str(use.entry.get("gid") or "")
        if not wanted.isdigit() or self._mapped or self._uid not in {0, int(wanted)}:
            return SecretFile(own.name, use.name, value, _EVERYBODY)
        mode = use.entry.get("mode")
        return SecretFile(
            own.name,
            use.name,
            value,
            # Nobody writes to a secret.
            (int(str(mode), 8) & _EVERYBODY) | _OWNER if mode is not None else _OWNER,
            int(wanted) if self._uid == 0 else None,
            int(gid) if gid.isdigit() and self._uid == 0 else None,
        )
