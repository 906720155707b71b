"""Decrypting to a dotenv file, whole or not at all, and never where Git would take it up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.files import write_atomic
from hullwright.secrets.read import read
from hullwright.secrets.source import Source, find
from hullwright.tools import dotenv
from hullwright.tools.git import require_ignored

if TYPE_CHECKING:
    from hullwright.workspace import Workspace

MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class DecryptPlan:
    """What a decrypt would do: decrypt one file to another.

    Attributes:
        source: the encrypted file.
        target: the dotenv file, absolute.
        output: the same, relative to the root where it is inside.
    """

    source: Source
    target: Path
    output: str

    def text(self) -> str:
        """Return the plan in its stable form."""
        verb = "replace" if self.target.exists() else "create"
        return f"{verb} {self.output} (mode 0600): decrypted from {self.source.name}"


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A dotenv file that was written.

    Attributes:
        environment: whose secrets they are.
        source: the encrypted file, relative to the root.
        output: the written file, relative to the root where it is inside.
        names: its variables.
        dropped: variables of the file that stood there before and that the new one has not.
    """

    environment: str
    source: str
    output: str
    names: tuple[str, ...]
    dropped: tuple[str, ...] = ()


def plan_decrypt(
    ws: Workspace, *, env: str | None = None, output: str | Path = ".env"
) -> DecryptPlan:
    """Return which file would be decrypted to where.

    Args:
        ws: the repository.
        env: the environment; default `development`.
        output: where to; relative to the root. Outside of any repository is allowed.

    Raises:
        UsageError: the environment is unknown, Git would take the file up, or it cannot be one.
        MissingSecretsError: the environment has no encrypted file.
    """
    source = find(ws, env)
    # The folder's real place, but the name as it is: a link is replaced, not followed.
    target = (ws.root / output).parent.resolve() / Path(output).name
    if target.is_dir():
        raise UsageError(f"{output} is a folder", next_step="name a file: --output .env")
    if not target.parent.is_dir():
        raise UsageError(f"{output} cannot be written: there is no folder {target.parent}")
    require_ignored(ws.runner, target, what="the secrets in it")
    inside = target.is_relative_to(ws.root)
    return DecryptPlan(source, target, str(target.relative_to(ws.root) if inside else target))


def decrypt(ws: Workspace, *, env: str | None = None, output: str | Path = ".env") -> Decrypted:
    """Write the secrets of an environment to a dotenv file of mode 0600.

    Whatever fails, the file that stood there before is unchanged.

    Raises:
        UsageError: as `plan_decrypt`; or production would use the development key.
        CheckFailedError: the file is missing, not decryptable, tampered with or no secrets file.
        UnavailableError: sops is missing or too old.
        LockedError: another run is writing it.
        HullwrightError: the disk is full, or the folder cannot be written.
    """
    plan = plan_decrypt(ws, env=env, output=output)
    with ws.writing(plan.target, plan.output):
        values = read(ws, plan.source)
        lines = [dotenv.line(name, value.reveal()) for name, value in values.items()]
        head = f"# Decrypted from {plan.source.name}; the next decrypt replaces this file."
        dropped = tuple(name for name in _names(plan.target) if name not in values)
        write_atomic(plan.target, "\n".join([head, *lines, ""]), mode=MODE)
    source = plan.source
    return Decrypted(source.environment, source.name, plan.output, tuple(values), dropped)


def _names(path: Path) -> list[str]:
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    return [entry.name for entry in dotenv.entries(text) if not entry.commented]
