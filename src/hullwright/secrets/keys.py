"""Keys: the committed development key, the keys of this machine, and who may use which."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.secret import Secret
from hullwright.secrets.source import FOLDER
from hullwright.tools import age

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.secrets.source import Source
    from hullwright.tools.sops import Metadata
    from hullwright.workspace import Workspace

DEVELOPMENT_KEY: Final = f"{FOLDER}/development.agekey"
_NOT_SET: Final = "not set"
# Shorter words of a recipient, such as the kind of an SSH key, tell nothing of whose it is.
_KEY_LETTERS: Final = 20
# Permissions of a group and of everybody else.
_OTHERS: Final = 0o077
# Variables of sops; whatever else looks like one is a slip of a name.
_READ: Final = frozenset(
    {
        *("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_RECIPIENTS"),
        *("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_CMD"),
    }
)
# Those of them through which a key can be had; who gets values of secrets gets none of these.
HOLD_A_KEY: Final = _READ - {"SOPS_AGE_RECIPIENTS"}
_MEANT: Final = re.compile(r"^(?:SOPS_?(?:AGE_?)?|AGE_?(?:SECRET_?|PRIVATE_?)?)KEYS?(?:_?FILE)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """A place where sops looks for a key, and the public keys of what is there.

    Attributes:
        name: the place.
        finding: what is there; never a secret key.
        recipients: the public keys of what is there.
        remedy: what to do where a key is there that sops cannot take.
    """

    name: str
    finding: str
    recipients: tuple[str, ...] = ()
    remedy: str = ""


def for_sops(ws: Workspace, source: Source) -> dict[str, Secret]:
    """Return what sops gets beside the environment: the development key, where it may be used.

    It comes after a key of the person's own, which keeps working.
    """
    if source.production or not _development_text(ws):
        return {}
    own = ws.environ.get("SOPS_AGE_KEY", "")
    # One line that sops cannot read would make it leave out the whole variable.
    keys = [own, _development_text(ws)] if age.has_secret_key(own) else [_development_text(ws)]
    return {"SOPS_AGE_KEY": Secret("\n".join(keys))}


def refuse_development_key(ws: Workspace, source: Source, metadata: Metadata) -> None:
    """Raise where production's file is encrypted to a key that is for development only.

    Raises:
        UsageError: it is; everyone with the repository could read the file.
    """
    public = sorted(set(metadata.recipients) & development_recipients(ws))
    if not (source.production and public):
        return
    raise UsageError(
        f"{source.environment} refuses {source.name}: it is encrypted to the development key",
        why=[
            ("development", ", ".join(age.short(key) for key in public)),
            ("why", "that key is public, so everyone with the repository can read the file"),
        ],
        next_step=(
            f"invoke secrets.recipients --add RECIPIENT "
            f"{' '.join(f'--remove {key}' for key in public)} --env {source.environment}\n"
            "and give every secret in it a new value"
        ),
    )


def may_be_public(ws: Workspace, text: str) -> bool:
    """Return whether a file may be encrypted to a development key, by looking at its text only.

    It is wrong in one way only: what is said to be none is none. A YAML reader takes 100 ms to
    start, so production's file is read by it only where this says so.
    """
    # Of an SSH key the middle word is enough; an escape could write any key in other letters.
    words = (word for key in development_recipients(ws) for word in key.split())
    return "\\" in text or any(len(word) > _KEY_LETTERS and word in text for word in words)


def looked_for(ws: Workspace, source: Source) -> list[Place]:
    """Return each place where a key for a file was looked for, and what is there."""
    environ = ws.environ
    home = Path(environ.get("HOME", "/"))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "sops/age/keys.txt"
    places = [_in_variable(ws), _by_variable(ws), _file(ws, _tilde(config, home), config)]
    if environ.get("SOPS_AGE_KEY_CMD"):
        places.append(Place("$SOPS_AGE_KEY_CMD", "set"))
    ssh = environ.get("SOPS_AGE_SSH_PRIVATE_KEY_FILE")
    candidates = [Path(ssh)] if ssh else [home / ".ssh/id_ed25519", home / ".ssh/id_rsa"]
    places.extend(
        Place(_tilde(path, home), "an SSH key" if path.is_file() else "no such file")
        for path in candidates
    )
    if not source.production:
        places.append(_file(ws, DEVELOPMENT_KEY, ws.root / DEVELOPMENT_KEY))
    return [*places, *_misnamed(environ)]


def development_recipients(ws: Workspace) -> set[str]:
    """Return the public keys whose secret part everyone with the repository has."""
    derived = age.public_keys(ws.runner, _development_text(ws))
    return {*ws.config.secrets.development_keys, *derived}


def _development_text(ws: Workspace) -> str:
    path = ws.root / DEVELOPMENT_KEY
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _in_variable(ws: Workspace) -> Place:
    text = ws.environ.get("SOPS_AGE_KEY", "")
    if text and not age.has_secret_key(text) and Path(text.strip()).is_file():
        return Place(
            "$SOPS_AGE_KEY",
            "holds the path of a file, and has to hold a key",
            remedy='export SOPS_AGE_KEY_FILE="$SOPS_AGE_KEY"; unset SOPS_AGE_KEY',
        )
    return _text(ws, "$SOPS_AGE_KEY", text)


def _by_variable(ws: Workspace) -> Place:
    named = ws.environ.get("SOPS_AGE_KEY_FILE", "")
    if age.has_secret_key(named):
        # The value is a key, so it is not shown.
        return Place(
            "$SOPS_AGE_KEY_FILE",
            "holds a key, and has to hold the path of a file",
            remedy='export SOPS_AGE_KEY="$SOPS_AGE_KEY_FILE"; unset SOPS_AGE_KEY_FILE',
        )
    if not named:
        return Place("$SOPS_AGE_KEY_FILE", _NOT_SET)
    return _file(ws, f"$SOPS_AGE_KEY_FILE {named}", ws.root / named)


def _misnamed(environ: Mapping[str, str]) -> list[Place]:
    """Return variables that somebody meant as those of sops, and that it does not read."""
    places = []
    for name, value in sorted(environ.items()):
        if name in _READ or not (age.has_secret_key(value) or _MEANT.search(name)):
            continue
        meant = "SOPS_AGE_KEY" if age.has_secret_key(value) else "SOPS_AGE_KEY_FILE"
        places.append(
            Place(
                f"${name}",
                f"set, and not read by sops: {meant} is",
                remedy=f'export {meant}="${name}"',
            )
        )
    return places


def _file(ws: Workspace, name: str, path: Path) -> Place:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return Place(name, "no such file")
    except PermissionError:
        return Place(name, *_not_ours(path))
    except OSError as error:
        return Place(name, error.strerror or "cannot be read")
    found = _text(ws, name, text)
    if mode & _OTHERS and found.name != DEVELOPMENT_KEY:
        told = f"{found.finding} (mode {mode & 0o777:04o}: others can read it; chmod 600 {path})"
        return Place(name, told, found.recipients)
    return found


def _not_ours(path: Path) -> tuple[str, tuple[str, ...], str]:
    try:
        told = path.stat()
    except OSError:
        return f"its folder cannot be entered; chmod 700 {path.parent}", (), f"ls -ld {path.parent}"
    own = told.st_uid == os.getuid()
    command = f"chmod 600 {path}" if own else f"sudo chown $(id -u) {path} && chmod 600 {path}"
    whose = "yours" if own else f"that of user {told.st_uid}"
    return f"cannot be read: mode {told.st_mode & 0o777:04o}, and it is {whose}", (), command


def _text(ws: Workspace, name: str, text: str | None) -> Place:
    if not text:
        return Place(name, _NOT_SET if name.startswith("$") else "empty")
    recipients = age.public_keys(ws.runner, text)
    if recipients:
        return Place(name, ", ".join(age.short(key) for key in recipients), recipients)
    return Place(name, "set" if age.has_secret_key(text) else "holds no age key")


def _tilde(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
