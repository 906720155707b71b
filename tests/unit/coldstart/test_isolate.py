"""What isolates a throwaway project: each thing that Compose would share is replaced or refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.coldstart.isolate import Isolation, Surroundings, isolate, leaks
from hullwright.stack.override import Tagged
from hullwright.tools.compose import Model, parse_model

ROOT = "/r"
PROJECT = "shop-cold-1a2b"


def model(raw: dict[str, Any]) -> Model:
    return parse_model(json.dumps({"name": "shop", "services": {}, **raw}))


def isolated(raw: dict[str, Any], *disposable: str, **more: Any) -> Isolation:
    around = Surroundings(ROOT, frozenset(disposable), frozenset(more.pop("probed", ())))
    return isolate(model(raw), PROJECT, "run", around, **more)


def service(**raw: object) -> dict[str, Any]:
    return {"services": {"app": raw}}


def merged(raw: Any, added: Any) -> Any:
    """Return what Compose makes of a value and an override's, by its rules for merging."""
    if isinstance(added, Tagged):
        return None if added.tag == "!reset" else added.value
    if isinstance(raw, dict) and isinstance(added, dict):
        both = {key: merged(raw.get(key), each) for key, each in added.items()}
        return {**raw, **both}
    if isinstance(raw, list) and isinstance(added, list):
        return [*raw, *added]
    return added


def applied(raw: dict[str, Any], isolation: Isolation) -> Model:
    """Return the model that Compose resolves with the override, under the throwaway's name."""
    override = isolation.override
    parts = {"services": override.services, "networks": override.networks}
    both = {"name": PROJECT, **copy.deepcopy(raw), "volumes": dict(raw.get("volumes") or {})}
    for kind, entries in {**parts, "volumes": override.volumes}.items():
        both[kind] = merged(both.get(kind) or {}, entries)
    return parse_model(json.dumps(both))


LABELS = {
    "dev.hullwright.project": PROJECT,
    "dev.hullwright.kind": "throwaway",
    "dev.hullwright.run": "run",
}


def test_names_are_replaced_and_ports_become_ephemeral() -> None:
    raw = {
        "services": {
            "app": {
                "container_name": "shop",
                "ports": [{"target": 80, "published": "8080", "protocol": "tcp"}],
                "networks": {"web": {"ipv4_address": "10.1.0.5", "aliases": ["www"]}},
            }
        },
        "networks": {
            "web": {"name": "shop-web", "ipam": {"config": [{"subnet": "10.1.0.0/24"}]}},
        },
        "volumes": {"data": {"name": "shop-data"}},
    }
    isolation = isolated(raw)
    assert isolation.refusals == ()
    assert isolation.override.services["app"] == {
        "networks": Tagged("!override", {"web": {"aliases": ["www"]}}),
        "labels": LABELS,
        "container_name": Tagged("!reset"),
        "ports": Tagged("!override", [{"target": 80, "protocol": "tcp", "host_ip": "127.0.0.1"}]),
    }
    assert isolation.override.networks == {
        "web": {"name": f"{PROJECT}_web", "labels": LABELS, "ipam": Tagged("!reset")}
    }
    assert isolation.override.volumes == {"data": {"name": f"{PROJECT}_data", "labels": LABELS}}
    assert isolation.notes == ("network web: another address range than its own",)
    assert leaks(applied(raw, isolation), PROJECT) == []


@pytest.mark.parametrize(
    ("raw", "place", "reason"),
    [
        (service(network_mode="host"), "services.app.network_mode", "the host's network"),
        (service(pid="host"), "services.app.pid", "the host's processes"),
        (service(ipc="host"), "services.app.ipc", "the host's shared memory"),
        (service(uts="host"), "services.app.uts", "the host's name"),
        (service(userns_mode="host"), "services.app.userns_mode", "the host's users"),
        (service(cgroup="host"), "services.app.cgroup", "the host's control groups"),
        (service(network_mode="container:x"), "services.app.network_mode", "joins container:x"),
        (service(volumes_from=["container:x"]), "services.app.volumes_from", "container:x"),
        (service(privileged=True), "services.app.privileged", "whatever root may"),
        (
            service(devices=[{"source": "/dev/kvm", "target": "/dev/kvm"}]),
            "services.app.devices",
            "devices of the host",
        ),
        (
            service(device_cgroup_rules=["b 8:0 rwm"]),
            "services.app.device_cgroup_rules",
            "devices of the host",
        ),
        (service(cap_add=["SYS_ADMIN"]), "services.app.cap_add", "SYS_ADMIN reaches past"),
        (service(cap_add=["CHOWN", "cap_all"]), "services.app.cap_add", "cap_all reaches past"),
        (service(use_api_socket=True), "services.app.use_api_socket", "the engine's socket"),
        (service(provider={"type": "x"}), "services.app.provider", "a program on the host"),
        (service(external_links=["x"]), "services.app.external_links", "talks to x"),
        ({"networks": {"n": {"driver": "macvlan"}}}, "networks.n", "macvlan"),
        (
            {"volumes": {"v": {"driver_opts": {"type": "none", "o": "bind", "device": "/d"}}}},
            "volumes.v",
            "it mounts /d",
        ),
        (
            service(volumes=[{"type": "bind", "source": "/srv", "target": "/s"}]),
            "services.app.volumes.0",
            "it may write to /srv",
        ),
        (
            service(volumes=[{"type": "bind", "source": "/rx", "target": "/s"}]),
            "services.app.volumes.0",
            "outside the repository",
        ),
        (
            service(
                volumes=[
                    {
                        "type": "bind",
                        "source": "/var/run/docker.sock",
                        "target": "/s",
                        "read_only": True,
                    }
                ]
            ),
            "services.app.volumes.0",
            "every container of the engine",
        ),
    ],
)
def test_what_cannot_be_isolated_is_refused(raw: dict[str, Any], place: str, reason: str) -> None:
    refusals = isolated(raw).refusals
    assert [each for each, _ in refusals] == [place]
    assert reason in refusals[0][1]


def test_fresh_ones_stand_in_for_what_is_external() -> None:
    raw = {
        **service(networks={"proxy": {"ipv4_address": "10.1.0.5", "aliases": ["www"]}}),
        "volumes": {"dump": {"name": "nightly", "external": True}},
        "networks": {"proxy": {"name": "traefik", "external": True}},
    }
    isolation = isolated(raw)
    assert isolation.refusals == ()
    assert isolation.notes == (
        "volume dump: a fresh, empty one in place of the external nightly",
        "network proxy: a fresh one in place of the external traefik",
    )
    assert leaks(applied(raw, isolation), PROJECT) == []
    # Without the override both are still the outside ones.
    assert leaks(model({"name": PROJECT, **raw}), PROJECT) == [
        "volumes.dump is called nightly",
        "networks.proxy is called traefik",
    ]


def test_powers_that_stay_inside_are_left_as_they_are() -> None:
    raw = service(privileged=False, devices=[], cap_add=["NET_BIND_SERVICE", "SYS_PTRACE"])
    assert isolated(raw).refusals == ()


def test_a_bind_that_can_be_written_is_never_left_as_it_is() -> None:
    mounts: list[dict[str, Any]] = [
        {"type": "bind", "source": "/r/conf", "target": "/conf"},
        {"type": "bind", "source": "/r/data", "target": "/data"},
        {"type": "bind", "source": "/srv/x", "target": "/x", "read_only": True},
        {"type": "volume", "source": "v", "target": "/v"},
        {"type": "tmpfs", "target": "/tmp"},  # noqa: S108  a path in a container
    ]
    raw = {**service(volumes=mounts), "volumes": {"v": {"name": "shop_v"}}}
    isolation = isolated(raw, "/r/data")
    changed = isolation.override.services["app"]["volumes"].value
    assert changed == [
        {**mounts[0], "read_only": True, "bind": {"create_host_path": False}},
        {"type": "volume", "source": "app-bind-1", "target": "/data"},
        *mounts[2:],
    ]
    assert isolation.override.volumes["app-bind-1"]["labels"] == LABELS
    assert isolation.notes == (
        "app: conf is mounted read-only",
        "app: a fresh volume in place of data",
    )
    assert leaks(applied(raw, isolation), PROJECT) == []


@pytest.mark.parametrize(
    ("healthcheck", "added"),
    [
        ({"test": ["CMD", "x"], "interval": "10s"}, ("250ms", "30000ms")),
        ({"test": ["CMD", "x"]}, ("250ms", "90000ms")),
        ({"test": ["CMD", "x"], "interval": "2s", "retries": 5}, ("250ms", "10000ms")),
        ({"test": ["CMD", "x"], "start_period": "1m"}, ("250ms", "60000ms")),
        ({"test": ["CMD", "x"], "start_interval": "1s", "start_period": "9s"}, None),
        ({"test": ["CMD", "x"], "interval": "100ms"}, None),
        ({"disable": True}, None),
        (None, None),
    ],
)
def test_probes_come_fast_where_the_files_leave_it_out(
    healthcheck: dict[str, Any] | None, added: tuple[str, str] | None
) -> None:
    raw = service(image="x", healthcheck=healthcheck) if healthcheck else service(image="x")
    entry = isolated(raw).override.services["app"].get("healthcheck")
    wanted = {"start_interval": added[0], "start_period": added[1]} if added else None
    assert entry == wanted
    assert "healthcheck" not in isolated(raw, fast_probes=False).override.services["app"]


def test_a_check_of_the_image_alone_comes_fast_too() -> None:
    entry = isolated(service(image="x"), probed=["x"]).override.services["app"]
    assert entry["healthcheck"] == {"start_interval": "250ms", "start_period": "90000ms"}


def test_leaks_name_what_is_still_shared() -> None:
    raw = {
        "services": {
            "app": {
                "container_name": "shop",
                "ports": [{"target": 80, "published": "8080", "host_ip": "127.0.0.1"}],
                "volumes": [{"type": "bind", "source": "/r", "target": "/r"}],
            }
        },
        "volumes": {"v": {"name": "shop-v"}},
    }
    assert leaks(model(raw), PROJECT) == [
        "the project is called shop",
        "volumes.v is called shop-v",
        "services.app.container_name is shop",
        "services.app publishes port 8080",
        "services.app may write to /r",
    ]


NAMES = st.sampled_from(["data", "cache", "web", "back"])
MOUNTS = st.one_of(
    st.builds(
        lambda source, target, read_only: {
            "type": "bind", "source": source, "target": target, "read_only": read_only,
        },
        st.sampled_from(["/r", "/r/conf", "/r/data", "/srv", "/rx/y", "/var/run/docker.sock"]),
        st.sampled_from(["/a", "/b"]),
        st.booleans(),
    ),
    st.builds(lambda source: {"type": "volume", "source": source, "target": "/v"}, NAMES),
)  # fmt: skip
PORTS = st.builds(
    lambda target, published, host: {"target": target, "published": published, "host_ip": host},
    st.integers(1, 65535),
    st.sampled_from(["", "8080", "8000-8010"]),
    st.sampled_from(["", "127.0.0.1", "0.0.0.0"]),  # noqa: S104  published, not bound
)
SERVICES = st.fixed_dictionaries(
    {"image": st.just("x")},
    optional={
        "container_name": st.just("mine"),
        "ports": st.lists(PORTS, max_size=3),
        "volumes": st.lists(MOUNTS, max_size=3),
        "networks": st.dictionaries(NAMES, st.just({"ipv4_address": "10.0.0.9"}), max_size=2),
        "network_mode": st.sampled_from(["host", "bridge", "service:a", "container:z"]),
        "labels": st.just({"a": "b"}),
    },
)
RESOURCES = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {"name": st.sampled_from(["theirs", "shop_data", "x"])},
        optional={
            "external": st.booleans(),
            "ipam": st.just({"config": [{"subnet": "10.0.0.0/8"}]}),
        },
    ),
    max_size=3,
)


@given(
    services=st.dictionaries(st.sampled_from(["a", "b", "c"]), SERVICES, min_size=1),
    volumes=RESOURCES,
    networks=RESOURCES,
    disposable=st.sets(st.sampled_from(["/r/data", "/srv"])),
)
def test_whatever_the_files_say_it_is_isolated_or_refused(
    services: dict[str, Any],
    volumes: dict[str, Any],
    networks: dict[str, Any],
    disposable: set[str],
) -> None:
    raw = {"services": services, "volumes": volumes, "networks": networks}
    isolation = isolated(raw, *disposable)
    result = applied(raw, isolation)
    assert isolation.refusals or leaks(result, PROJECT) == []
    if not isolation.refusals:
        assert all(each["labels"] == LABELS for each in result.raw["volumes"].values())
        assert all(
            LABELS.items() <= each.raw["labels"].items() for each in result.services.values()
        )
        assert not any(
            key.startswith("ipv4") for each in result.services.values()
            for entry in (each.raw.get("networks") or {}).values() for key in entry or {}
        )  # fmt: skip
