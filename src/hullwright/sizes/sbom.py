"""Lists the packages of a root file system as SPDX: what BuildKit runs to attach an SBOM.

It runs alone in the image of a generator, so it needs nothing but the standard library and the
two modules beside it that know what packages say of themselves. What it reads comes from an image
that somebody builds: whatever cannot be understood is left out, and nothing of it is executed.

https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md,
https://spdx.github.io/spdx-spec/v2.3/ and https://github.com/package-url/purl-spec
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hullwright.sizes.documents import (
    go_modules,
    installed_apk,
    metadata,
    node_package,
    paragraphs,
)
from hullwright.tools import elf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOOL: Final = "hullwright-sbom-1"
_STATEMENT: Final = "https://in-toto.io/Statement/v0.1"
_PREDICATE: Final = "https://spdx.dev/Document"
_DPKG: Final = "var/lib/dpkg"
_APK: Final = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_OS_RELEASE: Final = ("etc/os-release", "usr/lib/os-release")
_MODULES: Final = "node_modules/"
# A status of dpkg with ten thousand packages has some 20 MB; nothing else comes near.
_MOST_BYTES: Final = 64 << 20
_CHUNK_BYTES: Final = 1 << 20
_ID: Final = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, order=True)
class Package:
    """A package that an image holds.

    Attributes:
        kind: of its package URL: `deb`, `apk`, `pypi`, `npm` or `golang`.
        name, version: as it says of itself.
        arch: of a system's package; empty for others.
        place: the file that says so, relative to the root.
    """

    kind: str
    name: str
    version: str
    arch: str = ""
    place: str = field(default="", compare=False)


def main(environ: Mapping[str, str]) -> str:
    """Scan what the variables of BuildKit's protocol name; return what is wrong with them."""
    destination, source = (
        environ.get(f"BUILDKIT_SCAN_{name}", "") for name in ("DESTINATION", "SOURCE")
    )
    if not destination or not source:
        return "BUILDKIT_SCAN_DESTINATION and BUILDKIT_SCAN_SOURCE are needed"
    extras = Path(environ.get("BUILDKIT_SCAN_SOURCE_EXTRAS") or destination)
    roots = [Path(source)]
    if "BUILDKIT_SCAN_SOURCE_EXTRAS" in environ and extras.is_dir():
        roots += sorted(path for path in extras.iterdir() if path.is_dir())
    created = _created(environ)
    for root in roots:
        told = statement(root.name, packages(root), distribution(root), created)
        target = Path(destination) / f"{root.name}.spdx.json"
        target.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return ""


def statement(
    name: str, found: tuple[Package, ...], system: Mapping[str, str], created: str
) -> dict[str, Any]:
    """Return the in-toto statement of an SBOM; BuildKit adds its subject."""
    described = [_described(number, package, system) for number, package in enumerate(found)]
    content = json.dumps([each["SPDXID"] for each in described]).encode()
    seal = hashlib.sha256(name.encode() + content).hexdigest()
    return {
        "_type": _STATEMENT,
        "predicateType": _PREDICATE,
        "subject": [],
        "predicate": {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": name,
            "documentNamespace": f"https://spdx.org/spdxdocs/{TOOL}/{seal}",
            "creationInfo": {"created": created, "creators": [f"Tool: {TOOL}"]},
            "packages": described,
            "relationships": [
                {
                    "spdxElementId": "SPDXRef-DOCUMENT",
                    "relatedSpdxElement": each["SPDXID"],
                    "relationshipType": "DESCRIBES",
                }
                for each in described
            ],
        },
    }


def packages(root: Path) -> tuple[Package, ...]:
    """Return the packages below a root folder, each once, sorted.

    What the system's package manager put there belongs to it, and is not listed a second time by
    the metadata that it brought.
    """
    found: dict[Package, None] = {}
    system = [*_debian(root), *_alpine(root)]
    owned = set(_owned(root))
    for package in system:
        found.setdefault(package)
    for path, size_bytes, mode in _files(root):
        name = path.relative_to(root).as_posix()
        if name in owned:
            continue
        for package in _of_file(path, name, size_bytes, executable=bool(mode & 0o111)):
            found.setdefault(package)
    return tuple(sorted(found))


def distribution(root: Path) -> dict[str, str]:
    """Return the fields of os-release(5); empty where there is none."""
    for name in _OS_RELEASE:
        lines = _read(root / name).decode(errors="replace").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line)
        if told := {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}:
            return told
    return {}


def package_url(package: Package, system: Mapping[str, str]) -> str:
    """Return the address of a package that scanners of vulnerabilities know it by."""
    name = package.name.lower().replace("_", "-") if package.kind == "pypi" else package.name
    version = f"@{quote(package.version, safe='')}" if package.version else ""
    if package.kind in {"deb", "apk"}:
        vendor = system.get("ID", "debian" if package.kind == "deb" else "alpine")
        more = {"arch": package.arch, "distro": _distro(system)}
        words = "&".join(f"{key}={quote(value, safe='')}" for key, value in more.items() if value)
        return f"pkg:{package.kind}/{vendor}/{quote(name)}{version}{'?' if words else ''}{words}"
    return f"pkg:{package.kind}/{quote(name)}{version}"


def _described(number: int, package: Package, system: Mapping[str, str]) -> dict[str, Any]:
    name = _ID.sub("-", f"{package.kind}-{package.name}")
    told: dict[str, Any] = {
        "SPDXID": f"SPDXRef-Package-{number}-{name}",
        "name": package.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"found in /{package.place}",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": package_url(package, system),
            }
        ],
    }
    return told | ({"versionInfo": package.version} if package.version else {})


def _distro(system: Mapping[str, str]) -> str:
    parts = (system.get("ID", ""), system.get("VERSION_ID", ""))
    return "-".join(part for part in parts if part)


def _debian(root: Path) -> Iterator[Package]:
    status = f"{_DPKG}/status"
    for entry in paragraphs(_read(root / status)):
        if entry.get("Status", "").endswith(" installed"):
            yield _deb(entry, status)
    # Images without a package manager have a file for each package.
    folder = root / _DPKG / "status.d"
    for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
        if not path.name.endswith(".md5sums"):
            for entry in paragraphs(_read(path)):
                yield _deb(entry, path.relative_to(root).as_posix())


def _deb(entry: Mapping[str, str], place: str) -> Package:
    arch = entry.get("Architecture", "")
    return Package("deb", entry.get("Package", ""), entry.get("Version", ""), arch, place)


def _alpine(root: Path) -> Iterator[Package]:
    for place in _APK:
        for name, version, _ in installed_apk(_read(root / place)):
            yield Package("apk", name, version, place=place)


def _owned(root: Path) -> Iterator[str]:
    """Yield the files that the system's packages list as their own."""
    folder = root / _DPKG / "info"
    for path in folder.glob("*.list") if folder.is_dir() and not folder.is_symlink() else ():
        yield from (line.lstrip("/") for line in _read(path).decode(errors="replace").splitlines())
    for place in _APK:
        for _, _, paths in installed_apk(_read(root / place)):
            yield from paths


def _files(root: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield the regular files below a folder with size and mode; no link is followed."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            try:
                told = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(told.st_mode):
                yield path, told.st_size, told.st_mode


def _of_file(path: Path, name: str, size_bytes: int, *, executable: bool) -> Iterator[Package]:
    folder, _, file = name.rpartition("/")
    if file in {"METADATA", "PKG-INFO"} and folder.endswith((".dist-info", ".egg-info")):
        title, version = metadata(_read(path))
        if title:
            yield Package("pypi", title, version, place=name)
    elif file == "package.json" and _is_node(folder):
        title, version = node_package(_read(path), folder.rpartition(_MODULES)[2])
        yield Package("npm", title, version, place=name)
    elif executable and size_bytes:
        yield from _go(path, name, size_bytes)


def _is_node(folder: str) -> bool:
    """Return whether a folder is a package of Node itself, and not one within it."""
    _, marker, below = folder.rpartition(_MODULES)
    return bool(marker) and below.count("/") == (1 if below.startswith("@") else 0)


def _go(path: Path, name: str, size_bytes: int) -> Iterator[Package]:
    try:
        with path.open("rb") as program:
            first = program.read(_CHUNK_BYTES)
            if not elf.is_elf(first):
                return
            watched = elf.Watched(first, size_bytes)
            while not watched.go and (piece := program.read(_CHUNK_BYTES)):
                watched.feed(piece)
    except OSError:
        return
    if watched.go:
        main_module, needed = go_modules(watched.go)
        for title, version in (main_module, *needed):
            if title:
                yield Package("golang", title, version, place=name)


def _read(path: Path) -> bytes:
    """Return what a file of the image holds; nothing of what is a link, or too large."""
    try:
        told = path.lstat()
        if not stat.S_ISREG(told.st_mode) or told.st_size > _MOST_BYTES:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def _created(environ: Mapping[str, str]) -> str:
    given = environ.get("SOURCE_DATE_EPOCH", "")
    at = datetime.fromtimestamp(int(given), UTC) if given.isdecimal() else datetime.now(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    # A text is told on standard error, and ends with 1.
    sys.exit(main(os.environ) or None)
