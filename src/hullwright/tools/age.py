"""Age keys: which public key belongs to a secret one. A secret key never reaches an argument."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.secret import Secret

if TYPE_CHECKING:
    from hullwright.run import Runner

_PUBLIC: Final = re.compile(r"\bage1[0-9a-z]{20,}\b")
_SECRET: Final = re.compile(r"^AGE-(?:SECRET-KEY|PLUGIN)-[0-9A-Z-]+[ \t]*$", re.MULTILINE)
_SHORT_AROUND: Final = (6, 2)


def public_keys(runner: Runner, text: str) -> tuple[str, ...]:
    """Return the public keys of a key file's text, by its comments and by `age-keygen -y`.

    A comment alone could name another key; where the program is missing it has to do.
    """
    found = dict.fromkeys(_PUBLIC.findall("\n".join(_comments(text))))
    if has_secret_key(text) and runner.find("age-keygen"):
        runner.secrets.update(Secret(key) for key in _SECRET.findall(text))
        # Its input is a key file: even masked, that is nothing to show.
        derived = replace(runner, echo=None).read("age-keygen", "-y", stdin=text, check=False)
        found |= dict.fromkeys(_PUBLIC.findall(derived.stdout))
    return tuple(found)


def has_secret_key(text: str) -> bool:
    """Return whether a text holds a secret age key, or stands for one of a plugin."""
    return _SECRET.search(text) is not None


def short(recipient: str) -> str:
    """Return a recipient as people compare it: its beginning and its end; of SSH with its kind."""
    head, tail = _SHORT_AROUND
    if recipient.startswith("age1"):
        return f"{recipient[:head]}…{recipient[-tail:]}"
    kind, _, key = recipient.partition(" ")
    return f"{kind} …{key[-head:]}" if kind.startswith("ssh-") and len(key) > head else recipient


def _comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]
