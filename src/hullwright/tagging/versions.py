"""Versions as Git tags name them: SemVer 2, or PEP 440 where that is the scheme."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packaging.version import Version as Pep440

    # Epoch, figures, and the whole version where more than these decides.
    Pep440Order = tuple[int, tuple[int, ...], tuple[Pep440, ...]]

_NUMBER: Final = r"(0|[1-9]\d*)"
# https://semver.org, with the one `v` that tags begin with. One expression instead of the
# library's parser: of a repository's tags each is looked at, and there may be thousands.
_SEMVER: Final = re.compile(
    rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)

_PLAIN: Final = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+)*)")

_BEGINS: Final = re.compile(r"v?\d", re.ASCII)
# Where a version begins in a name: three figures are surer than two (`on-3.11-v1.2.3`).
_FIGURES: Final = (
    re.compile(r"(?<![\d.!])v?\d+\.\d+\.\d", re.ASCII),
    re.compile(r"(?<![\d.!])v?\d+\.\d", re.ASCII),
)


@dataclass(frozen=True, slots=True)
class Semantic:
    """A SemVer version; `raw` is how it was written."""

    raw: str
    major: int
    minor: int
    patch: int
    prerelease: str
    build: str

    @property
    def order(self) -> tuple[int, ...]:
        """What releases are ordered by."""
        return (self.major, self.minor, self.patch)

    @property
    def fields(self) -> dict[str, str]:
        """What a pattern may name."""
        numbers = f"{self.major}.{self.minor}.{self.patch}"
        return {
            "raw": self.raw,
            "version": f"{numbers}-{self.prerelease}" if self.prerelease else numbers,
            "major": f"{self.major}",
            "minor": f"{self.minor}",
            "patch": f"{self.patch}",
            "prerelease": self.prerelease,
            "build": self.build,
        }


def semver_of(text: str) -> Semantic | None:
    """Return the SemVer version that `text` is, with or without a `v`; else None."""
    match = _SEMVER.fullmatch(text)
    if not match:
        return None
    major, minor, patch, prerelease, build = match.groups()
    return Semantic(text, int(major), int(minor), int(patch), prerelease or "", build or "")


def is_semver(text: str) -> bool:
    """Return whether `text` is a SemVer version, with or without a `v`."""
    return _SEMVER.fullmatch(text) is not None


def release_order(text: str) -> tuple[int, ...] | None:
    """Return what a SemVer release is ordered by; None of anything else."""
    match = _SEMVER.fullmatch(text)
    if not match or match[4]:
        return None
    return (int(match[1]), int(match[2]), int(match[3]))


def pep440_of(text: str) -> Pep440 | None:
    """Return the PEP 440 version that `text` is; else None."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


def release_pep440(text: str) -> tuple[Pep440Order, tuple[int, ...]] | None:
    """Return what a release by PEP 440 is ordered by, and its figures where they are all of it.

    None of anything else. Most releases are figures and nothing more: those are not parsed, since
    of a repository's tags each is looked at.
    """
    plain = _PLAIN.fullmatch(text)
    if plain:
        numbers = tuple(map(int, plain[1].split(".")))
        return (0, without_zeros(numbers), ()), (*numbers, 0, 0)[: max(3, len(numbers))]
    version = pep440_of(text)
    if version is None or version.is_prerelease:
        return None
    beside = version.post is not None or version.local is not None
    return (version.epoch, without_zeros(version.release), (version,) if beside else ()), ()


def without_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return figures without the zeros at their end: `1.0` is as high as `1`."""
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers


def pep440_fields(raw: str, version: Pep440) -> dict[str, str]:
    """Return what a pattern may name of a PEP 440 version."""
    return {
        "raw": raw,
        "version": f"{version}",
        "major": f"{version.major}",
        "minor": f"{version.minor}",
        "patch": f"{version.micro}",
    }


def is_prerelease(text: str) -> bool:
    """Return whether `text` names a version that is not released yet, by SemVer or PEP 440."""
    semantic = semver_of(text)
    if semantic:
        return bool(semantic.prerelease)
    version = pep440_of(text)
    return version is not None and version.is_prerelease


def split(tag: str, prefix: str) -> tuple[str, str]:
    """Return the family of a Git tag, and the rest, which may name a version.

    Tags of one family are comparable: those of one prefix, and of one folder where a tag has
    another prefix; what stands before the figures, such as `release-`, is part of the family, and
    the `v` part of the rest.
    """
    family = prefix.removesuffix("v")
    if family and tag.startswith(family):
        return family, tag[len(family) :]
    folder, slash, rest = tag.rpartition("/")
    if not _BEGINS.match(rest):
        for figures in _FIGURES:
            found = figures.search(rest)
            if found:
                return f"{folder}{slash}{rest[: found.start()]}", rest[found.start() :]
    return f"{folder}{slash}", rest


def looks_like_version(text: str) -> bool:
    """Return whether a tag of this text would be taken for one of a version."""
    return bool(re.fullmatch(r"v?\d+(\.\d+){0,2}", text)) or semver_of(text) is not None
