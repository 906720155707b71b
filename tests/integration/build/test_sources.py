"""Builds whose services, caches, secrets and platforms are real ones, by `hullwright build`."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from buildkit import buildkitd
from composing import BUSYBOX, docker
from hullwright.config.bakefile import bake_files
from matrix import Matrix, matrix_in
from registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

VALUE = "hushhush-of-the-test"


@pytest.fixture
def one(busybox: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a development version of one service on busybox."""
    with matrix_in(tmp_path, 1) as made:
        made.commit()
        yield made


def target(told: Any) -> Any:
    (only,) = told["targets"]
    return only


def configured(matrix: Matrix, **keys: str) -> None:
    """Put keys of `[services.s0]` and `[build]` into the configuration; not committed."""
    path = matrix.root / "hullwright.toml"
    text = path.read_text(encoding="utf-8")
    own = "".join(f"{name} = {value}\n" for name, value in keys.items() if name != "build")
    text += own + (f"[build]\n{keys['build']}\n" if "build" in keys else "")
    path.write_text(text, encoding="utf-8")


def test_a_bake_file_is_built_as_bake_understands_it(one: Matrix) -> None:
    root, name = one.root, one.project
    (root / "hullwright.toml").write_text(f'project = "{name}"\n', encoding="utf-8")
    one.repository.write("base/Dockerfile", f"FROM {BUSYBOX}\nRUN echo {name} > /base.txt\n")
    one.repository.write(
        "app/Dockerfile", "FROM ours\nARG MODE\nRUN echo $MODE > /m && cat /etc/hosts > /h\n"
    )
    one.repository.write(
        "docker-bake.hcl",
        """
variable "MODE" { default = "plain" }
group "default" { targets = ["app"] }
target "_common" {
  args = { MODE = "${MODE}-x" }
  extra-hosts = { db = "10.9.8.7" }
}
target "base" { context = "base" }
target "app" {
  inherits = ["_common"]
  name = "app-${v}"
  matrix = { v = ["a", "b"] }
  context = "app"
  contexts = { ours = "target:base" }
  tags = ["PROJECT/app:${v}"]
}
""".replace("PROJECT", name),
    )
    one.repository.write("services/s0/Dockerfile", "FROM nowhere\n")
    assert bake_files(root, {}) == ("docker-bake.hcl",)
    told = one.json("build", MODE="set")
    assert {t["service"]: t["status"] for t in told["targets"]} == {
        "base": "built",
        "app-a": "built",
        "app-b": "built",
    }
    reference = next(t["reference"] for t in told["targets"] if t["service"] == "app-a")
    assert docker("run", "--rm", reference, "cat", "/m") == "set-x"
    assert "10.9.8.7" in docker("run", "--rm", reference, "cat", "/h")


def test_a_broken_bake_file_ends_only_what_needs_it(one: Matrix) -> None:
    (one.root / "hullwright.toml").write_text(f'project = "{one.project}"\n', encoding="utf-8")
    one.repository.write("docker-bake.hcl", 'target "x" {\n  context = nosuch("a")\n}\n')
    done = one.run("build", code=2)
    assert "docker-bake.hcl" in done.stderr
    assert 'There is no function named "nosuch"' in done.stderr
    assert "build" in one.run("--list").stdout


@pytest.fixture(scope="module")
def empty_builder(engine: str) -> Iterator[str]:
    """Yield the name of a builder that has built nothing, so that its layers come from caches."""
    del engine
    name = f"hwtest-{uuid4().hex[:10]}"
    with tempfile.TemporaryDirectory(prefix="hwbk-") as folder, buildkitd(Path(folder)) as address:
        docker("buildx", "create", "--name", name, "--driver", "remote", address)
        try:
            yield name
        finally:
            docker("buildx", "rm", name)


@pytest.mark.parametrize("cache", ["local", "registry"])
def test_a_cache_is_written_and_serves_another_builder(
    one: Matrix, tmp_path: Path, empty_builder: str, cache: str
) -> None:
    # Without a base, which the other builder does not have.
    one.repository.write("services/s0/Dockerfile", "FROM scratch\nCOPY steps.sh /steps.sh\n")
    folder = tmp_path / "registry"
    folder.mkdir()
    with registry(folder) as address:
        path = one.root / "hullwright.toml"
        text = path.read_text(encoding="utf-8")
        path.write_text(f'registry = "{address}"\n{text}', encoding="utf-8")
        configured(one, build=f'cache = ["{cache}"]')
        assert target(one.json("build", CI="true"))["status"] == "built"
        again = target(one.json("build", "--force", BUILDX_BUILDER=empty_builder))
        assert (again["status"], again["steps"], again["cached_steps"]) == ("built", 1, 1)
        tags = list((folder / "data").glob("docker/registry/v2/repositories/*/s0/_manifests/tags"))
    kept = (one.root / ".hullwright/cache/s0/index.json").is_file()
    assert (kept, bool(tags)) == ((cache == "local"), (cache == "registry"))


def test_a_step_mounts_a_secret_of_the_environment_and_nothing_else_has_it(one: Matrix) -> None:
    configured(one, secrets='{ tok = "env:TOK" }')
    text = (
        f"FROM {BUSYBOX}\nRUN --mount=type=secret,id=tok,env=GOT "
        f"echo {one.project} && echo -n $GOT | sha256sum > /sum\n"
    )
    one.repository.write("services/s0/Dockerfile", text)
    done = one.run("--echo", "build", TOK=VALUE)
    told = json.loads((one.root / ".hullwright/bake.json").read_text(encoding="utf-8"))
    assert [t["secret"] for t in told["target"].values()] == [["id=tok,env=TOK"]]
    (image,) = one.images()
    digest = hashlib.sha256(VALUE.encode()).hexdigest()
    assert docker("run", "--rm", image, "cat", "/sum").split()[0] == digest
    files = [path for path in (one.root / ".hullwright").rglob("*") if path.is_file()]
    assert files
    assert VALUE not in done.stdout + done.stderr
    assert [path.name for path in files if VALUE.encode() in path.read_bytes()] == []
    assert "the variable TOK" in one.run("build", code=2).stderr


def test_an_argument_that_looks_like_a_secret_ends_with_two(one: Matrix) -> None:
    done = one.run("build", "--build-arg", f"NPM_TOKEN={VALUE}", code=2)
    assert "build argument NPM_TOKEN looks like a secret" in done.stderr
    assert "RUN --mount=type=secret,id=npm_token" in done.stderr
    assert VALUE not in done.stderr
    words = ("--build-arg", "NPM_TOKEN=x", "--allow-arg", "NPM_TOKEN")
    assert target(one.json("build", *words))["status"] == "built"


def test_an_output_goes_where_it_is_said_and_nothing_is_recorded(one: Matrix) -> None:
    told = target(one.json("build", "--output", "type=tar,dest=out/{service}.tar"))
    assert told["status"] == "built"
    assert (one.root / "out/s0.tar").stat().st_size > 0
    one.run("build", "--output", "tree")
    assert (one.root / "tree/s0.txt").is_file()
    assert one.images() == []
    assert not (one.root / ".hullwright/images.json").exists()
    assert "standard output" in one.run("build", "--output", "-", code=2).stderr
    one.repository.write("services/s0/Dockerfile", "from scratch\nCOPY steps.sh /x as y\n")
    assert "looks like" not in one.run("build", "--check", code=1).stderr


CROSS = f"""\
FROM --platform=$BUILDPLATFORM {BUSYBOX} AS builder
ARG TARGETARCH
RUN echo PROJECT $TARGETARCH > /arch
FROM scratch
COPY --from=builder /arch /arch
"""


def test_a_cross_compiling_stage_makes_every_platform_without_an_emulator(one: Matrix) -> None:
    one.repository.write("services/s0/Dockerfile", CROSS.replace("PROJECT", one.project))
    # Nothing runs programs of an s390x here, and nothing has to.
    platforms = ["linux/amd64", "linux/s390x"]
    told = target(one.json("build", "--platform", ",".join(platforms)))
    assert (told["status"], told["platforms"]) == ("built", platforms)
    assert told.get("emulated", []) == []


def test_a_missing_emulator_ends_with_three_before_the_build(one: Matrix) -> None:
    done = one.run("build", "--platform", "linux/s390x", code=3)
    assert "cannot run programs of linux/s390x" in done.stderr
    assert "services/s0/Dockerfile:3" in done.stderr
    assert "qemu-user-static" in done.stderr
    assert not (one.root / ".hullwright/bake.json").exists()


GO = 'package main\n\nfunc main() { println("made") }\n'


def test_the_summary_names_emulated_steps_and_their_seconds(one: Matrix) -> None:
    platforms = docker("buildx", "inspect").partition("Platforms:")[2].splitlines()[0]
    if "linux/arm64" not in platforms or not shutil.which("go"):
        pytest.skip("nothing runs or makes programs of arm64 here")
    one.repository.write("services/s0/main.go", GO)
    subprocess.run(
        ("go", "build", "-o", "program", "main.go"),
        cwd=one.root / "services/s0",
        env={**one.environ, "GOARCH": "arm64", "CGO_ENABLED": "0"},
        check=True,
    )
    one.repository.write(
        "services/s0/Dockerfile",
        f'FROM scratch\nLABEL x={one.project}\nCOPY program /program\nRUN ["/program"]\n',
    )
    done = one.run("build", "--platform", "linux/arm64")
    assert "emulated" in done.stdout
    assert 'RUN ["/program"]' in done.stdout
    assert "linux/arm64" in done.stdout
