"""What a scan of an image of 1 GB costs: the most memory that it ever took, and its seconds.

An image is streamed as `docker save` does, without an engine, so that the figure is ours alone:
layers of files of mixed kinds (text, machine code, noise), compressed with gzip and not, with a
known number of hidden values:

    .venv/bin/python bench/scan.py [--megabytes 1000] [--values 20] [--image REF]

With `--image` an image of the local store is searched instead, through the engine.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.config.models import Config
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.scan import ScannedImage, ScanPlan, ScanRequest, execute
from hullwright.scan.plan import plan as planned
from hullwright.secret import Secret
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LAYERS = 4
FILE_BYTES = 200_000
LIMIT_MB = 200
SEED = 1
REFERENCE = "bench:1"


def values(count: int) -> dict[str, Secret]:
    """Return that many values as teams have them: tokens, passwords, addresses, short ones."""
    rng = random.Random(SEED)  # noqa: S311  the same bytes at every run, not a key
    found = {}
    for number in range(count):
        token = base64.urlsafe_b64encode(rng.randbytes(rng.choice((6, 12, 18, 32)))).decode()
        found[f"KEY_{number}"] = Secret(f"https://u:{token}@host/db" if number % 5 == 0 else token)
    return found


def material() -> bytes:
    """Return some megabytes as images hold them: sources, a program, and noise."""
    library = Path(os.__file__).parent
    text = b"".join(path.read_bytes() for path in sorted(library.glob("*.py")))
    program = Path(sys.executable).resolve().read_bytes()
    rng = random.Random(SEED)  # noqa: S311  the same bytes at every run, not a key
    return text[:4_000_000] + program[:6_000_000] + rng.randbytes(2_000_000)


def layer(which: int, size: int, hidden: list[bytes]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield files of about `size` bytes together, each hidden text in one of its own."""
    stock = material()
    for number in range(max(1, size // FILE_BYTES)):
        start = (number * 37_813 + which * 1_021) % (len(stock) - FILE_BYTES)
        content = stock[start : start + FILE_BYTES]
        if number < len(hidden):
            content = content[: FILE_BYTES // 2] + hidden[number] + content[FILE_BYTES // 2 :]
        info = tarfile.TarInfo(f"srv/file{number}")
        info.size = len(content)
        yield info, content


def made(path: Path, megabytes: int, known: dict[str, Secret]) -> None:
    """Write an archive in an OCI layout, half of its layers compressed."""
    hidden = [value.reveal().encode() for value in known.values()]
    hidden = [*hidden, *(base64.b64encode(b"a=" + text) for text in hidden)]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, tarfile.open(path, "w") as archive:
        layers, diff_ids = [], []
        for number in range(LAYERS):
            blob = Path(folder) / "blob"
            compressed = number % 2 == 0
            with (
                gzip.open(blob, "wb", 1) if compressed else blob.open("wb") as out,
                tarfile.open(fileobj=out, mode="w|") as tar,
            ):
                for info, content in layer(number, megabytes * 1_000_000 // LAYERS, hidden):
                    tar.addfile(info, io.BytesIO(content))
            layers.append(added(archive, blob))
            diff_ids.append(f"sha256:{number:064}")
        config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": diff_ids}}
        manifest = {"config": document(archive, config), "layers": layers}
        index = {"manifests": [document(archive, manifest)]}
        written(archive, "index.json", json.dumps(index).encode())


def added(archive: tarfile.TarFile, blob: Path) -> dict[str, object]:
    """Add a blob from a file and return its descriptor."""
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        info = tarfile.TarInfo(f"blobs/sha256/{digest}")
        info.size = blob.stat().st_size
        archive.addfile(info, file)
    return {"digest": f"sha256:{digest}", "size": info.size}


def document(archive: tarfile.TarFile, content: Mapping[str, object]) -> dict[str, object]:
    """Add a JSON document and return its descriptor."""
    data = json.dumps(content).encode()
    digest = hashlib.sha256(data).hexdigest()
    written(archive, f"blobs/sha256/{digest}", data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def written(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a small file."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def workspace(folder: Path, archive: Path | None) -> Workspace:
    """Return a workspace in which `docker image save` streams the archive, where there is one."""
    environ = dict(os.environ)
    if archive:
        program = folder / "programs/docker"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\nexec cat '{archive}'\n", encoding="utf-8")
        program.chmod(0o755)
        environ["PATH"] = f"{program.parent}{os.pathsep}{environ['PATH']}"
    told = io.StringIO()
    return Workspace(
        folder, Config("bench"), Runner(environ), Console(environ, out=told, err=told), environ
    )


def measured(ws: Workspace, plan: ScanPlan, known: dict[str, Secret]) -> int:
    """Search and print the figures; return the exit code."""
    started_s, cpu_s = time.monotonic(), time.process_time()
    found = execute(ws, plan, known)
    took_s, cpu_s = time.monotonic() - started_s, time.process_time() - cpu_s
    read = sum(place.bytes for place in found.searched)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    leaks = [one for one in found.findings if one.severity == "error"]
    print(f"searched    {read / 1e6:,.0f} MB for {len(found.values)} values")
    print(f"took        {took_s:.1f} s, {cpu_s:.1f} s of CPU: {read / 1e6 / took_s:.0f} MB/s")
    print(f"peak RSS    {peak_mb:.0f} MB (limit {LIMIT_MB} MB)")
    print(f"findings    {len(leaks)}")
    return int(peak_mb > LIMIT_MB)


def main() -> int:
    """Make the archive in a process of its own, whose memory does not count, and search it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--values", type=int, default=20)
    parser.add_argument("--image", default="")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    known = values(given.values)
    if given.make:
        made(given.make, given.megabytes, known)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.image:
            ws = workspace(folder, None)
            return measured(ws, planned(ws, ScanRequest(images=(given.image,))), known)
        archive = folder / "image.tar"
        words = (f"--megabytes={given.megabytes}", f"--values={given.values}")
        subprocess.run((sys.executable, __file__, f"--make={archive}", *words), check=True)
        plan = ScanPlan((ScannedImage(REFERENCE, "sha256:1"),), ())
        return measured(workspace(folder, archive), plan, known)


if __name__ == "__main__":
    raise SystemExit(main())
