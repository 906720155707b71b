"""Builders as `docker buildx inspect` tells of them: text that was recorded with buildx 0.29."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import Result
from hullwright.tools.builders import (
    INSPECT,
    Builder,
    Instance,
    create_argv,
    current,
    is_made,
    parse,
    remove_argv,
)
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


MIRRORED: Final = """\
Name:          c
Driver:        docker-container

Nodes:
Name:                  c0
Endpoint:              unix:///var/run/docker.sock
Driver Options:        image="moby/buildkit:v0.25.2" network="host"
Status:                inactive
Platforms:             linux/arm64*, linux/amd64
File#buildkitd.toml:
 > [registry]
 >   [registry."docker.io"]
 >     mirrors = ["127.0.0.1:5000"]
"""
TOML: Final = '[registry."docker.io"]\nmirrors = ["127.0.0.1:5000"]\n'
THERE: Final = Instance(
    "c",
    "docker-container",
    "unix:///var/run/docker.sock",
    ("linux/arm64",),
    (("network", "host"),),
    TOML,
)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        # Where it runs is left to buildx.
        ({"endpoint": ""}, True),
        ({"options": ()}, True),
        ({"driver": "remote"}, False),
        ({"endpoint": "tcp://there:1"}, False),
        ({"platforms": ()}, False),
        ({"platforms": ("linux/amd64",)}, False),
        ({"options": (("network", "bridge"),)}, False),
        ({"config": ""}, False),
        ({"config": TOML.replace("5000", "5001")}, False),
    ],
)
def test_a_builder_is_ours_where_all_that_it_was_made_of_is(
    change: dict[str, Any], *, same: bool
) -> None:
    assert is_made(replace(THERE, **change), MIRRORED) is same


def test_a_configuration_that_cannot_be_read_is_another_one() -> None:
    assert not is_made(THERE, MIRRORED.replace("mirrors =", "mirrors"))


def test_a_builder_is_made_and_forgotten_by_its_name() -> None:
    assert create_argv(THERE, "c.toml") == (
        *("docker", "buildx", "create", "--name", "c", "--driver", "docker-container"),
        *("--platform", "linux/arm64", "--driver-opt", "network=host"),
        *("--buildkitd-config", "c.toml", "unix:///var/run/docker.sock"),
    )
    assert remove_argv(THERE) == ("docker", "buildx", "rm", "--keep-state", "c")
    assert remove_argv(Instance("r", "remote")) == ("docker", "buildx", "rm", "r")
