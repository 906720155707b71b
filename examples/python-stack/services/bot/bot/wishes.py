"""What people write to the bot, and what it understands of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

HELP = "Write /remind 20m tea, with s, m, h or d, or /list, or /list and words to look for."
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_REMIND = re.compile(r"/remind\s+(\d{1,9})\s*([smhd])\s+(\S.*)", re.DOTALL | re.IGNORECASE)
_LIST = re.compile(r"/list(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)
_MOST_S = 366 * 86400


@dataclass(frozen=True)
class Remind:
    """Somebody wants to be reminded of something, in so many seconds."""

    in_s: int
    text: str


@dataclass(frozen=True)
class Look:
    """Somebody wants to know what there is, all or what has words like these."""

    words: str


def understood(text: str) -> Remind | Look | None:
    """Return what was meant; nothing where it is not clear."""
    # The one character that PostgreSQL keeps in no text.
    text = text.replace("\0", "").strip()
    if found := _REMIND.fullmatch(text):
        in_s = int(found[1]) * _UNITS_S[found[2].lower()]
        return Remind(in_s, found[3][:1000]) if in_s <= _MOST_S else None
    if found := _LIST.fullmatch(text):
        return Look(found[1] or "")
    return None
