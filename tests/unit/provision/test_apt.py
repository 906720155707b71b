"""Sources are derived from the machine's own, and an offer never changes what is installed."""

from __future__ import annotations

import pytest

from hullwright.provision.apt import (
    OWN,
    available_tools,
    derive_source,
    engine_offers,
    newer_suites,
    parse_madison,
    refusal,
    signing_words,
)
from hullwright.provision.facts import Machine, Offer

DEBIAN_12 = Machine("debian", "12", "bookworm", root=True)
UBUNTU = Machine("ubuntu", "24.04", "noble", root=True)

DEB822 = """\
# the distribution
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""
ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main non-free
"""
MADISON = """\
 docker.io | 28.5.2+dfsg4-5 | http://mirror.example/debian sid/main amd64 Packages
 docker.io | 26.1.5+dfsg1-9+deb13u1 | http://mirror.example/debian trixie/main amd64 Packages
 docker.io | 20.10.24+dfsg1-1 | http://mirror.example/debian bookworm/main amd64 Packages
 docker.io | 20.10.24+dfsg1-1 | http://mirror.example/debian bookworm/main Sources
docker-cli | 28.5.2+dfsg4-5 | http://mirror.example/debian sid/main amd64 Packages
docker-cli | 26.1.5+dfsg1-9+deb13u1 | http://mirror.example/debian trixie/main amd64 Packages
containerd | 2.1.9+ds1-5 | http://mirror.example/debian sid/main amd64 Packages
containerd | 1.7.24~ds1-6 | http://mirror.example/debian trixie/main amd64 Packages
containerd | 1.6.20~ds1-1 | http://mirror.example/debian bookworm/main amd64 Packages
docker-buildx | 0.29.1+ds1-4 | http://mirror.example/debian sid/main amd64 Packages
docker-buildx | 0.13.1+ds1-3 | http://mirror.example/debian trixie/main amd64 Packages
docker-compose | 2.40.3-3 | http://mirror.example/debian sid/main amd64 Packages
docker-compose | 2.26.1-4 | http://mirror.example/debian trixie/main amd64 Packages
docker-compose | 1.29.2-3 | http://mirror.example/debian bookworm/main amd64 Packages
age | 1.1.1-1+b3 | http://mirror.example/debian bookworm/main amd64 Packages
qemu-user-binfmt | 1:7.2 | http://mirror.example/debian bookworm/main amd64 Packages
"""


def test_a_deb822_source_gives_its_address_and_embedded_key() -> None:
    source, pins = derive_source({"debian.sources": DEB822}, "bookworm", ("trixie", "sid"))
    assert source.splitlines()[:4] == [
        "Types: deb",
        "URIs: http://mirror.example/debian",
        "Suites: trixie sid",
        "Components: main",
    ]
    assert source.endswith("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n")
    assert "Pin: release n=trixie\nPin-Priority: 50" in pins
    assert "Pin: release n=sid\nPin-Priority: 40" in pins


def test_a_one_line_source_gives_its_address_and_key_file() -> None:
    source, _ = derive_source({"sources.list": ONE_LINE}, "bookworm", ("sid",))
    assert "URIs: http://mirror.example/debian\n" in source
    assert "Signed-By: /keys/debian.gpg\n" in source


def test_a_source_named_by_stable_is_the_machines_own() -> None:
    source, _ = derive_source({"a.list": "deb http://m.example/d stable main"}, "trixie", ("sid",))
    assert "URIs: http://m.example/d\n" in source


@pytest.mark.parametrize(
    "text",
    [
        "deb http://m.example/security bookworm-security main",
        "deb http://m.example/other bookworm stable",
        "# deb http://m.example/debian bookworm main",
        "",
    ],
)
def test_no_source_is_guessed_where_the_machine_has_none(text: str) -> None:
    assert derive_source({"sources.list": text}, "bookworm", ("sid",)) == ("", "")


def test_a_disabled_source_does_not_count() -> None:
    disabled = DEB822.replace("Types: deb deb-src", "Types: deb\nEnabled: no")
    assert derive_source({"debian.sources": disabled}, "bookworm", ("sid",)) == ("", "")


def test_pins_are_below_the_priority_of_installed_packages() -> None:
    _, pins = derive_source({"a.sources": DEB822}, "bookworm", ("trixie", "sid"))
    priorities = [int(line.split()[1]) for line in pins.splitlines() if "Priority" in line]
    assert priorities
    assert max(priorities) < 100


def test_madison_gives_the_newest_version_of_each_suite() -> None:
    versions = parse_madison(
        " age | 1.2-2 | http://m bookworm-updates/main amd64 Packages\n"
        " age | 1.1-1 | http://m bookworm/main amd64 Packages\n"
        "noise\n",
        ("sid",),
    )
    assert versions.table == {("age", OWN): "1.2-2"}


def test_a_whole_set_comes_before_a_nearer_engine_without_plugins() -> None:
    offers = engine_offers(parse_madison(MADISON, ("trixie", "sid")), DEBIAN_12)
    assert offers == [
        Offer(
            "sid",
            (
                "docker.io=28.5.2+dfsg4-5",
                "docker-cli=28.5.2+dfsg4-5",
                "containerd=2.1.9+ds1-5",
                "docker-buildx=0.29.1+ds1-4",
                "docker-compose=2.40.3-3",
            ),
        ),
        Offer(
            "trixie",
            (
                "docker.io=26.1.5+dfsg1-9+deb13u1",
                "docker-cli=26.1.5+dfsg1-9+deb13u1",
                "containerd=1.7.24~ds1-6",
                "docker-compose=2.26.1-4",
            ),
            builds=("buildx",),
        ),
    ]


def test_ubuntu_takes_its_own_packages_unpinned() -> None:
    listed = """\
 docker.io | 28.2.2-0ubuntu1~24.04.1 | http://m noble-updates/universe amd64 Packages
containerd | 1.7.28-0ubuntu1 | http://m noble-updates/main amd64 Packages
docker-buildx | 0.21.3-0ubuntu1 | http://m noble-updates/universe amd64 Packages
docker-compose-v2 | 2.37.1+ds1-0ubuntu2 | http://m noble-updates/universe amd64 Packages
docker-compose | 1.29.2-6 | http://m noble/universe amd64 Packages
"""
    assert engine_offers(parse_madison(listed, ()), UBUNTU) == [
        Offer("own", ("docker.io", "containerd", "docker-compose-v2"), builds=("buildx",))
    ]


def test_no_engine_is_offered_below_the_floor() -> None:
    listed = " docker.io | 20.10.24 | http://m bookworm/main amd64 Packages\n"
    assert engine_offers(parse_madison(listed, ()), DEBIAN_12) == []


def test_of_two_names_for_a_tool_the_one_that_exists_is_taken() -> None:
    versions = parse_madison(MADISON, ("trixie", "sid"))
    assert available_tools(versions) == ("qemu-user-binfmt", "age")


def test_cosign_comes_from_the_nearest_suite_that_has_it() -> None:
    listed = (
        " cosign | 3.1.1-2 | http://m sid/main amd64 Packages\n"
        " cosign | 2.5.0-2+b4 | http://m trixie/main amd64 Packages\n"
    )
    newer = ("trixie", "sid")
    found = signing_words(parse_madison(listed, newer), newer)
    assert found == ("cosign=2.5.0-2+b4", "cosign=3.1.1-2")
    # On the release that has it, nothing is pinned to a version.
    assert signing_words(parse_madison(listed, ("sid",)), ("sid",)) == ("cosign", "cosign=3.1.1-2")
    assert signing_words(parse_madison(MADISON, newer), newer) == ()


@pytest.mark.parametrize(
    ("machine", "suites"),
    [
        (DEBIAN_12, ("trixie", "sid")),
        (Machine("debian", "13", "trixie"), ("sid",)),
        (Machine("debian", "", "forky"), ("sid",)),
        (UBUNTU, ()),
    ],
)
def test_newer_suites_depend_on_the_release(machine: Machine, suites: tuple[str, ...]) -> None:
    assert newer_suites(machine) == suites


NEW = "Inst docker.io (28.5.2 Debian:unstable [amd64])\nConf docker.io (28.5.2)\n"


@pytest.mark.parametrize(
    ("returncode", "text", "reason"),
    [
        (0, NEW, ""),
        (0, f"{NEW}Inst libc6 [2.36-9] (2.43-7 Debian:unstable [amd64])\n",
         "it would upgrade libc6 2.36-9"),
        (0, f"Remv exim4 [4.96]\n{NEW}", "it would remove exim4"),
        (100, "Unmet dependencies:\n docker.io : Depends: libc6\nE: Unable to correct problems",
         "docker.io : Depends: libc6"),
        (100, "E: Version was not found\n", "E: Version was not found"),
        (100, "", "apt-get refuses it"),
    ],
)  # fmt: skip
def test_an_offer_is_refused_if_it_changes_what_is_installed(
    returncode: int, text: str, reason: str
) -> None:
    assert refusal(returncode, text) == reason
