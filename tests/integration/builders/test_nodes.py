"""Builders of other machines: where images are built, and where they are afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import docker

from .conftest import configured

if TYPE_CHECKING:
    from matrix import Matrix

    from .conftest import Site

pytestmark = pytest.mark.docker


def test_a_builder_keeps_what_it_makes_until_it_is_loaded(far: Matrix, site: Site) -> None:
    # Its mirror tells us, too, what base it builds on.
    configured(far, [site.node("plain")], f'mirror = "{site.registry}"')
    told = far.json("build")
    assert [(t["status"], t["nodes"]) for t in told["targets"]] == [("built", [site.plain])] * 2
    digests = {target["service"]: target["digest"] for target in told["targets"]}
    assert all(digests.values())
    assert far.images() == []
    loaded = far.json("build", "--load")
    # The same bytes, out of the builder's cache.
    assert {t["service"]: t["digest"] for t in loaded["targets"]} == digests
    assert {t["cached_steps"] - t["steps"] for t in loaded["targets"]} == {0}
    assert sorted(far.images()) == sorted(digests.values())
    assert set(far.statuses().values()) == {"current"}


def test_a_node_that_does_not_answer_is_named_and_passed_over(far: Matrix, site: Site) -> None:
    configured(far, ['{ endpoint = "tcp://127.0.0.1:1" }', site.node("secure")])
    done = far.run("build")
    assert "node tcp://127.0.0.1:1 is passed over: nothing listens there" in done.stderr
    assert f"on {site.secure}" in done.stdout
    assert "kept by builder far; it comes to the local store with --load" in done.stdout
    assert far.images() == []


def test_a_required_builder_without_nodes_ends_with_3(far: Matrix) -> None:
    configured(far, ['{ endpoint = "tcp://127.0.0.1:1" }'])
    done = far.run("build", code=3)
    assert "builder far has no node that answers" in done.stderr
    assert "--builder default" in done.stderr


def test_the_engine_builds_where_a_builder_is_not_required(far: Matrix, site: Site) -> None:
    configured(far, ['{ endpoint = "tcp://127.0.0.1:1" }'], required=False)
    for name in far.names:
        far.repository.write(f"services/{name}/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n")
    done = far.run("build")
    assert "builder far is not required: the engine builds in its place" in done.stderr
    assert len(far.images()) == 2


def test_the_engine_can_be_asked_for_and_a_builder_must_be_known(far: Matrix, site: Site) -> None:
    configured(far, [site.node("plain")])
    far.repository.write("services/s0/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n")
    far.run("build", "--service", "s0", "--builder", "default")
    assert len(far.images()) == 1
    assert 'unknown builder "fat"' in far.run("build", "--builder", "fat", code=2).stderr


def test_a_stack_says_how_its_images_come_from_a_builder(far: Matrix, site: Site) -> None:
    configured(far, [site.node("plain")])
    far.repository.write(
        "docker-compose.yml",
        "services:\n  s0:\n    build: services/s0\n    command: sleep 60\n",
    )
    done = far.run("up", code=1)
    assert "not built yet: s0" in done.stderr
    assert "invoke build --service s0 --load" in done.stderr


def test_builders_are_made_once_and_made_anew_where_a_node_moved(far: Matrix, site: Site) -> None:
    configured(far, [site.node("plain")])
    assert "docker buildx create" in far.run("--echo", "build").stderr
    assert "docker buildx create" not in far.run("--echo", "build", "--force").stderr
    configured(far, [site.node("secure")])
    again = far.run("--echo", "build", "--force").stderr
    name = f"hullwright-{far.project}-far-1"
    assert f"docker buildx rm {name}" in again
    assert site.secure in docker("buildx", "inspect", name)
