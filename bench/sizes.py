"""Whether sizes are right to the byte, and what they cost: beside dive, tar streams and blobs.

    .venv/bin/python bench/sizes.py [--image REF]... [--deep-image REF] [--rounds 3]

The stand-ins and the largest images of the local store are taken where none are named. A
docker-registry of its own runs on a free loopback port, with its data in a temporary folder; dive
is compiled from its Go module where it is missing. What was made is removed.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import urllib3
from push import registry
from startup import ROOT, row

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.images import parse_size_bytes
from hullwright.run import Runner
from hullwright.sizes import Subject, measure
from hullwright.tools.registryclient import Manifest, connect
from hullwright.workspace import Workspace

# What tests measure beside, too.
sys.path.insert(0, str(ROOT / "tests"))

import dive
from archives import digest, tar
from registries import upload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.sizes import ImageSizes

HULLWRIGHT: Final = str(Path(sys.executable).parent / "hullwright")
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
# The engine puts files of its own in their place in a container.
ENGINES: Final = frozenset({"etc/hosts", "etc/hostname", "etc/resolv.conf", ".dockerenv"})
STAND_INS: Final = (
    "golang:1.26-trixie",
    "postgres:17-trixie",
    "python:3.13-slim-trixie",
    "redis:8-trixie",
    "registry:2",
    "rust:1.85-slim-trixie",
)
IMAGES: Final = 10
MANY: Final = 100
DELAY_MS: Final = 50
LIMIT_MB: Final = 200
# Larger ones are not pushed: a figure of their layers' lengths is no better.
PUSHED_BYTES: Final = 100_000_000


def workspace(folder: Path) -> Workspace:
    """Return a workspace whose cache is empty."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    console = Console(environ, out=io.StringIO(), err=io.StringIO())
    return Workspace(ROOT, Config("bench"), Runner(environ), console, environ)


def docker(*words: str) -> str:
    """Return what Docker says."""
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def chosen() -> list[str]:
    """Return images of the local store, no two of one name: the stand-ins, then the largest."""
    listed = dict(
        line.split("\t")
        for line in docker(
            "image", "ls", "--format", "{{.Repository}}:{{.Tag}}\t{{.Size}}"
        ).splitlines()
        if "<none>" not in line
    )
    others = sorted(listed, key=lambda name: -parse_size_bytes(listed[name]))
    kept: dict[str, str] = {}
    for name in [*(each for each in STAND_INS if each in listed), *others]:
        kept.setdefault(name.rpartition(":")[0].rpartition("/")[2], name)
    return list(kept.values())[:IMAGES]


def equalities(images: Sequence[str], address: str) -> None:
    """Print for each image its figures, and whether other programs say the same."""
    for image in images:
        with tempfile.TemporaryDirectory() as cache:
            (sizes, *_) = measure(workspace(Path(cache)), [Subject(image)], deep=True).images
        figures = sizes.figures
        others = {
            "dive": (figures.unpacked_bytes, dive.told(image).unpacked_bytes),
            "tar": (figures.unpacked_bytes, streamed(image, sizes)),
            "export": (visible(sizes), exported(image)),
        }
        if (figures.compressed_bytes or 0) <= PUSHED_BYTES:
            others["blobs"] = (figures.compressed_bytes, pushed(image, address, sizes))
        wrong = {name: pair for name, pair in others.items() if pair[0] != pair[1]}
        row(
            f"{image}: ours = {', '.join(others)}"[:80],
            f"{figures.unpacked_bytes:,} / {figures.visible_bytes:,}",
            "equal" if not wrong else f"{wrong}",
            "equal",
            held=not wrong,
        )


def streamed(image: str, sizes: ImageSizes) -> int:
    """Return the regular bytes of an image's layers, as the standard library reads them."""
    layers = {layer.digest.removeprefix("sha256:") for layer in sizes.figures.layers}
    total: dict[str, int] = {}
    words = ["docker", "image", "save", image]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE) as saving,
        tarfile.open(fileobj=saving.stdout, mode="r|") as archive,
    ):
        for member in archive:
            name = Path(member.name).name
            file = archive.extractfile(member) if name in layers else None
            if file is not None:
                with tarfile.open(fileobj=file, mode="r|*") as layer:
                    total[name] = sum(each.size for each in layer if each.isreg())
    # A layer may be there twice.
    return sum(total[each.digest.removeprefix("sha256:")] for each in sizes.figures.layers)


def visible(sizes: ImageSizes) -> int:
    """Return what a container sees, without the files that its engine makes."""
    seen = sizes.contents.seen if sizes.contents else ()
    return sum(each.size_bytes for each in seen if each.path not in ENGINES)


def exported(image: str) -> int:
    """Return the regular bytes of `docker export`, without the files that the engine makes."""
    container = docker("create", "--label=dev.hullwright.kind=bench", image, "none").strip()
    try:
        words = ["docker", "export", container]
        with (
            subprocess.Popen(words, stdout=subprocess.PIPE) as exporting,
            tarfile.open(fileobj=exporting.stdout, mode="r|") as archive,
        ):
            return sum(m.size for m in archive if m.isreg() and m.name not in ENGINES)
    finally:
        docker("rm", "--force", container)


def pushed(image: str, address: str, sizes: ImageSizes) -> int:
    """Return the bytes of an image's layers as a registry that has it sends them."""
    name = f"bench/{uuid.uuid4().hex[:8]}"
    docker("tag", image, f"{address}/{name}:1")
    try:
        docker("push", "--quiet", f"{address}/{name}:1")
    finally:
        docker("image", "rm", f"{address}/{name}:1")
    total = 0
    for layer in sizes.figures.layers:
        asked = urllib3.request("HEAD", f"http://{address}/v2/{name}/blobs/{layer.digest}")
        total += int(asked.headers["Content-Length"])
    return total


def fill(address: str, cache: Path) -> list[str]:
    """Push as many images of one layer, without an engine; returns their references."""
    client = connect(workspace(cache), address)

    def one(number: int) -> str:
        name = f"bench/many{number}"
        content = tar({"content": bytes(1000 + number)})
        layer = gzip.compress(content, mtime=0)
        told = {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": [digest(content)]},
        }
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": put(address, name, json.dumps(told).encode())
            | {"mediaType": "application/vnd.oci.image.config.v1+json"},
            "layers": [
                put(address, name, layer)
                | {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}
            ],
        }
        written = json.dumps(document).encode()
        client.put_manifest(name, "1", Manifest(MANIFEST, written, digest(written)))
        return name

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(MANY)))


def put(address: str, name: str, content: bytes) -> dict[str, Any]:
    """Store a blob, and return what manifests say of it."""
    return {"digest": upload(address, name, content), "size": len(content)}


@contextmanager
def slowly(upstream: str, log: Path) -> Iterator[str]:
    """Run the proxy that lets each request wait; yields its address."""
    words = [sys.executable, str(ROOT / "bench" / "slowproxy.py"), upstream]
    with (
        log.open("w") as out,
        subprocess.Popen([*words, f"--milliseconds={DELAY_MS}"], stdout=out) as proxy,
    ):
        try:
            while not log.read_text().endswith("\n"):
                time.sleep(0.02)
            yield log.read_text().split("\n", 1)[0]
        finally:
            proxy.terminate()


def many(address: str, rounds: int, folder: Path) -> None:
    """Print how long the compressed figures of many images take beside one request by one."""
    names = fill(address, folder / "fill")
    log = folder / "proxy.log"
    ours, theirs = [], []
    with slowly(address, log) as proxy:
        for number in range(rounds):
            started = time.perf_counter()
            with urllib3.HTTPConnectionPool(proxy) as pool:
                for name in names:
                    path = f"/v2/{name}/manifests/1"
                    if pool.request("GET", path, headers={"Accept": MANIFEST}).status != 200:
                        sys.exit(f"{path} is not there")
            theirs.append(time.perf_counter() - started)
            before = len(log.read_text().splitlines())
            ws = workspace(folder / f"many{number}")
            subjects = [Subject(f"{proxy}/{name}:1") for name in names]
            started = time.perf_counter()
            report = measure(ws, subjects, place="registry")
            ours.append(time.perf_counter() - started)
            asked = log.read_text().splitlines()[before:]
    layers = {layer.digest for image in report.images for layer in image.figures.layers}
    read = sum(path.rpartition("/")[2] in layers for path in asked)
    mine, other = statistics.median(ours), statistics.median(theirs)
    row(
        f"{MANY} images, {DELAY_MS} ms a request ÷ manifests one by one",
        f"{mine:.2f} s ÷ {other:.2f} s",
        f"{mine / other:.2f}",
        "≤ 0.3",
        held=mine / other <= 0.3,
    )
    told = f"{len(asked)} requests for {len(report.images)} images"
    row("layers that were read for it", told, f"{read}", "0", held=not read)


def deeply(image: str, rounds: int, folder: Path) -> None:
    """Print how long a look into all files takes beside dive, and the most memory of it."""
    ours, again, theirs, peaks = [], [], [], []
    words = [HULLWRIGHT, "sizes", "--deep", "--image", image]
    for number in range(rounds):
        theirs.append(run([str(dive.program()), "--ci", image], folder, {"CI": "true"})[0])
        cache = {"XDG_CACHE_HOME": str(folder / f"deep{number}")}
        taken, peak = run(words, folder, cache)
        ours.append(taken)
        peaks.append(peak)
        again.append(run(words, folder, cache)[0])
    mine, other, second = map(statistics.median, (ours, theirs, again))
    (sizes, *_) = measure(workspace(folder / "deep0"), [Subject(image)], deep=True).images
    compressed, unpacked = sizes.figures.compressed_bytes or 0, sizes.figures.unpacked_bytes or 0
    what = f"--deep of {compressed / 1e6:.0f} MB, {unpacked / 1e6:.0f} MB unpacked ÷ dive --ci"
    row(
        what,
        f"{mine:.2f} s ÷ {other:.2f} s",
        f"{mine / other:.2f}",
        "≤ 0.4",
        held=mine / other <= 0.4,
    )
    row("its most memory", "", f"{max(peaks):.0f} MB", "≤ 200 MB", held=max(peaks) <= LIMIT_MB)
    row("a second --deep of the same image", "", f"{second:.2f} s", "≤ 1 s", held=second <= 1)


def run(words: Sequence[str], folder: Path, environ: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that a command takes, and the most memory of it in MB."""
    started = time.perf_counter()
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, **environ}, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    # dive ends with 1 where an image does not pass its rules.
    if process.returncode not in {0, 1} or not (folder / "output").stat().st_size:
        sys.exit(f"{words} ended with {process.returncode}: {(folder / 'output').read_text()}")
    return taken, usage.ru_maxrss * 1024 / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", action="append", default=[])
    parser.add_argument("--deep-image", default=STAND_INS[-1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("equal", "many", "deep"))
    given = parser.parse_args()
    os.environ.pop("HULLWRIGHT_REGISTRY", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as made, registry(Path(made)) as address:
        if given.only in {None, "equal"}:
            equalities(given.image or chosen(), address)
        if given.only in {None, "many"}:
            many(address, given.rounds, Path(made))
        if given.only in {None, "deep"}:
            deeply(given.deep_image, given.rounds, Path(made))


if __name__ == "__main__":
    main()
