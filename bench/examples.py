"""What the examples take: builds, sizes, cold starts, and what their teams have to keep.

    .venv/bin/python bench/examples.py [--rounds 5] [--only go-app] [--print]

Each example is copied out of the repository, as its tests do it. The cold build has no layer and no
compiler's or package manager's cache: its cache mounts have names that nobody had before. For the
rebuild one line of one source file is changed. The cold starts take turns with `docker compose up
-d --wait` of the same files without `start_interval`. The table goes to docs/examples.md.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from composing import remove  # noqa: E402  # the tests' modules lie beside this folder
from examples import EXAMPLES, Example, example  # noqa: E402  # likewise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE: Final = ROOT / "docs/examples.md"
BEGIN: Final = "<!-- figures -->"
END: Final = "<!-- end of figures -->"
HEAD: Final = (
    *("example", "cold build", "one line changed", "÷", "steps cached"),
    *("images: unpacked, compressed", "cold start", "Compose alone", "÷"),
    *("configuration", "task code"),
)
REBUILD: Final = 0.35
START: Final = 0.6
TASK_LINES: Final = 6
_CACHE: Final = re.compile(r"--mount=type=cache,(?:id=[^,\s]+,)?")
# What begins the first function of a program, and a statement that makes it another program.
_MAINS: Final = (
    ("main.go", r"^func main\(\) \{$", '\tprintln("WORD")'),
    ("main.rs", r"^(async )?fn main\(\)[^{]*\{$", '    eprintln!("WORD");'),
    ("*.py", r"^from __future__ import annotations$", 'ANOTHER = "WORD"'),
)


@dataclass
class Figures:
    """What was measured of one example; seconds, bytes, lines."""

    name: str
    changed: str = ""
    cold_s: float = 0
    rebuild_s: float = 0
    cached: int = 0
    steps: int = 0
    images: list[tuple[str, int, int]] = field(default_factory=list)
    starts_s: list[float] = field(default_factory=list)
    compose_s: list[float] = field(default_factory=list)
    config_lines: int = 0
    task_lines: int = 0

    @property
    def rebuild_ratio(self) -> float:
        return self.rebuild_s / self.cold_s

    @property
    def start_ratio(self) -> float:
        return statistics.median(self.starts_s) / statistics.median(self.compose_s)

    def cells(self) -> tuple[str, ...]:
        """Return its row of the table."""
        return (
            f"`{self.name}`",
            f"{self.cold_s:.1f} s",
            f"{self.rebuild_s:.1f} s, `{self.changed}`",
            _ratio(self.rebuild_ratio, REBUILD),
            f"{self.cached} of {self.steps}",
            "<br>".join(
                f"{name} {unpacked / 1e6:.1f} MB, {compressed / 1e6:.1f} MB"
                for name, unpacked, compressed in self.images
            ),
            f"{statistics.median(self.starts_s):.1f} s",
            f"{statistics.median(self.compose_s):.1f} s",
            _ratio(self.start_ratio, START),
            f"{self.config_lines} lines",
            f"{self.task_lines} lines",
        )


def _ratio(measured: float, reach: float) -> str:
    return f"{measured:.2f}" if measured <= reach else f"{measured:.2f}, missed"


def measured(name: str, folder: Path, rounds: int) -> Figures:
    """Return the figures of one example."""
    found = Figures(name)
    with example(name, folder) as copy:
        found.config_lines = _configuration(copy.path)
        found.task_lines = sum(_code(copy.path / file) for file in ("tasks.py", "noxfile.py"))
        _fresh_caches(copy)
        _builds(copy, found)
        _starts(copy, folder / "plain", found, rounds)
    return found


def _fresh_caches(copy: Example) -> None:
    """Give every cache mount a name that nobody had before: the cache behind it is empty."""
    fresh = uuid4().hex[:8]
    for file in _dockerfiles(copy.path):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(_renamed(line, fresh) for line in lines), encoding="utf-8")
    copy.commit("Give the caches names that nobody had before")


def _renamed(line: str, fresh: str) -> str:
    target = re.search(r"target=([^,\s]+)", line)
    name = target[1].strip("/").replace("/", "-") if target else "cache"
    # The same cache stays the same one in each step that mounts it.
    return _CACHE.sub(f"--mount=type=cache,id={fresh}-{name},", line)


def _dockerfiles(path: Path) -> Iterator[Path]:
    for file in sorted(path.rglob("*")):
        if file.is_file() and "dockerfile" in file.name.lower() and "ignore" not in file.name:
            yield file


def _builds(copy: Example, found: Figures) -> None:
    cold = copy.json("build", "--no-cache")
    found.cold_s = cold["seconds"]
    found.images = [
        (target["service"], size["unpacked_bytes"], size["compressed_bytes"])
        for target in cold["targets"]
        for size in target["sizes"]
    ]
    found.changed = _change_a_line(copy)
    again = copy.json("build")
    found.rebuild_s = again["seconds"]
    built = [target for target in again["targets"] if target["status"] == "built"]
    found.cached = sum(target["cached_steps"] for target in built)
    found.steps = sum(target["steps"] for target in built)


def _change_a_line(copy: Example) -> str:
    """Add a statement to the first program of the example, and return the file's path."""
    for pattern, begin, statement in _MAINS:
        for file in sorted(copy.path.rglob(pattern)):
            text = file.read_text(encoding="utf-8")
            place = re.search(begin, text, re.MULTILINE)
            path = file.relative_to(copy.path).as_posix()
            if place and not re.search(r"(^|/)tests?(_|/)|_test\.", path):
                # One that no build has seen: a layer of an earlier run would be taken otherwise.
                added = statement.replace("WORD", uuid4().hex)
                changed = f"{text[: place.end()]}\n{added}{text[place.end() :]}"
                file.write_text(changed, encoding="utf-8")
                copy.commit("Change a line")
                return path
    sys.exit(f"{copy.name} has no program in which a line could be changed")


def _starts(copy: Example, plain: Path, found: Figures, rounds: int) -> None:
    """Measure cold starts in turn with those of Compose without `start_interval`."""
    shutil.copytree(copy.path, plain, ignore=shutil.ignore_patterns(".git", ".hullwright"))
    for file in (*plain.rglob("*compose*.y*ml"), *_dockerfiles(plain)):
        file.write_text(_without_start_interval(file.read_text(encoding="utf-8")), encoding="utf-8")
    if not (plain / ".env").exists():
        copy.invoke("env", "--init")
        shutil.move(copy.path / ".env", plain / ".env")
    project = f"{copy.project}-plain"
    environ = copy.environ | {"COMPOSE_PROJECT_NAME": project}
    made = _built_names(plain, environ)
    try:
        _compose(plain, environ, "build")
        for _ in range(rounds):
            started = time.perf_counter()
            _compose(plain, environ, "up", "--detach", "--wait")
            found.compose_s.append(time.perf_counter() - started)
            remove(project)
            told = copy.json("cold-start")
            found.starts_s.append(told["runs"][0]["total_s"])
    finally:
        remove(project)
        # What a failed build did not make cannot be removed.
        subprocess.run(("docker", "image", "rm", *made), check=False, capture_output=True)
    shutil.rmtree(plain)


def _without_start_interval(text: str) -> str:
    text = re.sub(r"\s--start-interval=\S+", "", text)
    text = re.sub(r"^\s*start_interval:.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r",\s*start_interval:\s*[^,}\s]+", "", text)


def _compose(folder: Path, environ: dict[str, str], *words: str) -> str:
    return _done(("docker", "compose", *words), folder, environ)


def _done(words: Sequence[str], folder: Path, environ: dict[str, str]) -> str:
    ran = subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"{' '.join(words)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def _built_names(folder: Path, environ: dict[str, str]) -> list[str]:
    """Return the images that Compose would build, and that are not there yet."""
    told = json.loads(_compose(folder, environ, "config", "--format", "json"))
    names = {
        service.get("image") or f"{environ['COMPOSE_PROJECT_NAME']}-{name}"
        for name, service in told["services"].items()
        if "build" in service
    }
    look = ("docker", "image", "inspect")
    return [
        name
        for name in sorted(names)
        if subprocess.run((*look, name), check=False, capture_output=True).returncode
    ]


def _configuration(path: Path) -> int:
    """Return how many lines of configuration there are, without empty ones and comments."""
    own = path / "hullwright.toml"
    if own.exists():
        return _lines(own.read_text(encoding="utf-8"))
    text = (path / "pyproject.toml").read_text(encoding="utf-8")
    tables = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    return sum(_lines(table) for table in tables if re.match(r"\[+tool\.hullwright\b", table))


def _lines(text: str) -> int:
    stripped = (line.strip() for line in text.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def _code(file: Path) -> int:
    """Return how many lines of statements a Python file has, its docstring left out."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in body)


def table(all_figures: Sequence[Figures]) -> str:
    """Return the table, and below it what was reached."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(figures.cells() for figures in all_figures)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *(f"- {line}" for line in _reached(all_figures))])


def _reached(all_figures: Sequence[Figures]) -> Iterator[str]:
    for what, reach, misses in (
        (
            "rebuild after one changed line ÷ cold build",
            f"≤ {REBUILD}",
            [f"`{f.name}` {f.rebuild_ratio:.2f}" for f in all_figures if f.rebuild_ratio > REBUILD],
        ),
        (
            "cold start ÷ `docker compose up -d --wait` without `start_interval`",
            f"≤ {START}",
            [f"`{f.name}` {f.start_ratio:.2f}" for f in all_figures if f.start_ratio > START],
        ),
        (
            "a team's own task code",
            f"≤ {TASK_LINES} lines",
            [f"`{f.name}` {f.task_lines}" for f in all_figures if f.task_lines > TASK_LINES],
        ),
    ):
        yield f"{what}, reach {reach}: {'missed by ' + ', '.join(misses) if misses else 'held'}"


def main() -> None:
    """Measure the examples and write the table, or print it."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--only", action="append", default=[])
    words.add_argument("--print", action="store_true", help="print the table, and write nothing")
    options = words.parse_args()
    names = options.only or sorted(
        path.name for path in EXAMPLES.iterdir() if (path / "tasks.py").is_file()
    )
    all_figures = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="hullwright-examples-") as folder:
            all_figures.append(measured(name, Path(folder), options.rounds))
            print(table(all_figures[-1:]), flush=True)
    if options.only or options.print:
        return
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table(all_figures)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
