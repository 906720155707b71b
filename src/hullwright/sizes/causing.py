"""The one sentence of a comparison: what grew, by how much, and by which step and file. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.images import size_text
from hullwright.sizes import differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.sizes.contents import Contents, Package
    from hullwright.sizes.delta import Difference, Growth
    from hullwright.sizes.differing import Side

_LONGEST_STEP: Final = 60
_TOLD_PACKAGES: Final = 3
# What explains less of a step's growth than this is not named as its cause.
_MOST_OF_IT: Final = 0.5
_ALL_BUT: Final = 0.8
# A second step is told where it did at least a tenth of what the first one did.
_WORTH_TELLING: Final = 10
_SHORT_DIGEST: Final = 19


@dataclass(frozen=True, slots=True)
class Step:
    """A step that differs, with the numbers of its layer in both images."""

    difference: Difference
    now: int | None
    before: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """What a sentence is made of.

    Attributes:
        name: of the image, with its platform.
        asked: what it is compared with.
        metric: the figure that is told.
        kind: as a comparison has it.
        growth: of that figure.
        steps: those that differ, largest first.
        sides: the files of both, now and before; None without a deep look.
        bases: names and digests of what they are built on, before and now.
        unread: nothing is known of the layers of one of them.
    """

    name: str
    asked: str
    metric: str
    kind: str
    growth: Growth
    steps: Sequence[Step]
    sides: tuple[Side, Side] | None
    bases: tuple[tuple[str, str], tuple[str, str]]
    unread: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A file of one layer: its bytes, what it holds, and whether a container sees it."""

    size_bytes: int
    content: str = ""
    gone: str = ""


def sentence(case: Case) -> str:
    """Return what grew or shrank, by how much, and why, in one sentence."""
    total = case.growth.total
    if total is None:
        return (
            f"{case.name} cannot be compared with {case.asked}: no figure is known of both; "
            "with --deep their layers are read"
        )
    if not total:
        return f"{case.name} {_as_large(case)}"
    did = f"{'grew' if total > 0 else 'shrank'} by {size_text(abs(total))} {case.metric}"
    why = _why(case, total)
    return f"{case.name} {did}: {why}" if why else f"{case.name} {did} against {case.asked}"


def _as_large(case: Case) -> str:
    if case.kind == "both":
        parts = f"own {signed(case.growth.own)}, base {signed(case.growth.base)}"
        return (
            f"is as large as {case.asked}, {size_text(case.growth.now or 0)} {case.metric}: {parts}"
        )
    if case.unread:
        return f"is as large as {case.asked}, {size_text(case.growth.now or 0)} {case.metric}"
    if not case.steps:
        return f"is the same as {case.asked}: no layer differs"
    count = len(case.steps)
    told = f"{count} layer{'s' if count > 1 else ''} of it differ{'' if count > 1 else 's'}"
    size = f"{size_text(case.growth.now or 0)} {case.metric}"
    return f"is as large as {case.asked}, {size}; {told}"


def _why(case: Case, total: int) -> str:
    if case.unread:
        return f"by which step is not known, only figures are left of {case.asked}"
    if case.kind == "base":
        verb = "grew" if total > 0 else "shrank"
        return f"only the base {verb}{_with_comma(_of_base(case))}"
    if case.kind != "both":
        return _of_steps(case, case.steps, total)
    own = [step for step in case.steps if step.difference.origin == "own"]
    grown_own, grown_base = case.growth.own or 0, case.growth.base or 0
    told = [
        (grown_own, f"own {signed(grown_own)}{_with_comma(_of_steps(case, own, grown_own))}"),
        (grown_base, f"base {signed(grown_base)}{_with_comma(_of_base(case))}"),
    ]
    # What made it so stands first.
    told.sort(key=lambda part: -part[0] if total > 0 else part[0])
    return "; ".join(text for _, text in told)


def signed(count_bytes: int | None) -> str:
    """Return by how much something grew, with its sign: `+31.2 MB`, `-4.0 kB`, `±0 B`."""
    count = count_bytes or 0
    return f"{'+' if count > 0 else '-' if count else '±'}{size_text(abs(count))}"


def _with_comma(text: str) -> str:
    return f", {text}" if text else ""


def _of_steps(case: Case, steps: Sequence[Step], total: int) -> str:
    """Return the step that did most of it, with what in it, and the next one if it did much."""
    same_way = [step for step in steps if step.difference.bytes * total > 0]
    if not same_way:
        return ""
    first, *others = same_way
    told = _of_step(case, first, alone=first.difference.bytes == total)
    worth = [s for s in others if abs(s.difference.bytes * _WORTH_TELLING) >= abs(total)]
    if worth:
        second = worth[0].difference
        told += f"; step {_short(second.what)} {signed(second.bytes)}"
    if len(worth) > 1:
        rest = sum(step.difference.bytes for step in worth[1:])
        told += f"; {len(worth) - 1} more {signed(rest)}"
    return told


def _of_step(case: Case, step: Step, *, alone: bool) -> str:
    difference = step.difference
    told = f"step {_short(difference.what)}"
    if not alone:
        told += f" {signed(difference.bytes)}"
    if difference.change == "added" and difference.bytes > 0:
        told += " (new)"
    if difference.change == "removed":
        told += " (gone)"
    return f"{told}{_with_comma(_within(case, step))}"


def _within(case: Case, step: Step) -> str:
    """Return what in a step's layer did most of it: a file, a package or a folder."""
    if case.sides is None:
        return ""
    grown = _grown_files(*case.sides, step)
    total = step.difference.bytes
    if case.metric != "unpacked" or not total:
        total = sum(size for size, _ in grown.values())
    same_way = {path: each for path, each in grown.items() if each[0] * total > 0}
    if not same_way:
        return ""
    path = min(same_way, key=lambda name: (-abs(same_way[name][0]), name))
    size, part = same_way[path]
    if abs(size) >= abs(total) * _MOST_OF_IT:
        return f"/{path} {size_text(abs(size))}{part.gone}"
    return _package_within(*case.sides, step, total) or _folder_within(same_way, total)


def _grown_files(now: Side, before: Side, step: Step) -> dict[str, tuple[int, _Part]]:
    """Return by how much each file of a step's layer grew; what moved within it did not."""
    mine, others = _parts(now.contents, step.now), _parts(before.contents, step.before)
    gone = [part.content for path, part in others.items() if path not in mine and part.content]
    came = [part.content for path, part in mine.items() if path not in others and part.content]
    moved = set(gone) & set(came)
    grown = {}
    for path in {**mine, **others}:
        one, other = mine.get(path), others.get(path)
        part = one or other
        if part is None or ((one is None or other is None) and part.content in moved):
            continue
        size = (one.size_bytes if one else 0) - (other.size_bytes if other else 0)
        if size:
            grown[path] = (size, part)
    return grown


def _parts(contents: Contents, layer: int | None) -> Mapping[str, _Part]:
    """Return the files that lie in a layer, whether they are seen or hidden by a later one."""
    if layer is None:
        return {}
    again = {
        each.path: each.size_bytes
        for each in contents.waste
        if each.by == layer and each.kind == "replaced"
    }
    found = {
        file.path: _Part(
            file.size_bytes,
            file.content,
            ", which an earlier layer has already"
            if again.get(file.path) == file.size_bytes
            else "",
        )
        for file in contents.seen
        if file.layer == layer
    }
    for each in contents.waste:
        if each.layer == layer and each.kind in {"replaced", "deleted"}:
            by_later = f", {each.kind} by a later step" if each.by != layer else ""
            found.setdefault(each.path, _Part(each.size_bytes, "", by_later))
    return found


def _package_within(now: Side, before: Side, step: Step, total: int) -> str:
    """Return the package of a step's layer that did most of it; empty where none did."""
    found = differing.packages(_in_layer(now, step.now), _in_layer(before, step.before))
    if found and found[0].bytes * total > 0 and abs(found[0].bytes) >= abs(total) * _MOST_OF_IT:
        first = found[0]
        return f"{first.ecosystem} package {first.what} {first.note} {size_text(abs(first.bytes))}"
    return ""


def _in_layer(side: Side, layer: int | None) -> Side:
    kept: tuple[Package, ...] = tuple(p for p in side.contents.packages if p.layer == layer)
    return differing.Side(type(side.contents)((), kept), side.layers)


def _folder_within(grown: Mapping[str, tuple[int, _Part]], total: int) -> str:
    """Return the deepest folder that holds nearly all of it; empty where it is the root."""
    sums: dict[str, list[int]] = {}
    for path, (size, _) in grown.items():
        folder = path.rpartition("/")[0]
        while folder:
            entry = sums.setdefault(folder, [0, 0])
            entry[0] += size
            entry[1] += 1
            folder = folder.rpartition("/")[0]
    holding = [folder for folder, (size, _) in sums.items() if abs(size) >= abs(total) * _ALL_BUT]
    if not holding:
        return ""
    deepest = max(holding, key=lambda folder: (folder.count("/"), folder))
    size, count = sums[deepest]
    return f"/{deepest} {size_text(abs(size))} in {count} files"


def _of_base(case: Case) -> str:
    """Return which base became which, and which of its packages changed most."""
    (name_before, digest_before), (name_now, digest_now) = case.bases
    before, now = _familiar(name_before), _familiar(name_now)
    told = ""
    if before != now and before and now:
        told = f"{before} → {now}"
    elif digest_before != digest_now and digest_before and digest_now:
        digests = f"{digest_before[:_SHORT_DIGEST]} → {digest_now[:_SHORT_DIGEST]}"
        told = f"{now} {digests}" if now else digests
    inside = _packages_of_base(case)
    if inside:
        return f"{told} (its packages: {inside})" if told else f"its packages: {inside}"
    steps = [step for step in case.steps if step.difference.origin == "base"]
    step = _of_steps(case, steps, case.growth.base or 0)
    return f"{told} ({step})" if told and step else told or step


def _packages_of_base(case: Case) -> str:
    if case.sides is None:
        return ""
    found = [p for p in differing.packages(*case.sides) if p.origin == "base"]
    told = [_package(each) for each in found[:_TOLD_PACKAGES]]
    more = len(found) - len(told)
    return ", ".join([*told, *([f"{more} more"] if more else [])])


def _package(difference: Difference) -> str:
    new = {"added": " (new)", "removed": " (gone)"}.get(difference.change, "")
    size = f" {signed(difference.bytes)}" if difference.bytes else ""
    return f"{difference.what} {difference.note}{size}{new}"


def _familiar(name: str) -> str:
    """Return the name of an image as people write it: `debian:13`, not its full form."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def _short(step: str) -> str:
    return step if len(step) <= _LONGEST_STEP else f"{step[: _LONGEST_STEP - 1]}…"
