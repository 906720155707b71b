"""Keys: the committed development key, the keys of this machine, and who may use which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.secret import Secret
from hullwright.secrets.source import FOLDER
from hullwright.tools import age

if TYPE_CHECKING:
    from hullwright.secrets.source import Source
    from hullwright.tools.sops import Metadata
    from hullwright.workspace import Workspace

DEVELOPMENT_KEY: Final = f"{FOLDER}/development.agekey"
_NOT_SET: Final = "not set"


@dataclass(frozen=True, slots=True)
class Place:
    """A place where sops looks for a key, and the public keys of what is there."""

    name: str
    finding: str
    recipients: tuple[str, ...] = ()


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
            f"sops rotate --in-place {' '.join(f'--rm-age {key}' for key in public)} "
            f"--add-age RECIPIENT {source.name}\nand give every secret in it a new value"
        ),
    )


def looked_for(ws: Workspace, source: Source) -> list[Place]:
    """Return each place where a key for a file was looked for, and what is there."""
    environ = ws.environ
    home = Path(environ.get("HOME", "/"))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "sops/age/keys.txt"
    places = [_text(ws, "$SOPS_AGE_KEY", environ.get("SOPS_AGE_KEY"))]
    named = environ.get("SOPS_AGE_KEY_FILE")
    if named:
        places.append(_file(ws, f"$SOPS_AGE_KEY_FILE {named}", ws.root / named))
    else:
        places.append(Place("$SOPS_AGE_KEY_FILE", _NOT_SET))
    places.append(_file(ws, _tilde(config, home), config))
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
    return places


def development_recipients(ws: Workspace) -> set[str]:
    """Return the public keys whose secret part everyone with the repository has."""
    derived = age.public_keys(ws.runner, _development_text(ws))
    return {*ws.config.secrets.development_keys, *derived}


def _development_text(ws: Workspace) -> str:
    path = ws.root / DEVELOPMENT_KEY
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _file(ws: Workspace, name: str, path: Path) -> Place:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return Place(name, "no such file")
    except OSError as error:
        return Place(name, error.strerror or "cannot be read")
    return _text(ws, name, text)


def _text(ws: Workspace, name: str, text: str | None) -> Place:
    if not text:
        return Place(name, _NOT_SET)
    recipients = age.public_keys(ws.runner, text)
    if recipients:
        return Place(name, ", ".join(age.short(key) for key in recipients), recipients)
    return Place(name, "set" if age.has_secret_key(text) else "holds no age key")


def _tilde(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
