"""What Hullwright adds to sops, as differences of medians from one run.

    .venv/bin/python bench/sops.py [--rounds 15]

Every pair is measured in turn, with the same file and the same key, in a repository that is made
for it in a temporary folder. `sops` is looked for where Hullwright looks for it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from startup import EMPTY, INVOKE, ROOT, interleaved, row, seconds

from hullwright.run import Runner

HULLWRIGHT: Final = str(Path(INVOKE).parent / "hullwright")
FILE: Final = ".env.sops.yaml"
KEY: Final = "deploy/environments/development.agekey"
PRODUCTION: Final = "deploy/environments/production.sops.yaml"
REACH_MS: Final = 200


def repository(root: Path, sops: str) -> Path:
    """Make a repository with this one's secrets and key, and a production file of another key."""
    for name in (FILE, KEY, "tasks.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "empty").mkdir()
    (root / "empty" / "tasks.py").write_text(EMPTY)
    (root / ".gitignore").write_text("/.env*\n/.hullwright/\n")
    (root / "hullwright.toml").write_text("[environments.production]\nproduction = true\n")
    subprocess.run(("git", "init", "--quiet"), cwd=root, check=True)
    key = root / "own.txt"
    subprocess.run(("age-keygen", "-o", str(key)), check=True, capture_output=True)
    public = subprocess.run(
        ("age-keygen", "-y", str(key)), check=True, capture_output=True, text=True
    )
    plain = root / "production.yaml"
    plain.write_text("".join(f"KEY_{number}: value {number}\n" for number in range(20)))
    words = (sops, "encrypt", "--age", public.stdout.strip(), "--output", PRODUCTION, str(plain))
    subprocess.run(words, cwd=root, check=True)
    return key


def has_task(name: str, root: Path) -> bool:
    """Return whether this Hullwright has a task."""
    words = (INVOKE, "--list")
    listed = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    return name in listed.stdout.split()


def difference(what: str, rounds: int, root: Path, ours: list[str], bare: list[str]) -> None:
    """Measure two commands in turn and print what the first takes more, and what Invoke alone."""
    mine, theirs, nothing = interleaved(
        rounds,
        lambda: seconds(ours, root),
        lambda: seconds(bare, root),
        lambda: seconds([INVOKE, "nothing"], root / "empty"),
    )
    added = (mine - theirs) * 1000
    figures = f"{mine * 1000:.0f} − {theirs * 1000:.0f} ms, an empty task {nothing * 1000:.0f}"
    row(what, figures, f"{added:.0f} ms", f"≤ {REACH_MS} ms", held=added <= REACH_MS)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sops = Runner(os.environ).resolve("sops")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        own = repository(root, sops)
        # The same key for both; each of the first runs warms up what it needs.
        os.environ["SOPS_AGE_KEY_FILE"] = str(root / KEY)
        decrypt, bare = [INVOKE, "decrypt"], [sops, "-d", FILE]
        difference("invoke decrypt − sops -d", rounds, root, decrypt, bare)
        as_yaml = [*decrypt, "--format", "yaml"]
        difference("the same, --format yaml", rounds, root, as_yaml, bare)
        if has_task("run-with", root):
            ours, bare = [HULLWRIGHT, "run-with", "--", "true"], [sops, "exec-env", FILE, "true"]
            difference("run-with true − sops exec-env true", rounds, root, ours, bare)
        os.environ["SOPS_AGE_KEY_FILE"] = str(own)
        decrypt, bare = [*decrypt, "--env", "production"], [sops, "-d", PRODUCTION]
        difference("invoke decrypt − sops -d, of production", rounds, root, decrypt, bare)


if __name__ == "__main__":
    main()
