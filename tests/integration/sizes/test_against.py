"""Images against earlier ones, by Git refs and by name, in the local store and in a registry."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from composing import BUSYBOX, docker
from matrix import Matrix, matrix_in
from registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

MODEL_BYTES: Final = 30_000_000
RULES: Final = 'tags = [{ type = "ref", event = "branch" }, { type = "sha" }]'
DOCKERFILE: Final = """\
FROM {base}
COPY steps.sh /steps.sh
COPY models/ /app/models/
"""


@pytest.fixture
def shop(busybox: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a repository of one service, which was built and released as 1.0.0; no registry."""
    with matrix_in(tmp_path, 1) as made, prepared(made, tmp_path):
        made.run("build")
        yield made


@pytest.fixture
def pushed(busybox: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield the same one with a registry, which has the image of `main`, and nothing else has."""
    data = tmp_path / "registry"
    data.mkdir()
    with (
        registry(data) as address,
        matrix_in(tmp_path, 1, registry=f"{address}/team", configuration=RULES) as made,
        prepared(made, tmp_path),
    ):
        made.run("push")
        forget(made)
        made.repository.git("checkout", "-q", "-b", "feature")
        yield made


@contextmanager
def prepared(made: Matrix, folder: Path) -> Iterator[None]:
    """Let the service be built on a base of its own, which is removed again; commit and tag it."""
    made.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    base(made, folder, 1000)
    made.repository.write("services/s0/Dockerfile", DOCKERFILE.format(base=base_of(made)))
    made.repository.write("services/s0/models/list", "none\n")
    made.commit()
    made.repository.git("tag", "--force", "v1.0.0")
    try:
        yield
    finally:
        docker("image", "rm", "--force", base_of(made), check=False)


def base_of(made: Matrix) -> str:
    return f"{made.project}/base:13"


def base(made: Matrix, folder: Path, count_bytes: int) -> None:
    """Build the image that the service is built on, with so many bytes more than busybox."""
    context = folder / "base"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(f"FROM {BUSYBOX}\nCOPY lib /lib/lib.so\n", "utf-8")
    (context / "lib").write_bytes(os.urandom(count_bytes))
    docker("buildx", "build", "--quiet", "--load", "--tag", base_of(made), str(context))


def grow(made: Matrix) -> None:
    """Add a file of 30 MB to a step of the service."""
    (made.root / "services/s0/models/x.bin").write_bytes(os.urandom(MODEL_BYTES))


def forget(made: Matrix) -> None:
    """Leave nothing of what was built here but what the registry has."""
    made.remove()
    shutil.rmtree(made.root / ".hullwright", ignore_errors=True)
    shutil.rmtree(made.environ["XDG_CACHE_HOME"], ignore_errors=True)


def compared(made: Matrix, asked: str, *words: str) -> Any:
    (row,) = made.json("sizes", "--against", asked, *words)["images"]
    return row["compared"]


def growth(found: Any, metric: str) -> Any:
    return next(each for each in found["growth"] if each["metric"] == metric)


def is_growth_of_the_model(found: Any) -> None:
    assert found["cause"].startswith("s0 linux/")
    assert found["cause"].endswith(
        "grew by 30.0 MB unpacked: step COPY models/ /app/models/, /app/models/x.bin 30.0 MB"
    )
    assert found["kind"] == "own"
    assert growth(found, "unpacked")["own"] == growth(found, "unpacked")["total"] == MODEL_BYTES
    assert growth(found, "unpacked")["base"] == 0
    assert found["layers"][0]["what"] == "COPY models/ /app/models/"
    assert [(f["what"], f["change"], f["bytes"]) for f in found["files"]] == [
        ("/app/models/x.bin", "added", MODEL_BYTES)
    ]


def test_growth_over_the_branch_in_the_registry_is_named_by_step_and_file(pushed: Matrix) -> None:
    grow(pushed)
    made = pushed.commit()
    pushed.run("build")
    found = compared(pushed, "main")
    is_growth_of_the_model(found)
    assert found["how"].startswith("registry, tag sha-")
    assert found["reference"].startswith(f"{pushed.registry}/{pushed.project}/s0:sha-")
    # A job of CI may have fetched its own commit only.
    pushed.repository.git("branch", "--quiet", "-D", "main")
    assert compared(pushed, "main")["how"].startswith("registry, tag main (")
    # An image by its name, and the same by that of another tag of its repository.
    reference = f"{pushed.registry}/{pushed.project}/s0:main"
    is_growth_of_the_model(compared(pushed, reference))
    assert pushed.repository.git("rev-parse", "HEAD") == made


def test_where_the_branch_has_no_image_that_of_the_newest_commit_before_it_is_taken(
    pushed: Matrix,
) -> None:
    git = pushed.repository.git
    old = git("rev-parse", "main")[:7]
    git("checkout", "-q", "main")
    pushed.commit()
    git("checkout", "-q", "-b", "next")
    git("commit", "-q", "--allow-empty", "-m", "next")
    git("checkout", "-q", "main")
    pushed.commit()
    git("checkout", "-q", "next")
    pushed.run("build")
    # The branch's own tag is of an older commit, which is told.
    assert compared(pushed, "main")["how"] == f"registry, tag main ({old})"
    git("branch", "--quiet", "--move", "main", "trunk")
    found = compared(pushed, "trunk")
    assert found["kind"] == "same"
    assert found["how"] == (
        f"registry, tag sha-{old} at {old}, the newest before it; there is none of trunk itself"
    )


def test_a_base_that_grew_is_told_as_the_base(pushed: Matrix, tmp_path: Path) -> None:
    base(pushed, tmp_path, 12_001_000)
    pushed.run("build")
    found = compared(pushed, "main")
    assert found["kind"] == "base"
    assert "grew by 12.0 MB unpacked: only the base grew" in found["cause"]
    assert "/lib/lib.so 12.0 MB" in found["cause"]
    assert (growth(found, "unpacked")["base"], growth(found, "unpacked")["own"]) == (12_000_000, 0)
    # From manifests alone it is told in what a pull transfers.
    asked = found["reference"]
    shallow = compared(pushed, asked, "--registry", "--image", asked)
    assert (shallow["kind"], shallow["metric"], shallow["how"]) == (
        "same",
        "compressed",
        "registry",
    )


def test_a_local_store_has_it_by_tag_commit_and_release(shop: Matrix, tmp_path: Path) -> None:
    first = shop.repository.git("rev-parse", "HEAD")
    grow(shop)
    shop.commit()
    shop.run("build")
    for asked in ("release", "HEAD~1", f"{shop.project}/s0:1.0.0"):
        found = compared(shop, asked)
        is_growth_of_the_model(found)
        assert found["how"].startswith("local store"), asked
    # Without a tag, the labels tell.
    docker("image", "tag", f"{shop.project}/s0:1.0.0", f"{shop.project}/s0:other")
    docker("image", "rm", f"{shop.project}/s0:1.0.0")
    shutil.rmtree(shop.root / ".hullwright")
    base(shop, tmp_path, 2_001_000)
    shop.run("build")
    found = compared(shop, "HEAD~1")
    assert found["how"] == f"local store, built of {first[:7]}"
    assert found["kind"] == "both"
    assert growth(found, "unpacked")["base"] == 2_000_000
    assert growth(found, "unpacked")["own"] == MODEL_BYTES


def test_of_an_image_that_is_gone_the_history_has_the_figures(shop: Matrix) -> None:
    shop.run("sizes")
    grow(shop)
    shop.commit()
    shop.run("build")
    docker("image", "rm", "--force", f"{shop.project}/s0:1.0.0")
    found = compared(shop, "HEAD~1")
    is_growth_of_the_model(found)
    assert "the image itself is gone" in found["how"]
    # Without the cache there are the figures of its layers.
    shutil.rmtree(shop.environ["XDG_CACHE_HOME"])
    found = compared(shop, "HEAD~1")
    assert found["how"].startswith("history, sizes of ")
    assert "grew by 30.0 MB unpacked: step COPY models/ /app/models/" in found["cause"]
    assert (found["files"], growth(found, "unpacked")["own"]) == ([], MODEL_BYTES)


def test_what_is_not_found_is_told_with_where_it_was_looked_for(shop: Matrix) -> None:
    shop.commit()
    shop.run("build")
    wrong = shop.run("sizes", "--against", "mian", code=2).stderr
    assert '"mian" is no ref of this clone and no image — did you mean "main"?' in wrong
    gone = shop.run("sizes", "--against", f"{shop.project}/s0:9.9", code=1).stderr
    assert f"the image {shop.project}/s0:9.9 is not in the local store" in gone
    docker("image", "rm", "--force", f"{shop.project}/s0:1.0.0")
    shutil.rmtree(shop.root / ".hullwright")
    shutil.rmtree(shop.environ["XDG_CACHE_HOME"])
    shop.change("s0")
    shop.commit()
    shop.run("build")
    none = shop.run("sizes", "--against", "v1.0.0", code=1).stderr
    assert "there is no image of s0 at v1.0.0" in none
    assert f"{shop.project}/s0:1.0.0" in none
    assert "invoke push" in none
