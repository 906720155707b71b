"""What Hullwright adds to the bare tools' time, as ratios and differences from one run.

Machines are noisy, so each pair is measured in turn, many times, and the medians are compared:

    .venv/bin/python bench/startup.py [--rounds 15]

`invoke build` is only measured where an engine runs and `invoke build` was run before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent.parent
INVOKE = str(Path(sys.executable).parent / "invoke")
RAW_BAKE = ("docker", "buildx", "bake", "--allow=fs.read=*", "-f", "-")
EMPTY = "from invoke import task\n\n@task\ndef nothing(c):\n    '''Nothing.'''\n"  # one empty task


def seconds(words: Sequence[str], cwd: Path, stdin: str | None = None) -> float:
    """Return the seconds that a command takes; a failing one ends the benchmark."""
    started = time.perf_counter()
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, input=stdin, check=False)
    taken = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return taken


def git_seconds(words: Sequence[str], cwd: Path) -> tuple[float, float, int]:
    """Return the seconds of a command, those of its Git processes, and how many those were.

    Git itself writes them (trace2, https://git-scm.com/docs/api-trace2); the cost of starting a
    process comes on top of its figure, and so counts as ours.
    """
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        started = time.perf_counter()
        environ = {**os.environ, "GIT_TRACE2_EVENT": str(trace)}
        subprocess.run(words, cwd=cwd, capture_output=True, env=environ, check=True)
        taken = time.perf_counter() - started
        events = [json.loads(line) for line in trace.read_text().splitlines()]
    ends = [e["t_abs"] for e in events if e["event"] == "atexit" and "/" not in e["sid"]]
    return taken, sum(ends), len(ends)


def interleaved(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """Return the median of each measure; taken in turn, so that noise meets all alike."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for kept, measure in zip(taken, measures, strict=True):
            kept.append(measure())
    return [statistics.median(kept) for kept in taken]


def row(what: str, figures: str, reached: str, reach: str, *, held: bool) -> None:
    """Print one line of the table."""
    print(f"{'✓' if held else '✗'} {what:<58} {figures:<34} {reached:>9}   reach {reach}")


def remove_images(*patterns: str) -> None:
    """Remove the images of a run from the local store, by patterns of their names."""
    filters = [word for each in patterns for word in ("--filter", f"reference={each}")]
    listed = subprocess.run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", *filters],
        capture_output=True,
        text=True,
        check=True,
    )
    if listed.stdout.split():
        subprocess.run(
            ["docker", "image", "rm", "--force", *listed.stdout.split()],
            capture_output=True,
            check=True,
        )


def listing(rounds: int, empty: Path) -> None:
    """Measure `invoke --list` here against one with an empty `tasks.py`."""
    ours, bare = interleaved(
        rounds,
        lambda: seconds([INVOKE, "--list"], ROOT),
        lambda: seconds([INVOKE, "--list"], empty),
    )
    figures = f"{ours * 1000:.0f} ms ÷ {bare * 1000:.0f} ms"
    row(
        "invoke --list ÷ the same with an empty tasks.py",
        figures,
        f"{ours / bare:.2f}",
        "≤ 1.15",
        held=ours / bare <= 1.15,
    )


def version(rounds: int, empty: Path) -> None:
    """Measure `invoke version` against an empty task and the Git processes that it runs."""
    counts: list[int] = []

    def own() -> float:
        taken, git, count = git_seconds([INVOKE, "version"], ROOT)
        counts.append(count)
        return taken - git

    ours, bare = interleaved(rounds, own, lambda: seconds([INVOKE, "nothing"], empty))
    added = (ours - bare) * 1000
    figures = f"{ours * 1000:.0f} ms − {bare * 1000:.0f} ms, {max(counts)} git"
    row(
        "invoke version − its Git processes − an empty task",
        figures,
        f"{added:.0f} ms",
        "≤ 60 ms",
        held=added <= 60,
    )


def build(rounds: int) -> None:
    """Measure `invoke build` with nothing changed against raw bake of the same file."""
    command = [INVOKE, "build", "--service", "hullwright", "--target", "production"]
    printed = subprocess.run(
        [*command, "--print"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    definition = renamed(printed.stdout)
    seconds(command, ROOT)
    ours, bare = interleaved(
        rounds,
        lambda: seconds(command, ROOT),
        lambda: seconds(RAW_BAKE, ROOT, definition),
    )
    added = (ours - bare) * 1000
    row(
        "invoke build, nothing changed − docker buildx bake",
        f"{ours:.2f} s − {bare:.2f} s",
        f"{added:.0f} ms",
        "≤ 400 ms",
        held=added <= 400,
    )


def renamed(definition: str) -> str:
    """Return a bake definition under names of its own: else each takes the other's images away."""
    document = json.loads(definition)
    for target in document["target"].values():
        target["tags"] = [f"{tag}-raw" for tag in target["tags"]]
    return json.dumps(document)


def setup(rounds: int) -> None:
    """Measure `scripts/setup` with nothing to do."""
    (ours,) = interleaved(rounds, lambda: seconds(["scripts/setup"], ROOT))
    row("scripts/setup with nothing to do", "", f"{ours:.2f} s", "≤ 1 s", held=ours <= 1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    # As where the package is installed: its byte code is kept. The first round warms it up.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tasks.py").write_text(EMPTY)
        listing(rounds, Path(folder))
        version(rounds, Path(folder))
    build(rounds)
    setup(max(3, rounds // 3))


if __name__ == "__main__":
    main()
