"""Images that come out the same: in another folder, on another builder, and twice when checked."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import BUSYBOX, docker
from matrix import Matrix, matrix_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

# A step whose file is newer than the commit, and a file of the context that may be older.
STEPS: Final = "FROM BASE AS made\nCOPY . /app\nRUN cp /app/steps.sh /made\n"


@pytest.fixture
def one(busybox: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a development version of one service on busybox."""
    with matrix_in(tmp_path, 1) as made:
        written(made, STEPS)
        yield made


def written(matrix: Matrix, dockerfile: str) -> None:
    text = dockerfile.replace("BASE", BUSYBOX)
    matrix.repository.write("services/s0/Dockerfile", text)
    matrix.commit()


def built(matrix: Matrix, *words: str) -> Any:
    (only,) = matrix.json("build", *words)["targets"]
    return only


def elsewhere(matrix: Matrix, folder: Path) -> Matrix:
    """Return a copy of a repository whose files have other times."""
    root = folder / "elsewhere" / matrix.project
    shutil.copytree(matrix.root, root, ignore=shutil.ignore_patterns(".hullwright"))
    for number, path in enumerate(sorted(root.rglob("*"))):
        # Some before the commit, some after it.
        os.utime(path, (1_500_000_000 * (1 + number % 2), 1_500_000_000 + number * 100_000_000))
    repository = type(matrix.repository)(root, matrix.repository.environ)
    return Matrix(repository, matrix.project, matrix.names, environ=matrix.environ)


def test_it_has_the_same_digest_in_another_folder_and_is_in_the_store(
    one: Matrix, tmp_path: Path
) -> None:
    first = built(one, "--reproducible")
    assert first["status"] == "built"
    seen = json.loads(docker("image", "inspect", first["reference"]))[0]
    assert seen["Id"] == first["digest"]
    assert docker("run", "--rm", first["reference"], "cat", "/made").startswith("echo hwtest-")
    assert built(one, "--reproducible")["status"] == "current"
    assert not (one.root / ".hullwright/reproducible").exists()
    assert not (one.root / ".hullwright/settled").exists()
    second = built(elsewhere(one, tmp_path), "--reproducible", "--no-cache")
    assert (second["status"], second["digest"]) == ("built", first["digest"])


def test_an_ordinary_image_of_the_same_inputs_is_another_one(one: Matrix) -> None:
    plain = built(one)
    same = built(one, "--reproducible")
    assert same["status"] == "built"
    assert same["fingerprint"] != plain["fingerprint"]
    assert same["digest"] != plain["digest"]


def test_two_platforms_come_to_the_store_under_one_digest(one: Matrix, tmp_path: Path) -> None:
    written(one, "FROM scratch\nCOPY steps.sh /\n")
    both = ("--reproducible", "--platform", "linux/amd64,linux/arm64")
    first = built(one, *both)
    assert first["platforms"] == ["linux/amd64", "linux/arm64"]
    assert json.loads(docker("image", "inspect", first["reference"]))[0]["Id"] == first["digest"]
    again = built(elsewhere(one, tmp_path), *both, "--no-cache")
    assert again["digest"] == first["digest"]


def test_a_sibling_is_built_on_the_image_that_was_loaded(busybox: str, tmp_path: Path) -> None:
    with matrix_in(tmp_path, 2, on={"s1": "s0"}) as two:
        two.commit()
        two.json("build", "--reproducible", "--service", "s0")
        told = two.json("build", "--reproducible")["targets"]
        assert [target["status"] for target in told] == ["current", "built"]
        assert docker("run", "--rm", told[1]["reference"], "ls", "/s0.sh") == "/s0.sh"


def test_what_fails_beside_it_leaves_the_other_in_the_store(busybox: str, tmp_path: Path) -> None:
    with matrix_in(tmp_path, 2) as two:
        two.fail("s1")
        told = two.json("build", "--reproducible", code=1)["targets"]
        assert [target["status"] for target in told] == ["built", "failed"]
        assert (
            docker("image", "inspect", "--format", "{{.Id}}", told[0]["reference"])
            == (told[0]["digest"])
        )


def test_a_check_that_holds_ends_with_0_and_keeps_nothing(one: Matrix) -> None:
    told = one.json("build", "--verify-reproducible")
    assert told["held"]
    assert told["builders"][0] == told["builders"][1]
    (platform,) = told["images"][0]["platforms"]
    assert platform["digests"][0] == platform["digests"][1]
    assert not one.images()
    assert not (one.root / ".hullwright/verifying").exists()
    (record,) = one.json("history", "--kind", "verify-reproducible")["records"]
    assert record["status"] == "done"


def test_the_step_and_the_files_that_differ_are_named(one: Matrix) -> None:
    random = "cat /proc/sys/kernel/random/uuid"
    step = f"mkdir -p /var/log/apt && {random} > /var/log/apt/term.log && {random} > /id"
    written(one, f"FROM BASE\nCOPY . /app\nRUN {step}\nRUN {random} > /other\n")
    told = one.json("build", "--verify-reproducible", code=1)
    (platform,) = told["images"][0]["platforms"]
    layer = platform["layer"]
    assert layer["step"] == f"RUN {step}"
    assert layer["place"] == "services/s0/Dockerfile:3"
    assert layer["further"] == 1
    assert {file["path"]: bool(file["cause"]) for file in layer["files"]} == {
        "/id": False,
        "/var/log/apt/term.log": True,
    }
    assert not one.images()


def test_a_build_that_fails_is_shown_and_nothing_is_compared(one: Matrix) -> None:
    written(one, "FROM BASE\nRUN echo broken on purpose >&2; exit 3\n")
    done = one.run("build", "--verify-reproducible", code=1)
    assert "broken on purpose" in done.stdout
    assert "again with: invoke build --verify-reproducible" in done.stdout
    assert "came out the same" not in done.stdout


def test_it_keeps_no_image_so_an_output_is_refused(one: Matrix) -> None:
    words = ("build", "--verify-reproducible", "--output", "type=oci,dest=x.tar", "--failed")
    done = one.run(*words, code=2)
    assert "--verify-reproducible does not go together with --output, --failed" in done.stderr
