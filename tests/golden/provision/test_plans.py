"""The plan for each kind of machine is the text that a person consents to, word for word."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hullwright.provision.apt import derive_source
from hullwright.provision.facts import (
    Apt,
    Engine,
    Facts,
    Machine,
    Offer,
    PythonEnvironment,
    Registry,
    Tools,
)
from hullwright.provision.plan import plan
from hullwright.provision.state import EngineRecord, RegistryRecord

PLANS = Path(__file__).parent / "plans"

DEBIAN_12 = Machine("debian", "12", "bookworm", "Debian GNU/Linux 12 (bookworm)", root=True)
DEBIAN_13 = Machine(
    "debian", "13", "trixie", "Debian GNU/Linux 13 (trixie)", root=True, systemd=True
)
UBUNTU_24 = Machine("ubuntu", "24.04", "noble", "Ubuntu 24.04.3 LTS", root=True, systemd=True)
FEDORA_43 = Machine("fedora", "43", "", "Fedora Linux 43", root=True, systemd=True)

MIRROR = """\
Types: deb
URIs: http://mirror.example/debian
Suites: {codename} {codename}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
TOOLS = ("mmdebstrap", "docker-registry", "qemu-user-static", "binfmt-support", "age")
ALL_TOOLS = Tools(
    sops="3.13.3",
    age="1.1.1",
    actionlint="/cache/bin/actionlint",
    go="1.26.8",
    mmdebstrap="/usr/bin/mmdebstrap",
    docker_registry="/usr/bin/docker-registry",
    qemu="/usr/bin/qemu-aarch64-static",
    update_binfmts="/usr/sbin/update-binfmts",
    emulation=True,
    binfmt_mounted=True,
)
RUNNING = Engine(
    state="running",
    version="28.5.2",
    client="/usr/bin/docker",
    buildx="0.29.1",
    buildx_history=True,
    compose="2.40.3",
    packages=("docker.io",),
    dockerd="/usr/sbin/dockerd",
)
CURRENT = PythonEnvironment("/usr/bin/python3", "current", "5ta3p", "/repo/.venv/bin/uv", pip=True)
EMPTY = replace(CURRENT, state="absent", uv=None)
RECORD = EngineRecord(
    ("docker.io", "docker-cli", "containerd"),
    "detached",
    ("start-stop-daemon", "--start", "--exec", "/usr/sbin/dockerd"),
    "/state/dockerd.log",
    "/run/docker.pid",
)
REGISTRY = RegistryRecord(
    5001,
    ("start-stop-daemon", "--start", "--exec", "/usr/bin/docker-registry"),
    "/state/registry.log",
    "/state/registry.pid",
    "/state/registry.yml",
)


def debian_apt(codename: str, suites: tuple[str, ...], offers: tuple[Offer, ...]) -> Apt:
    """Return what a Debian machine with a mirror of its own would see."""
    files = {"debian.sources": MIRROR.format(codename=codename)}
    return Apt(*derive_source(files, codename, suites), offers, TOOLS)


SID = Offer(
    "sid",
    (
        "docker.io=28.5.2+dfsg4-5",
        "docker-cli=28.5.2+dfsg4-5",
        "containerd=2.1.9+ds1-5",
        "docker-buildx=0.29.1+ds1-4",
        "docker-compose=2.40.3-3",
    ),
)
TRIXIE = Offer("trixie", ("docker.io=26.1.5", "docker-cli=26.1.5", "docker-compose=2.26.1-4"))
NEWER = debian_apt("bookworm", ("trixie", "sid"), (SID, replace(TRIXIE, builds=("buildx",))))
MACHINE_IN_USE = Facts(
    root=Path("/repo"),
    cache=Path("/cache"),
    state=Path("/state"),
    plugins=Path("/home/.docker/cli-plugins"),
    machine=DEBIAN_12,
    engine=RUNNING,
    tools=ALL_TOOLS,
    registry=Registry("running", 5001, record=REGISTRY),
    python=CURRENT,
)
BARE = replace(
    MACHINE_IN_USE,
    engine=Engine(client="/usr/local/bin/docker"),
    tools=Tools(go="1.26.8"),
    registry=Registry(),
    python=EMPTY,
    apt=NEWER,
)

MACHINES = {
    "debian-12-bare": BARE,
    "debian-12-without-sid": replace(
        BARE, apt=debian_apt("bookworm", ("trixie",), (replace(TRIXIE, builds=("buildx",)),))
    ),
    "debian-12-services-kept-off": replace(BARE, machine=replace(DEBIAN_12, policy_rc=True)),
    "debian-12-nothing-installable": replace(
        BARE,
        apt=debian_apt(
            "bookworm", ("sid",), (replace(SID, refused="it would upgrade libc6 2.36-9"),)
        ),
    ),
    "debian-12-no-package-lists": replace(BARE, apt=Apt(error="E: The repository is not signed.")),
    "debian-12-ordinary-user": replace(BARE, machine=replace(DEBIAN_12, root=False), apt=None),
    "debian-13-bare": replace(BARE, machine=DEBIAN_13, apt=debian_apt("trixie", ("sid",), (SID,))),
    "debian-13-with-settings": replace(
        BARE,
        machine=DEBIAN_13,
        engine=Engine(config='{"bip": "10.9.0.1/24"}'),
        apt=debian_apt("trixie", ("sid",), (SID,)),
    ),
    "ubuntu-24-bare": replace(
        BARE,
        machine=UBUNTU_24,
        apt=Apt(
            offers=(
                Offer("own", ("docker.io", "containerd", "docker-buildx", "docker-compose-v2")),
            ),
            available=TOOLS,
        ),
    ),
    "fedora-bare": replace(BARE, machine=FEDORA_43, apt=None),
    "engine-stopped": replace(
        MACHINE_IN_USE,
        engine=replace(RUNNING, state="stopped", version=None, packages=("docker-ce",)),
    ),
    "engine-stopped-without-package": replace(
        MACHINE_IN_USE,
        engine=Engine(state="stopped", client="/usr/bin/docker", dockerd="/opt/docker/dockerd"),
    ),
    "podman-in-its-place": replace(
        MACHINE_IN_USE, engine=Engine(state="stopped", packages=("podman-docker",))
    ),
    "recorded-engine-stopped": replace(
        MACHINE_IN_USE,
        engine=replace(RUNNING, state="stopped", version=None, record=RECORD),
    ),
    "recorded-engine-replaced": replace(
        MACHINE_IN_USE,
        engine=Engine(state="stopped", packages=("docker-ce",), record=RECORD),
    ),
    "docker-host-silent": replace(
        BARE, engine=Engine(state="unreachable", host="ssh://build@server.example")
    ),
    "context-silent": replace(BARE, engine=Engine(state="unreachable", context="server")),
    "engine-denied": replace(
        MACHINE_IN_USE,
        machine=replace(DEBIAN_12, root=False),
        engine=replace(RUNNING, state="denied", version=None),
    ),
    "engine-too-old": replace(MACHINE_IN_USE, engine=replace(RUNNING, version="20.10.24+dfsg1")),
    "client-missing": replace(MACHINE_IN_USE, engine=Engine(state="running")),
    "plugins-too-old": replace(
        MACHINE_IN_USE,
        engine=replace(RUNNING, buildx="0.13.1", buildx_history=False, compose="2.24.0"),
    ),
    "plugins-missing-without-go": replace(
        MACHINE_IN_USE,
        engine=replace(RUNNING, buildx=None, buildx_history=False, compose=None),
        tools=replace(ALL_TOOLS, go=None),
    ),
    "tools-missing": replace(MACHINE_IN_USE, tools=Tools(go="1.26.8"), apt=NEWER),
    "tools-missing-without-go": replace(
        MACHINE_IN_USE, tools=Tools(), machine=replace(DEBIAN_12, root=False)
    ),
    "sops-too-old-without-go": replace(
        MACHINE_IN_USE, tools=replace(ALL_TOOLS, sops="3.9.4", go=None)
    ),
    "environment-stale": replace(MACHINE_IN_USE, python=replace(CURRENT, state="stale")),
    "python-without-pip": replace(
        MACHINE_IN_USE, python=replace(EMPTY, pip=False), apt=replace(NEWER, offers=())
    ),
    "repository-of-a-user": replace(MACHINE_IN_USE, python=PythonEnvironment(state="unmanaged")),
    "signing-configured": replace(
        MACHINE_IN_USE, signing=True, apt=replace(NEWER, offers=(), signing="cosign=2.5.0-2+b4")
    ),
    "signing-in-its-own-suite": replace(
        MACHINE_IN_USE, signing=True, apt=replace(NEWER, offers=(), signing="cosign")
    ),
    "signing-without-package": replace(MACHINE_IN_USE, signing=True),
    "signing-without-package-or-go": replace(
        MACHINE_IN_USE, signing=True, tools=replace(ALL_TOOLS, go=None)
    ),
    "signing-installed": replace(
        MACHINE_IN_USE, signing=True, tools=replace(ALL_TOOLS, cosign="/usr/bin/cosign")
    ),
    "registry-stopped": replace(MACHINE_IN_USE, registry=Registry("stopped", 5001, "", REGISTRY)),
    "registry-port-taken": replace(
        MACHINE_IN_USE, registry=Registry(port=5002, taken="process 812 (node server.js)")
    ),
    "registry-ports-taken": replace(
        MACHINE_IN_USE, registry=Registry(port=0, taken="another program")
    ),
    "registry-of-somebody-else": replace(MACHINE_IN_USE, registry=Registry("foreign")),
    "registry-without-package": replace(
        MACHINE_IN_USE,
        machine=FEDORA_43,
        tools=replace(ALL_TOOLS, docker_registry=None),
        registry=Registry(),
    ),
    "registry-of-a-remote-engine": replace(
        MACHINE_IN_USE,
        engine=replace(RUNNING, host="tcp://docker:2376"),
        registry=Registry(),
    ),
    "nothing-to-do": MACHINE_IN_USE,
}


@pytest.mark.parametrize("name", MACHINES)
def test_plan_text(name: str) -> None:
    golden = PLANS / f"{name}.txt"
    text = plan(MACHINES[name]).text() + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_machine() -> None:
    assert {path.stem for path in PLANS.iterdir()} == set(MACHINES)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_is_set_up_whole_or_left_alone(name: str) -> None:
    made = plan(MACHINES[name])
    assert not (made.operations and made.blockers)


FOREIGN = [
    "engine-stopped",
    "engine-stopped-without-package",
    "podman-in-its-place",
    "recorded-engine-replaced",
    "docker-host-silent",
    "context-silent",
    "engine-too-old",
    "engine-denied",
    "client-missing",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_an_engine_that_is_not_ours_is_never_touched(name: str) -> None:
    made = plan(MACHINES[name])
    assert made.operations == ()
    assert made.blockers[0].next_step
