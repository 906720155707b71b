"""The engine's events and inspections, as recorded from Docker 28."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hullwright.errors import UnavailableError
from hullwright.run import Result
from hullwright.tools.engine import (
    Event,
    ProbeResult,
    Published,
    check_reachable,
    digests,
    epoch_s,
    events_argv,
    parse_container,
    parse_event,
    parse_image,
)
from replaying import Replay


def line(action: str, **attributes: str) -> str:
    labels = {"com.docker.compose.service": "db", "name": "x-db-1"}
    return json.dumps(
        {
            "Type": "container",
            "Action": action,
            "Actor": {"ID": "f6b1", "Attributes": labels | attributes},
            "time": 1795222315,
            "timeNano": 1795222315438601120,
        }
    )


@pytest.mark.parametrize(
    ("text", "action", "code"),
    [
        (line("create"), "create", None),
        (line("die", exitCode="137"), "die", 137),
        (line("exec_start: /bin/sh -c curl -f http://x:80/"), "exec_start", None),
        (line("exec_die", exitCode="127"), "exec_die", 127),
        (line("health_status: healthy"), "health_status: healthy", None),
    ],
)
def test_events(text: str, action: str, code: int | None) -> None:
    at_s = 1795222315438601120 / 1e9
    assert parse_event(text) == Event(at_s, action, "f6b1", "x-db-1", "db", code)


@pytest.mark.parametrize("text", ["", "not json", "{}", "[]", '{"Actor": null}'])
def test_what_is_no_event_is_left_out(text: str) -> None:
    assert parse_event(text) is None


def test_the_words_that_follow_a_project() -> None:
    assert events_argv("p", 12.3456) == [
        "docker", "events", "--format", "json", "--since", "12.346", "--filter", "type=container",
        "--filter", "label=com.docker.compose.project=p",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01.5Z", 1.5),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T02:00:01.250000000+02:00", 1.25),
        ("2026-11-21T00:51:55.506224473Z", 1795222315.506224473),
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_times_of_the_engine(text: str | None, seconds: float) -> None:
    assert epoch_s(text) == pytest.approx(seconds, abs=1e-6)


INSPECTED: dict[str, Any] = {
    "Id": "f6b1",
    "Name": "/x-db-1",
    "Created": "1970-01-01T00:00:01Z",
    "Image": "sha256:19a6",
    "RestartCount": 2,
    "State": {
        "Status": "running",
        "Pid": 42,
        "ExitCode": 0,
        "StartedAt": "1970-01-01T00:00:02Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "starting",
            "Log": [
                {
                    "Start": "1970-01-01T00:00:00.5Z",
                    "End": "1970-01-01T00:00:01Z",
                    "ExitCode": 0,
                    "Output": "of its run before\n",
                },
                {
                    "Start": "1970-01-01T00:00:03Z",
                    "End": "1970-01-01T00:00:03.5Z",
                    "ExitCode": 1,
                    "Output": "no response\n",
                },
            ],
        },
    },
    "HostConfig": {
        "RestartPolicy": {"Name": "unless-stopped"},
        "PortBindings": {"5433/tcp": [{"HostPort": ""}]},
    },
    "Config": {
        "Image": "postgres:17",
        "ExposedPorts": {"5432/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "pg_isready"]},
        "Labels": {
            "com.docker.compose.project": "x",
            "com.docker.compose.service": "db",
            "com.docker.compose.container-number": "1",
        },
    },
    "NetworkSettings": {
        "Ports": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "80/tcp": None}
    },
    "Mounts": [{"Type": "volume", "Name": "x_data"}, {"Type": "bind", "Source": "/r"}],
}


def test_a_container_is_read_whole() -> None:
    container = parse_container(INSPECTED)
    assert (container.name, container.service, container.project) == ("x-db-1", "db", "x")
    assert (container.created_at, container.started_at, container.finished_at) == (1.0, 2.0, 0.0)
    assert (container.state, container.pid, container.restarts) == ("running", 42, 2)
    assert (container.health, container.has_probe) == ("starting", True)
    assert container.probe_test == ("CMD", "pg_isready")
    assert container.probes == (ProbeResult(3.0, 3.5, 1, "no response"),)
    assert container.published == (Published(5432, "tcp", "127.0.0.1", 32768),)
    assert container.listens == (5432, 5433)
    assert container.volumes == ("x_data",)


def test_a_container_that_never_ran_has_what_the_engine_said() -> None:
    state = {"Status": "created", "ExitCode": 127, "Error": "exec: no such file"}
    container = parse_container({**INSPECTED, "State": state})
    assert (container.error, container.has_probe, container.started_at) == (
        "exec: no such file",
        True,
        0.0,
    )


@pytest.mark.parametrize(
    ("test", "has_probe"), [(["CMD", "x"], True), (["NONE"], False), ([], False), (None, False)]
)
def test_an_image_brings_a_check_or_not(test: list[str] | None, *, has_probe: bool) -> None:
    raw = {
        "Id": "sha256:1",
        "Config": {"Healthcheck": {"Test": test}, "ExposedPorts": {"80/tcp": {}}},
    }
    image = parse_image(raw)
    assert (image.has_probe, image.exposed) == (has_probe, (80,))


def test_an_engine_that_does_not_answer_is_unavailable() -> None:
    told = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"
    with pytest.raises(UnavailableError, match="the Docker engine does not answer"):
        check_reachable(Result(("docker", "ps"), 1, stderr=told))
    check_reachable(Result(("docker", "ps"), 1, stderr="no such container"))
    check_reachable(Result(("docker", "ps"), 0, stderr=told))


def test_digests_of_images_are_asked_for_at_once() -> None:
    raw = [
        # Of a store of containerd, of a classic one, and of one that was made on a classic one.
        {"RepoTags": ["python:3", "me/x:1"], "Descriptor": {"digest": "sha256:aa"}},
        {"RepoTags": ["ghcr.io/a/b:1"], "RepoDigests": ["ghcr.io/a/b@sha256:bb", "c@sha256:cc"]},
        {"RepoTags": ["own:latest"], "RepoDigests": []},
    ]
    answer = Result((), 1, json.dumps(raw), "no such image: gone")
    runner = Replay({}, results={("docker", "image", "inspect"): answer})
    wanted = ["docker.io/library/python:3", "python:3", "ghcr.io/a/b:1", "own", "gone", "own"]
    assert digests(runner, wanted) == {
        "docker.io/library/python:3": "sha256:aa",
        "python:3": "sha256:aa",
        "ghcr.io/a/b:1": "sha256:bb",
    }
    assert len(runner.calls) == 1
    assert digests(runner, []) == {}
    assert len(runner.calls) == 1
