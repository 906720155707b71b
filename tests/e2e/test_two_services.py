"""The two images of this repository: the second one stands on the first, whoever asks for it."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from composing import docker
from hullwright.run import Runner

if TYPE_CHECKING:
    from e2e.conftest import Clone

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that put this machine's buildx and sops where the image would compile its own."""
    folder = tmp_path_factory.mktemp("compiled")
    plugins = json.loads(docker("info", "--format", "{{json .ClientInfo.Plugins}}"))
    buildx = next(entry["Path"] for entry in plugins if entry["Name"] == "buildx")
    shutil.copy(buildx, folder / "docker-buildx")
    shutil.copy(Runner(os.environ).resolve("sops"), folder / "sops")
    return [
        word
        for stage in ("buildx", "sops")
        for word in ("--set", f"toolbox-production.contexts.{stage}={folder}")
    ]


@pytest.fixture(scope="module")
def built(clone: Clone, compiled: list[str]) -> dict[str, Any]:
    """What a build of the toolbox alone made, by service."""
    done = clone.json("build", "--service", "toolbox", *compiled)
    return {target["service"]: target for target in done["targets"]}


def test_the_sibling_is_built_first_without_being_asked_for(built: dict[str, Any]) -> None:
    assert {name: target["status"] for name, target in built.items()} == {
        "hullwright": "built",
        "toolbox": "built",
    }


def layers(reference: str) -> list[str]:
    (seen,) = json.loads(docker("image", "inspect", reference))
    return list(seen["RootFS"]["Layers"])


def test_one_image_stands_on_the_other(built: dict[str, Any]) -> None:
    below, above = (layers(built[name]["reference"]) for name in ("hullwright", "toolbox"))
    assert above[: len(below)] == below
    assert len(above) > len(below)


def test_a_sibling_that_is_current_is_taken_as_it_is(
    clone: Clone, built: dict[str, Any], compiled: list[str]
) -> None:
    again = clone.json("build", "--target", "production", *compiled)
    targets = {target["service"]: target for target in again["targets"]}
    below, above = targets["hullwright"], targets["toolbox"]
    # What folders of the command line hold is not looked at: so the toolbox may have changed.
    assert (below["status"], above["status"]) == ("current", "built")
    assert below["digest"] == built["hullwright"]["digest"]
    assert layers(above["reference"])[: len(layers(below["reference"]))] == layers(
        below["reference"]
    )
