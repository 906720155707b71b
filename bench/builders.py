"""How long two equal targets take on two nodes of one core each, against one such node.

    .venv/bin/python bench/builders.py [--rounds 3] [--work 2000]

Each node is a BuildKit daemon of the tests that may use one processor only, with its steps; it is
compiled where it is missing (75 s, once). `--work` is what a target hashes, in MB. The rounds of
both alternate, and each is a whole `invoke build`: dialling, planning and reporting count too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import goservices
import wait
from startup import INVOKE, ROOT, interleaved, row, seconds

sys.path.append(str(ROOT / "tests"))

from buildkit import daemon

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REACH: Final = 0.65
TARGETS: Final = ("a", "b")
DOCKERFILE: Final = """\
FROM scratch
COPY busybox /bin/busybox
COPY {name} /{name}
RUN ["/bin/busybox", "sh", "-c", "busybox dd if=/dev/zero bs=1M count={work} | busybox sha256sum"]
"""


@contextmanager
def nodes(count: int) -> Iterator[list[str]]:
    """Yield the addresses of daemons, each on a processor of its own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                daemon(
                    Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hwbk-"))),
                    core=core,
                )
            ).address
            for core in range(count)
        ]


def make(repository: Path, addresses: Sequence[str], work: int) -> None:
    """Write a repository of two equal targets, with builders of one node and of all."""
    builders = {"one": addresses[:1], "two": addresses}
    tables = [
        f'[services.{name}]\ncontext = "."\ndockerfile = "{name}.Dockerfile"\n' for name in TARGETS
    ]
    for name, mine in builders.items():
        ends = ", ".join(f'{{ endpoint = "{address}" }}' for address in mine)
        tables.append(f'[builders.{name}]\ndriver = "remote"\nnodes = [{ends}]\n')
    (repository / "hullwright.toml").write_text(
        f'project = "{repository.name}"\n' + "\n".join(tables)
    )
    (repository / "tasks.py").write_text(
        "from hullwright.tasks import collection\n\nns = collection()\n"
    )
    (repository / ".gitignore").write_text(".hullwright/\n__pycache__/\n")
    for name in TARGETS:
        (repository / f"{name}.Dockerfile").write_text(DOCKERFILE.format(name=name, work=work))
        (repository / name).write_text(name)
    copied = wait.docker("create", wait.IMAGE, "true").strip()
    try:
        wait.docker("cp", f"{copied}:/bin/busybox", str(repository / "busybox"))
    finally:
        wait.docker("rm", copied)
    goservices.git(repository, "init", "-q")
    goservices.git(repository, "add", "-A")
    goservices.git(repository, "commit", "-q", "-m", "Two targets")


def measure(repository: Path, rounds: int) -> None:
    """Print the line of the table."""

    def built(builder: str) -> float:
        # Another content in each round, so that no step comes from a cache.
        for name in TARGETS:
            (repository / name).write_text(uuid.uuid4().hex)
        return seconds([INVOKE, "build", "--builder", builder], repository)

    # The first makes the builders of buildx.
    built("one")
    built("two")
    one, two = interleaved(rounds, lambda: built("one"), lambda: built("two"))
    row(
        "two nodes ÷ one, two equal targets, one core each",
        f"{two:.2f} s ÷ {one:.2f} s",
        f"{two / one:.2f}",
        f"≤ {REACH}",
        held=two / one <= REACH,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=int, default=2000)
    asked = parser.parse_args()
    if (os.cpu_count() or 1) < len(TARGETS):
        raise SystemExit("two nodes of one core each need two cores")
    wait.make_image()
    with tempfile.TemporaryDirectory() as made, nodes(len(TARGETS)) as addresses:
        repository = Path(made) / f"bench-{uuid.uuid4().hex[:8]}"
        repository.mkdir()
        make(repository, addresses, asked.work)
        try:
            measure(repository, asked.rounds)
        finally:
            for name in ("one-1", "two-1", "two-2"):
                words = ("docker", "buildx", "rm", f"hullwright-{repository.name}-{name}")
                subprocess.run(words, check=False, capture_output=True)
    print(json.dumps({"cores": os.cpu_count(), "work_mb": asked.work}))


if __name__ == "__main__":
    main()
