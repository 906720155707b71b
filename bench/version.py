"""What the version of a large repository costs: Git processes, and the time beside them.

A repository with 15,000 commits and 1,900 tags is made in a temporary folder, with merges, and with
tags that are not SemVer; its tags are packed, as a clone's are, and it has no commit graph:

    .venv/bin/python bench/version.py [--rounds 15] [--commits 15000] [--tags 1900]

Git tells by trace2 how many processes ran (https://git-scm.com/docs/api-trace2). The time beside
them is that of `describe` without the waiting for them; what starting them costs is shown too.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullwright.config.models import Config, TagRule
from hullwright.console import Console
from hullwright.run import Result, Runner
from hullwright.tagging import compute, look
from hullwright.version import describe
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 1_000
FIRST_S = 1_500_000_000
MERGE_EVERY = 7
ANNOTATED_EVERY = 2
ODD_EVERY = 19
PROCESSES = 4
# Of the made history an early release: most of the others are above it.
OLD = "v1.2.3"
RULES = {
    "tags of semver": TagRule("semver", attributes={"pattern": "{{major}}.{{minor}}"}),
    "tags of pep440": TagRule("pep440", attributes={"pattern": "{{major}}.{{minor}}"}),
    "tags of match": TagRule("match", attributes={"pattern": r"v(\d+\.\d+)", "group": "1"}),
}
BESIDE_MS = 20
AUTHOR = "A <a@example.com>"


@dataclass
class Timed(Runner):
    """A runner that counts the seconds in which it waits for its programs."""

    waited_s: list[float] = field(default_factory=list)

    def read(self, *argv: str, **options: Any) -> Result:
        """Return the result of a command, and keep how long it took."""
        started = time.perf_counter()
        result = super().read(*argv, **options)
        self.waited_s.append(time.perf_counter() - started)
        return result


@dataclass(frozen=True)
class Measured:
    """One look at a repository: seconds beside its programs, in them, and what Git says of it."""

    beside_s: float
    waited_s: float
    git_s: float
    processes: int
    version: str


def history(commits: int, tags: int) -> Iterator[str]:
    """Yield a stream for `git fast-import`: side branches are merged, and tags are spread."""
    names = [name(number) for number in range(tags)]
    places = {commits * (number + 1) // tags: number for number in range(tags)}
    for number in range(1, commits + 1):
        mark = f"commit refs/heads/main\nmark :{number}\n"
        date = f"{AUTHOR} {FIRST_S + number * 600} +0000"
        yield f"{mark}author {date}\ncommitter {date}\n{data(f'change {number}')}"
        if number > MERGE_EVERY and number % MERGE_EVERY == 0:
            # As a branch that left a few commits ago: both its parents are in the history.
            yield f"from :{number - 1}\nmerge :{number - MERGE_EVERY // 2}\n"
        if number == 1:
            for file in range(FILES):
                yield f"M 100644 inline d{file % 40}/f{file}\n{data(f'{file}')}"
        yield f"M 100644 inline d{number % 40}/changing\n{data(f'{number}')}\n"
        if number in places:
            tag = names[places[number]]
            if places[number] % ANNOTATED_EVERY:
                yield f"tag {tag}\nfrom :{number}\ntagger {date}\n{data(tag)}"
            else:
                yield f"reset refs/tags/{tag}\nfrom :{number}\n\n"


def name(number: int) -> str:
    """Return a tag's name; some are no versions, some are pre-releases."""
    if number % ODD_EVERY == 1:
        return f"build-{number}"
    version = f"{number // 400}.{number // 20 % 20}.{number % 20}"
    return f"v{version}-rc.1" if number % 5 == 0 else f"v{version}"


def data(text: str) -> str:
    """Return a text as `git fast-import` takes it."""
    return f"data {len(text)}\n{text}\n"


def make(root: Path, commits: int, tags: int) -> None:
    """Make the repository and check it out."""
    git(root, "init", "--quiet", "--initial-branch=main")
    stream = "".join(history(commits, tags))
    git(root, "fast-import", "--quiet", stdin=stream)
    git(root, "pack-refs", "--all")
    git(root, "checkout", "--quiet", "--force", "main")


def git(root: Path, *words: str, stdin: str | None = None) -> str:
    """Return what a Git command prints."""
    done = subprocess.run(
        ("git", *words), cwd=root, input=stdin, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def measured(root: Path, paths: tuple[str, ...]) -> Measured:
    """Look at a repository once, as a task does."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        environ = {**os.environ, "GIT_TRACE2_EVENT": str(trace)}
        runner = Timed(environ)
        ws = Workspace(root, Config("bench"), runner, Console(environ), environ)
        started = time.perf_counter()
        found = describe(ws, paths=paths)
        taken = time.perf_counter() - started
        events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    ends = [each["t_abs"] for each in events if each["event"] == "atexit"]
    waited = sum(runner.waited_s)
    return Measured(taken - waited, waited, sum(ends), len(ends), found.version)


def row(what: str, all_of_them: list[Measured], *, limited: bool) -> bool:
    """Print the medians of one state and return whether they are within reach.

    A limit to paths needs another process, and one more where something is changed: that has no
    reach of its own.
    """
    processes = max(each.processes for each in all_of_them)
    beside, waited, own = (
        statistics.median(getattr(each, key) for each in all_of_them) * 1000
        for key in ("beside_s", "waited_s", "git_s")
    )
    held = processes <= PROCESSES and beside <= BESIDE_MS
    mark = "✓" if held else "–" if limited else "✗"
    print(
        f"{mark} {what:<28} {processes} git   {beside:5.1f} ms beside"
        f"   {waited:4.0f} ms in them, of which starting {waited - own:3.0f} ms"
        f"   {all_of_them[0].version}"
    )
    return held or limited


def states(root: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what a repository can be like, and the paths that limit its distance."""
    yield "clean, on a tag", ()
    git(root, "commit", "--quiet", "--allow-empty", "--message=more", *identity())
    yield "clean, after a tag", ()
    yield "the same, limited to a path", ("d7",)
    (root / "d1" / "changing").write_text("changed\n", encoding="utf-8")
    (root / "new").write_text("new\n", encoding="utf-8")
    yield "changed", ()
    yield "changed, limited to a path", ("d7",)


def tags_row(root: Path, what: str, rule: TagRule, rounds: int) -> bool:
    """Print what the tags of an old release cost beside Git, and return whether that is little."""
    took = []
    for _ in range(rounds):
        ws = Workspace(root, Config("bench"), Runner(os.environ), Console(os.environ), os.environ)
        context = look(ws, ref=f"refs/tags/{OLD}")
        started = time.perf_counter()
        compute(context, (rule,))
        took.append(time.perf_counter() - started)
    beside = statistics.median(took) * 1000
    held = beside <= BESIDE_MS
    print(f"{'✓' if held else '✗'} {what:<28}         {beside:5.1f} ms beside")
    return held


def identity() -> tuple[str, ...]:
    """Return the words that make a commit nobody's."""
    return (f"--author={AUTHOR}", "--no-gpg-sign")


def main() -> None:
    """Print a line for each state; end with 1 where one is out of reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--commits", type=int, default=15_000)
    parser.add_argument("--tags", type=int, default=1_900)
    options = parser.parse_args()
    os.environ |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    with tempfile.TemporaryDirectory(prefix="hullwright-bench-") as folder:
        root = Path(folder)
        make(root, options.commits, options.tags)
        print(f"{git(root, 'rev-list', '--count', 'HEAD')} commits, ", end="")
        print(f"{len(git(root, 'tag').splitlines())} tags, {git(root, '--version')}")
        held = [
            row(what, [measured(root, paths) for _ in range(options.rounds)], limited=bool(paths))
            for what, paths in states(root)
        ]
        held += [tags_row(root, what, rule, options.rounds) for what, rule in RULES.items()]
    print(f"  reach: at most {PROCESSES} git, at most {BESIDE_MS} ms beside them")
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
