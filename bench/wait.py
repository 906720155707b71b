"""How soon the wait tells what is so: ready, hopeless, in which order, and at what price.

    .venv/bin/python bench/wait.py [--rounds 5] [--only ready,verdict,chain,forty,causes]

Each stack is a project of its own, whose containers are removed again. It is made of a static
busybox, which is built from Debian's package where the tests have not built it yet.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import goservices
from startup import INVOKE, ROOT, interleaved, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGE: Final = "hullwright-test/busybox:1"
PROBE: Final = "interval: 5s, start_period: 60s, start_interval: 250ms"
# The image's own httpd takes connections on every address as soon as it listens.
SERVE: Final = "exec httpd -f -p 80"
# What a service itself says when a probe of its own, every 10 ms, has succeeded.
SAY: Final = "(until {probe}; do usleep 10000; done; echo truly ready) &"
LISTENS: Final = "echo | nc 127.0.0.1 80 >/dev/null 2>&1"
ASKS: Final = '[CMD, wget, -q, -O, /dev/null, "http://127.0.0.1/bin/busybox"]'
# Services that are ready once a file is there have no port: only their health check tells.
FILE: Final = "test -f /ready"


@contextmanager
def stack(services: str) -> Iterator[Path]:
    """Yield a repository with a compose file; its containers are removed afterwards."""
    project = f"bench-wait-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / project
        folder.mkdir()
        (folder / "compose.yaml").write_text(f"name: {project}\nservices:\n{services}")
        (folder / "tasks.py").write_text(
            "from hullwright.tasks import collection\n\nns = collection()\n"
        )
        (folder / ".gitignore").write_text("__pycache__/\n")
        goservices.git(folder, "init", "-q")
        goservices.git(folder, "add", "-A")
        goservices.git(folder, "commit", "-q", "-m", "A stack")
        try:
            yield folder
        finally:
            down(folder)


def service(name: str, script: str, more: str = "") -> str:
    """Return a service that runs a script, as a compose file has it."""
    return (
        f"  {name}:\n    image: {IMAGE}\n    stop_grace_period: 0s\n"
        f"    command: [sh, -c, {json.dumps(script.replace('$', '$$'))}]\n"
        + "".join(f"    {line}\n" for line in more.splitlines())
    )


def probed(test: str) -> str:
    """Return a health check, as a compose file has it."""
    return f"healthcheck: {{test: {test}, {PROBE}}}"


def docker(*words: str) -> str:
    """Return what a docker command printed."""
    done = subprocess.run(["docker", *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def down(folder: Path) -> None:
    """Remove what a stack left."""
    words = ["docker", "compose", "--progress", "quiet", "down", "--timeout", "0", "--volumes"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def told(folder: Path, *words: str) -> dict[str, Any]:
    """Return what a task of the stack told as JSON; it may have found that the stack failed."""
    argv = [INVOKE, *words, "--format", "json"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1} or not done.stdout:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]  # a document of ours


def came(folder: Path) -> tuple[dict[str, Any], float, float]:
    """Bring a stack up; return what was told, when the start began, and when the command ended.

    Both in epoch seconds. What is told counts from the first; the engine's own time of a start,
    which is what is told as started, says when that was.
    """
    report = told(folder, "up")
    ended_at = time.time()
    each = next(each for each in report["services"] if each["started_s"] is not None)
    started_at = epoch_s(inspected(folder, each["service"])["StartedAt"])
    return report, started_at - each["started_s"], ended_at


def epoch_s(text: str) -> float:
    """Return the seconds of the engine's time, which has nanoseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


def inspected(folder: Path, name: str) -> dict[str, Any]:
    """Return the state of a service's container."""
    shown = docker("inspect", "--format", "{{json .State}}", f"{folder.name}-{name}-1")
    return json.loads(shown)  # type: ignore[no-any-return]  # the engine's document


def ready(rounds: int) -> None:
    """Print how much later than a probe of the services' own the wait saw them ready."""
    delays = {"a": 0.3, "b": 0.9, "c": 1.4, "d": 0.6, "e": 1.1}
    files = {"d", "e"}
    services = "".join(
        service(
            name,
            f"{SAY.format(probe=FILE)} sleep {delay_s}; touch /ready; exec sleep 600"
            if name in files
            else f"{SAY.format(probe=LISTENS)} sleep {delay_s}; {SERVE}",
            probed("[CMD-SHELL, test -f /ready]")
            if name in files
            else probed(ASKS) + '\nexpose: ["80"]',
        )
        for name, delay_s in delays.items()
    )
    late: dict[str, list[float]] = {name: [] for name in delays}
    with stack(services) as folder:
        for _ in range(rounds):
            report, began_at, _ = came(folder)
            for each in report["services"]:
                name = each["service"]
                logs = docker("logs", "--timestamps", f"{folder.name}-{name}-1")
                truly = next(line for line in logs.splitlines() if line.endswith("truly ready"))
                late[name].append(began_at + each["ready_s"] - epoch_s(truly.split()[0]))
            down(folder)
    for kind, chosen in (("listening", set(delays) - files), ("by health check only", files)):
        found = [lag_s for name in chosen for lag_s in late[name]]
        row(
            f"reported ready − truly ready, {kind}",
            f"median {median(found) * 1000:.0f} ms of {len(found)}",
            f"{max(found) * 1000:.0f} ms",
            "≤ 350 ms",
            held=max(found) <= 0.35,
        )


def verdicts(rounds: int) -> None:
    """Print how long after the fact the verdict stood, and how long until it was explained."""
    dead = service("app", "sleep 1; exit 3", probed(ASKS))
    waits = service("web", "sleep 600", "depends_on: {app: {condition: service_healthy}}")
    verdict("a dependency's death → verdict", dead + waits, rounds, died)
    for code, test in (
        ("-1", "[CMD, curl, -f, localhost]"),
        ("127", "[CMD-SHELL, curl -f localhost]"),
        ("126", "[CMD-SHELL, /etc]"),
    ):
        services = service("app", "mkdir -p /etc; exec sleep 600", probed(test))
        title = f"first probe that could not run ({code}) → verdict"
        verdict(title, services, rounds, first_probe_ended)


def verdict(
    title: str, services: str, rounds: int, fact: Callable[[dict[str, Any]], float]
) -> None:
    """Print how long after a fact the verdict on it stood, and the command that explains ended."""
    ends, stood = [], []
    with stack(services) as folder:
        for _ in range(rounds):
            report, began_at, ended_at = came(folder)
            state = inspected(folder, "app")
            stood.append(began_at + report["total_s"] - fact(state))
            ends.append(ended_at - fact(state))
            down(folder)
    figures = f"median {median(stood):.2f} s; explained {median(ends):.2f} s"
    row(title, figures, f"{max(stood):.2f} s", "≤ 1 s", held=max(stood) <= 1)


def died(state: dict[str, Any]) -> float:
    """Return when a container ended."""
    return epoch_s(state["FinishedAt"])


def first_probe_ended(state: dict[str, Any]) -> float:
    """Return when the first probe of a container ended."""
    return epoch_s(state["Health"]["Log"][0]["End"])


def chain(rounds: int) -> None:
    """Print how exactly the times of services are told that wait for each other."""
    own = {"first": 1.0, "second": 2.0, "third": 3.0}
    services, before = service("aside", SERVE, probed(ASKS) + '\nexpose: ["80"]'), ""
    for name, delay_s in own.items():
        more = probed(ASKS) + '\nexpose: ["80"]'
        if before:
            more += f"\ndepends_on: {{{before}: {{condition: service_healthy}}}}"
        services += service(name, f"sleep {delay_s}; {SERVE}", more)
        before = name
    off: list[float] = []
    paths: set[tuple[str, ...]] = set()
    with stack(services) as folder:
        for _ in range(rounds):
            (run,) = told(folder, "cold-start")["runs"]
            paths.add(tuple(run["critical_path"]))
            by_name = {each["service"]: each for each in run["services"]}
            off += [
                abs(by_name[name]["ready_s"] - by_name[name]["started_s"] - delay_s)
                for name, delay_s in own.items()
            ]
    row(
        "a chain of services that are ready after 1, 2, 3 s: off by",
        f"median {median(off) * 1000:.0f} ms of {len(off)}",
        f"{max(off) * 1000:.0f} ms",
        "≤ 300 ms",
        held=max(off) <= 0.3,
    )
    path = " → ".join(paths.pop()) if len(paths) == 1 else f"{len(paths)} different"
    row("its critical path", "", path, "first → second → third", held=path == " → ".join(own))


def forty(rounds: int) -> None:
    """Print what `up` costs beside `docker compose up --wait` for a stack of 40 services."""
    services = "".join(
        service(f"s{number}", SERVE, probed(ASKS) + '\nexpose: ["80"]') for number in range(40)
    )
    bare = ["docker", "compose", "--progress", "quiet", "up", "--detach", "--wait"]
    with stack(services) as folder:

        def timed(words: list[str]) -> float:
            started = time.perf_counter()
            subprocess.run(words, cwd=folder, capture_output=True, check=True)
            taken = time.perf_counter() - started
            down(folder)
            return taken

        timed(bare)
        ours, theirs = interleaved(rounds, lambda: timed([INVOKE, "up"]), lambda: timed(bare))
    overhead = ours / theirs - 1
    row(
        "40 services: invoke up ÷ docker compose up --wait",
        f"{ours:.2f} s ÷ {theirs:.2f} s",
        f"{overhead:+.1%}",
        "≤ +5 %",
        held=overhead <= 0.05,
    )


def causes() -> None:
    """Print of how many seeded failures the right cause was named."""
    # The tests' own: what they hold one by one is counted here.
    sys.path.insert(0, str(ROOT / "tests"))
    composing, seeded = importlib.import_module("composing"), importlib.import_module("seeded")
    seeded.make_images()
    wrong = []
    for seed in seeded.SEEDS:
        project = composing.new_project()
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / project
            root.mkdir()
            try:
                environ = composing.environ_of(Path(folder) / "state")
                outcome = seeded.start(composing.Made(root, project, environ), seed)
            finally:
                composing.remove(project)
        if outcome.told != seed.expected:
            wrong.append(f"{seed.name}: {outcome.told}")
    right, all_ = len(seeded.SEEDS) - len(wrong), len(seeded.SEEDS)
    words = "\n  ".join(wrong)
    row("seeded failures, right cause named", words, f"{right} of {all_}", "all", held=not wrong)


def make_image() -> None:
    """Build the image of all these services where it is not there."""
    with suppress(subprocess.CalledProcessError):
        docker("image", "inspect", IMAGE)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        subprocess.run(["apt-get", "download", "busybox-static"], cwd=folder, check=True)
        (package,) = folder.glob("busybox-static*.deb")
        subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
        (folder / "Dockerfile").write_text(
            "FROM scratch\nCOPY */bin/busybox /bin/busybox\n"
            'RUN ["/bin/busybox", "--install", "-s", "/bin"]\nLABEL dev.hullwright.kind=test\n'
        )
        docker("buildx", "build", "--quiet", "--load", "--tag", IMAGE, str(folder))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="ready,verdict,chain,forty,causes")
    arguments = parser.parse_args()
    chosen, rounds = arguments.only.split(","), arguments.rounds
    make_image()
    if "ready" in chosen:
        ready(rounds)
    if "verdict" in chosen:
        verdicts(rounds)
    if "chain" in chosen:
        chain(rounds)
    if "forty" in chosen:
        forty(rounds)
    if "causes" in chosen:
        causes()


if __name__ == "__main__":
    main()
