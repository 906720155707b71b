"""What a cold start takes beside `docker compose up --wait` of the same files, as a ratio.

The stack is PostgreSQL, Redis and an application that needs two seconds by itself; its health
checks are as the documentation of Compose writes them, with interval 10 s, start_period 30 s and no
start_interval (https://docs.docker.com/compose/how-tos/startup-order/). Both start from no
containers and no volumes, with the images present, in turn, and medians are compared:

    .venv/bin/python bench/coldstart.py [--rounds 3]

Ours is measured from when Compose is called to the verdict, the other one as the time of the whole
command. Images that are not in the store are pulled; where no registry can be reached, they are
this repository's stand-ins.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REACH = 0.5
RECIPES = Path(__file__).parents[1] / "deploy/base-images"
STACK = """\
services:
  db:
    image: postgres:17-trixie
    environment: {POSTGRES_USER: shop, POSTGRES_DB: shop, POSTGRES_PASSWORD: for-the-benchmark}
    volumes: [data:/var/lib/postgresql/data]
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U shop -d shop"]
      interval: 10s
      timeout: 10s
      retries: 5
      start_period: 30s
  cache:
    image: redis:8-trixie
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
      interval: 10s
      timeout: 10s
      retries: 5
      start_period: 30s
  app:
    image: python:3.13-slim-trixie
    command: [sh, -c, "sleep 2; exec python -m http.server 8000"]
    init: true
    expose: ["8000"]
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_healthy}
    healthcheck:
      test: ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000')"]
      interval: 10s
      timeout: 10s
      retries: 5
      start_period: 30s
volumes: {data: {}}
"""


def done(words: tuple[str, ...], folder: Path) -> str:
    """Return what a command printed; a failing one ends the benchmark."""
    environ = {**os.environ, "HULLWRIGHT_STAND_INS": str(RECIPES)}
    ran = subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"{' '.join(words)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def prepared(folder: Path) -> None:
    """Write the stack and have its images present."""
    (folder / "compose.yaml").write_text(STACK, encoding="utf-8")
    done((sys.executable, "-m", "hullwright", "images", "--prepare", "--stand-ins"), folder)


def ours_s(folder: Path) -> tuple[float, list[str]]:
    """Return the seconds of one cold start, and its critical path."""
    words = (sys.executable, "-m", "hullwright", "cold-start", "--format", "json")
    told = json.loads(done(words, folder))
    return told["runs"][0]["total_s"], told["runs"][0]["critical_path"]


def compose_s(folder: Path, project: str) -> float:
    """Return the seconds of `docker compose up --wait`; all of it is removed again."""
    compose = ("docker", "compose", "--project-name", project)
    try:
        started = time.perf_counter()
        done((*compose, "up", "--detach", "--wait"), folder)
        return time.perf_counter() - started
    finally:
        done((*compose, "down", "--volumes", "--timeout", "1"), folder)


def main() -> None:
    """Print the table of one run."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=3)
    rounds = words.parse_args().rounds
    ours: list[float] = []
    theirs: list[float] = []
    path: list[str] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / f"bench-{secrets.token_hex(3)}"
        folder.mkdir()
        prepared(folder)
        for _ in range(rounds):
            theirs.append(compose_s(folder, folder.name))
            taken_s, path = ours_s(folder)
            ours.append(taken_s)
    ours_median_s, theirs_median_s = statistics.median(ours), statistics.median(theirs)
    ratio = ours_median_s / theirs_median_s
    figures = f"{ours_median_s:.1f} s ÷ {theirs_median_s:.1f} s"
    what = "cold start ÷ docker compose up --wait"
    print(
        f"{'✓' if ratio <= REACH else '✗'} {what:<40} {figures:<20} {ratio:>6.2f}   reach {REACH}"
    )
    print(f"  critical path {' → '.join(path)} · medians of {rounds} rounds in turn, to "
          f"{max(ours):.1f} s and {max(theirs):.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
