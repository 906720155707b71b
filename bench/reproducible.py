"""Whether the root image, a Go and a Rust program come out the same, built twice without cache.

    .venv/bin/python bench/reproducible.py [--toolbox] [--only root|programs]

The sources are a clone of HEAD in a temporary folder, so nothing of this work tree but its commit
counts. The stand-ins of the compilers are made where they are missing, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import goservices
from startup import INVOKE, row

ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAMS: Final = ROOT / "tests/reproducible"
TASKS: Final = "from hullwright.tasks import collection\n\nns = collection()\n"


def programs(folder: Path) -> Path:
    """Return a repository with the Go and the Rust program, and the recipes of their bases."""
    repository = folder / "programs"
    shutil.copytree(PROGRAMS, repository)
    for language in ("golang", "rust"):
        recipe = Path("deploy/base-images") / language
        shutil.copytree(ROOT / recipe, repository / recipe)
    (repository / "tasks.py").write_text(TASKS)
    (repository / ".gitignore").write_text(".hullwright/\n__pycache__/\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Two programs"]):
        goservices.git(repository, *words)
    subprocess.run([INVOKE, "images", "--prepare", "--stand-ins"], cwd=repository, check=True)
    return repository


def verified(repository: Path, *words: str) -> dict[str, Any]:
    """Return what a check of a repository's images found."""
    command = [INVOKE, "build", "--verify-reproducible", "--format", "json", *words]
    done = subprocess.run(command, cwd=repository, stdout=subprocess.PIPE, text=True, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def told(found: dict[str, Any]) -> None:
    """Print the digests of both builds of each image."""
    seconds = f"{found['seconds']:.0f} s"
    for image in found["images"]:
        for platform in image["platforms"]:
            first, second = ((d or "none")[:19] for d in platform["digests"])
            what = f"{image['service']} {image['target']}".strip()
            figures = f"{first} {'=' if platform['same'] else '≠'} {second}"
            row(f"{what} {platform['platform']}", figures, seconds, "equal", held=platform["same"])


def main() -> None:
    """Build everything twice."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--toolbox", action="store_true", help="the image for CI jobs, too")
    parser.add_argument("--only", choices=["root", "programs"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hullwright-bench-") as name:
        folder = Path(name)
        if asked.only != "programs":
            clone = folder / "hullwright"
            goservices.git(folder, "clone", "-q", str(ROOT), str(clone))
            services = ["hullwright", *(["toolbox"] if asked.toolbox else [])]
            told(verified(clone, "--target", "production", "--service", ",".join(services)))
        if asked.only != "root":
            told(verified(programs(folder)))


if __name__ == "__main__":
    main()
