"""Making images present on the real engine: from a registry, from a mirror, as stand-ins."""

from __future__ import annotations

import io
import secrets
from typing import TYPE_CHECKING

import pytest

from composing import docker, environ_of
from hullwright import bases
from hullwright.config.models import Build, Config, Stack
from hullwright.console import Console
from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import Runner
from hullwright.workspace import Workspace
from registries import answering, refusing, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

RECIPE = """\
stands-for = ["{image}"]
suite = "trixie"
"""
DOCKERFILE = "FROM scratch\nARG TARGETARCH\nADD rootfs-${TARGETARCH}.tar /\n"


class Repository:
    """A repository whose one stack runs one image."""

    def __init__(self, folder: Path, image: str, mirror: str = "") -> None:
        self.image = image
        self.folder = folder
        (folder / "compose.yml").write_text(f"services: {{s: {{image: '{image}'}}}}\n")
        environ = environ_of(folder / "state", XDG_CACHE_HOME=str(folder / "cache"))
        self.workspace = Workspace(
            folder,
            Config(
                "test",
                stacks={"default": Stack("default", ("compose.yml",))},
                build=Build(mirror=mirror),
            ),
            Runner(environ),
            Console(environ, out=io.StringIO(), err=io.StringIO()),
            environ,
        )

    def recipe(self) -> Path:
        """Give it a recipe that stands for its image, and return the folder."""
        folder = self.folder / "deploy/base-images/small"
        folder.mkdir(parents=True)
        (folder / "recipe.toml").write_text(RECIPE.format(image=self.image), encoding="utf-8")
        (folder / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        return folder


@pytest.fixture
def name(engine: str) -> Iterator[str]:
    """Yield a repository name that nothing else has; its images are removed again."""
    found = f"hullwright-test-{secrets.token_hex(4)}"
    yield found
    tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    for tag in tags:
        if found in tag:
            docker("image", "rm", "--force", tag)


@pytest.fixture
def served(name: str, busybox: str, tmp_path: Path) -> Iterator[str]:
    """Yield a registry that has the image `name`:1, both at its top and below library."""
    with registry(tmp_path) as host:
        for path in (name, f"library/{name}"):
            docker("image", "tag", busybox, f"{host}/{path}:1")
            docker("push", "--quiet", f"{host}/{path}:1")
            docker("image", "rm", f"{host}/{path}:1")
        yield host


def test_an_image_is_pulled_from_the_registry_that_it_names(
    served: str, name: str, tmp_path: Path
) -> None:
    repository = Repository(tmp_path, f"{served}/{name}:1")
    assert [image.state for image in bases.listing(repository.workspace).images] == ["missing"]
    done = bases.prepare(repository.workspace, stand_ins=False)
    assert [type(one.operation) for one in done.done] == [bases.Pull]
    assert [image.state for image in done.listing.images] == ["present"]
    again = bases.prepare(repository.workspace, stand_ins=False)
    assert (again.done, again.plan.kept) == ((), (repository.image,))


def test_a_mirror_serves_an_image_under_its_own_name(
    served: str, name: str, tmp_path: Path
) -> None:
    repository = Repository(tmp_path, f"{name}:1", mirror=served)
    done = bases.prepare(repository.workspace, stand_ins=True)
    assert [one.operation.source for one in done.done if isinstance(one.operation, bases.Pull)] == [
        f"{served}/library/{name}:1"
    ]
    assert docker("image", "inspect", "--format", "{{.Id}}", f"{name}:1")


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_registry_that_refuses_is_no_reason_for_a_stand_in(
    name: str, tmp_path: Path, status: int
) -> None:
    with answering(refusing(status)) as endpoint:
        repository = Repository(tmp_path, f"{endpoint.host}/{name}:1")
        repository.recipe()
        with pytest.raises(UnavailableError, match="could not be pulled") as caught:
            bases.prepare(repository.workspace, stand_ins=True)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert any(f"{endpoint.host}  {status}, " in line for line in caught.value.lines())
    assert any(line.startswith("  engine ") for line in caught.value.lines())
    assert not docker("image", "ls", "--quiet", repository.image)


def test_without_consent_an_unreachable_registry_ends_with_3(name: str, tmp_path: Path) -> None:
    # Nobody listens on port 1.
    repository = Repository(tmp_path, f"127.0.0.1:1/{name}:1")
    repository.recipe()
    with pytest.raises(UnavailableError, match="could not be pulled") as caught:
        bases.prepare(repository.workspace, stand_ins=False)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert ("127.0.0.1:1", "Connection refused") in caught.value.why
    assert caught.value.next_step.startswith("invoke images --prepare --stand-ins")


def test_a_missing_image_without_a_recipe_ends_with_3(name: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path, f"127.0.0.1:1/{name}:1")
    with pytest.raises(UnavailableError, match=f"no recipe stands in for .*{name}:1"):
        bases.prepare(repository.workspace, stand_ins=True)


def test_a_stand_in_is_built_labelled_kept_and_built_again(name: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path, f"127.0.0.1:1/{name}:1")
    recipe = repository.recipe()
    ws = repository.workspace
    first = bases.prepare(ws, stand_ins=True)
    assert [type(one.operation) for one in first.done] == [bases.Build]
    (there,) = first.listing.images
    assert (there.state, there.origin, there.recipe) == ("present", "stand-in", "small")
    assert bases.stand_in_of(ws, repository.image) == repository.image
    assert bases.prepare(ws, stand_ins=True).done == ()

    _nothing_of_this_machine_is_in(repository.image)
    _its_children_are_known(repository, name)

    (recipe / "Dockerfile").write_text(f"{DOCKERFILE}ENV CHANGED=1\n", encoding="utf-8")
    assert [image.state for image in bases.listing(ws).images] == ["stale"]
    assert str(bases.plan(ws, stand_ins=True)).endswith("its recipe has changed")
    assert bases.plan(ws, stand_ins=False).operations == ()


def _nothing_of_this_machine_is_in(image: str) -> None:
    shell = (
        "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -i ^uris; "
        "grep -ril 'proxy' /etc/apt; find /usr/local/share/ca-certificates -type f; "
        "cat /etc/hostname 2>/dev/null; true"
    )
    said = docker("run", "--rm", "--network=none", "--hostname=test", image, "sh", "-c", shell)
    for line in said.splitlines():
        public = line.lower().startswith("uris:") and ".debian.org/" in line
        assert public or line == "test", line


def _its_children_are_known(repository: Repository, name: str) -> None:
    child = f"{name}-child:1"
    context = repository.folder / "child"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {repository.image}\nENV A=1\n", encoding="utf-8")
    docker("buildx", "build", "--quiet", "--load", "--tag", child, str(context))
    assert bases.is_stand_in_based(repository.workspace, child)
    assert bases.stand_in_of(repository.workspace, child) == repository.image
