"""From a push to a server: the file that a push writes is what is promoted, pulled and started."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullwright.push.releasereading import read
from hullwright.tasks import publishing, releasing
from hullwright.tasks import stack as stack_tasks
from releasing import forget

if TYPE_CHECKING:
    from releasing import Runs, Shop

pytestmark = pytest.mark.docker


def test_what_was_pushed_is_promoted_pulled_and_planned_to_be_started(
    shop: Shop, run: Runs
) -> None:
    for service in shop.digests:
        (shop.root / service / "Dockerfile").write_text(
            f"FROM scratch\nCOPY Dockerfile /\nLABEL of={service}-{shop.root.parent.name}\n",
            encoding="utf-8",
        )
    subprocess.run(("git", "commit", "--quiet", "--all", "--message=own"), check=True)
    subprocess.run(("git", "tag", "v2.0.0"), check=True)
    file = shop.root.parent / "out.json"
    pushed = run(publishing.push, release_file=f"{file}")
    assert pushed.code == 0, pushed.err
    release = read(file)
    assert (release.project, release.version) == ("shop", "2.0.0")
    digests = {image.service: image.digest for image in release.images}
    for image in release.images:
        assert image.tags, "a tag that names a version"
        assert {shop.named(image.service, tag) for tag in image.tags} == {image.digest}
    assert release.compose[0].files == ("compose.yaml",)
    assert set(release.override()["services"]) == {"api", "web"}

    assert run(releasing.promote, release=f"{file}", to="live").code == 0
    assert {service: shop.named(service, "live") for service in digests} == digests

    forget(shop)
    (shop.root / ".hullwright" / "images.json").unlink()
    pulled = run(releasing.pull)
    assert pulled.code == 0, pulled.err
    planned = run.dry(stack_tasks.up)
    assert planned.code == 0, planned.err
    assert "create    web: no container, 2.0.0 as built" in planned.out


def test_the_override_is_a_compose_file_that_comes_through_standard_input(shop: Shop) -> None:
    override = json.loads(Path(shop.file()).read_text(encoding="utf-8"))["override"]
    words = ("docker", "compose", "-f", "compose.yaml", "-f", "-", "config", "--images")
    done = subprocess.run(
        words, input=json.dumps(override), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    images = {f"{shop.repository(name)}@{digest}" for name, digest in shop.digests.items()}
    assert set(done.stdout.split()) == images


def test_a_release_file_that_cannot_be_written_is_2_before_anything_is_built(
    shop: Shop, run: Runs
) -> None:
    done = run(publishing.push, release_file="nowhere/release.json")
    assert done.code == 2
    assert "no release file can be written to nowhere/release.json" in done.err
    assert "there is no folder nowhere" in done.err
