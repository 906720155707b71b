"""The figures of `docker stats` are numbers, and what it does not tell is none."""

from __future__ import annotations

import json

import pytest

from hullwright.errors import UnavailableError
from hullwright.run import Result
from hullwright.tools.containerstats import Usage, memory_limits, parse_usage, usages
from replaying import Replay

LINE = {
    "BlockIO": "1.5MB / 0B",
    "CPUPerc": "112.34%",
    "Container": "14e1",
    "ID": "14e1",
    "MemPerc": "0.18%",
    "MemUsage": "43.52MiB / 23.54GiB",
    "Name": "shop-db-1",
    "NetIO": "103kB / 572B",
    "PIDs": "6",
}


def test_units_become_numbers() -> None:
    assert parse_usage(json.dumps(LINE)) == Usage(
        container="14e1",
        cpu_percent=112.34,
        memory_bytes=round(43.52 * 2**20),
        limit_bytes=round(23.54 * 2**30),
        received_bytes=103_000,
        sent_bytes=572,
        read_bytes=1_500_000,
        written_bytes=0,
        pids=6,
    )


def test_what_has_just_ended_tells_nothing() -> None:
    told = dict.fromkeys(LINE, "--") | {"ID": "14e1", "MemUsage": "-- / --", "NetIO": "-- / --"}
    assert parse_usage(json.dumps(told)) == Usage("14e1")


def test_nothing_is_asked_for_nothing() -> None:
    runner = Replay({})
    assert (usages(runner, []), memory_limits(runner, [])) == ({}, {})
    assert runner.calls == []


def test_containers_are_asked_by_their_whole_ids() -> None:
    stats = ("docker", "stats")
    limits = ("docker", "container")
    runner = Replay(
        {},
        results={
            stats: Result(stats, 0, json.dumps(LINE) + "\n"),
            limits: Result(limits, 0, "14e1 67108864\n2b 0\n"),
        },
    )
    assert list(usages(runner, ["14e1"])) == ["14e1"]
    assert memory_limits(runner, ["14e1", "2b"]) == {"14e1": 67_108_864}
    assert runner.calls[0].argv == (
        "docker", "stats", "--no-stream", "--no-trunc", "--format", "json", "14e1",
    )  # fmt: skip


def test_without_an_engine_there_is_no_answer() -> None:
    told = Result(("docker",), 1, "", "Cannot connect to the Docker daemon at unix:///x.")
    with pytest.raises(UnavailableError, match="does not answer"):
        usages(Replay({}, results={("docker",): told}), ["14e1"])
