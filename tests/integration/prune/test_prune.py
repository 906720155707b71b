"""Images, projects and staging tags that a test made go, and nothing that is in use goes."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from composing import docker, there
from hullwright.config.models import Config, Service, Stack
from hullwright.prune import Limits, execute, look, plan
from hullwright.prune.models import NO_SINGLE_TAGS
from hullwright.workspace import Workspace
from registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from composing import Made
    from hullwright.prune import PruneReport

pytestmark = pytest.mark.docker

AT_ONCE: Final = timedelta(0)
STACK: Final = """
  api:
    image: {image}
    command: sleep 600
    stop_grace_period: 0s
    volumes: [data:/data]
"""


class Shop:
    """A project whose images are made for one test."""

    def __init__(self, made: Made, base: str) -> None:
        self.made, self.base = made, base
        self.api = f"{made.project}/api"

    def workspace(self, registry: str = "") -> Workspace:
        ws = self.made.workspace()
        config = Config(
            self.made.project,
            registry=registry,
            services={"api": Service("api", image=self.api)},
            stacks={"default": Stack("default", ("compose.yaml",))},
        )
        return Workspace(ws.root, config, ws.runner, ws.console, ws.environ)

    def build(self, *names: str, version: str = "0.1.0-0.dev.1", project: str = "") -> str:
        """Build an image that is like no other, and return its id."""
        labels = {
            "dev.hullwright.project": project or self.made.project,
            "dev.hullwright.service": "api",
            "dev.hullwright.target": "production",
            "org.opencontainers.image.version": version,
            "unique": secrets.token_hex(8),
        }
        file = self.made.folder / "Dockerfile"
        file.write_text(f"FROM {self.base}\n", encoding="utf-8")
        given = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
        tags = [word for name in names for word in ("--tag", name)]
        docker(
            *("buildx", "build", "--quiet", "--load", "--provenance=false", *given, *tags),
            str(self.made.folder),
        )
        return docker("image", "inspect", "--format", "{{.Id}}", names[0])

    def names(self) -> set[str]:
        """Return the names and, of those without one, the ids of its images."""
        found = docker(
            *("image", "ls", "--all", "--no-trunc", "--filter"),
            f"label=dev.hullwright.project={self.made.project}",
            *("--format", "{{.Repository}}:{{.Tag}} {{.ID}}"),
        )
        rows = (line.split() for line in found.splitlines())
        return {identifier if "<none>" in name else name for name, identifier in rows}

    def prune(self, limits: Limits) -> PruneReport:
        ws = self.workspace()
        return execute(ws, plan(look(ws, limits), limits))


@pytest.fixture
def shop(made: Made, busybox: str) -> Iterator[Shop]:
    shop = Shop(made, busybox)
    yield shop
    containers = docker("ps", "-aq", "--filter", f"name=^{made.project}").split()
    if containers:
        docker("rm", "--force", "--volumes", *containers)
    if shop.names():
        docker("image", "rm", "--force", *shop.names())


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the count of bytes, which takes the engine seconds and is tested once."""
    monkeypatch.setattr("hullwright.tools.storage.own_bytes", lambda _: {})


def test_old_images_go_and_what_is_used_released_or_named_by_others_stays(shop: Shop) -> None:
    api = shop.api
    shop.build(f"{api}:1.0.0", version="1.0.0")
    shop.build(f"{api}:used")
    docker("create", "--name", f"{shop.made.project}-used", f"{api}:used", "true")
    shop.build(f"{api}:runs")
    docker("run", "-d", "--name", f"{shop.made.project}-runs", f"{api}:runs", "sleep", "600")
    shop.build(f"{api}:theirs", f"{shop.made.project}-theirs:1")
    shop.build(f"{api}:old", f"{api}:old-too")
    nameless = shop.build(f"{api}:new")
    shop.build(f"{api}:next")
    docker("tag", f"{api}:next", f"{api}:new")
    other = f"{shop.made.project}-other"
    shop.build(f"{other}:1", project=other)
    assert nameless in shop.names()
    try:
        done = shop.prune(Limits(keep=1, older_than=AT_ONCE, projects=False))
        assert done.left == ()
        assert shop.names() == {
            *(f"{api}:{tag}" for tag in ("1.0.0", "used", "runs", "theirs", "new", "next")),
            f"{shop.made.project}-theirs:1",
        }
        gone = {operation.name for operation in done.removed}
        assert gone == {f"{api}:old", f"{api}:old-too", nameless}
        assert docker("image", "inspect", "--format", "ok", f"{other}:1") == "ok"
    finally:
        docker("image", "rm", f"{other}:1")


@pytest.mark.usefixtures("uncounted")
def test_an_image_that_came_into_use_after_the_plan_stays(shop: Shop) -> None:
    shop.build(f"{shop.api}:old")
    ws, limits = shop.workspace(), Limits(keep=0, older_than=AT_ONCE, projects=False)
    planned = plan(look(ws, limits), limits)
    assert planned
    docker("create", "--name", f"{shop.made.project}-late", f"{shop.api}:old", "true")
    done = execute(ws, planned)
    assert done.failed
    assert [operation.name for operation, _ in done.left] == [f"{shop.api}:old"]
    assert f"{shop.api}:old" in shop.names()


@pytest.mark.usefixtures("uncounted")
def test_a_dry_run_removes_nothing(shop: Shop) -> None:
    shop.build(f"{shop.api}:old")
    limits = Limits(keep=0, older_than=AT_ONCE)
    assert f"remove    image {shop.api}:old" in plan(look(shop.workspace(), limits), limits).text()
    assert shop.names() == {f"{shop.api}:old"}


def test_a_stopped_stack_goes_without_its_volumes_and_a_running_one_stays(shop: Shop) -> None:
    made, limits = shop.made, Limits(images=False, older_than=AT_ONCE)
    made.compose(STACK.format(image=shop.base), "volumes: {data: {}}\n")
    compose = ("compose", "--project-directory", str(made.folder))
    docker(*compose, "up", "--detach", "--quiet-pull")
    assert not shop.prune(limits).removed
    docker(*compose, "stop")
    # Stopped just now: it may be started again.
    assert not plan(look(shop.workspace(), Limits()), Limits())
    done = shop.prune(limits)
    assert done.left == ()
    assert there(made.project) == {
        "containers": [],
        "networks": [],
        "volumes": [f"{made.project}_data"],
    }
    assert f"keep      volume {made.project}_data" in done.plan.text()


def test_what_a_crashed_cold_start_left_goes_with_its_data(shop: Shop) -> None:
    name = f"{shop.made.project}-cold-0a1b2c3d"
    foreign = f"{shop.made.project}x-cold-0a1b2c3d"
    for project in (name, foreign):
        kind = ("--label", "dev.hullwright.kind=throwaway")
        labels = (*kind, "--label", f"dev.hullwright.project={project}")
        docker("network", "create", *labels, f"{project}_default")
        docker("volume", "create", *labels, f"{project}_data")
        mount = ("--volume", f"{project}_data:/data", "--network", f"{project}_default")
        docker("create", "--name", f"{project}-db-1", *labels, *mount, shop.base, "true")
    try:
        done = shop.prune(Limits(images=False))
        assert done.left == ()
        assert {operation.name for operation in done.removed} == {
            *(f"{name}-db-1", f"{name}_default", f"{name}_data")
        }
        assert docker("volume", "ls", "--quiet", "--filter", f"name={foreign}")
    finally:
        docker("rm", "--force", f"{foreign}-db-1", f"{name}-db-1", check=False)
        for project in (name, foreign):
            docker("network", "rm", f"{project}_default", check=False)
            docker("volume", "rm", f"{project}_data", check=False)


def test_staging_tags_are_listed_and_stay_where_no_single_tag_can_go(
    shop: Shop, tmp_path: Path
) -> None:
    staged = f"hullwright-{secrets.token_hex(16)}"
    with registry(tmp_path, delete=True) as address:
        remote = f"{address}/{shop.api}"
        shop.build(f"{shop.api}:1", f"{remote}:{staged}", f"{remote}:1.0.0")
        for tag in (staged, "1.0.0"):
            docker("push", "--quiet", f"{remote}:{tag}")
        ws = shop.workspace(address)
        limits = Limits(images=False, projects=False, registry=True)
        planned = plan(look(ws, limits), limits)
        assert [each.name for each in planned.operations] == [f"{remote}:{staged}"]
        done = execute(ws, planned)
        assert [why for _, why in done.left] == [NO_SINGLE_TAGS]
        assert not done.failed
        # Neither of the two is gone: removing the digest would have taken both.
        assert [each.name for each in plan(look(ws, limits), limits).operations] == [
            f"{remote}:{staged}"
        ]
        docker("pull", "--quiet", f"{remote}:1.0.0")


def test_build_cache_is_shown_as_everybodys(shop: Shop) -> None:
    limits = Limits(images=False, projects=False, cache=True, older_than=timedelta(days=3650))
    made = plan(look(shop.workspace(), limits), limits)
    assert [each.kind for each in made.operations] == ["cache"]
    assert "of every project on this machine" in made.text()
