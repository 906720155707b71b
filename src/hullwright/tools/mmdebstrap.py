"""mmdebstrap: root file systems from Debian's packages, and where this machine gets those."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# One line per list of packages that apt is configured for, whichever format configures it.
TARGETS_ARGV: Final = (
    "apt-get",
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY) $(ORIGIN)",
    "Created-By: Packages",
)
PROXY_ARGV: Final = ("apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy")

# apt leaves the name of a field that it does not know yet.
_NO_ORIGIN: Final = "$(ORIGIN)"

# What a container never reads: half of a small image's files.
_NEVER_READ: Final = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*/LC_MESSAGES/*",
    "/usr/share/man/*",
)
# Copyright files are the licences' condition for handing the packages on.
_KEPT: Final = "/usr/share/doc/*/copyright"


@dataclass(frozen=True, slots=True)
class Source:
    """Where this machine gets Debian's packages.

    Attributes:
        uri: address of the archive.
        signed_by: keyring that its own configuration names; empty leaves it to mmdebstrap.
    """

    uri: str
    signed_by: str = ""

    @property
    def is_debians_own(self) -> bool:
        """Whether the address is one of the project's, which an image may carry anywhere."""
        return (urlsplit(self.uri).hostname or "").endswith(".debian.org")

    def text(self, suite: str) -> str:
        """Return the entry for a suite and its point updates (sources.list(5), deb822 style)."""
        lines = [
            "Types: deb",
            f"URIs: {self.uri}",
            f"Suites: {suite} {suite}-updates",
            "Components: main",
        ]
        return "\n".join([*lines, *([f"Signed-By: {self.signed_by}"] if self.signed_by else [])])


@dataclass(frozen=True, slots=True)
class Target:
    """A list of packages that apt is configured for.

    Attributes:
        entry: `FILE:NUMBER` of what configures it.
        origin: who publishes it; empty before its first update.
    """

    uri: str
    release: str
    component: str
    entry: str
    origin: str = ""


def parse_targets(text: str) -> list[Target]:
    """Return the lists that apt is configured for, from the output of `TARGETS_ARGV`."""
    rows = (line.split(maxsplit=4) for line in text.splitlines())
    return [
        Target(uri.rstrip("/"), release, component, entry, "".join(origin).replace(_NO_ORIGIN, ""))
        for uri, release, component, entry, *origin in (row for row in rows if len(row) > 3)
    ]


def archive(targets: Sequence[Target], codename: str, suite: str) -> Target | None:
    """Return the machine's own entry for the Debian archive, which has every suite.

    Args:
        targets: what apt is configured for.
        codename: the machine's own release.
        suite: what is wanted; an entry that names it is the first choice.
    """
    debian = [t for t in targets if t.component == "main" and t.origin in {"Debian", ""}]
    for release in (suite, codename, "stable"):
        found = [target for target in debian if target.release == release]
        if found:
            # Another publisher may use Debian's name for a release; one that is known comes first.
            return max(found, key=lambda target: bool(target.origin))
    return None


def signing_keyring(entry: str, text: str) -> str:
    """Return the keyring that a source entry names; empty where it names none, or holds the key.

    Args:
        entry: `FILE:NUMBER`: a stanza of a `.sources` file, or a line of a `.list` file.
        text: what the file holds.
    """
    file, _, number = entry.rpartition(":")
    if not number.isdecimal():
        return ""
    parts = re.split(r"\n\s*\n", text.strip()) if file.endswith(".sources") else text.splitlines()
    part = parts[int(number) - 1] if 0 < int(number) <= len(parts) else ""
    match = re.search(
        r"^\s*signed-by:\s*(/\S+)|[\[\s]signed-by=(/[^\s\]]+)", part, re.IGNORECASE | re.MULTILINE
    )
    return (match[1] or match[2]) if match else ""


def argv(
    *,
    suite: str,
    arch: str,
    packages: Sequence[str],
    exclude: Sequence[str],
    hooks: Path | None,
    sources: Path | None,
    archive_file: Path,
) -> list[str]:
    """Return the command that writes a root file system; the sources come on standard input.

    The image gets `sources` as its only source of packages, or none: nothing of the address that
    this machine uses, its proxy or its certificates stays in it.

    Args:
        suite: such as `trixie`.
        arch: as Debian calls it, which for our platforms is what images call it too.
        packages: what is installed besides the essential packages.
        exclude: patterns of paths that are not unpacked.
        hooks: folder of scripts (`essentialNN-…`, `customizeNN-…`) that get the root as `$1`.
        sources: file that becomes the image's source of packages.
        archive_file: where the tar archive goes.
    """
    words = ["mmdebstrap", "--variant=minbase", "--format=tar", f"--architectures={arch}"]
    # The check for an emulator needs one more package; without an emulator the first program of
    # the foreign root fails, and its message says so.
    words += ["--skip=check/qemu"]
    words += [f"--include={','.join(packages)}"] if packages else []
    words += ["--dpkgopt=force-unsafe-io"]
    words += [f"--dpkgopt=path-exclude={path}" for path in (*_NEVER_READ, *exclude)]
    words += [f"--dpkgopt=path-include={_KEPT}"]
    words += [f"--hook-dir={hooks}"] if hooks else []
    words += ['--customize-hook=rm -rf "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/*']
    words += (
        [f"--customize-hook=upload {sources} /etc/apt/sources.list.d/debian.sources"]
        if sources
        else []
    )
    return [*words, suite, str(archive_file), "-"]
