"""Base images by lock: a tag that moves, a mirror, the local store, and builds held to all that."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

import baseimages
import imaging
from composing import BUSYBOX, docker
from hullwright import locked
from hullwright.bases.needs import Need
from hullwright.bases.resolving import resolve
from matrix import Matrix, made
from registries import answering, registry
from repositories import isolated, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

# Nobody listens on the port of `discard`: a registry that cannot be reached.
NOWHERE = "127.0.0.1:9"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a registry that the tests of this module put base images into."""
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def repository(engine: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a repository of one service, which is to be given a Dockerfile."""
    del engine
    matrix = made(tmp_path, 1)
    yield matrix
    imaging.forget(matrix.project)


def dockerfile(matrix: Matrix, base: str) -> None:
    """Let the service of a repository be made on a base, and commit that."""
    matrix.repository.write("services/s0/Dockerfile", f"FROM {base}\nCOPY steps.sh /steps.sh\n")
    matrix.commit()


def lock(matrix: Matrix) -> locked.Lock:
    found = locked.load(matrix.root)
    assert found is not None
    return found


def built(matrix: Matrix, *words: str, code: int = 0, **more: str) -> tuple[str, str]:
    """Build, and return the status and the reference of the service's image."""
    (target,) = matrix.json("build", *words, code=code, **more)["targets"]
    return target["status"], target["reference"]


def inspected(reference: str) -> dict[str, Any]:
    (found,) = json.loads(docker("image", "inspect", reference))
    return dict(found)


def base_of(reference: str) -> tuple[str, str]:
    """Return the digest that an image says its base has, and the id of its first layer."""
    found = inspected(reference)
    label = found["Config"]["Labels"]["org.opencontainers.image.base.digest"]
    return label, found["RootFS"]["Layers"][0]


@pytest.mark.docker
def test_a_build_takes_what_is_locked_until_it_is_moved(repository: Matrix, address: str) -> None:
    name = f"{repository.project}/base"
    image = f"{address}/{name}:1"
    first = baseimages.put(address, name, "1", "first")
    dockerfile(repository, image)
    done = repository.run("images", "--lock")
    assert done.stdout.splitlines()[0] == "images.lock holds 1 base image: 1 locked"
    entry = lock(repository).images[image]
    assert entry.digest == first
    assert set(entry.platforms) == {"linux/amd64", "linux/arm64"}
    assert entry.source == image
    at = entry.at
    repository.commit()

    second = baseimages.put(address, name, "1", "second", created="2026-11-20T00:00:00Z")
    assert second != first
    told = repository.run("images", "--outdated").stdout
    assert told.startswith("1 locked image, 1 moved\n")
    assert "made 2026-11-20, locked " in told
    assert f"next  invoke images --update {image}" in told
    assert repository.run("images", "--lock").stdout.startswith(
        "images.lock holds 1 base image, nothing to change"
    )
    assert lock(repository).images[image].at == at

    status, reference = built(repository, "--locked")
    assert status == "built"
    digest, layer = base_of(reference)
    assert digest == first
    # Also where newer images are asked for.
    done = repository.run("build", "--pull", "--force")
    assert "images.lock pins 1 base image, which --pull does not move" in done.stderr
    assert base_of(built(repository)[1]) == (first, layer)

    moved = repository.json("images", "--update", f"{address}/{name}")["changes"]
    assert [(change["action"], change["cause"]) for change in moved] == [("move", "it moved")]
    assert lock(repository).images[image].digest == second
    told = repository.run("build", "--changed-since", "HEAD", "--dry").stdout
    assert f"because    base {image} moved" in told
    repository.commit()
    told = repository.run("build", "--changed-since", "HEAD").stdout
    assert "nothing that is built changed since HEAD" in told
    why = repository.run("build", "--why").stderr
    assert f"base {image} moved" in why
    digest, other = base_of(built(repository)[1])
    assert digest == second
    assert other != layer
    assert repository.run("images", "--outdated").stdout.startswith("1 locked image, none moved\n")


@pytest.mark.docker
def test_locking_what_is_there_leaves_what_was_built_current(
    repository: Matrix, address: str
) -> None:
    name = f"{repository.project}/base"
    baseimages.put(address, name, "1", "first")
    docker("pull", "--quiet", f"{address}/{name}:1")
    dockerfile(repository, f"{address}/{name}:1")
    status, reference = built(repository)
    assert status == "built"
    repository.run("images", "--lock")
    repository.commit()
    assert built(repository) == ("current", reference)


@pytest.mark.docker
def test_a_lock_that_does_not_fit_ends_builds_on_ci(repository: Matrix, address: str) -> None:
    name = f"{repository.project}/base"
    baseimages.put(address, name, "1", "first")
    dockerfile(repository, f"{address}/{name}:1")
    done = repository.run("build", "--locked", code=2)
    assert "--locked holds a build to images.lock, and there is none" in done.stderr
    repository.run("images", "--lock")
    baseimages.put(address, name, "2", "second")
    dockerfile(repository, f"{address}/{name}:2")
    done = repository.run("build", code=1, CI="true")
    assert "images.lock does not fit what Dockerfiles name" in done.stderr
    assert f"{address}/{name}:2  services/s0/Dockerfile:1 FROM is not locked" in done.stderr
    assert "next" in done.stderr
    assert repository.images() == []
    # Elsewhere it is only told.
    done = repository.run("build")
    assert f"! images.lock: {address}/{name}:2" in done.stderr
    assert repository.run("images", "--lock").stdout.splitlines()[0] == (
        "images.lock holds 1 base image: 1 dropped, 1 locked"
    )
    repository.run("build", CI="true")


@pytest.mark.docker
def test_the_local_store_speaks_where_no_registry_answers(repository: Matrix, busybox: str) -> None:
    image = f"{NOWHERE}/{repository.project}/base:1"
    docker("image", "tag", busybox, image)
    dockerfile(repository, image)
    done = repository.run("images", "--lock")
    assert f"! {image} is locked to what the local store has" in done.stdout
    entry = lock(repository).images[image]
    assert (entry.digest, entry.source) == (inspected(BUSYBOX)["Id"], "the local store")
    # The very image is found in the store; nobody could be asked for it.
    status, reference = built(repository, "--locked")
    assert status == "built"
    assert base_of(reference)[0] == entry.digest
    assert built(repository)[0] == "current"


@pytest.mark.docker
def test_a_stand_in_is_locked_by_its_recipe(repository: Matrix, busybox: str) -> None:
    from hullwright.bases import load_recipes

    image = f"{NOWHERE}/{repository.project}/standing:1"
    folder = "deploy/base-images/standing"
    repository.repository.write(
        f"{folder}/recipe.toml", f'stands-for = ["{image}"]\nsuite = "trixie"\n'
    )
    repository.repository.write(f"{folder}/Dockerfile", "FROM scratch\n")
    digest = load_recipes(repository.root)[image].digest
    status = "Package: apt\nStatus: install ok installed\nVersion: 3.0.3\n"
    repository.repository.write("made/var/lib/dpkg/status", status)
    repository.repository.write("made/Dockerfile", f"FROM {busybox}\nCOPY var /var\n")
    labels = [f"dev.hullwright.stand-in={image}", f"dev.hullwright.recipe={digest}"]
    words = [word for label in labels for word in ("--label", label)]
    docker("build", "--quiet", "--tag", image, *words, str(repository.root / "made"))
    dockerfile(repository, image)
    plan = repository.run("images", "--lock", "--dry").stdout
    assert plan.endswith("services/s0/Dockerfile:1 FROM; its packages are read\n")
    assert not (repository.root / "images.lock").exists()
    repository.run("images", "--lock")
    entry = lock(repository).images[image]
    assert (entry.digest, entry.stand_in, entry.source) == ("", digest, folder)
    assert dict(entry.packages) == {"apt": "3.0.3"}
    assert "locked by recipe" in repository.run("images").stdout
    assert built(repository, "--locked")[0] == "built"
    # Another recipe is another stand-in.
    repository.repository.write(f"{folder}/Dockerfile", "FROM scratch\nENV A=1\n")
    done = repository.run("build", "--locked", code=1)
    assert "the recipe of its stand-in, deploy/base-images/standing, has changed" in done.stderr
    done = repository.run("images", "--lock", code=1)
    assert "what is here is not what the recipes make" in done.stderr


def test_nobody_gives_an_image_and_the_lock_stays_as_it_is(tmp_path: Path, address: str) -> None:
    matrix = made(tmp_path, 1)
    dockerfile(matrix, f"{address}/{matrix.project}/nothing:1")
    done = matrix.run("images", "--lock", code=3)
    assert "nobody tells what" in done.stderr
    assert f"{address}  it has no such image" in done.stderr
    assert not (matrix.root / "images.lock").exists()


def test_a_mirror_serves_what_it_has(tmp_path: Path, address: str) -> None:
    matrix = made(tmp_path, 1, configuration=f'[build]\nmirror = "{address}/cache"\n')
    digest = baseimages.put_single(address, f"cache/library/{matrix.project}", "1", "mirrored")
    dockerfile(matrix, f"{matrix.project}:1")
    matrix.run("images", "--lock")
    entry = lock(matrix).images[f"{matrix.project}:1"]
    assert entry.digest == digest
    assert dict(entry.platforms) == {"linux/amd64": digest}
    assert entry.source == f"{address}/cache/library/{matrix.project}:1"


def test_registries_are_asked_for_all_images_at_the_same_time(tmp_path: Path) -> None:
    together = threading.Barrier(3)

    def answer(request: BaseHTTPRequestHandler) -> None:
        # No answer before the others have asked, too.
        together.wait(timeout=60)
        request.send_response(404)
        request.send_header("Content-Length", "0")
        request.end_headers()

    with answering(answer) as endpoint:
        ws = workspace(tmp_path, isolated(tmp_path))
        names = [f"{endpoint.host}/team/{number}:1" for number in range(3)]
        told = resolve(ws, [Need(name, ("Dockerfile:1 FROM",)) for name in names], {}, {})
    assert not together.broken
    assert [(each.entry, each.silent) for each in told.values()] == [(None, False)] * 3
