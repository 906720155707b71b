"""The age keys of this machine, one by one: each is tried alone, so that none hides another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.run import cache_dir
from hullwright.secret import Secret
from hullwright.secrets.keys import DEVELOPMENT_KEY
from hullwright.tools import age, sops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.run import Result
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace

_OTHERS: Final = 0o077
# A home without any key.
_NOWHERE: Final = "/nonexistent"


@dataclass(frozen=True, slots=True)
class Identity:
    """One secret age key.

    Attributes:
        place: where it is: a file, or a variable.
        recipient: its public key.
        key: the secret part.
        loose: whether others on this machine can read the file.
    """

    place: str
    recipient: str
    key: Secret
    loose: bool = False


def here(ws: Workspace, source: Source) -> list[Identity]:
    """Return the age keys that sops would find here for a file; output shows none of them.

    Without `age-keygen` there are none, for it tells which public key belongs to each.
    """
    found: dict[str, Identity] = {}
    for place, text, loose in _texts(ws, source):
        for line in text.splitlines():
            if not age.has_secret_key(line):
                continue
            key = Secret(line.strip())
            ws.runner.secrets.add(key)
            public = age.public_keys(ws.runner, line)
            if public:
                found.setdefault(public[0], Identity(place, public[0], key, loose))
    return [*found.values()]


def decrypt_alone(ws: Workspace, source: Source, identity: Identity) -> Result:
    """Return how sops ends that has one key, and no other of this machine."""
    kept = {"PATH": ws.environ.get("PATH", ""), "HOME": _NOWHERE, "XDG_CONFIG_HOME": _NOWHERE}
    # Tools that setup built are found by the cache folder, which goes by the home folder.
    kept["XDG_CACHE_HOME"] = str(cache_dir(ws.environ).parent)
    runner = replace(ws.runner, environ=kept)
    return sops.decrypt(runner, source.path, {"SOPS_AGE_KEY": identity.key}, source.kind)


def _texts(ws: Workspace, source: Source) -> Iterator[tuple[str, str, bool]]:
    yield "$SOPS_AGE_KEY", ws.environ.get("SOPS_AGE_KEY", ""), False
    home = Path(ws.environ.get("HOME", "/"))
    config = Path(ws.environ.get("XDG_CONFIG_HOME") or home / ".config")
    named = ws.environ.get("SOPS_AGE_KEY_FILE")
    files = [ws.root / named] if named else []
    files.append(config / "sops/age/keys.txt")
    if not source.production:
        files.append(ws.root / DEVELOPMENT_KEY)
    for path in files:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
            loose = bool(path.stat().st_mode & _OTHERS) and path != ws.root / DEVELOPMENT_KEY
        except (OSError, ValueError):
            continue
        inside = path.is_relative_to(ws.root)
        yield str(path.relative_to(ws.root) if inside else path), text, loose
