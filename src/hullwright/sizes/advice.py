"""What to do about an image's size: only what applies, with the bytes it would save. Pure.

What lies in the layers of the base cannot be taken out by a step of one's own, so nothing is
advised about it but to choose another base. Where it is not known which layers are the base's,
what would be true of one's own layers only is not said.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from hullwright.errors import HullwrightError
from hullwright.images import Reference
from hullwright.sizes import wasted
from hullwright.sizes.contents import Advice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hullwright.sizes.contents import Contents, Package, Waste
    from hullwright.sizes.models import LayerSize
    from hullwright.sizes.standing import Written

_Key = TypeVar("_Key")

# Nobody changes a Dockerfile for less.
_LEAST_BYTES: Final = 100_000
# A base is not chosen anew for less.
_LEAST_BASE_BYTES: Final = 10_000_000
_MOST_NAMED: Final = 4
_SYSTEM: Final = (
    r"build-essential|build-base|dpkg-dev|gcc(?:-\d[\d.]*)?|g\+\+(?:-\d[\d.]*)?|cpp(?:-\d[\d.]*)?"
    # With the architecture in their names; `gcc-14-base` is a part of every Debian.
    r"|(?:gcc|g\+\+|cpp|binutils)-(?:\d+-)?(?:x86-64|aarch64|arm|i686|s390x|powerpc64le|riscv64)"
    r"-linux-gnu\w*"
    r"|binutils(?:-common)?|libbinutils|libc-dev-bin|linux-libc-dev|linux-headers|musl-dev"
    r"|make|cmake(?:-data)?|ninja-build|meson|autoconf|automake|libtool|bison|flex|patch"
    r"|pkg-config|pkgconf(?:-bin)?|git(?:-man)?|mercurial(?:-common)?|subversion"
    r"|golang(?:-.*)?|go|rustc(?:-.*)?|rust|cargo(?:-.*)?|llvm(?:-\d.*)?|clang(?:-\d.*)?"
    r"|maven|gradle|openjdk-\d+-jdk(?:-headless)?|lib.+-dev|python3(?:\.\d+)?-dev|.+-dev"
)
# Many a service runs these; beside a compiler they are there for the build.
_COMPANIONS: Final = frozenset({"git", "git-man", "mercurial", "mercurial-common", "subversion"})
# They come with a compiler, and with nothing else.
_WITH_COMPILER: Final = (
    r"lib(?:asan|lsan|tsan|ubsan|hwasan|cc1|gprofng|sframe|ctf|ctf-nobfd)-?\d+(?:t64)?"
)
_TOOLS: Final[Mapping[str, re.Pattern[str]]] = {
    "dpkg": re.compile(f"{_SYSTEM}|{_WITH_COMPILER}"),
    "apk": re.compile(_SYSTEM),
    "python": re.compile(r"pip|setuptools|wheel|cython|uv|poetry(?:-core)?|pdm", re.IGNORECASE),
    "npm": re.compile(r"npm|yarn|pnpm|typescript|webpack|eslint|jest|prettier|@types/.+"),
}
_PLAIN: Final = re.compile(r"(gcc|g\+\+|cpp|binutils|golang|llvm|clang)-(?:\d|x86|aarch64|arm)")
# Compilers that no package manager put there.
_TOOLCHAINS: Final[Mapping[str, str]] = {
    "usr/local/go/": "the Go toolchain",
    "usr/local/rustup/": "the Rust toolchain",
    "root/.rustup/": "the Rust toolchain",
}
# Official images that have the same without compilers and headers, and how its tag is made.
_SLIM: Final[Mapping[str, str]] = {
    "python": "{version}-slim{system}",
    "ruby": "{version}-slim{system}",
    "perl": "{version}-slim{system}",
    "node": "{version}{system}-slim",
}
_FULL: Final = re.compile(r"(?P<version>\d[\d.]*)(?P<system>-(?:bullseye|bookworm|trixie|forky))?")
_CHANGES: Final[Mapping[str, tuple[str, str]]] = {
    wasted.SAME_OWNER: ("chown", "--chown"),
    wasted.SAME_MODE: ("chmod", "--chmod"),
}
_INSIDE: Final = ("its symbol table", "its debug information")
_REMEDIES: Final[Mapping[str, str]] = {
    "apt's lists of packages": "end the RUN of apt-get with rm -rf /var/lib/apt/lists/*",
    "apt's cache": "end the RUN of apt-get with apt-get clean",
    "apk's cache": "install with apk add --no-cache",
    "pip's cache": "install with pip --no-cache-dir",
    "npm's cache": "end the RUN of npm with npm cache clean --force",
    "yarn's cache": "end the RUN of yarn with yarn cache clean",
}


def given(
    layers: Sequence[LayerSize], contents: Contents, written: Written | None
) -> tuple[Advice, ...]:
    """Return what would make an image smaller, what saves most first.

    Args:
        layers: with their steps and origins, the lowest first.
        contents: its files, packages and waste.
        written: its Dockerfile; None where none is known.
    """
    image = _Image(layers, contents, written)
    found = [
        *_tools(image),
        *_caches(image),
        *_symbols(image),
        *_rewritten(image),
        *_deleted(image),
    ]
    worth = [each for each in found if each.saves_bytes >= _LEAST_BYTES]
    return tuple(sorted(worth, key=lambda each: (-each.saves_bytes, each.id)))


@dataclass(frozen=True)
class _Image:
    layers: Sequence[LayerSize]
    contents: Contents
    written: Written | None

    def own(self, number: int) -> bool:
        """Whether a layer is one's own, for certain."""
        return self._origin(number) == "own"

    def open(self, number: int) -> bool:
        """Whether a layer may be one's own: nothing says that it is the base's."""
        return self._origin(number) != "base"

    def step(self, number: int) -> str:
        """The step of a layer, as short as a sentence can take it."""
        words = self.layers[number].step if 0 <= number < len(self.layers) else ""
        return words if len(words) <= 60 else f"{words[:57].rstrip()}…"

    def waste(self, *kinds: str) -> list[Waste]:
        """What of these kinds lies in layers that may be one's own."""
        return [
            each for each in self.contents.waste if each.kind in kinds and self.open(each.layer)
        ]

    def package(self, path: str) -> Package | None:
        """The package of a file."""
        number = self._owners.get(path, -1)
        return self.contents.packages[number] if number >= 0 else None

    def ecosystem(self, path: str) -> str:
        """Whose package manager knows a file; empty for none."""
        package = self.package(path)
        return package.ecosystem if package else ""

    def is_tools(self, path: str) -> bool:
        """Whether a file is of a program that builds, and goes with that."""
        package = self.package(path)
        return path.startswith(tuple(_TOOLCHAINS)) or (package is not None and _is_tool(package))

    @cached_property
    def _owners(self) -> Mapping[str, int]:
        return {file.path: file.package for file in self.contents.seen if file.package >= 0}

    def _origin(self, number: int) -> str | None:
        return self.layers[number].origin if 0 <= number < len(self.layers) else None


@dataclass(frozen=True)
class _Tool:
    """A program that builds; `system` is one of the system's, no package of Python or Node."""

    name: str
    size_bytes: int
    layer: int
    system: bool = True


def _tools(image: _Image) -> Iterator[Advice]:
    """Yield what is said of programs that only a build needs."""
    written = image.written
    if written is not None and not written.final:
        # A stage for developing is there for them.
        return
    tools = list(_found_tools(image))
    base = [tool for tool in tools if not image.open(tool.layer) and tool.system]
    own = [tool for tool in tools if image.own(tool.layer)]
    if not any(tool.system and tool.name not in _COMPANIONS for tool in own):
        own = [tool for tool in own if not tool.system]
    saved = sum(tool.size_bytes for tool in base)
    slim = _slim(written) if saved >= _LEAST_BASE_BYTES else ""
    if slim:
        yield Advice("base", f"start from {slim}, which comes without {_named(base)}", saved, 0)
    single = written is not None and _is_single(written)
    if single and not slim and (saved >= _LEAST_BASE_BYTES or any(tool.system for tool in own)):
        yield Advice(
            "multi-stage",
            "build in a stage of its own, and copy what it makes onto a base without "
            f"{_named([*base, *own])}",
            saved + sum(tool.size_bytes for tool in own),
            0 if saved else _largest(own),
        )
    elif own:
        yield Advice(
            "build-tools",
            f"leave {_named(own)} in an earlier stage, unless the service itself runs them",
            sum(tool.size_bytes for tool in own),
            _largest(own),
        )


def _largest(tools: Sequence[_Tool]) -> int:
    """Return the layer of the largest tool."""
    return max(tools, key=lambda tool: tool.size_bytes).layer


def _found_tools(image: _Image) -> Iterator[_Tool]:
    for package in image.contents.packages:
        if package.size_bytes and _is_tool(package):
            system = package.ecosystem in {"dpkg", "apk"}
            yield _Tool(_plain(package.name), package.size_bytes, package.layer, system)
    sizes = Counter[tuple[str, int]]()
    for file in image.contents.seen:
        if file.path.startswith(tuple(_TOOLCHAINS)):
            # What a package of the system put there counts with it.
            known = image.ecosystem(file.path) in {"dpkg", "apk"}
            name = next(name for start, name in _TOOLCHAINS.items() if file.path.startswith(start))
            sizes[name, file.layer] += 0 if known else file.size_bytes
    yield from (_Tool(name, size, layer) for (name, layer), size in sizes.items())


def _is_tool(package: Package) -> bool:
    pattern = _TOOLS.get(package.ecosystem)
    return pattern is not None and pattern.fullmatch(package.name) is not None


def _plain(name: str) -> str:
    """Return a package's name as people say it: `gcc`, not `gcc-14-x86-64-linux-gnu`."""
    known = _PLAIN.match(name)
    return known[1] if known else name


def _is_single(written: Written) -> bool:
    """Return whether nothing is copied from another stage or image into what is shipped."""
    return not any(
        kind == "COPY --from" for stage in written.line for kind, _, _ in stage.sources()
    )


def _slim(written: Written | None) -> str:
    """Return the smaller image of the same name, where the base is known to have one; else ""."""
    try:
        base = Reference.parse(written.base) if written else None
    except HullwrightError:
        base = None
    if base is None or base.domain != "docker.io" or base.digest:
        return ""
    form, tag = _SLIM.get(base.repository), _FULL.fullmatch(base.tag or "")
    if form is None or tag is None:
        return ""
    made = form.format(version=tag["version"], system=tag["system"] or "")
    return f"{base.repository}:{made}"


def _caches(image: _Image) -> Iterator[Advice]:
    for (note, layer), group in _grouped(
        image.waste("cache"), lambda each: (each.note, each.layer)
    ).items():
        paths = ", ".join(sorted({f"/{each.path}" for each in group})[:_MOST_NAMED])
        remedy = _REMEDIES.get(note, "remove it in the step that fills it")
        yield Advice(
            "cache",
            f"keep {note} out of the image ({paths}): {remedy}, or mount a cache there",
            _sum(group),
            layer,
        )


def _symbols(image: _Image) -> Iterator[Advice]:
    left = [each for each in image.waste("unstripped", "debug") if not image.is_tools(each.path)]
    for layer, group in _grouped(left, lambda each: each.layer).items():
        inside = [each for each in group if each.note in _INSIDE]
        go = [each for each in inside if image.ecosystem(each.path) == "go"]
        others = [each for each in inside if image.ecosystem(each.path) != "go"]
        whole = [each for each in group if each.note not in _INSIDE]
        for identifier, how, what in (
            ("unstripped", 'link with -ldflags="-s -w": symbols and debug information of', go),
            ("unstripped", "strip symbols and debug information of", others),
            ("debug-files", "leave out what only a debugger or a linker reads:", whole),
        ):
            if what:
                yield Advice(identifier, f"{how} {_whose(what, image)}", _sum(what), layer)


def _rewritten(image: _Image) -> Iterator[Advice]:
    again = [
        each for each in image.waste("replaced") if each.note in _CHANGES and image.open(each.by)
    ]
    for (layer, by, note), group in _grouped(
        again, lambda each: (each.layer, each.by, each.note)
    ).items():
        command, flag = _CHANGES[note]
        step = image.step(layer)
        keyword = step.split(" ", 1)[0]
        do = (
            f"write {keyword} {flag}=… in place of {command}"
            if keyword in {"COPY", "ADD"}
            else f"run {command} in the step that makes the files"
        )
        yield Advice(
            "copy-then-change",
            f"{do}: {_quoted(image.step(by))} stores again what {_quoted(step)} has",
            _sum(group),
            by,
        )


def _deleted(image: _Image) -> Iterator[Advice]:
    gone = [each for each in image.waste("deleted") if image.own(each.layer) and image.own(each.by)]
    for (layer, by), group in _grouped(gone, lambda each: (each.layer, each.by)).items():
        yield Advice(
            "deleted",
            f"remove files in the step that makes them, {_quoted(image.step(layer))}: "
            f"{_quoted(image.step(by))} only hides them",
            _sum(group),
            layer,
        )


def _grouped(waste: Iterable[Waste], key: Callable[[Waste], _Key]) -> dict[_Key, list[Waste]]:
    groups: dict[_Key, list[Waste]] = {}
    for each in waste:
        groups.setdefault(key(each), []).append(each)
    return groups


def _sum(waste: Iterable[Waste]) -> int:
    return sum(each.size_bytes for each in waste)


def _named(tools: Iterable[_Tool]) -> str:
    """Return the names of the largest tools: `gcc, git, make and 12 more`."""
    sizes = Counter[str]()
    for tool in tools:
        sizes[tool.name] += tool.size_bytes
    return _listed([name for name, _ in sizes.most_common()])


def _whose(waste: Iterable[Waste], image: _Image) -> str:
    """Return the packages that files are of, or their paths where they are of none."""
    sizes = Counter[str]()
    for each in waste:
        package = image.package(each.path)
        sizes[package.name if package else f"/{each.path}"] += each.size_bytes
    return _listed([name for name, _ in sizes.most_common()])


def _listed(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMED:
        return f"{', '.join(names[: _MOST_NAMED - 1])} and {len(names) - _MOST_NAMED + 1} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _quoted(step: str) -> str:
    return f'"{step}"' if step else "a later step"
