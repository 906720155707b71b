"""How long a release is half there, and what one failure of eight leaves behind.

    .venv/bin/python bench/push.py [--rounds 5]

It starts a docker-registry on a free loopback port, with its data in a temporary folder, pushes a
repository of eight services to it, and moves the same 16 tags with `imagetools create` beside
that. The images that it made are removed; what BuildKit cached of them is left to BuildKit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import goservices
from startup import INVOKE, row

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICES: Final = tuple(f"s{number}" for number in range(8))
TAGS: Final = 2 * len(SERVICES)


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run docker-registry on a port of its own; yields its address."""
    file = folder / "registry.yml"
    file.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
        "log: {level: info, formatter: json}\n"
    )
    words = ["docker-registry", "serve", str(file)]
    with (
        (folder / "registry.log").open("w") as log,
        subprocess.Popen(words, stdout=log, stderr=log) as process,
    ):
        try:
            yield _listening(folder / "registry.log", process)
        finally:
            process.terminate()


def _listening(log: Path, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        _, found, after = log.read_text().partition("listening on ")
        if found and '"' in after:
            return after.split('"')[0].strip()
        time.sleep(0.02)
    raise SystemExit(f"docker-registry ended: {log.read_text()}")


def make(repository: Path, project: str, address: str) -> None:
    """Write a repository of eight services, each of which gets a fixed and a moving tag."""
    tables = "".join(
        f'[services.{name}]\ncontext = "{name}"\nimage = "{project}/{name}"\n' for name in SERVICES
    )
    rules = 'tags = [{ type = "sha" }, { type = "raw", value = "stable" }]'
    repository.mkdir()
    (repository / "hullwright.toml").write_text(
        f'project = "{project}"\nregistry = "{address}/bench"\n{rules}\n{tables}'
    )
    (repository / "tasks.py").write_text(
        "from hullwright.tasks import collection\n\nns = collection()\n"
    )
    (repository / ".gitignore").write_text("__pycache__/\n")
    for name in SERVICES:
        (repository / name).mkdir()
        (repository / name / "Dockerfile").write_text("FROM scratch\nCOPY content /content\n")
        (repository / name / "content").write_text(f"{name} {project}\n")
    goservices.git(repository, "init", "-q")
    commit(repository)


def commit(repository: Path) -> None:
    """Commit everything."""
    goservices.git(repository, "add", "-A")
    goservices.git(repository, "commit", "-q", "-m", "A change")


def push(repository: Path, *words: str) -> dict[str, Any]:
    """Push, and return what was told; a failed build is told of, too."""
    done = subprocess.run(
        [INVOKE, "push", "--format", "json", *words],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1} or not done.stdout:
        raise SystemExit(f"push ended with {done.returncode}: {done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def window(repository: Path, rounds: int) -> None:
    """Print how long it took to move 16 tags, and how long `imagetools create` takes for them."""
    ours, theirs = [], []
    for _ in range(rounds):
        for name in SERVICES:
            (repository / name / "content").write_text(uuid.uuid4().hex)
        commit(repository)
        told = push(repository)
        ours.append(told["window_seconds"])
        started = time.monotonic()
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            list(pool.map(retag, told["images"]))
        theirs.append(time.monotonic() - started)
    mine, other = median(ours), median(theirs)
    row(
        f"{TAGS} tags of {len(SERVICES)} images: window ÷ parallel imagetools create",
        f"{mine:.3f} s (most {max(ours):.3f} s) ÷ {other:.2f} s",
        f"{mine / other:.3f}",
        "≤ 1 s",
        held=max(ours) <= 1,
    )


def retag(image: dict[str, Any]) -> None:
    """Give an image two tags with buildx."""
    name = image["repository"]
    tags = [word for tag in ("other-1", "other-2") for word in ("--tag", f"{name}:{tag}")]
    subprocess.run(
        [
            *("docker", "buildx", "imagetools", "create", "--prefer-index=false"),
            *tags,
            f"{name}@{image['digest']}",
        ],
        check=True,
        capture_output=True,
    )


def one_of_eight(repository: Path, address: str, project: str) -> None:
    """Print what one failing target of eight changes, and what the next push builds."""
    before = tags(address, project)
    for name in SERVICES:
        (repository / name / "content").write_text(uuid.uuid4().hex)
    broken = repository / SERVICES[3] / "Dockerfile"
    whole = broken.read_text()
    broken.write_text("FROM scratch\nCOPY nowhere /content\n")
    commit(repository)
    push(repository)
    changed = sum(before.get(tag) != digest for tag, digest in tags(address, project).items())
    broken.write_text(whole)
    commit(repository)
    told = push(repository, "--failed")
    built = [t["service"] for t in told["build"]["targets"] if t["status"] == "built"]
    row(
        "one failing target of eight: release tags changed", "", f"{changed}", "0", held=not changed
    )
    held = len(built) == 1 and told["pushed"]
    row("the second run, with --failed: targets built", "", f"{len(built)}", "1", held=held)


def tags(address: str, project: str) -> dict[str, str]:
    """Return what each release tag names."""
    found = {}
    for name in SERVICES:
        root = f"http://{address}/v2/bench/{project}/{name}"
        with urllib.request.urlopen(f"{root}/tags/list") as answer:  # noqa: S310  loopback
            names = json.load(answer)["tags"] or []
        for tag in names:
            if tag.startswith("hullwright-"):
                continue
            request = urllib.request.Request(f"{root}/manifests/{tag}", method="HEAD")  # noqa: S310  loopback
            request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
            with urllib.request.urlopen(request) as answer:  # noqa: S310  loopback
                found[f"{name}:{tag}"] = answer.headers["Docker-Content-Digest"]
    return found


def remove(project: str) -> None:
    """Remove the images that were made."""
    label = f"label=dev.hullwright.project={project}"
    words = ["docker", "image", "ls", "--all", "--quiet", "--no-trunc", "--filter", label]
    images = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    if images:
        words = ["docker", "image", "rm", "--force", *set(images)]
        subprocess.run(words, capture_output=True, check=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    project = f"bench-{uuid.uuid4().hex[:8]}"
    os.environ.pop("HULLWRIGHT_REGISTRY", None)
    with tempfile.TemporaryDirectory() as made, registry(Path(made)) as address:
        repository = Path(made) / "eight"
        make(repository, project, address)
        try:
            window(repository, rounds)
            one_of_eight(repository, address, project)
        finally:
            remove(project)


if __name__ == "__main__":
    main()
