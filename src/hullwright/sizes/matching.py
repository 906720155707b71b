"""Which layers of two images are the same step, and whose they are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from hullwright.sizes.models import LayerSize, Origin

# What a step says of content, which another build of the same step says otherwise.
_HASH: Final = re.compile(r"\b(?:file|dir|multi):[0-9a-f]{16,}|\b(?:sha256:)?[0-9a-f]{32,}\b")
_NOP: Final = "/bin/sh -c #(nop) "
_SHELL: Final = re.compile(r"^(?:RUN )?(?:\|\d+ (?:\S+=\S* )*)?/bin/(?:ba)?sh (?:-\S+ )*")
_NO_STEP: Final = "a step without a name"


@dataclass(frozen=True, slots=True)
class Pair:
    """One step as it is in two images, by the numbers of its layers; None where one lacks it."""

    now: int | None
    before: int | None


def label_of(layer: LayerSize) -> str:
    """Return the step of a layer as people wrote it, in one line."""
    words = " ".join((layer.step or layer.created_by).split()).removesuffix(" # buildkit")
    if words.startswith(_NOP):
        words = words.removeprefix(_NOP).strip()
    elif not layer.step and (shell := _SHELL.match(words)):
        words = f"RUN {words[shell.end() :]}"
    return _HASH.sub("…", words) or _NO_STEP


def pairs(now: Sequence[LayerSize], before: Sequence[LayerSize]) -> tuple[Pair, ...]:
    """Return the layers of two images as pairs, each layer in one of them.

    Layers of the same content belong together; of the others those of the same step and origin,
    the first with the first; at last those of one instruction and origin where both images have as
    many. The result is the same from either side.
    """
    left = (list(range(len(now))), list(range(len(before))))
    found = _matched(
        left, lambda n: now[n].diff_id or "unknown", lambda n: before[n].diff_id or "unknown here"
    )
    now, before = owned(now, before, found)
    known = all(layer.origin for layer in (*now, *before))

    def step(layer: LayerSize) -> Hashable:
        return label_of(layer), layer.origin if known else None

    found += _matched(left, lambda n: step(now[n]), lambda n: step(before[n]))

    def keyword(layer: LayerSize) -> Hashable:
        return label_of(layer).split(" ")[0], layer.origin if known else None

    counts = [
        [keyword(layers[number]) for number in numbers]
        for layers, numbers in zip((now, before), left, strict=True)
    ]
    as_many = {key for key in counts[0] if counts[0].count(key) == counts[1].count(key)}

    def told(layer: LayerSize, side: str) -> Hashable:
        # A key with the side in it is nobody's on the other one.
        return key if (key := keyword(layer)) in as_many else side

    found += _matched(left, lambda n: told(now[n], "now"), lambda n: told(before[n], "before"))
    found += [Pair(number, None) for number in left[0]]
    found += [Pair(None, number) for number in left[1]]
    return tuple(found)


def owned(
    now: Sequence[LayerSize], before: Sequence[LayerSize], found: Sequence[Pair]
) -> tuple[tuple[LayerSize, ...], tuple[LayerSize, ...]]:
    """Return the layers with their origins, where the other image tells what nothing else does.

    The base of an earlier image is often gone. Then a layer is whose the same step's is; and what
    lies below its first own layer is the base's, unless it may be an own step that was changed.
    """
    both = [(pair.now, pair.before) for pair in found]
    known = [(a, b) for a, b in both if a is not None and b is not None]
    mine, others = list(now), list(before)
    for a, b in known:
        one, other = mine[a], others[b]
        mine[a] = replace(one, origin=one.origin or other.origin)
        others[b] = replace(other, origin=other.origin or one.origin)
    backward = [(b, a) for a, b in known]
    return _filled(mine, others, known), _filled(others, mine, backward)


def _filled(
    layers: Sequence[LayerSize], others: Sequence[LayerSize], known: Sequence[tuple[int, int]]
) -> tuple[LayerSize, ...]:
    """Return layers with what follows from their order: the base's lie below the own ones."""
    origins = [layer.origin for layer in layers]
    first_own = origins.index("own") if "own" in origins else len(layers)
    bases = [number for number, origin in enumerate(origins) if origin == "base"]
    last_base = bases[-1] if bases else -1
    matched = {b for _, b in known}
    lowest = min((b for _, b in known if others[b].origin == "own"), default=len(others))
    is_told = bool(others) and all(layer.origin for layer in others)
    changed = any(
        layer.origin == "own" and number not in matched
        for number, layer in enumerate(others[:lowest])
    )

    def origin(number: int) -> Origin | None:
        if origins[number]:
            return origins[number]
        if number > first_own:
            return "own"
        below = number < last_base or (number < first_own and is_told and not changed)
        return "base" if below else None

    return tuple(replace(layer, origin=origin(number)) for number, layer in enumerate(layers))


def origin_of(layers: Sequence[LayerSize], number: int) -> Origin | None:
    """Return whose a layer is; None for one that there is not."""
    return layers[number].origin if 0 <= number < len(layers) else None


def _matched(
    left: tuple[list[int], list[int]],
    of_now: Callable[[int], Hashable],
    of_before: Callable[[int], Hashable],
) -> list[Pair]:
    """Take the layers of equal keys out of what is left, the first with the first."""
    waiting: dict[Hashable, list[int]] = {}
    for number in left[1]:
        waiting.setdefault(of_before(number), []).append(number)
    found = []
    for number in list(left[0]):
        same = waiting.get(of_now(number))
        if same:
            other = same.pop(0)
            left[0].remove(number)
            left[1].remove(other)
            found.append(Pair(number, other))
    return found
