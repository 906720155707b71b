"""Programs that no package brings, compiled once from their Go modules and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from spreading import one_at_a_time


def compiled(name: str, package: str, version: str) -> Path:
    """Return a Go program of a version, compiled where it is missing (a minute or so, once).

    Args:
        name: of the program.
        package: path of its main package.
        version: of the module that has it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hullwright"
    made = cache / "bin" / f"{name}-{version}"
    with one_at_a_time(cache / "modules" / f"{name}.lock"):
        if not made.exists():
            _compile(made, cache / "modules" / name, package, version)
    return made


def _compile(made: Path, folder: Path, package: str, version: str) -> None:
    # A main module of our own: `go install` refuses modules with replace directives.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(f"module hullwright.invalid/{folder.name}\n", encoding="utf-8")
    part = made.with_name(f"{made.name}.{os.getpid()}")
    made.parent.mkdir(parents=True, exist_ok=True)
    for words in (
        ("go", "get", f"{package}@{version}"),
        ("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(part), package),
    ):
        done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
    part.rename(made)
