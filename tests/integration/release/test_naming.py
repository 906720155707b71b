"""Recorded images get other tags in the local store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright.tasks import releasing

if TYPE_CHECKING:
    from releasing import Runs, Shop

pytestmark = pytest.mark.docker


def id_of(name: str) -> str:
    """Return how the local store knows a name; empty where it does not."""
    return docker("image", "inspect", "--format", "{{.Id}}", name, check=False)


def test_every_recorded_image_gets_the_tag(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    done = run(releasing.tag, tag="demo")
    assert done.code == 0, done.err
    for service, digest in shop.digests.items():
        assert id_of(f"{shop.repository(service)}:demo") == digest
    assert done.out.startswith("2 tags of 2 set in the local store\n")
    assert f"{shop.repository('api')}:demo  {shop.digests['api'][:19]}  1.4.1  new" in done.out
    assert run(releasing.tag, tag="demo").out.startswith("0 tags of 2 set")


def test_only_the_services_that_are_asked_for(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    assert run(releasing.tag, tag="only", service=["web"]).code == 0
    assert id_of(f"{shop.repository('web')}:only") == shop.digests["web"]
    assert id_of(f"{shop.repository('api')}:only") == ""


def test_what_a_name_was_before_is_told(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    docker("tag", f"{shop.repository('api')}:1.4.1", f"{shop.repository('web')}:demo")
    (told,) = run(releasing.tag, tag="demo", service=["web"], format="json").json()["tags"]
    assert told["before"] == shop.digests["api"]
    assert told["status"] == "set"


def test_a_dry_run_changes_no_name(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    done = run.dry(releasing.tag, tag="demo")
    assert done.out.startswith("tag 2 images in the local store\n")
    assert id_of(f"{shop.repository('api')}:demo") == ""


def test_what_was_never_built_is_1(shop: Shop, run: Runs) -> None:
    done = run(releasing.tag, tag="demo")
    assert done.code == 1
    assert "not built yet: api, web" in done.err


def test_what_is_gone_from_the_store_is_1(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    name = f"{shop.repository('web')}"
    docker("image", "rm", "--force", f"{name}:1.4.1", f"{name}@{shop.digests['web']}")
    done = run(releasing.tag, tag="demo")
    assert done.code == 1
    assert "what was built is no longer in the local store" in done.err
    assert id_of(f"{shop.repository('api')}:demo") == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "no tag is named"),
        ({"tag": "Not a tag"}, '"Not a tag" is no legal tag'),
        ({"tag": "demo", "service": ["apy"]}, 'unknown service "apy" — did you mean "api"?'),
    ],
)
def test_what_cannot_be_meant_is_2(
    shop: Shop, run: Runs, arguments: dict[str, object], told: str
) -> None:
    done = run(releasing.tag, **arguments)
    assert done.code == 2
    assert told in done.err
