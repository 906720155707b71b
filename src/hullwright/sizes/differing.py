"""What differs between the packages and the files of two images. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.sizes.delta import Difference
from hullwright.sizes.matching import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullwright.sizes.contents import Contents, Package, Seen
    from hullwright.sizes.delta import Change
    from hullwright.sizes.models import LayerSize


@dataclass(frozen=True, slots=True)
class Side:
    """One of two images: what it holds, and its layers with whose they are."""

    contents: Contents
    layers: Sequence[LayerSize]


def sorted_largest(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return what differs, the largest difference first."""
    return tuple(sorted(found, key=lambda each: (-abs(each.bytes), each.what, each.note)))


def packages(now: Side, before: Side) -> tuple[Difference, ...]:
    """Return the packages that differ in version or bytes, largest first."""
    mine, others = _by_name(now.contents.packages), _by_name(before.contents.packages)
    found = (
        difference
        for key in {**mine, **others}
        for one, other in _versions(mine.get(key, []), others.get(key, []))
        if (difference := _package(one, other, now, before)) is not None
    )
    return sorted_largest(found)


def files(now: Side, before: Side) -> tuple[Difference, ...]:
    """Return the files that a container sees and that differ in bytes or place, largest first.

    What has the same content under another path has moved, and did not grow.
    """
    mine = {file.path: file for file in now.contents.seen}
    others = {file.path: file for file in before.contents.seen}
    added = [file for path, file in mine.items() if path not in others]
    removed = [file for path, file in others.items() if path not in mine]
    moves = moved(added, removed)
    found = [
        _file(file, file.size_bytes - others[path].size_bytes, now)
        for path, file in mine.items()
        if path in others and file.size_bytes != others[path].size_bytes
    ]
    copies = {file.content: file.path for file in others.values() if file.path in mine}
    for file in added:
        origin = origin_of(now.layers, file.layer)
        if file.path in moves:
            note = f"was /{moves[file.path]}"
            found.append(Difference(f"/{file.path}", "moved", 0, origin, note))
        else:
            same = copies.get(file.content, "") if file.content else ""
            note = f"the same as /{same}" if same else ""
            found.append(Difference(f"/{file.path}", "added", file.size_bytes, origin, note))
    left = set(moves.values())
    found += [
        Difference(f"/{f.path}", "removed", -f.size_bytes, origin_of(before.layers, f.layer))
        for f in removed
        if f.path not in left
    ]
    return sorted_largest(found)


def moved(added: Iterable[Seen], removed: Iterable[Seen]) -> dict[str, str]:
    """Return where files of the same content were, by where they are now."""
    before: dict[str, list[str]] = {}
    for file in removed:
        if file.content:
            before.setdefault(file.content, []).append(file.path)
    return {
        file.path: waiting.pop(0)
        for file in added
        if file.content and (waiting := before.get(file.content))
    }


def change_of(grown: int) -> Change:
    """Return what became of something that is in both images."""
    return "grown" if grown > 0 else "shrunk" if grown < 0 else "changed"


def _file(file: Seen, grown: int, side: Side) -> Difference:
    return Difference(f"/{file.path}", change_of(grown), grown, origin_of(side.layers, file.layer))


def _by_name(found: Iterable[Package]) -> Mapping[tuple[str, str], list[Package]]:
    named: dict[tuple[str, str], list[Package]] = {}
    for package in found:
        named.setdefault((package.ecosystem, package.name), []).append(package)
    return named


def _versions(
    now: Sequence[Package], before: Sequence[Package]
) -> Iterator[tuple[Package | None, Package | None]]:
    """Yield the packages of one name in pairs: equal versions first, then in their order."""
    mine, others = list(now), list(before)
    for package in list(mine):
        same = next((other for other in others if other.version == package.version), None)
        if same is not None:
            mine.remove(package)
            others.remove(same)
            yield package, same
    for number in range(max(len(mine), len(others))):
        yield (
            mine[number] if number < len(mine) else None,
            others[number] if number < len(others) else None,
        )


def _package(
    one: Package | None, other: Package | None, now: Side, before: Side
) -> Difference | None:
    if one is None and other is not None:
        origin = origin_of(before.layers, other.layer)
        size = -other.size_bytes
        return Difference(other.name, "removed", size, origin, other.version, other.ecosystem)
    if one is None:
        return None
    origin = origin_of(now.layers, one.layer)
    if other is None:
        return Difference(one.name, "added", one.size_bytes, origin, one.version, one.ecosystem)
    grown = one.size_bytes - other.size_bytes
    if not grown and one.version == other.version:
        return None
    note = one.version if one.version == other.version else f"{other.version} → {one.version}"
    return Difference(one.name, change_of(grown), grown, origin, note, one.ecosystem)
