"""A built image with waste of every kind in it: each is found, in its layer, with what to do."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest

from elves import program
from hullwright.config.models import Config, Service
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.sizes import Subject, measure
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.sizes import ImageSizes

pytestmark = pytest.mark.docker

DOCKERFILE = """\
FROM {base} AS builder
COPY program /program

FROM {base}
COPY rootfs/ /
COPY --from=builder /program /srv/program
COPY app/ /app/
RUN chown -R 7:7 /app
RUN head -c 150000 /dev/urandom > /left && cp /left /gone
RUN rm /gone
COPY new.bin /left
"""
STATUS = "Package: gcc-14\nStatus: install ok installed\nArchitecture: amd64\nVersion: 14.2-1\n"
RECORD = "shop/__init__.py,,\nshop-1.0.dist-info/METADATA,,\n"
SITE = "usr/lib/python3/site-packages"
NODE = "srv/node_modules/left-pad"


def docker(*words: str) -> str:
    return subprocess.run(("docker", *words), check=True, capture_output=True, text=True).stdout


def fill(context: Path, base: str) -> None:
    """Write a build context with everything that nobody wants in an image."""
    noise = random.Random(8)  # noqa: S311  content that no two files share, no secret
    files = {
        "program": program({".text": 9_000, ".symtab": 120_000, ".debug_info": 130_000}),
        "app/data.bin": noise.randbytes(140_000),
        "new.bin": noise.randbytes(10),
        "rootfs/var/lib/dpkg/status": STATUS.encode(),
        "rootfs/var/lib/dpkg/info/gcc-14.list": b"/usr/bin/gcc\n",
        "rootfs/usr/bin/gcc": noise.randbytes(160_000),
        f"rootfs/{SITE}/shop/__init__.py": b"x = 1\n",
        f"rootfs/{SITE}/shop-1.0.dist-info/METADATA": b"Name: shop\nVersion: 1.0\n",
        f"rootfs/{SITE}/shop-1.0.dist-info/RECORD": RECORD.encode(),
        f"rootfs/{NODE}/package.json": json.dumps({"name": "left-pad", "version": "2"}).encode(),
        f"rootfs/{NODE}/index.js": b"//\n",
        "rootfs/usr/lib/libx.a": noise.randbytes(110_000),
        "rootfs/var/lib/apt/lists/deb_Packages": noise.randbytes(170_000),
    }
    # The same content twice is what a duplicate is.
    files["rootfs/usr/share/twice.bin"] = files["rootfs/usr/bin/gcc"]
    for path, content in files.items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_bytes(content)
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base), encoding="utf-8")


@pytest.fixture(scope="module")
def wasteful(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageSizes]:
    """Yield what a deep look tells of such an image, as the one of a service."""
    folder = tmp_path_factory.mktemp("wasteful")
    fill(folder, busybox)
    reference = f"hwtest-{uuid.uuid4().hex[:10]}:1"
    docker("buildx", "build", "-q", "--provenance=false", "-t", reference, str(folder))
    environ = dict(os.environ) | {"XDG_CACHE_HOME": str(folder / "cache")}
    console = Console(environ, out=io.StringIO(), err=io.StringIO())
    config = Config("shop", services={"api": Service("api")})
    ws = Workspace(folder, config, Runner(environ), console, environ)
    try:
        (row,) = measure(ws, [Subject(reference, "api")], deep=True).images
        # The second time it comes from the cache, and is told the same.
        assert measure(ws, [Subject(reference, "api")], deep=True).images == (row,)
        yield row
    finally:
        docker("image", "rm", "--force", reference)


def test_each_layer_is_of_the_base_or_of_a_step_of_the_dockerfile(wasteful: ImageSizes) -> None:
    layers = wasteful.figures.layers
    assert wasteful.origin_problem == ""
    assert {layer.origin for layer in layers[:-7]} == {"base"}
    assert [(layer.origin, layer.step) for layer in layers[-7:]] == [
        ("own", step)
        for step in (
            "COPY rootfs/ /",
            "COPY --from=builder /program /srv/program",
            "COPY app/ /app/",
            "RUN chown -R 7:7 /app",
            "RUN head -c 150000 /dev/urandom > /left && cp /left /gone",
            "RUN rm /gone",
            "COPY new.bin /left",
        )
    ]


def test_waste_of_every_kind_is_found_where_it_lies(wasteful: ImageSizes) -> None:
    assert wasteful.contents is not None
    first = len(wasteful.figures.layers) - 7
    found = {
        (each.kind, each.path, each.size_bytes, each.layer - first)
        for each in wasteful.contents.waste
        if each.layer >= first
    }
    assert found == {
        ("replaced", "app/data.bin", 140_000, 2),
        ("replaced", "left", 150_000, 4),
        ("deleted", "gone", 150_000, 4),
        ("cache", "var/lib/apt/lists", 170_000, 0),
        ("duplicate", "usr/share/twice.bin", 160_000, 0),
        ("unstripped", "srv/program", 120_000, 1),
        ("debug", "srv/program", 130_000, 1),
        ("debug", "usr/lib/libx.a", 110_000, 0),
    }


def test_advice_says_what_it_saves(wasteful: ImageSizes) -> None:
    assert wasteful.contents is not None
    assert {(each.id, each.saves_bytes) for each in wasteful.contents.advice} == {
        ("unstripped", 250_000),
        ("cache", 170_000),
        ("build-tools", 160_000),
        ("deleted", 150_000),
        ("copy-then-change", 140_000),
        ("debug-files", 110_000),
    }
    (chown,) = [each for each in wasteful.contents.advice if each.id == "copy-then-change"]
    assert chown.sentence.startswith("write COPY --chown=… in place of chown")


def test_files_belong_to_packages_and_have_a_type(wasteful: ImageSizes) -> None:
    contents = wasteful.contents
    assert contents is not None
    packages = {(p.ecosystem, p.name, p.version): p.size_bytes for p in contents.packages}
    assert packages == {
        ("dpkg", "gcc-14", "14.2-1"): 160_000,
        ("python", "shop", "1.0"): len(RECORD) + 6 + len("Name: shop\nVersion: 1.0\n"),
        ("npm", "left-pad", "2"): 3 + len('{"name": "left-pad", "version": "2"}'),
    }
    types = {file.path: file.type for file in contents.seen}
    assert types["srv/program"] == "program"
    assert types[f"{NODE}/index.js"] == "javascript"
    assert types["usr/lib/libx.a"] == "static library"
