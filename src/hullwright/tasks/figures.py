"""Figures that flags take as text, so that what is none is refused as every other value is.

Invoke would end with a traceback at a flag of its own kind for figures.
"""

from __future__ import annotations


def figure(flag: str, text: str, of: str) -> int:
    """Return the whole number, 0 or more, that `--flag` was given.

    Args:
        flag: without its dashes.
        text: as it was typed.
        of: what is counted.

    Raises:
        UsageError: it is no such number.
    """
    from hullwright.errors import UsageError

    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f"--{flag} {text} is no number of {of}", next_step="0 or more")
    return int(text)
