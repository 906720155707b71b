"""Where a container can be reached, and by which port, as an inspection tells."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from hullwright.outcome import Result
from hullwright.tools import hostprocess, ports, reach
from hullwright.tools.engine import Published
from hullwright.tools.reach import Way
from replaying import Replay

ALL: Final = "0.0.0.0"  # noqa: S104  read, not bound
INSPECT: Final = ("docker", "container", "inspect")


ID: Final = "c1" * 32
SIDECAR: Final = "c2" * 32


def raw(container: str = ID, **more: Any) -> dict[str, Any]:
    """Return an inspection of a container that publishes 80 and is on a network."""
    networks = {
        "shop_back": {
            "IPAddress": "172.20.0.5",
            "IPPrefixLen": 16,
            "GlobalIPv6Address": "fd00::5",
            "GlobalIPv6PrefixLen": 64,
        },
        "shop_none": {"IPAddress": ""},
    }
    bindings = [{"HostIp": ALL, "HostPort": "32768"}, {"HostIp": "::", "HostPort": "32768"}]
    return {
        "Id": container,
        "Name": "/shop-web-1",
        "Created": "2026-11-21T12:00:00Z",
        "State": {"Status": "running", "Pid": os.getpid()},
        "Config": {"ExposedPorts": {"80/tcp": {}, "443/tcp": {}}},
        "HostConfig": {"NetworkMode": "shop_back", "LogConfig": {"Type": "journald"}},
        "NetworkSettings": {"Networks": networks, "Ports": {"80/tcp": bindings}},
        **more,
    }


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every container run on this machine."""
    monkeypatch.setattr(ports, "runs_container", lambda *_: True)


def test_an_inspection_tells_addresses_ports_and_the_driver_of_the_log() -> None:
    seen = reach.parse_seen(raw())
    assert seen.addresses == (("172.20.0.5", 16), ("fd00::5", 64))
    assert seen.published == (
        Published(80, "tcp", ALL, 32768),
        Published(80, "tcp", "::", 32768),
    )
    assert (seen.mode, seen.log_driver) == ("shop_back", "journald")


def test_what_shares_a_network_has_the_addresses_of_its_owner() -> None:
    sidecar = raw(SIDECAR, HostConfig={"NetworkMode": f"container:{ID}"}, NetworkSettings={})
    runner = Replay(
        {},
        results={
            (*INSPECT, SIDECAR): Result((), 0, json.dumps([sidecar])),
            (*INSPECT, ID): Result((), 0, json.dumps([raw()])),
        },
    )
    (seen,) = reach.look(runner, [SIDECAR])
    assert seen.container.id == SIDECAR
    assert seen.addresses == (("172.20.0.5", 16), ("fd00::5", 64))
    assert {each.host_port for each in seen.published} == {32768}


def test_containers_come_in_the_order_that_was_asked_for_and_gone_ones_are_left_out() -> None:
    told = Result((), 1, json.dumps([raw("c1"), raw("c3")]), "no such container: c2")
    runner = Replay({}, results={INSPECT: told})
    assert [each.container.id for each in reach.look(runner, ["c3", "c2", "c1"])] == ["c3", "c1"]
    assert reach.look(runner, []) == ()


@pytest.mark.parametrize(
    ("listening", "declared", "meant"),
    [
        ({8080}, {8080}, (8080,)),
        ({8080, 9090}, {8080}, (8080,)),
        ({5432}, {80}, (5432,)),
        (set(), {80}, (80,)),
        ({80, 443}, {443, 80}, (80, 443)),
        ({80, 9090}, set(), (80, 9090)),
        (set(), {1, 2}, (1, 2)),
        (set(), set(), ()),
    ],
)
def test_the_port_that_is_meant(
    listening: set[int], declared: set[int], meant: tuple[int, ...]
) -> None:
    assert reach.port_of(listening, declared) == meant


@pytest.mark.usefixtures("here")
def test_published_ports_come_before_addresses_and_all_addresses_are_the_loopback() -> None:
    seen = reach.parse_seen(raw())
    assert reach.ways(seen, 80, lambda *_: True) == (
        Way("127.0.0.1", 32768, proxied=True),
        Way("::1", 32768, proxied=True),
        Way("172.20.0.5", 80),
        Way("fd00::5", 80),
    )
    assert reach.ways(seen, 443, lambda address, _: "." in address) == (Way("172.20.0.5", 443),)


@pytest.mark.usefixtures("here")
def test_a_port_of_another_protocol_is_no_way() -> None:
    seen = replace(reach.parse_seen(raw()), published=(Published(53, "udp", "127.0.0.1", 5353),))
    assert reach.ways(seen, 53, lambda *_: False) == ()


@pytest.mark.usefixtures("here")
def test_a_container_on_the_host_s_network_is_reached_on_the_loopback() -> None:
    seen = reach.parse_seen(raw(HostConfig={"NetworkMode": "host"}, NetworkSettings={}))
    assert reach.ways(seen, 8080) == (Way("127.0.0.1", 8080),)


def test_an_engine_elsewhere_leaves_published_ports_only() -> None:
    seen = reach.parse_seen(raw())
    assert seen.container.pid == os.getpid()
    assert {way.proxied for way in reach.ways(seen, 80, lambda *_: True)} == {True}
    assert reach.ways(seen, 443, lambda *_: True) == ()
    assert seen.listening == set()


@pytest.fixture
def signalled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the signals that would have been sent; none is."""
    sent: list[int] = []
    monkeypatch.setattr("signal.pidfd_send_signal", lambda _, number: sent.append(number))
    return sent


def test_a_process_that_is_not_the_container_s_is_never_signalled(signalled: list[int]) -> None:
    container = reach.parse_seen(raw()).container
    assert container.pid == os.getpid()
    with pytest.raises(hostprocess.NotOursError, match="not one of this machine"):
        hostprocess.kill(container)
    with pytest.raises(hostprocess.NotOursError, match="not one of this machine"):
        hostprocess.kill(replace(container, pid=0))
    assert signalled == []


@pytest.mark.usefixtures("here")
def test_only_a_whole_id_tells_whose_process_it_is(signalled: list[int]) -> None:
    container = reach.parse_seen(raw()).container
    with pytest.raises(hostprocess.NotOursError):
        hostprocess.kill(replace(container, id=ID[:12]))
    assert signalled == []
    hostprocess.check_reachable(container)
    hostprocess.kill(container)
    assert signalled == [0, signal.SIGKILL]


def test_a_process_of_another_user_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(ports, "runs_container", lambda *_: True)
    monkeypatch.setattr("signal.pidfd_send_signal", refuse)
    with pytest.raises(hostprocess.NotOursError, match="another user's"):
        hostprocess.check_reachable(reach.parse_seen(raw()).container)


def test_a_process_that_ended_is_said_to_have(monkeypatch: pytest.MonkeyPatch) -> None:
    highest = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    monkeypatch.setattr(ports, "runs_container", lambda *_: True)
    container = replace(reach.parse_seen(raw()).container, pid=highest + 1)
    with pytest.raises(hostprocess.NotOursError, match="not one of this machine"):
        hostprocess.check_reachable(container)
