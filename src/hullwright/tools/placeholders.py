"""What stands for a secret: a name that says so, and a value of an example that is made up."""

from __future__ import annotations

import re
from typing import Final

_PLACEHOLDER: Final = re.compile(r"(?i)change[-_]?me|replace[-_]?me|<[^<>]*>")
_NAMES_A_SECRET: Final = re.compile(r"PASSWORD|SECRET|TOKEN|(?:^|_|API)KEYS?(?:_|$)")
# These say where a secret is or what it is called.
_NAMES_A_PLACE: Final = re.compile(r"_(?:FILE|PATH|DIR|URL|HOST|ID|NAME)$")


def is_placeholder(name: str, value: str) -> bool:
    """Return whether an example's value stands for one that must be made up.

    `change-me`, `replace-me` and `<…>` always do; nothing does for a name of a password, secret,
    token or key.
    """
    return _PLACEHOLDER.fullmatch(value) is not None if value else names_a_secret(name)


def names_a_secret(name: str) -> bool:
    """Return whether a variable's name says that its value is a password, secret, token or key."""
    return bool(_NAMES_A_SECRET.search(name)) and not _NAMES_A_PLACE.search(name)
