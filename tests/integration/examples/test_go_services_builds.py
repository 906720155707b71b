"""The example go-services: what is built, what builds are given, and what breaks them."""

from __future__ import annotations

import shutil
import struct
import tarfile
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import pytest

from examples import Example, example
from hullwright.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

# Of ELF, for programs of arm64.
AARCH64: Final = 183


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """A clone of the repository in which nothing has been built."""
    with example("go-services", tmp_path_factory.mktemp("builds"), tags=()) as made:
        yield made


def build(of: Example) -> dict[str, Any]:
    """Build all services, and return what came of each."""
    return {each["service"]: each for each in of.json("build")["targets"]}


def test_a_change_of_one_service_builds_no_other_one(copy: Example) -> None:
    before, changed = build(copy), "presence-service"
    assert {each["status"] for each in before.values()} == {"built"}
    copy.edit(f"services/{changed}/main.go", '"90s"', '"91s"')
    copy.commit("Remember for longer")
    # As in another clone on the same machine: nobody has recorded what the images are called.
    shutil.rmtree(copy.path / ".hullwright")
    after = build(copy)
    built = after.pop(changed)
    assert (built["status"], built["version"][:14]) == ("built", "0.0.0-0.dev.2+")
    # Modules, and what all services import, are as they were.
    assert built["cached_steps"] >= 5
    assert {each["status"] for each in after.values()} == {"current"}
    # By the name that stays, and not by that of its stage.
    assert all(each["reference"] == before[name]["reference"] for name, each in after.items())


def failure(of: Example, stage: str, *words: str) -> Any:
    """Return what a build of the presence service tells of its failure."""
    words = ("--service", "presence-service", "--target", stage, *words)
    (target,) = of.json("build", *words, code=ExitCode.FAILED)["targets"]
    assert target["status"] == "failed"
    return target["failure"]


@contextmanager
def without(of: Example, file: str, word: str) -> Iterator[None]:
    """Hold a file of the presence service without the lines that have a word."""
    path = of.path / "services/presence-service" / file
    before = path.read_text(encoding="utf-8")
    kept = [line for line in before.splitlines(keepends=True) if word not in line]
    assert len(kept) < len(before.splitlines())
    path.write_text("".join(kept), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


@pytest.mark.parametrize(("file", "step"), [("go.sum", "go mod download"), ("go.mod", "go build")])
def test_go_mod_and_go_sum_out_of_step_are_explained(copy: Example, file: str, step: str) -> None:
    with without(copy, file, "redigo"):
        told = failure(copy, "production")
    assert step in told["step"]
    (cause,) = told["causes"]
    assert cause["summary"].startswith("go.mod and go.sum do not agree")
    assert cause["next"].startswith("go mod tidy")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("GOPROXY=off", "module lookup disabled by GOPROXY=off"),
        ("GOSUMDB=nobody", "invalid GOSUMDB"),
        ("GOOS=plan10", "unsupported GOOS/GOARCH pair plan10/"),
    ],
)
def test_go_is_told_its_variables(copy: Example, given: str, words: str) -> None:
    # Go asks for the sum of a module that go.sum does not have.
    unknown = without(copy, "go.sum", "redigo") if "GOSUMDB" in given else nullcontext()
    with unknown:
        told = failure(copy, "production", "--build-arg", given)
    assert any(words in line for line in told["output"])


def test_a_build_takes_another_platform_cgo_and_packages(copy: Example, tmp_path: Path) -> None:
    given = {
        "GOARCH": "arm64",
        "CGO_ENABLED": "1",
        "PACKAGES": "media-types",
        "PACKAGE_FILES": "/etc/mime.types",
    }
    archive = tmp_path / "image.tar"
    copy.invoke(
        *("build", "--service", "api-gateway", "--output", f"type=tar,dest={archive}"),
        *(f"--build-arg={name}={value}" for name, value in given.items()),
    )
    with tarfile.open(archive) as packed:
        assert packed.getmember("etc/mime.types").size
        file = packed.extractfile("service")
        assert file
        program = file.read()
    assert struct.unpack_from("<H", program, 18) == (AARCH64,)
    assert b"CGO_ENABLED=1" in program
    # Nothing else is needed to start it: production has no C library.
    assert b"ld-linux" not in program


def test_a_file_that_may_not_be_read_is_explained(copy: Example) -> None:
    path = copy.path / "services/presence-service/store.go"
    path.chmod(0o600)
    try:
        told = failure(copy, "development")
    finally:
        path.chmod(0o644)
    assert any("permission denied" in line for line in told["output"])
    (cause,) = told["causes"]
    assert cause["summary"].startswith("the step may not read")
