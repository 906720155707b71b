"""Hashes are asked for of a model in which names are what a container has."""

from __future__ import annotations

from hullwright.stack.hashes import _referring
from hullwright.tools.engine import parse_container

RUNNING = {"Id": "f00", "Name": "/vpn", "State": {"Status": "running"}, "Config": {"Labels": {}}}


def test_a_namespace_of_another_service_is_that_of_its_container() -> None:
    there = {"vpn": [parse_container(RUNNING)]}
    service = {"network_mode": "service:vpn", "pid": "host", "ipc": "service:gone"}
    assert _referring(service, there) == {
        "network_mode": "container:f00",
        "pid": "host",
        "ipc": "service:gone",
    }


def test_what_is_waited_for_is_left_out_since_its_profile_may_be_off() -> None:
    assert _referring({"depends_on": {"off": {"required": False}}, "image": "a"}, {}) == {
        "image": "a"
    }
