"""Docker through python-on-whales: its model in our types, its errors as ours, its commands."""

from __future__ import annotations

import logging
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from python_on_whales.client_config import ParsingError
from python_on_whales.exceptions import DockerException, NoSuchContainer

from hullwright.coldstart import teardown
from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import CommandError, DryRunner, Runner
from hullwright.secret import Secret
from hullwright.tools import engine, whales
from whaling import Engine

INSPECTED: dict[str, Any] = {
    "Id": "f6b1",
    "Name": "/x-db-1",
    "Created": "1970-01-01T00:00:01.5Z",
    "Image": "sha256:1",
    "RestartCount": 2,
    "State": {
        "Status": "running",
        "Pid": 42,
        "ExitCode": 0,
        "StartedAt": "1970-01-01T00:00:02.123456789Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "starting",
            "Log": [
                {
                    "Start": "1970-01-01T00:00:03Z",
                    "End": "1970-01-01T01:00:03.5+01:00",
                    "ExitCode": 1,
                    "Output": "no response\n",
                }
            ],
        },
    },
    "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}},
    "Config": {
        "Image": "postgres:17",
        "ExposedPorts": {"5432/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "pg_isready"]},
        "Labels": {
            "com.docker.compose.project": "x",
            "com.docker.compose.service": "db",
            "com.docker.compose.container-number": "2",
        },
    },
    "NetworkSettings": {
        "Ports": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "80/tcp": None}
    },
    "Mounts": [{"Type": "volume", "Name": "x_data"}, {"Type": "bind", "Source": "/r"}],
}
CREATED: dict[str, Any] = {
    **INSPECTED,
    "State": {"Status": "created", "ExitCode": 127, "Error": "exec: no such file"},
    "Config": {"Image": "x", "Healthcheck": {"Test": ["NONE"]}, "Labels": None},
    "NetworkSettings": {"Ports": None},
    "Mounts": [],
}
IMAGE: dict[str, Any] = {
    "Id": "sha256:1",
    "RepoTags": ["db:1"],
    "Os": "linux",
    "Architecture": "arm",
    "Variant": "v7",
    "Config": {
        "Healthcheck": {"Test": ["CMD", "x"]},
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"a": "b"},
    },
}


@pytest.mark.parametrize("raw", [INSPECTED, CREATED], ids=["running", "created"])
def test_a_container_is_the_same_by_both_ways(
    raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine(containers=[raw]).serve(monkeypatch)
    (found,) = whales.containers(Runner({}))
    parsed = engine.parse_container(raw)
    times = ("created_at", "started_at", "finished_at")
    # The model keeps microseconds, and the engine's nanoseconds are cut.
    assert [getattr(found, name) for name in times] == pytest.approx(
        [getattr(parsed, name) for name in times], abs=1e-6
    )
    others = [name for name in parsed.__dataclass_fields__ if name not in times]
    assert {n: getattr(found, n) for n in others} == {n: getattr(parsed, n) for n in others}


@pytest.mark.parametrize(
    "raw", [IMAGE, {"Id": "sha256:1", "RepoTags": None, "Config": {}}], ids=["full", "bare"]
)
def test_an_image_is_the_same_by_both_ways(
    raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine(images={"db:1": raw}).serve(monkeypatch)
    found = whales.images(Runner({}), ["db:1", "gone:1", "db:1"])
    assert found == {"db:1": engine.parse_image(raw), "gone:1": None}


def test_all_labels_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Engine(containers=[INSPECTED], networks=[{"Name": "n"}], volumes=["v"])
    served.serve(monkeypatch)
    there = teardown.remains(Runner({}), "p")
    assert there == teardown.Remains(("f6b1",), ("n",), ("v",))
    labels = ("dev.hullwright.project=p", "dev.hullwright.kind=throwaway")
    assert served.asked == [(kind, *labels) for kind in ("container", "network", "volume")]


def test_what_is_removed_meanwhile_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(networks=[{"Name": "b"}, {"Name": "c"}, {"Name": "a"}], gone=("c",)).serve(monkeypatch)
    assert whales.networks(Runner({})) == ("a", "b")


def test_containers_of_a_project_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    second = {**INSPECTED, "Id": "2", "Config": {"Labels": {"com.docker.compose.service": "app"}}}
    Engine(containers=[INSPECTED, second]).serve(monkeypatch)
    assert [each.service for each in whales.of_project(Runner({}), "x")] == ["app", "db"]


@pytest.mark.parametrize(
    "told",
    [
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        "permission denied while trying to connect to the Docker daemon socket",
    ],
)
def test_an_engine_that_does_not_answer_is_unavailable(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine(failure=told).serve(monkeypatch)
    with pytest.raises(UnavailableError, match="the Docker engine does not answer") as caught:
        whales.info(Runner({}))
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    assert told in f"{caught.value}"


def test_another_failure_names_the_command_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(failure="invalid filter: hunter2").serve(monkeypatch)
    with pytest.raises(CommandError, match="docker ended with 1") as caught:
        whales.volumes(Runner({}, secrets={Secret("hunter2")}), "x")
    assert caught.value.exit_code == ExitCode.FAILED
    assert "docker x" in f"{caught.value}"
    assert "hunter2" not in f"{caught.value}"


def test_what_is_asked_by_hand_and_is_gone_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    Engine().serve(monkeypatch)
    gone = NoSuchContainer(["/usr/bin/docker", "container", "inspect", "x"], 1, b"[]", b"gone")
    with pytest.raises(CommandError, match="docker container inspect x"), whales.asking(Runner({})):
        raise gone


def test_an_unknown_form_is_unavailable_and_its_copy_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine().serve(monkeypatch)
    dump = tmp_path / "tmpabc.json"
    dump.write_text('{"Config": {"Env": ["PASSWORD=hunter2"]}}', encoding="utf-8")
    told = f"the json response was put \nin {dump} because it's a bit too big to be printed \n"
    with pytest.raises(UnavailableError, match="does not know"), whales.asking(Runner({})):
        raise ParsingError(told) from ValueError("an integer is none")
    assert not dump.exists()


def test_no_docker_is_told_before_anything_is_imported() -> None:
    with pytest.raises(UnavailableError, match="docker is not on PATH"):
        whales.client(Runner({"PATH": "/nonexistent", "HOME": "/nonexistent"}))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a docker program that nobody starts."""
    path = tmp_path / "docker"
    path.touch(mode=0o755)
    return path


def call(program: Path, **environ: str) -> list[str]:
    """Return how docker is called."""
    docker = whales.client(Runner({"PATH": str(program.parent), **environ}))
    return [str(word) for word in docker.docker_cmd]


def test_the_runners_docker_and_engine_are_asked(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    docker = str(program)
    assert call(program) == [docker]
    assert call(program, DOCKER_HOST="tcp://a:1") == [docker, "--host", "tcp://a:1"]
    assert call(program, DOCKER_CONTEXT="far") == [docker, "--context", "far"]
    assert call(program, DOCKER_CONFIG="/c") == [docker, "--config", "/c"]
    both = call(program, DOCKER_HOST="tcp://a:1", DOCKER_CONTEXT="far")
    assert both == [docker, "--host", "tcp://a:1"]
    monkeypatch.setenv("DOCKER_HOST", "tcp://a:1")
    assert call(program, DOCKER_HOST="tcp://a:1") == [docker]


def test_the_debugging_that_prints_the_environment_is_off(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_ON_WHALES_DEBUG", "1")
    call(program)
    assert "PYTHON_ON_WHALES_DEBUG" not in os.environ


@pytest.mark.parametrize("kind", [Runner, DryRunner])
def test_commands_are_echoed_as_they_can_be_pasted(
    kind: type[Runner], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Engine().serve(monkeypatch)
    told: list[str] = []
    runner = kind({}, echo=told.append, secrets={Secret("hunter2")})
    log = logging.getLogger("python_on_whales.utils")
    with whales.asking(runner):
        words = shlex.join(["/usr/bin/docker", "ps", "--format", "{{json .}}", "hunter2"])
        log.debug("Running command: %s", words)
        log.debug("something else")
    log.debug("Running command: docker later")
    assert told == ["docker ps --format '{{json .}}' ***"]
    # What is echoed is not told to the log of whoever uses this as a library, too.
    assert not caplog.records
    assert not logging.getLogger("python_on_whales").handlers


def test_the_log_is_as_before_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    Engine().serve(monkeypatch)
    log = logging.getLogger("python_on_whales")
    before = (list(log.handlers), log.level, log.propagate)
    error = DockerException(["docker"], 1, b"", b"no")
    with (
        pytest.raises(CommandError),
        whales.asking(Runner({}, echo=[].append)),  # type: ignore[arg-type]  # nobody reads it
    ):
        raise error
    assert (log.handlers, log.level, log.propagate) == before
