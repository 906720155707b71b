"""What the lock of base images costs: the check of it, and the named contexts that stand for it.

    .venv/bin/python bench/lock.py [--rounds 9]

It makes its repository in a temporary folder and its base images in the local store; both are
removed. The check is timed in new processes that have imported what a build imports, so that it
pays for its own imports.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from statistics import median
from typing import Final

import goservices
from startup import INVOKE, RAW_BAKE, interleaved, remove_images, row, seconds

from hullwright.bases import load_recipes

IMAGES: Final = 20
SERVICES: Final = 6
PLATFORMS: Final = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")
# Nobody listens there, so nobody can be asked, with the lock or without.
REGISTRY: Final = "127.0.0.1:9"
CHECK: Final = """\
import io, sys, time
from pathlib import Path
from hullwright import build
from hullwright.config.load import load
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.workspace import Workspace
root = Path(sys.argv[1])
config = load(root, {})
console = Console({}, out=io.StringIO(), err=io.StringIO())
started = time.perf_counter()
from hullwright import bases, locked
lock = locked.load(root)
found = bases.check(Workspace(root, config, Runner({}), console, {}), lock)
print((time.perf_counter() - started) * 1000)
assert found == (), found
assert len(lock.images) == int(sys.argv[2])
"""


def check(folder: Path, rounds: int) -> None:
    """Measure the check of twenty images, two of them stand-ins of a hundred packages."""
    repository = folder / "check"
    names = [f"team/base{number:02}:1.{number}" for number in range(IMAGES)]
    for number, name in enumerate(names):
        place = repository / f"s{number}"
        place.mkdir(parents=True)
        text = f"FROM --platform=$BUILDPLATFORM {name} AS build\nRUN true\n"
        (place / "Dockerfile").write_text(text + f"FROM {name}\nCOPY --from=build /x /x\n" * 2)
    tables = "".join(f'[services.s{n}]\ncontext = "s{n}"\n' for n in range(IMAGES))
    platforms = ", ".join(f'"{platform}"' for platform in PLATFORMS)
    (repository / "hullwright.toml").write_text(
        f'project = "check"\nplatforms = [{platforms}]\n\n{tables}'
    )
    recipes = [recipe(repository, name) for name in names[:2]]
    entries = [entry(name, dict(zip(names, recipes, strict=False)).get(name)) for name in names]
    (repository / "images.lock").write_text("schema = 1\n\n" + "\n".join(entries))
    words = [sys.executable, "-c", CHECK, str(repository), str(IMAGES)]
    taken = [
        float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    figure = median(taken)
    what = f"--locked: the check of {IMAGES} images"
    row(what, f"most {max(taken):.0f} ms", f"{figure:.0f} ms", "≤ 100 ms", held=figure <= 100)


def recipe(repository: Path, image: str) -> str:
    """Write a recipe that stands for an image and return its digest."""
    place = repository / "deploy/base-images" / image.partition(":")[0].replace("/", "-")
    place.mkdir(parents=True)
    (place / "recipe.toml").write_text(f'stands-for = ["{image}"]\nsuite = "trixie"\n')
    (place / "Dockerfile").write_text("FROM scratch\n")
    return load_recipes(repository)[image].digest


def entry(image: str, stand_in: str | None) -> str:
    """Return the lines of an image in the lock."""
    digest = f"sha256:{'ab' * 32}"
    head = f'[image."{image}"]\nsource = "x"\nat = 2026-11-21T10:00:00Z\n'
    if stand_in:
        packages = "".join(f'package{n} = "1.{n}"\n' for n in range(100))
        return f'{head}stand-in = "{stand_in}"\n[image."{image}".packages]\n{packages}'
    platforms = "".join(f'"{platform}" = "{digest}"\n' for platform in PLATFORMS)
    return f'{head}digest = "{digest}"\n[image."{image}".platforms]\n{platforms}'


def contexts(folder: Path, project: str, rounds: int) -> None:
    """Measure builds of which nothing changed, with the lock and without it."""
    repository = folder / "contexts"
    for number in range(SERVICES):
        place = repository / f"s{number}"
        (place / "src").mkdir(parents=True)
        (place / "src" / "file.txt").write_text(f"{project} {number}\n" * 100)
        base = f"{REGISTRY}/{project}/base{number}:1"
        (place / "Dockerfile").write_text("FROM scratch\nCOPY src /base\n")
        seconds(["docker", "build", "--quiet", "--tag", base, "."], place)
        (place / "Dockerfile").write_text(f"FROM {base}\nCOPY src /src\n")
    tables = "".join(
        f'[services.s{n}]\ncontext = "s{n}"\nimage = "{project}/s{n}"\n' for n in range(SERVICES)
    )
    (repository / "hullwright.toml").write_text(f'project = "{project}"\n\n{tables}')
    (repository / "tasks.py").write_text(
        "from hullwright.tasks import collection\n\nns = collection()\n"
    )
    (repository / ".gitignore").write_text("__pycache__/\nimages.lock\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Six services"]):
        goservices.git(repository, *words)
    lock = repository / "images.lock"
    without = definition(repository, folder / "without.json")
    seconds([INVOKE, "images", "--lock"], repository)
    pinned = definition(repository, folder / "with.json")
    if "docker-image://" in without.read_text() or "docker-image://" not in pinned.read_text():
        sys.exit("the two definitions do not differ by the contexts of the lock")
    content = lock.read_text()

    def ours(*, locked: bool) -> float:
        if locked:
            lock.write_text(content)
        else:
            lock.unlink(missing_ok=True)
        return seconds([INVOKE, "build"], repository)

    for file in (pinned, without):
        seconds([*RAW_BAKE[:-1], str(file)], repository)
    one, other = interleaved(
        rounds,
        lambda: seconds([*RAW_BAKE[:-1], str(pinned)], repository),
        lambda: seconds([*RAW_BAKE[:-1], str(without)], repository),
    )
    ratio(f"raw bake of {SERVICES} unchanged images, with named contexts ÷ without", one, other)
    ours(locked=True)
    one, other = interleaved(rounds, lambda: ours(locked=True), lambda: ours(locked=False))
    ratio(f"invoke build of {SERVICES} unchanged images, with the lock ÷ without", one, other)


def definition(repository: Path, file: Path) -> Path:
    """Write the bake definition of a repository as it is now to a file, and return that."""
    printed = subprocess.run(
        [INVOKE, "build", "--print"], cwd=repository, capture_output=True, text=True, check=True
    )
    file.write_text(printed.stdout)
    return file


def ratio(what: str, ours: float, bare: float) -> None:
    """Print one line of the table."""
    figures = f"{ours:.3f} s ÷ {bare:.3f} s"
    row(what, figures, f"{ours / bare:.3f}", "≤ 1.05", held=ours / bare <= 1.05)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    project = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(Path(folder), asked.rounds)
            contexts(Path(folder), project, asked.rounds)
        finally:
            remove_images(f"{project}/*", f"{REGISTRY}/{project}/*")


if __name__ == "__main__":
    main()
