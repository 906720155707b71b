"""Two nodes: what each of them builds, and what becomes of a run when one of them goes away."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildkit import daemon, mirrored
from composing import docker

from .conftest import configured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matrix import Matrix

    from .conftest import Site

pytestmark = pytest.mark.docker
BOTH = ("--platform", "linux/amd64,linux/arm64")


def test_two_nodes_build_a_target_each_for_both_platforms(far: Matrix, site: Site) -> None:
    configured(far, [site.node("plain"), site.node("secure")])
    for name in far.names:
        far.repository.write(f"services/{name}/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n")
    planned = far.run("--dry", "build", *BOTH).stdout
    assert "build 2 on 2 nodes of builder far" in planned
    told = far.json("build", *BOTH, "--load")
    nodes = {target["service"]: target["nodes"] for target in told["targets"]}
    assert nodes == {"s0": [site.plain], "s1": [site.secure]}
    for target in told["targets"]:
        assert target["platforms"] == ["linux/amd64", "linux/arm64"]
        (image,) = json.loads(docker("image", "inspect", target["reference"]))
        assert image["Id"] == target["digest"]


def test_linked_targets_stay_on_one_node(far: Matrix, site: Site) -> None:
    configured(far, [site.node("plain"), site.node("secure")])
    far.repository.write(
        "services/s1/Dockerfile", f"FROM {far.project}/s0\nCOPY steps.sh /s1.sh\nRUN sh /s1.sh\n"
    )
    told = far.json("build", "--load")
    assert {t["status"] for t in told["targets"]} == {"built"}
    assert len({tuple(target["nodes"]) for target in told["targets"]}) == 1


@pytest.fixture
def second(site: Site) -> Iterator[tuple[str, threading.Event]]:
    """Yield a node that goes away as soon as a step of it calls, and what tells that it did."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hwbk-")))
        running = stack.enter_context(daemon(folder, config=mirrored(site.registry)))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        gone = threading.Event()

        def kill() -> None:
            caller, _ = listener.accept()
            running.kill()
            gone.set()
            # The step, which outlives its daemon, waits for this.
            caller.close()

        threading.Thread(target=kill, daemon=True).start()
        yield f"{running.address} {listener.getsockname()[1]}", gone


def test_a_node_that_goes_away_fails_only_its_own_and_failed_finishes_on_the_other(
    far: Matrix, site: Site, second: tuple[str, threading.Event]
) -> None:
    address, port = second[0].split()
    configured(far, [site.node("plain"), f'{{ endpoint = "{address}" }}'])
    # It calls who ends its daemon, and goes on until that is done.
    far.steps("s1", f"nc 127.0.0.1 {port} </dev/null")
    done = far.run("build", code=1)
    assert second[1].wait(10)
    out = " ".join(done.stdout.split())
    assert f"on node {address}, which went away" in out, done.stdout + done.stderr
    assert f"node {address} does not answer any more" in out
    assert "1 of 2" in out
    # What it was to build can be built on what is left.
    far.steps("s1", "true")
    again = far.json("build", "--failed")
    assert [(t["service"], t["status"], t["nodes"]) for t in again["targets"]] == [
        ("s1", "built", [site.plain])
    ]


def test_platforms_go_to_the_nodes_that_are_for_them_and_are_loaded_as_one_image(
    far: Matrix, site: Site
) -> None:
    configured(far, [site.node("plain", "linux/amd64"), site.node("secure", "linux/arm64")])
    far.repository.write("services/s0/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n")
    words = ("build", "--service", "s0", *BOTH)
    planned = far.run("--dry", *words).stdout
    assert f"linux/amd64 on {site.plain}, linux/arm64 on {site.secure}" in planned
    (kept,) = far.json(*words)["targets"]
    assert (kept["status"], kept["nodes"]) == ("built", [site.plain, site.secure])
    assert [part["platform"] for part in kept["parts"]] == ["linux/amd64", "linux/arm64"]
    (loaded,) = far.json(*words, "--load")["targets"]
    assert loaded["parts"] == kept["parts"]
    (image,) = json.loads(docker("image", "inspect", loaded["reference"]))
    assert image["Id"] == loaded["digest"]
    assert far.statuses("--service", "s0", *BOTH) == {"s0": "current"}


def test_platforms_of_two_nodes_are_written_to_one_archive(far: Matrix, site: Site) -> None:
    configured(far, [site.node("plain", "linux/amd64"), site.node("secure", "linux/arm64")])
    far.repository.write("services/s0/Dockerfile", "FROM scratch\nCOPY steps.sh /s\n")
    output = "type=oci,dest=out/image.tar"
    (told,) = far.json("build", "--service", "s0", *BOTH, "--output", output)["targets"]
    sizes = far.json("sizes", "--image", f"{far.root / 'out/image.tar'}")
    assert told["digest"]
    assert sizes
