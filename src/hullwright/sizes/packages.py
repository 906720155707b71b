"""Files attributed to packages, by the databases and metadata that an image holds itself. Pure.

What counts is what the topmost layer says, for that is what a container sees. The documents come
from strangers: what is garbage attributes nothing, and no document costs more than its length.

https://man7.org/linux/man-pages/man5/deb-control.5.html,
https://wiki.alpinelinux.org/wiki/Apk_spec,
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import csv
import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.sizes.contents import Package, Seen
from hullwright.sizes.documents import (
    go_modules,
    installed_apk,
    metadata,
    node_package,
    paragraphs,
)
from hullwright.sizes.types import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.sizes.contents import Ecosystem
    from hullwright.tools.layers import LayerContent

_DPKG: Final = "var/lib/dpkg/"
_INFO: Final = f"{_DPKG}info/"
_DISTROLESS: Final = f"{_DPKG}status.d/"
_APK: Final = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_MODULES: Final = "node_modules/"
# Folders of the root that are links into /usr in all current distributions.
_MERGED: Final = re.compile(r"(?:usr/)?(?:s?bin|lib(?:32|64|x32)?)/")
_BYTECODE: Final = re.compile(r"(.*?)__pycache__/([^/]+?)\.[^/.]+(?:\.opt-[12])?\.pyc")
# Lines that name files, over all documents: distributions have some tens of thousands.
_MOST_LINES: Final = 2_000_000
_MOST_PACKAGES: Final = 100_000
# Folders above a file, or packages of Node within each other, that are looked at.
_DEEPEST: Final = 16


def attributed(
    seen: Sequence[Seen], layers: Sequence[LayerContent]
) -> tuple[tuple[Seen, ...], tuple[Package, ...]]:
    """Return the files with their type and package, and the packages, largest first.

    Where two claim a file it belongs to the system's package manager, for that put it there.

    Args:
        seen: what a container sees, by path.
        layers: what it was found in, the lowest first.
    """
    claims = _Claims({file.path: number for number, file in enumerate(seen)}, seen)
    documents = {
        path: content
        for number, layer in enumerate(layers)
        for path, content in layer.documents.items()
        if claims.layer_of(path) == number
    }
    _dpkg(documents, claims)
    _apk(documents, claims)
    _python(documents, claims)
    _npm(documents, claims)
    _go(documents, claims)
    _bytecode(claims)
    elf = {
        (number, file.path)
        for number, layer in enumerate(layers)
        for file in layer.files
        if file.elf
    }
    order, packages = claims.packages()
    return (
        tuple(
            # Written out, for `replace` takes several times as long for some ten thousand files.
            Seen(
                file.path,
                file.size_bytes,
                file.layer,
                file.content,
                order[owner] if owner >= 0 else -1,
                type_of(file.path, elf=(file.layer, file.path) in elf),
            )
            for file, owner in zip(seen, claims.owners, strict=True)
        ),
        packages,
    )


@dataclass
class _Claims:
    """Who owns which file; the first claim stands."""

    numbers: Mapping[str, int]
    seen: Sequence[Seen]
    found: dict[tuple[Ecosystem, str, str], int] = field(default_factory=dict)
    owners: list[int] = field(init=False)
    _lines: int = 0

    def __post_init__(self) -> None:
        self.owners = [-1] * len(self.seen)

    def layer_of(self, path: str) -> int:
        number = self.numbers.get(path)
        return -1 if number is None else self.seen[number].layer

    def package(self, ecosystem: Ecosystem, name: str, version: str) -> int:
        """Return the number of a package, one for each name and version; -1 for one too many."""
        key = (ecosystem, name, version)
        if key not in self.found and len(self.found) >= _MOST_PACKAGES:
            return -1
        return self.found.setdefault(key, len(self.found))

    def owned(self, path: str) -> bool:
        number = self.find(path)
        return number is not None and self.owners[number] >= 0

    def find(self, path: str) -> int | None:
        """Return the number of a file by its path, or by its other one where /usr is merged."""
        number = self.numbers.get(path)
        if number is not None or _MERGED.match(path) is None:
            return number
        other = path.removeprefix("usr/") if path.startswith("usr/") else f"usr/{path}"
        return self.numbers.get(other)

    def claim(self, package: int, paths: Iterable[str]) -> None:
        if package < 0:
            return
        for path in paths:
            self._lines += 1
            if self._lines > _MOST_LINES:
                return
            number = self.find(path)
            if number is not None and self.owners[number] < 0:
                self.owners[number] = package

    def packages(self) -> tuple[list[int], tuple[Package, ...]]:
        """Return where each package stands in the order of the result, and the result."""
        sizes, files = Counter[int](), Counter[int]()
        layers: dict[int, Counter[int]] = {}
        for file, owner in zip(self.seen, self.owners, strict=True):
            if owner >= 0:
                sizes[owner] += file.size_bytes
                files[owner] += 1
                layers.setdefault(owner, Counter())[file.layer] += file.size_bytes
        names = list(self.found)
        ranked = sorted(range(len(names)), key=lambda each: (-sizes[each], names[each]))
        order = [0] * len(names)
        for rank, each in enumerate(ranked):
            order[each] = rank
        return order, tuple(
            Package(*names[each], sizes[each], files[each], _most(layers.get(each)))
            for each in ranked
        )


def _most(layers: Counter[int] | None) -> int:
    """Return the layer that holds most of a package; -1 for one without files."""
    return layers.most_common(1)[0][0] if layers else -1


def _dpkg(documents: Mapping[str, bytes], claims: _Claims) -> None:
    for entry in paragraphs(documents.get(f"{_DPKG}status", b"")):
        if entry.get("Status", "").endswith(" installed"):
            _debian(entry, documents, claims)
    for path, content in documents.items():
        if path.startswith(_DISTROLESS) and not path.endswith(".md5sums"):
            for entry in paragraphs(content):
                package = claims.package("dpkg", entry.get("Package", ""), entry.get("Version", ""))
                sums = documents.get(f"{path}.md5sums", b"").decode(errors="replace")
                claims.claim(package, (line[34:] for line in sums.splitlines()))


def _debian(entry: Mapping[str, str], documents: Mapping[str, bytes], claims: _Claims) -> None:
    name = entry.get("Package", "")
    # Packages that may be installed for several architectures have theirs in the file's name.
    listed = documents.get(f"{_INFO}{name}.list")
    if listed is None:
        listed = documents.get(f"{_INFO}{name}:{entry.get('Architecture', '')}.list", b"")
    paths = (line.lstrip("/") for line in listed.decode(errors="replace").splitlines())
    claims.claim(claims.package("dpkg", name, entry.get("Version", "")), paths)


def _apk(documents: Mapping[str, bytes], claims: _Claims) -> None:
    for database in _APK:
        for name, version, paths in installed_apk(documents.get(database, b"")):
            claims.claim(claims.package("apk", name, version), paths)


def _python(documents: Mapping[str, bytes], claims: _Claims) -> None:
    eggs: dict[str, int] = {}
    for path, content in documents.items():
        folder, _, file = path.rpartition("/")
        if not folder.endswith((".dist-info", ".egg-info")) or file == "RECORD":
            continue
        if claims.owned(path):
            continue
        name, version = metadata(content)
        if not name:
            continue
        package = claims.package("python", name, version)
        root = folder.rpartition("/")[0]
        if file == "METADATA":
            claims.claim(package, _recorded(documents.get(f"{folder}/RECORD", b""), root))
        else:
            # It lists no files: its own folder, and the module that has its name.
            eggs[folder] = eggs[f"{root}/{name.replace('-', '_')}".lstrip("/")] = package
        # What no record lists: the record itself, where an installer does not keep it.
        claims.claim(package, (path, f"{folder}/RECORD"))
    _below(eggs, claims)


def _recorded(content: bytes, root: str) -> Iterable[str]:
    for line in content.decode(errors="replace").splitlines():
        if line.startswith('"'):
            path = next(csv.reader([line[:8192]]), [""])[0]
        else:
            path = line.rsplit(",", 2)[0]
        if path.startswith("/") or ".." in path:
            yield posixpath.normpath(f"/{root}/{path}" if path[:1] != "/" else path).lstrip("/")
        else:
            yield f"{root}/{path}" if root else path


def _below(folders: Mapping[str, int], claims: _Claims) -> None:
    """Give what lies in folders, at any depth, to their packages."""
    for path, number in claims.numbers.items() if folders else ():
        if claims.owners[number] >= 0:
            continue
        at = -1
        for _ in range(_DEEPEST):
            at = path.find("/", at + 1)
            package = folders.get(path[:at]) if at >= 0 else -1
            if package is not None:
                claims.owners[number] = package
                break


def _npm(documents: Mapping[str, bytes], claims: _Claims) -> None:
    roots: dict[str, int] = {}
    for path, content in documents.items():
        if path.endswith("/package.json") and _MODULES in path and not claims.owned(path):
            folder = path.rpartition("/")[0]
            name, version = node_package(content, folder.rpartition(_MODULES)[2])
            roots[folder] = claims.package("npm", name, version)
    if not roots:
        return
    for path, number in claims.numbers.items():
        if claims.owners[number] < 0 and _MODULES in path:
            claims.owners[number] = _nearest(path, roots)


def _nearest(path: str, roots: Mapping[str, int]) -> int:
    """Return the innermost package of Node that a path lies in; -1 for none."""
    end = len(path)
    for _ in range(_DEEPEST):
        at = path.rfind(_MODULES, 0, end)
        if at < 0:
            break
        begin = at + len(_MODULES)
        until = path.find("/", begin)
        if path.startswith("@", begin) and until >= 0:
            until = path.find("/", until + 1)
        package = roots.get(path[:until]) if until >= 0 else None
        if package is not None:
            return package
        end = at
    return -1


def _go(documents: Mapping[str, bytes], claims: _Claims) -> None:
    for path, content in documents.items():
        if not content.startswith(b"go\t"):
            continue
        main, needed = go_modules(content)
        owned = claims.owned(path)
        if main[0] and not owned:
            claims.claim(claims.package("go", *main), (path,))
        for name, version in needed:
            claims.package("go", name, version)


def _bytecode(claims: _Claims) -> None:
    """Give compiled files, which no package lists, to whose source it is."""
    for path, number in claims.numbers.items():
        if claims.owners[number] >= 0 or not path.endswith(".pyc"):
            continue
        match = _BYTECODE.fullmatch(path)
        source = claims.find(f"{match[1]}{match[2]}.py") if match else None
        if source is not None:
            claims.owners[number] = claims.owners[source]
