"""Signs of life: a file whose time says when a loop last did what it is there for.

python -m nudge.heartbeat FILE SECONDS

The command is a health check. It ends with 0 where the file is younger than that, else with 1.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def beat(path: Path) -> None:
    """Say that the loop lives, now."""
    path.touch()


def trouble(path: Path, most_s: float, now: float) -> str:
    """Return what is wrong with a sign of life; nothing where it is fresh."""
    try:
        age_s = now - path.stat().st_mtime
    except FileNotFoundError:
        return f"no sign of life yet: {path} is not there"
    if age_s > most_s:
        return f"the last sign of life is {age_s:.1f} s old, more than {most_s:g} s"
    return ""


def main(words: list[str]) -> int:
    """Return the exit code of the health check."""
    file, most = words
    told = trouble(Path(file), float(most), time.time())
    print(told or "fresh")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
