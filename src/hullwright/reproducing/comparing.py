"""Compares the images of two builds: by their manifests, then down to the files that differ."""

from __future__ import annotations

from contextlib import closing
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from hullwright.reproducing import causes
from hullwright.reproducing.causes import Contents, cause_of
from hullwright.reproducing.models import FileDifference, LayerDifference, PlatformResult
from hullwright.reproducing.reading import Archive
from hullwright.tools.layersteps import step_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hullwright.reproducing.models import Kind
    from hullwright.reproducing.reading import Image, Member
    from hullwright.tools.tarstream import Entry

# More than these nobody reads; the rest is counted.
_TOLD_FILES: Final = 40
_ATTRIBUTES: Final = "SCHILY.xattr."
_NOT_THERE: Final = "-"


def compare(
    first: Path, second: Path, place_of: Callable[[str], tuple[str, str]]
) -> tuple[PlatformResult, ...]:
    """Return what came of each platform of an image that was built twice.

    Args:
        first: OCI archive of one build.
        second: of the other one.
        place_of: gives the whole instruction and its place for what an image says of it.

    Raises:
        ArchiveError: one is no archive of images.
    """
    with closing(Archive(first)) as one, closing(Archive(second)) as other:
        ours, theirs = one.images(), other.images()
        pair = _Pair(one, other, place_of)
        return tuple(
            pair.platform(name, ours.get(name), theirs.get(name))
            for name in dict.fromkeys((*ours, *theirs))
        )


class _Pair:
    def __init__(
        self, first: Archive, second: Archive, place_of: Callable[[str], tuple[str, str]]
    ) -> None:
        self._first, self._second, self._place_of = first, second, place_of

    def platform(self, name: str, first: Image | None, second: Image | None) -> PlatformResult:
        digests = (first.digest if first else "", second.digest if second else "")
        if first is None or second is None or first.digest == second.digest:
            return PlatformResult(name, digests)
        pairs = list(zip_longest(first.layers, second.layers))
        differing = [n for n, (one, other) in enumerate(pairs) if one != other]
        if not differing:
            settings = tuple(_settings(first, second))
            return PlatformResult(name, digests, settings=settings, cause=causes.SETTINGS)
        layer = self._layer(first, second, differing[0], further=len(differing) - 1)
        return PlatformResult(name, digests, layer)

    def _layer(self, first: Image, second: Image, index: int, *, further: int) -> LayerDifference:
        longer = first if index < len(first.layers) else second
        step, place = self._place_of(step_of(longer.created_by[index]))
        one = self._members(self._first, first, index)
        other = self._members(self._second, second, index)
        found = {path: kinds for path, kinds in _differing(one, other) if kinds}
        told = sorted(found, key=lambda path: _weight(path, found[path]))[:_TOLD_FILES]
        contents = [
            archive.contents(image.layers[index], told) if index < len(image.layers) else {}
            for archive, image in ((self._first, first), (self._second, second))
        ]
        files = tuple(
            FileDifference(
                path,
                found[path],
                _told(found[path][0], one.get(path), other.get(path)),
                cause_of(
                    path,
                    found[path],
                    Contents(contents[0].get(path, b""), contents[1].get(path, b"")),
                ),
            )
            for path in told
        )
        same = causes.ORDER if list(one) != list(other) else causes.COMPRESSION
        return LayerDifference(
            number=index + 1,
            count=len(first.layers),
            step=step,
            place=place,
            files=files,
            file_count=len(found),
            further=further,
            cause=None if files else same,
        )

    @staticmethod
    def _members(archive: Archive, image: Image, index: int) -> dict[str, Member]:
        return archive.members(image.layers[index]) if index < len(image.layers) else {}


def _differing(
    first: Mapping[str, Member], second: Mapping[str, Member]
) -> Iterator[tuple[str, tuple[Kind, ...]]]:
    for path in dict.fromkeys((*first, *second)):
        one, other = first.get(path), second.get(path)
        if one is None:
            yield path, ("second",)
        elif other is None:
            yield path, ("first",)
        else:
            yield path, tuple(_kinds(one, other))


def _kinds(first: Member, second: Member) -> Iterator[Kind]:
    """Yield what differs of a file, what tells most first."""
    one, other = first.entry, second.entry
    checks: tuple[tuple[Kind, bool], ...] = (
        ("kind", one.type != other.type),
        ("content", first.hashed != second.hashed),
        ("size", one.size_bytes != other.size_bytes),
        ("link", one.link != other.link),
        ("mode", one.mode != other.mode),
        ("owner", (one.uid, one.gid) != (other.uid, other.gid)),
        ("attributes", _attributes(one) != _attributes(other)),
        ("time", _time(one) != _time(other)),
    )
    yield from (kind for kind, differs in checks if differs)


def _attributes(entry: Entry) -> dict[str, str]:
    told = entry.extended.items()
    return {name: value for name, value in told if name.startswith(_ATTRIBUTES)}


def _time(entry: Entry) -> str:
    return entry.extended.get("mtime") or str(entry.modified_s)


def _weight(path: str, kinds: tuple[Kind, ...]) -> tuple[bool, str]:
    # A folder's time follows from what was done in it, and says least.
    return kinds == ("time",), path


def _told(kind: Kind, first: Member | None, second: Member | None) -> str:
    """Return both values of what differs, where they are short."""
    if first is None or second is None:
        return ""
    if kind == "content" and first.entry.size_bytes == second.entry.size_bytes:
        return ""
    pair = (first.entry, second.entry)
    told: dict[Kind, tuple[str, ...]] = {
        "time": tuple(_time(entry) for entry in pair),
        "mode": tuple(f"{entry.mode:04o}" for entry in pair),
        "owner": tuple(f"{entry.uid}:{entry.gid}" for entry in pair),
        "link": tuple(entry.link for entry in pair),
        "content": tuple(f"{entry.size_bytes:,} bytes" for entry in pair),
    }
    return " and ".join(told.get(kind, ()))


def _settings(first: Image, second: Image) -> Iterator[str]:
    """Yield the keys that differ; never a value, which may be anybody's."""
    yield from _keys("", first.config, second.config)
    told = [
        {key: value for key, value in image.manifest.items() if key != "config"}
        for image in (first, second)
    ]
    yield from _keys("manifest.", *told)


def _keys(prefix: str, first: Any, second: Any) -> Iterator[str]:
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict):
        for key in dict.fromkeys((*first, *second)):
            yield from _keys(
                f"{prefix}{key}.", first.get(key, _NOT_THERE), second.get(key, _NOT_THERE)
            )
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, (one, other) in enumerate(zip(first, second, strict=True), 1):
            yield from _keys(f"{prefix}{number}.", one, other)
    else:
        yield prefix.rstrip(".")
