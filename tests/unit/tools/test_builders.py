"""Builders as `docker buildx inspect` tells of them: text that was recorded with buildx 0.29."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import Result
from hullwright.tools.builders import INSPECT, Builder, current, parse
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

DOCKER: Final = """\
Name:          default
Driver:        docker
Last Activity: 2026-11-21 04:55:56 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/arm64
Labels:
 org.mobyproject.buildkit.worker.executor:             containerd
 org.mobyproject.buildkit.worker.moby.host-gateway-ip: 172.17.0.1
GC Policy rule#0:
 All:            false
 Keep Duration:  48h0m0s
"""
CONTAINER: Final = """\
Name:          ci
Driver:        docker-container
Last Activity: 2026-11-21 04:55:56 +0000 UTC

Nodes:
Name:                  ci0
Endpoint:              unix:///var/run/docker.sock
Driver Options:        network="host"
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      v0.25.2
Platforms:             linux/arm64*, linux/amd64, linux/386

Name:      ci1
Endpoint:  ssh://arm
Status:    running
Platforms: linux/arm64, linux/arm/v7
"""
REMOTE: Final = """\
Name:   far
Driver: remote

Nodes:
Name:     far0
Endpoint: tcp://buildkit.example:1234
Error:    failed to list workers: Unavailable: connection refused
"""


@pytest.mark.parametrize(
    ("text", "builder"),
    [
        (
            DOCKER,
            Builder(
                "default",
                "docker",
                ("linux/amd64", "linux/amd64/v2", "linux/amd64/v3", "linux/arm64"),
            ),
        ),
        (
            CONTAINER,
            Builder(
                "ci",
                "docker-container",
                ("linux/arm64", "linux/amd64", "linux/386", "linux/arm/v7"),
            ),
        ),
        (REMOTE, Builder("far", "remote")),
        ("", None),
        ("something else", None),
    ],
)
def test_a_builder_is_read(text: str, builder: Builder | None) -> None:
    assert parse(text) == builder


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (Result(INSPECT, 1, "", 'ERROR: no builder "nosuch" found\n', 0.1), 'no builder "nosuch"'),
        (Result(INSPECT, 0, "what", "", 0.1), "what"),
    ],
)
def test_a_builder_that_cannot_be_asked_is_unavailable(
    tmp_path: Path, result: Result, word: str
) -> None:
    ws = workspace(tmp_path, runner=Replay({}, results={INSPECT: result}))
    with pytest.raises(UnavailableError, match="does not say which builder") as raised:
        current(ws)
    assert raised.value.exit_code is ExitCode.UNAVAILABLE
    assert word in str(raised.value.why)
    assert not str(raised.value.why).startswith("ERROR")
