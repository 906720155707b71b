"""What builds of many services take beside the bare tools, as ratios from one run.

    .venv/bin/python bench/build.py [--rounds 3] [--only fifty|lines|cold]

Every pair is measured in turn. It makes its repositories in a temporary folder and removes the
images that it made; what BuildKit cached of them is left to BuildKit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Final

import goservices
from startup import INVOKE, RAW_BAKE, interleaved, remove_images, renamed, row, seconds

FIFTY: Final = 50
BOTH: Final = ("linux/amd64", "linux/arm64")


def fifty(folder: Path, project: str, rounds: int) -> None:
    """Measure 50 services with nothing changed against a raw bake of the same file."""
    repository = folder / "fifty"
    for number in range(FIFTY):
        service = repository / f"s{number:02}"
        (service / "src").mkdir(parents=True)
        (service / "Dockerfile").write_text("FROM scratch\nCOPY src /src\nENV NAME=service\n")
        for index in range(5):
            (service / "src" / f"{index}.txt").write_text(f"{number} {index}\n" * 200)
    names = [f"s{number:02}" for number in range(FIFTY)]
    tables = "".join(
        f'[services.{name}]\ncontext = "{name}"\nimage = "{project}/{name}"\n' for name in names
    )
    (repository / "hullwright.toml").write_text(f'project = "{project}"\n\n{tables}')
    (repository / "tasks.py").write_text(
        "from hullwright.tasks import collection\n\nns = collection()\n"
    )
    (repository / ".gitignore").write_text("__pycache__/\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Fifty services"]):
        goservices.git(repository, *words)
    seconds([INVOKE, "build"], repository)
    printed = subprocess.run(
        [INVOKE, "build", "--print"], cwd=repository, capture_output=True, text=True, check=True
    )
    file = folder / "fifty.json"
    file.write_text(renamed(printed.stdout))
    ours, bare = interleaved(
        rounds,
        lambda: seconds([INVOKE, "build"], repository),
        lambda: seconds([*RAW_BAKE[:-1], str(file)], repository),
    )
    ratio("50 services, nothing changed ÷ raw bake of the same file", ours, bare, 0.5)


def lines(folder: Path, project: str, rounds: int) -> None:
    """Measure one changed line in each of six Go services against six builds in turn."""
    repository = folder / "lines"
    goservices.make(repository, project=project)
    goservices.dockerfile(repository, shared=True, cache=project)
    seconds([INVOKE, "build"], repository)

    def ours() -> float:
        goservices.dockerfile(repository, shared=True, cache=project)
        goservices.change(repository, uuid.uuid4().hex)
        return seconds([INVOKE, "build"], repository)

    def plain() -> float:
        goservices.dockerfile(repository, shared=False, cache=project)
        goservices.change(repository, uuid.uuid4().hex)
        return sum(
            seconds(
                [
                    *("docker", "buildx", "build", "--load", "--provenance=false", "."),
                    *("--build-arg", f"SERVICE={name}", "--tag", f"{project}/{name}:plain"),
                ],
                repository,
            )
            for name in goservices.NAMES
        )

    plain()
    one, other = interleaved(rounds, ours, plain)
    ratio("6 Go services, a line changed in each ÷ six builds in turn", one, other, 0.6)


def cold(folder: Path, project: str, rounds: int) -> None:
    """Measure six Go services for two architectures, nothing compiled before, against bake."""
    repository = folder / "cold"
    goservices.make(repository, project=project)
    file = goservices.bake_file(repository, project, BOTH)
    platforms = [word for platform in BOTH for word in ("--platform", platform)]

    def ours() -> float:
        goservices.dockerfile(repository, shared=True, cache=f"{project}-{uuid.uuid4().hex}")
        return seconds([INVOKE, "build", *platforms], repository)

    def plain() -> float:
        goservices.dockerfile(repository, shared=False, cache=f"{project}-{uuid.uuid4().hex}")
        return seconds(["docker", "buildx", "bake", "-f", str(file)], repository)

    one, other = interleaved(rounds, ours, plain)
    ratio("6 Go services × 2 architectures, cold ÷ bake, usual Dockerfile", one, other, 0.5)


def ratio(what: str, ours: float, bare: float, reach: float) -> None:
    """Print one line of the table."""
    row(
        what,
        f"{ours:.2f} s ÷ {bare:.2f} s",
        f"{ours / bare:.2f}",
        f"≤ {reach}",
        held=ours / bare <= reach,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("fifty", "lines", "cold"))
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    project = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            for measure in (fifty, lines, cold):
                if asked.only in {None, measure.__name__}:
                    measure(Path(folder), project, asked.rounds)
        finally:
            remove_images(f"{project}/*")


if __name__ == "__main__":
    main()
