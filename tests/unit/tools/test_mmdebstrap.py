"""Where packages come from, and the exact words for mmdebstrap."""

from __future__ import annotations

from pathlib import Path

import pytest

from hullwright.tools.mmdebstrap import Source, archive, argv, parse_targets, signing_keyring

TARGETS = """\
https://packages.example.com/tools/ bookworm main /etc/apt/sources.list.d/a.list:2 Example
http://mirror.example.com/debian/ bookworm main /etc/apt/sources.list.d/debian.sources:1 Debian
http://mirror.example.com/debian-security/ bookworm-security main /etc/apt/x.sources:2 Debian
http://mirror.example.com/debian/ trixie contrib /etc/apt/x.sources:1 Debian
"""


def test_the_machines_own_archive_is_found_among_other_publishers() -> None:
    found = archive(parse_targets(TARGETS), "bookworm", "trixie")
    assert found is not None
    assert found.uri == "http://mirror.example.com/debian"
    assert found.entry == "/etc/apt/sources.list.d/debian.sources:1"


def test_an_entry_that_names_the_suite_comes_first() -> None:
    more = "http://other.example.com/debian/ trixie main /etc/apt/newer.sources:1 Debian\n"
    found = archive(parse_targets(TARGETS + more), "bookworm", "trixie")
    assert found is not None
    assert found.uri == "http://other.example.com/debian"


def test_before_the_first_update_the_publisher_is_not_known() -> None:
    text = "http://m.example.com/debian/ trixie main /etc/apt/sources.list:1 $(ORIGIN)\n"
    assert archive(parse_targets(text), "trixie", "trixie") is not None


@pytest.mark.parametrize(
    "text",
    ["", "http://m.example.com/ubuntu/ noble main /etc/apt/ubuntu.sources:1 Ubuntu\n"],
)
def test_a_machine_of_another_distribution_has_no_archive(text: str) -> None:
    assert archive(parse_targets(text), "noble", "trixie") is None


@pytest.mark.parametrize(
    ("entry", "text", "keyring"),
    [
        (
            "/e/d.sources:2",
            "Types: deb\nSigned-By: /a.gpg\n\nTypes: deb\nsigned-by: /b.gpg",
            "/b.gpg",
        ),
        ("/e/d.sources:3", "Types: deb\nSigned-By: /a.gpg", ""),
        ("/e/d.list:2", "# none\ndeb [arch=amd64 signed-by=/c.gpg] http://m/ s main", "/c.gpg"),
        ("/e/d.list:1", "deb http://m/ s main", ""),
        ("/e/d.sources:1", "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----", ""),
        ("", "", ""),
    ],
)
def test_the_keyring_is_the_one_that_the_entry_names(entry: str, text: str, keyring: str) -> None:
    assert signing_keyring(entry, text) == keyring


def test_a_source_is_written_for_the_suite_and_its_updates() -> None:
    assert Source("http://m.example.com/debian", "/k.gpg").text("trixie") == (
        "Types: deb\nURIs: http://m.example.com/debian\nSuites: trixie trixie-updates\n"
        "Components: main\nSigned-By: /k.gpg"
    )


@pytest.mark.parametrize(
    ("uri", "own"),
    [
        ("http://ftp.xx.debian.org/debian", True),
        ("http://debian.org.example.com/debian", False),
        ("http://10.0.0.1/debian", False),
        ("file:///srv/debian", False),
    ],
)
def test_only_debians_public_addresses_may_stay_in_an_image(uri: str, own: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert Source(uri).is_debians_own is own


def test_a_root_file_system_keeps_nothing_of_where_it_came_from() -> None:
    words = argv(
        suite="trixie",
        arch="arm64",
        packages=("a", "b"),
        exclude=("/x/*",),
        hooks=Path("/r/hooks"),
        sources=None,
        archive_file=Path("/w/rootfs-arm64.tar"),
    )
    assert words == [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        "--architectures=arm64",
        "--skip=check/qemu",
        "--include=a,b",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/lintian/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*/LC_MESSAGES/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/x/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--hook-dir=/r/hooks",
        '--customize-hook=rm -rf "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/*',
        "trixie",
        "/w/rootfs-arm64.tar",
        "-",
    ]
