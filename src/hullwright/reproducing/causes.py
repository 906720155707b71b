"""Why two builds usually differ in a file, told by its path and by what it holds. Pure.

https://reproducible-builds.org/docs/ has the reasons behind most of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.reproducing.models import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.reproducing.models import Kind

_EPOCH: Final = "ARG SOURCE_DATE_EPOCH in the stage gives the step the commit's date to write"
ORDER: Final = Cause(
    "the same files in another order",
    "sort what makes the layer: a glob of the shell is sorted, the output of find is not",
)
COMPRESSION: Final = Cause(
    "the same files, compressed in other bytes",
    "give both builders the same version of BuildKit: not all of them write the same gzip",
)
SETTINGS: Final = Cause(
    "something that changes is written into the image's configuration",
    "look for a build argument or a label with a date, a number of a run, or the name of a machine",
)
APT: Final = Cause(
    "apt's caches and logs",
    "keep them out of the layer: RUN --mount=type=tmpfs,target=/var/log "
    "--mount=type=tmpfs,target=/var/cache --mount=type=cache,target=/var/lib/apt/lists …",
)
LDCONFIG: Final = Cause(
    "ldconfig's cache of what it looked at",
    "remove /var/cache/ldconfig/aux-cache in the same step, or mount a tmpfs over /var/cache",
)
MAN: Final = Cause(
    "the index of the manual's pages",
    "remove /var/cache/man in the same step, or mount a tmpfs over /var/cache",
)
LOGS: Final = Cause(
    "logs of the build",
    "keep them out of the layer: RUN --mount=type=tmpfs,target=/var/log …",
)
ACCOUNTS: Final = Cause(
    "the day on which a user was made",
    "SOURCE_DATE_EPOCH=0 useradd … writes no day; the copies that end with - can be removed",
)
MACHINE: Final = Cause(
    "an identity that is made anew for each machine",
    "remove it in the same step, and let the container make its own",
)
PACKAGES: Final = Cause(
    "other versions of packages",
    "what the sources of packages offer moved between the builds: pin versions, or a snapshot",
)
BYTECODE: Final = Cause(
    "Python byte code",
    "pip install --no-compile and PYTHONDONTWRITEBYTECODE=1, then one "
    "python -m compileall -j 1 --invalidation-mode unchecked-hash",
)
WHEEL: Final = Cause(
    "what an installer notes of the files that it wrote",
    "install with --no-compile, from a path that is the same in each build",
)
CACHES: Final = Cause(
    "the cache of a package manager",
    "mount a cache over its folder: RUN --mount=type=cache,target=… ; then it is in no layer",
)
GIT: Final = Cause(
    "Git's own files, which hold times of the work tree",
    "leave .git out of the context, and hand its facts over as build arguments",
)
GZIP: Final = Cause("a time in the head of what gzip compressed", "gzip -n writes none")
ARCHIVE: Final = Cause(
    "times and owners of the files in an archive",
    "tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner; zip -X of "
    "files whose times were set; for others strip-nondeterminism",
)
LIBRARY: Final = Cause(
    "times of the objects in a static library",
    "ar rcD (ARFLAGS=rcD) writes none",
)
GO: Final = Cause(
    "a Go program that knows where or from which work tree it was built",
    "GOFLAGS='-trimpath -buildvcs=false', no date in -ldflags -X, and -ldflags=-buildid= where the "
    "compilers differ",
)
RUST: Final = Cause(
    "a Rust program that knows where it was built, or whose parts were put together otherwise",
    "build in the same folder, RUSTFLAGS=--remap-path-prefix=$PWD=/src, codegen-units = 1, and "
    "cargo build --locked",
)
PROGRAM: Final = Cause(
    "a compiled program",
    "-ffile-prefix-map=$PWD=. for paths, no __DATE__ or __TIME__ (SOURCE_DATE_EPOCH sets them), "
    "and no date in build information",
)
DATE: Final = Cause("a date or a time that the step wrote", _EPOCH)
RANDOM: Final = Cause(
    "a name that is chosen at random", "give it a name, or remove it in the same step"
)
DATABASE: Final = Cause(
    "a database, whose pages hold times and counters",
    "make it when the container starts, or dump and load it in a fixed order",
)
TIMES: Final = Cause(
    "a time that is older than the commit, and another one each time",
    "BuildKit only brings newer times down: let the step set it with touch -d @$SOURCE_DATE_EPOCH",
)
MODES: Final = Cause(
    "permissions that depend on who builds",
    "COPY --chmod=… and an explicit umask in the step; Git keeps no more than the bit x of a file",
)

_PATHS: Final = tuple(
    (re.compile(pattern), cause)
    for pattern, cause in (
        (r"var/(?:cache|lib)/apt(?:/.*)?|var/log/(?:apt(?:/.*)?|dpkg\.log|alternatives\.log)", APT),
        (r"var/cache/debconf/.*|var/log/(?:bootstrap|fontconfig)\.log|var/lib/dpkg/.*-old", APT),
        (r"var/cache/ldconfig(?:/.*)?", LDCONFIG),
        (r"var/cache/man(?:/.*)?", MAN),
        (r"var/log/.*", LOGS),
        (r"etc/g?shadow-?|etc/(?:passwd|group|subuid|subgid)-", ACCOUNTS),
        (r"etc/machine-id|var/lib/dbus/machine-id|etc/ssh/ssh_host_.*|.*/random-seed", MACHINE),
        (r"var/lib/dpkg/(?:status|info/.*|available)|lib/apk/db/.*", PACKAGES),
        (r".*\.pyc|(?:.*/)?__pycache__", BYTECODE),
        (r".*\.dist-info/(?:RECORD|direct_url\.json)", WHEEL),
        (r"(?:root|home/[^/]+)/\.(?:cache|npm|cargo|gradle|m2|local/share/pnpm)(?:/.*)?", CACHES),
        (r"(?:.*/)?node_modules/\.(?:cache|package-lock\.json|yarn-integrity)(?:/.*)?", CACHES),
        (r"(?:.*/)?\.git(?:/.*)?", GIT),
        (r".*\.(?:zip|jar|war|whl|egg|tar|tar\.xz|cpio)", ARCHIVE),
        (r".*\.(?:sqlite3?|db|rdb|mdb)|(?:.*/)?rpmdb.*", DATABASE),
    )
)
_RANDOM_NAME: Final = re.compile(r"(?:^|/)tmp/|[.-][A-Za-z0-9_]{6,}$|[0-9a-f]{8,}")
# Dates and times of day in the usual forms, and the seconds of this decade and the next.
_DATE: Final = re.compile(
    rb"20[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-2][0-9]:[0-5][0-9]:[0-5][0-9]|\b(?:1[6-9]|2[01])[0-9]{8}"
)
_AROUND_BYTES: Final = 48
_STEP_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Contents:
    """What the two builds have in a file."""

    first: bytes = b""
    second: bytes = b""


def cause_of(path: str, kinds: Sequence[Kind], contents: Contents) -> Cause | None:
    """Return the usual cause of a difference; None where nothing is recognised."""
    for pattern, cause in _PATHS:
        if pattern.fullmatch(path):
            return cause
    if "content" in kinds or "size" in kinds:
        return _of_content(path, contents)
    if "first" in kinds or "second" in kinds:
        return RANDOM if _RANDOM_NAME.search(path) else None
    if "time" in kinds:
        return TIMES
    return MODES if "mode" in kinds or "owner" in kinds else None


def _of_content(path: str, contents: Contents) -> Cause | None:
    first, second = contents.first, contents.second
    if first.startswith(b"\x7fELF"):
        if b"Go build ID:" in first[: 1 << 20] or b"\xff Go buildinf:" in first:
            return GO
        return RUST if b"/rustc/" in first else PROGRAM
    if first.startswith(b"!<arch>\n"):
        return LIBRARY
    if first.startswith(b"\x1f\x8b") and first[4:8] != second[4:8]:
        return GZIP
    if first.startswith((b"PK\x03\x04", b"BZh", b"\xfd7zXZ")) or path.endswith((".tgz", ".gz")):
        return ARCHIVE
    return DATE if _dated(first, second) else None


def _dated(first: bytes, second: bytes) -> bool:
    """Return whether the first place where the contents differ looks like a date."""
    place = _first_difference(first, second)
    around = slice(max(0, place - _AROUND_BYTES), place + _AROUND_BYTES)
    near = place - around.start
    return any(
        match.start() <= near <= match.end()
        for text in (first[around], second[around])
        for match in _DATE.finditer(text)
    )


def _first_difference(first: bytes, second: bytes) -> int:
    shorter = min(len(first), len(second))
    for start in range(0, shorter, _STEP_BYTES):
        pieces = first[start : start + _STEP_BYTES], second[start : start + _STEP_BYTES]
        if pieces[0] != pieces[1]:
            pairs = enumerate(zip(*pieces, strict=False))
            return start + next((n for n, (one, other) in pairs if one != other), shorter - start)
    return shorter
