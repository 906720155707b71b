"""Images are pulled by digest, and taken from then on by whatever starts or measures them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from composing import docker, remove
from hullwright.tasks import releasing, sizing
from hullwright.tasks import stack as stack_tasks

if TYPE_CHECKING:
    from releasing import Runs, Shop

pytestmark = pytest.mark.docker


def recorded(shop: Shop) -> dict[str, dict[str, object]]:
    """Return what the shop's repository has recorded, by service."""
    text = (shop.root / ".hullwright" / "images.json").read_text(encoding="utf-8")
    return {entry["service"]: entry for entry in json.loads(text)["images"]}


def id_of(name: str) -> str:
    """Return how the local store knows a name; empty where it does not."""
    return docker("image", "inspect", "--format", "{{.Id}}", name, check=False)


def test_the_images_of_a_release_are_here_recorded_and_named(shop: Shop, run: Runs) -> None:
    done = run(releasing.pull, release=shop.file())
    assert done.code == 0, done.err
    assert done.out.startswith("2 images of 2 pulled · shop 1.4.1\n")
    entries = recorded(shop)
    for service, digest in shop.digests.items():
        entry = entries[service]
        assert id_of(f"{shop.repository(service)}:1.4.1") == digest
        assert entry["digest"] == digest
        assert entry["reference"] == f"{shop.repository(service)}:1.4.1"
        assert (entry["version"], entry["revision"]) == ("1.4.1", "a" * 40)
        assert entry["fingerprint"] == "f" * 64
        assert entry["platforms"] == ["linux/amd64"]
    again = run(releasing.pull, release=shop.file())
    assert again.out.startswith("nothing to pull: 2 images are here · shop 1.4.1\n")
    assert "nothing to pull" not in again.err


def test_sizes_and_up_take_exactly_what_was_pulled(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    measured = run(sizing.sizes, format="json")
    assert measured.code == 0, measured.err
    told = {entry["service"]: entry["digest"] for entry in measured.json()["images"]}
    assert told == shop.digests
    planned = run.dry(stack_tasks.up)
    assert planned.code == 0, planned.err
    assert "create    api: no container, 1.4.1 as built" in planned.out
    assert "create    web: no container, 1.4.1 as built" in planned.out


def test_the_default_is_the_tag_of_the_current_version(shop: Shop, run: Runs) -> None:
    done = run(releasing.pull, service=["web"])
    assert done.code == 0, done.err
    assert list(recorded(shop)) == ["web"]
    assert recorded(shop)["web"]["digest"] == shop.digests["web"]
    assert id_of(f"{shop.repository('api')}:1.4.1") == ""


def test_a_tag_is_pulled_by_the_digest_that_it_names_now(shop: Shop, run: Runs) -> None:
    run(releasing.promote, release=shop.file(), to="stable")
    done = run(releasing.pull, tag="stable")
    assert done.code == 0, done.err
    assert recorded(shop)["api"]["reference"] == f"{shop.repository('api')}:stable"
    assert recorded(shop)["api"]["version"] == "1.4.1"


def test_a_dry_run_shows_what_would_be_pulled_and_pulls_nothing(shop: Shop, run: Runs) -> None:
    done = run.dry(releasing.pull, release=shop.file())
    assert done.code == 0
    assert f"  pull  {shop.repository('api')}:1.4.1" in done.out
    assert id_of(f"{shop.repository('api')}:1.4.1") == ""
    assert not (shop.root / ".hullwright" / "images.json").exists()


def test_a_tag_that_is_not_there_is_1_and_the_tags_that_are_there_are_named(
    shop: Shop, run: Runs
) -> None:
    done = run(releasing.pull, service=["api"], tag="1.4.2")
    assert done.code == 1
    assert "the registry has no such image of api" in done.err
    assert f"{shop.repository('api')} has no tag 1.4.2; it has " in done.err
    assert 'did you mean "1.4.1"?' in done.err


def test_an_image_of_the_release_that_is_gone_is_1_and_nothing_is_pulled(
    shop: Shop, run: Runs
) -> None:
    file, gone = Path(shop.file()), f"sha256:{'0' * 64}"
    text = file.read_text(encoding="utf-8").replace(shop.digests["web"], gone)
    file.write_text(text, encoding="utf-8")
    done = run(releasing.pull, release=f"{file}")
    assert done.code == 1
    assert "1 image of shop 1.4.1 is not in the registry, so nothing was pulled" in done.err
    assert f"{shop.repository('web')}@{gone}" in done.err
    assert id_of(f"{shop.repository('api')}:1.4.1") == ""


def test_a_registry_that_is_not_there_is_3(shop: Shop, run: Runs) -> None:
    done = run(releasing.pull, release=shop.file("127.0.0.1:1"))
    assert done.code == 3
    assert "127.0.0.1:1 cannot be reached" in done.err


def test_what_is_here_needs_no_registry(shop: Shop, run: Runs) -> None:
    run(releasing.pull, release=shop.file())
    names = [f"127.0.0.1:1/{shop.project}/{service}:1.4.1" for service in shop.digests]
    for service, name in zip(shop.digests, names, strict=True):
        docker("tag", f"{shop.repository(service)}:1.4.1", name)
    done = run(releasing.pull, release=shop.file("127.0.0.1:1"))
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"release": "r.json", "tag": "prod"}, "--release and --tag both say what to pull"),
        ({"tag": "a b"}, '"a b" is no legal tag'),
        ({"service": ["wb"]}, 'unknown service "wb" — did you mean "web"?'),
    ],
)
def test_what_cannot_be_meant_is_2(
    shop: Shop, run: Runs, arguments: dict[str, object], told: str
) -> None:
    done = run(releasing.pull, **arguments)
    assert done.code == 2
    assert told in done.err


def test_without_a_registry_only_a_release_file_says_what_to_pull(shop: Shop, run: Runs) -> None:
    (shop.root / "hullwright.toml").write_text('project = "shop"\n', encoding="utf-8")
    done = run(releasing.pull)
    assert done.code == 2
    assert "there is no registry to pull from" in done.err


def test_compose_takes_the_override_and_starts_the_release_without_building(
    shop: Shop, run: Runs
) -> None:
    override = shop.root / "release.override.json"
    release = json.loads(Path(shop.file()).read_text(encoding="utf-8"))
    override.write_text(json.dumps(release["override"]), encoding="utf-8")
    files = ("compose", "-f", "compose.yaml", "-f", f"{override}")
    try:
        # Nothing of it is in the local store, and one service has a Dockerfile beside it.
        docker(*files, "up", "--detach", "web")
        started = docker(*files, "ps", "--format", "{{.Image}}")
        assert started == f"{shop.repository('web')}@{shop.digests['web']}"
        services = json.loads(docker(*files, "config", "--format", "json"))["services"]
        assert services["api"]["image"] == f"{shop.repository('api')}@{shop.digests['api']}"
        assert services["api"]["pull_policy"] == "missing"
    finally:
        remove(shop.project)
