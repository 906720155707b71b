"""Legal tags: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`, with a short hash where something was lost.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

LONGEST: Final = 128
_HASH_DIGITS: Final = 8
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


def sanitized(text: str) -> str:
    """Return `text` with one `-` for each run of letters that no tag may have."""
    return _ILLEGAL.sub("-", text)


def cut(text: str) -> str:
    """Return `text`, already sanitized, without what a tag cannot begin with or has no room for."""
    return text.lstrip("-.")[:LONGEST]


def with_hash(text: str, source: str, digits: int = _HASH_DIGITS) -> str:
    """Return a legal tag that differs wherever `source` does: `text` and a short hash of it."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:digits]
    stem = text.lstrip("-.")[: LONGEST - digits - 1].rstrip("-.")
    return f"{stem}-{digest}" if stem else digest
