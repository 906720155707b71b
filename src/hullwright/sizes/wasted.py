"""What an image has and does not need: caches, symbols, debug information. Pure.

What later layers replaced or deleted, and what stands twice, the overlay finds.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.sizes.contents import Waste

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.sizes.contents import Seen
    from hullwright.tools.layers import File, LayerContent

# Less than this saves nobody anything.
_LEAST_BYTES: Final = 4096
_HOME: Final = r"(?:root|home/[^/]+)"
# Each folder with what it is; programs make it again where it is missing.
_CACHES: Final[Mapping[str, str]] = {
    r"var/lib/apt/lists": "apt's lists of packages",
    r"var/cache/apt": "apt's cache",
    r"var/cache/apk": "apk's cache",
    r"var/cache/(?:dnf|libdnf5|yum|zypp|pacman/pkg)": "the package manager's cache",
    r"(?:.*/)?\.cache/pip": "pip's cache",
    r"(?:.*/)?\.cache/(?:uv|pypoetry|pdm|pipenv)": "a cache of Python packages",
    rf"{_HOME}/\.npm": "npm's cache",
    r"(?:.*/)?\.npm/_cacache": "npm's cache",
    r"(?:.*/)?\.cache/(?:yarn|pnpm|node-gyp)": "a cache of Node packages",
    r"usr/local/share/\.cache/yarn": "yarn's cache",
    r"(?:.*/)?\.cache/go-build": "Go's build cache",
    rf"(?:{_HOME}/)?go/pkg/mod": "Go's module cache",
    rf"(?:{_HOME}/\.|usr/local/)cargo/(?:registry|git)": "cargo's registry",
    r"(?:.*/)?\.(?:cache/)?ccache": "ccache's cache",
    rf"{_HOME}/\.m2/repository": "Maven's repository",
    rf"{_HOME}/\.gradle/caches": "Gradle's cache",
    rf"{_HOME}/\.composer/cache": "Composer's cache",
    r"root/\.cache/[^/]+": "a cache of root's",
}
_CACHE: Final = re.compile("|".join(f"({folder})/.+" for folder in _CACHES))
_NOTES: Final = tuple(_CACHES.values())
# A cheap look before the dear one; every cache has one of these in its path.
_HINT: Final = re.compile(r"cache|/lists/|\.npm/|/pkg/mod/|cargo/|\.m2/")
# What services download once and then run with: taking it away saves nothing.
_NEEDED: Final = re.compile(
    r"root/\.cache/(?:huggingface|torch|whisper|ms-playwright|puppeteer|Cypress|selenium|nltk)/.*"
)
_DEBUG_PLACES: Final = ("usr/lib/debug/", "usr/local/lib/debug/")


def found(seen: Sequence[Seen], layers: Sequence[LayerContent]) -> tuple[Waste, ...]:
    """Return what a container sees and does not need, largest first; no byte stands twice.

    Args:
        seen: with the type of each file.
        layers: what it was found in, the lowest first.
    """
    programs = {
        (number, file.path): file
        for number, layer in enumerate(layers)
        for file in layer.files
        if file.symbol_bytes or file.debug_bytes
    }
    caches = Counter[tuple[str, int, str]]()
    waste: list[Waste] = []
    for file in seen:
        cache = _cache_of(file.path)
        if cache is not None:
            caches[cache[0], file.layer, cache[1]] += file.size_bytes
        else:
            waste += _unneeded(file, programs.get((file.layer, file.path)))
    waste += [
        Waste("cache", folder, size, layer, note=note)
        for (folder, layer, note), size in caches.items()
    ]
    return ordered(each for each in waste if each.size_bytes >= _LEAST_BYTES)


def noted(waste: Iterable[Waste], layers: Sequence[LayerContent]) -> tuple[Waste, ...]:
    """Return waste with a word at files that were replaced by their own content.

    That is what `chown` and `chmod` in a step of their own do: the layer holds every byte again.
    """
    replaced = list(waste)
    wanted = {(n, w.path) for w in replaced if w.kind == "replaced" for n in (w.layer, w.by)}
    files = {
        (number, file.path): file
        for number, layer in enumerate(layers)
        for file in layer.files
        if (number, file.path) in wanted and file.kind == "file"
    }
    return tuple(
        replace(
            each, note=_changed(files.get((each.layer, each.path)), files.get((each.by, each.path)))
        )
        if each.kind == "replaced"
        else each
        for each in replaced
    )


SAME_OWNER: Final = "the same content under another owner"
SAME_MODE: Final = "the same content with other permissions"
SAME: Final = "the same content again"


def ordered(waste: Iterable[Waste]) -> tuple[Waste, ...]:
    """Return waste with the largest first."""
    return tuple(sorted(waste, key=lambda each: (-each.size_bytes, each.path, each.kind)))


def _changed(before: File | None, after: File | None) -> str:
    if before is None or after is None or not before.content or before.content != after.content:
        return ""
    if (before.uid, before.gid) != (after.uid, after.gid):
        return SAME_OWNER
    return SAME_MODE if before.mode != after.mode else SAME


def _cache_of(path: str) -> tuple[str, str] | None:
    """Return the folder of the cache that a path lies in, and what it is; None for no cache."""
    if _HINT.search(path) is None or _NEEDED.fullmatch(path) is not None:
        return None
    match = _CACHE.match(path)
    if match is None or match.lastindex is None:
        return None
    return match[match.lastindex], _NOTES[match.lastindex - 1]


def _unneeded(file: Seen, program: File | None) -> Iterator[Waste]:
    if file.type == "debug" or file.path.startswith(_DEBUG_PLACES):
        yield Waste("debug", file.path, file.size_bytes, file.layer, note="a debugger's file")
    elif file.type == "static library":
        note = "only a linker reads it"
        yield Waste("debug", file.path, file.size_bytes, file.layer, note=note)
    elif program is not None:
        yield Waste(
            "unstripped", file.path, program.symbol_bytes, file.layer, note="its symbol table"
        )
        yield Waste(
            "debug", file.path, program.debug_bytes, file.layer, note="its debug information"
        )
