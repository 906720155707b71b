"""Leaf types of images: what a reference, a digest, a platform and a size are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from hullwright.errors import UsageError

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN_PART: Final = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
# Grammar of distribution/reference: https://pkg.go.dev/github.com/distribution/reference
_REFERENCE: Final = re.compile(
    rf"(?:(?P<domain>(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?)/)?"
    rf"(?P<path>{_PATH_PART}(?:/{_PATH_PART})*)"
    rf"(?::(?P<tag>{TAG.pattern}))?"
    rf"(?:@(?P<digest>{DIGEST.pattern}))?"
)
_DEFAULT_DOMAIN: Final = "docker.io"
# `sha256:` and twelve digits, as the engine shows them too.
_DIGEST_CHARACTERS: Final = 19


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of an image: registry, repository, and a tag or a digest or both.

    Attributes:
        domain: host of the registry, with its port; `docker.io` where none is written.
        path: repository in that registry, `library/` included where it is implied.
        tag: None where only a digest, or nothing, is written.
        digest: `sha256:` and 64 hex digits, or None.
    """

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the reference that `text` writes, by the rules of distribution/reference.

        Raises:
            UsageError: `text` is no image reference.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise UsageError(
                f'"{text}" is not an image reference',
                why="expected [registry/]repository[:tag][@sha256:…], the repository in lower case",
            )
        domain, path = match["domain"], match["path"]
        # A first part is a host only with a dot, a port, or as localhost; else it is a namespace.
        if domain is not None and not (set(domain) & set(".:") or domain == "localhost"):
            domain, path = None, f"{domain}/{path}"
        if domain is None:
            domain = _DEFAULT_DOMAIN
        if domain == _DEFAULT_DOMAIN and "/" not in path:
            path = f"library/{path}"
        return cls(domain, path, match["tag"], match["digest"])

    @property
    def repository(self) -> str:
        """The name without tag and digest, as people write it (`python`, not its full form)."""
        if self.domain != _DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        return self.path.removeprefix("library/")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """An operating system and architecture that images are built for: os/arch[/variant]."""

    os: str
    arch: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the platform of `text`, with the usual aliases (x86_64, aarch64) resolved.

        Raises:
            UsageError: `text` is not of the form os/arch[/variant].
        """
        parts = text.strip().lower().split("/")
        if len(parts) not in {2, 3} or not all(re.fullmatch(r"[a-z0-9_.-]+", p) for p in parts):
            raise UsageError(
                f'"{text}" is not a platform',
                why="expected os/arch or os/arch/variant, such as linux/amd64 or linux/arm/v7",
            )
        arch = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386"}.get(parts[1], parts[1])
        variant = parts[2] if len(parts) == 3 else ""
        # arm64/v8 is what plain arm64 means; both spellings name one platform.
        return cls(parts[0], arch, "" if (arch, variant) == ("arm64", "v8") else variant)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.arch, self.variant) if part)


_UNITS: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY_UNITS: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]*)")


def parse_size_bytes(text: str) -> int:
    """Return the bytes of a size such as `200MB`, `1.5 GiB` or `4096` (bytes).

    Raises:
        UsageError: the number or the unit cannot be read.
    """
    match = _SIZE.fullmatch(text.strip())
    units = {name.lower(): value for name, value in (_UNITS | _BINARY_UNITS).items()}
    if match is None or (match["unit"] or "B").lower() not in units:
        raise UsageError(f'"{text}" is not a size', why="expected a figure with a unit: 200MB")
    return round(float(match["number"]) * units[(match["unit"] or "B").lower()])


def size_text(count_bytes: int) -> str:
    """Return a figure with its unit, decimal as registries count: `52.1 MB`, `12.0 kB`, `7 B`."""
    for unit, value in reversed(_UNITS.items()):
        # Rounded before it is compared: 999,960 bytes are 1.0 MB, never 1000.0 kB. Below 1 kB the
        # figure is exact, so nothing is rounded up to it.
        if value > 1 and round(abs(count_bytes) * 1000 / value, 1) >= 1000:
            return f"{count_bytes / value:.1f} {unit}"
    return f"{count_bytes} B"


def shortened(text: str) -> str:
    """Return an image's name with only the first digits of its digest, where it has one."""
    name, at, digest = text.partition("@")
    return f"{name}{at}{digest[:_DIGEST_CHARACTERS]}"
