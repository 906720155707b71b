"""Making an environment file from its example."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.files import write_atomic
from hullwright.secret import Secret
from hullwright.tools import dotenv
from hullwright.tools.git import require_ignored
from hullwright.tools.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.workspace import Workspace

EXAMPLE: Final = ".env.example"
FILE: Final = ".env"
MODE: Final = 0o600
_RANDOM_BYTES: Final = 32
# Four characters of base64 hold three bytes.
_BYTES_A_CHARACTER: Final = 3 / 4


@dataclass(frozen=True, slots=True)
class MakePlan:
    """What would be written, without any generated value in its text form.

    Attributes:
        path: the file.
        content: all of it.
        generated: variables that got a strong random value.
        copied: variables whose value is the example's.
        kept: variables that the file had, and keeps as they are.
        min_length: characters that the value of a variable must have at least.
    """

    path: Path
    content: str = field(repr=False)
    generated: tuple[str, ...]
    copied: tuple[str, ...]
    kept: tuple[str, ...]
    min_length: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """Return the plan in its stable form."""
        lines = [f"{'add to' if self.kept else 'create'} {self.path.name} (mode 0600)"]
        lines += [
            f"  {name}: a random value of {_random_bytes(name, self.min_length)} bytes"
            for name in self.generated
        ]
        lines += [f"  {name}: as in {EXAMPLE}" for name in self.copied]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Made:
    """An environment file that was written; the names are as in `MakePlan`."""

    output: str
    generated: tuple[str, ...]
    copied: tuple[str, ...]
    kept: tuple[str, ...]


def plan_init(ws: Workspace, *, merge: bool = False) -> MakePlan:
    """Return what would be written to `.env`.

    Args:
        ws: the repository.
        merge: whether an existing file is added to; what it says stays as it is.

    Raises:
        UsageError: there is no example, the file exists and `merge` is not set, or Git would
            take it up.
    """
    example, target = ws.root / EXAMPLE, ws.root / FILE
    if not example.is_file():
        raise UsageError(
            f"{EXAMPLE} is missing, and {FILE} is made from it",
            next_step=f"write {EXAMPLE}: one NAME=value a line, change-me for what is secret",
        )
    if target.exists() and not merge:
        raise UsageError(
            f"{FILE} exists, and is never overwritten",
            next_step="invoke env --init --merge   (adds only the variables that it lacks)",
        )
    require_ignored(ws.runner, target, what="the secrets in it")
    text = example.read_text(encoding="utf-8")
    if not target.exists():
        return _whole(target, text, ws.config.secrets.min_length)
    present = target.read_text(encoding="utf-8")
    return _rest(target, text, present, ws.config.secrets.min_length)


def init(ws: Workspace, *, merge: bool = False) -> Made:
    """Make `.env` from `.env.example`, with strong random values for placeholders.

    Raises:
        UsageError: as `plan_init`.
        LockedError: another run is writing it, for example a decrypt.
        HullwrightError: the disk is full, or the folder cannot be written.
    """
    # What is there is looked at under the lock: nobody's file may come to stand there after that.
    with ws.writing(ws.root / FILE, FILE) as fresh:
        plan = plan_init(ws, merge=merge)
        live = [entry for entry in dotenv.entries(plan.content) if entry.name in plan.generated]
        ws.runner.secrets.update(Secret(entry.value) for entry in live)
        write_atomic(plan.path, plan.content, mode=MODE, by=fresh)
    return Made(FILE, plan.generated, plan.copied, plan.kept)


def _random_bytes(name: str, min_length: Mapping[str, int]) -> int:
    return max(_RANDOM_BYTES, math.ceil(min_length.get(name, 0) * _BYTES_A_CHARACTER))


def _whole(target: Path, example: str, min_length: Mapping[str, int]) -> MakePlan:
    generated, copied = [], []
    content, at = [], 0
    for entry in dotenv.entries(example):
        if entry.commented:
            continue
        if is_placeholder(entry.name, entry.value):
            generated.append(entry.name)
            value = secrets.token_urlsafe(_random_bytes(entry.name, min_length))
            content += [example[at : entry.span[0]], value]
            at = entry.span[1]
        else:
            copied.append(entry.name)
    content.append(example[at:])
    written = "".join(content)
    return MakePlan(target, written, tuple(generated), tuple(copied), (), min_length)


def _rest(target: Path, example: str, present: str, min_length: Mapping[str, int]) -> MakePlan:
    has = {entry.name for entry in dotenv.entries(present) if not entry.commented}
    lacking = [
        entry for entry in dotenv.entries(example) if not entry.commented and entry.name not in has
    ]
    ends = "" if present.endswith("\n") or not present else "\n"
    lines = [f"{entry.name}={example[slice(*entry.span)]}" for entry in lacking]
    added = _whole(target, "".join(f"{line}\n" for line in lines), min_length)
    content = f"{present}{ends}{added.content}"
    kept = tuple(sorted(has))
    return MakePlan(target, content, added.generated, added.copied, kept, min_length)
