"""The registry that setup starts: on loopback, in a folder of its own, and known again."""

from __future__ import annotations

import io
import os
import signal
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullwright.console import Console
from hullwright.provision.execute import Executor
from hullwright.provision.facts import Facts, Machine, Tools
from hullwright.provision.observe_registry import is_free, is_registry, observe_registry
from hullwright.provision.operations import Plan
from hullwright.provision.plan_registry import registry_operation
from hullwright.run import Runner
from registries import answering, refusing

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNER = Runner(os.environ)


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    """A machine with a state folder of its own; the registry that it starts is ended."""
    found = Facts(
        root=tmp_path,
        cache=tmp_path / "cache",
        state=tmp_path / "state of it",
        plugins=tmp_path,
        machine=Machine("debian", "13", root=True),
        tools=Tools(docker_registry=RUNNER.resolve("docker-registry")),
    )
    # Where this machine's setup runs a registry, the next port is taken.
    absent = observe_registry(found.state, serves=lambda _: False)
    yield replace(found, registry=absent)
    pid_file = found.state / "registry.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text(encoding="utf-8")), signal.SIGTERM)


def start(facts: Facts) -> None:
    """Do what setup would do, and nothing else of it."""
    operation = registry_operation(facts)
    assert operation is not None
    console = Console({}, io.StringIO(), io.StringIO())
    executor = Executor(RUNNER, console, facts.state / "setup.log")
    executor.execute(Plan("", (replace(operation, optional=False),)))


def test_a_started_registry_is_known_again_and_its_tags_can_be_deleted(facts: Facts) -> None:
    start(facts)
    seen = observe_registry(facts.state)
    assert (seen.state, seen.port) == ("running", facts.registry.port)
    assert registry_operation(replace(facts, registry=seen)) is None
    # To another user of this machine it is somebody else's: used, and not started twice.
    assert is_registry(seen.port)
    assert not is_free(seen.port)
    connection = HTTPConnection("127.0.0.1", seen.port, timeout=10)
    connection.request("DELETE", f"/v2/none/manifests/sha256:{'0' * 64}")
    # Where deletion is off, the answer is 405.
    assert connection.getresponse().status == 404
    connection.close()


def test_what_is_no_registry_is_not_taken_for_one() -> None:
    with answering(refusing(200)) as endpoint:
        port = int(endpoint.address.rpartition(":")[2])
        assert not is_registry(port)
    assert not is_registry(port)
