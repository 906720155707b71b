"""One image against another: how much each figure grew, where, and by whose doing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from hullwright.sizes import causing, differing
from hullwright.sizes.delta import Comparison, Difference, Growth
from hullwright.sizes.matching import Pair, label_of, origin_of, owned, pairs
from hullwright.sizes.ondisk import used_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.sizes.models import ImageSizes, LayerSize

Metric = Literal["unpacked", "compressed"]

_ORIGINS: Final = ("base", "own")
# What later layers hide; what is there twice is seen, and counts as no such waste.
_HIDDEN: Final = frozenset({"replaced", "deleted"})


def compare(now: ImageSizes, before: ImageSizes, asked: str, how: str) -> Comparison:
    """Return what differs between an image and an earlier one of the same platform.

    Args:
        now: the image.
        before: what it is compared with; of either, files only count where both have them.
        asked: what was asked for, such as `main`.
        how: how that image was found.
    """
    looked = _Look.of(now, before)
    return Comparison(
        asked=asked,
        reference=before.subject.reference,
        how=how,
        before=before.figures,
        cause=causing.sentence(looked.case(asked)),
        kind=looked.kind,
        metric=looked.metric,
        growth=looked.growth,
        layers=looked.layers,
        packages=differing.packages(*looked.sides) if looked.sides else (),
        files=differing.files(*looked.sides) if looked.sides else (),
    )


@dataclass(frozen=True)
class _Look:
    """Two images side by side.

    Attributes:
        mine, others: their layers with their origins.
        found: which of them belong together.
    """

    now: ImageSizes
    before: ImageSizes
    mine: Sequence[LayerSize]
    others: Sequence[LayerSize]
    found: Sequence[Pair]

    @classmethod
    def of(cls, now: ImageSizes, before: ImageSizes) -> _Look:
        layers = now.figures.layers, before.figures.layers
        found = pairs(*layers)
        return cls(now, before, *owned(*layers, found), found)

    @cached_property
    def metric(self) -> Metric:
        figures = self.now.figures, self.before.figures
        unpacked = all(each.unpacked_bytes is not None for each in figures)
        compressed = all(each.compressed_bytes is not None for each in figures)
        return "compressed" if compressed and not unpacked else "unpacked"

    @cached_property
    def sides(self) -> tuple[differing.Side, differing.Side] | None:
        """Both images' files; None where those of one are not known."""
        now, before = self.now.contents, self.before.contents
        if now is None or before is None:
            return None
        return differing.Side(now, self.mine), differing.Side(before, self.others)

    @cached_property
    def growth(self) -> tuple[Growth, ...]:
        now, before = _figures(self.now, self.mine), _figures(self.before, self.others)
        return tuple(_growth(one, other) for one, other in zip(now, before, strict=True))

    @property
    def told(self) -> Growth:
        """The growth that the sentence tells of."""
        return next(each for each in self.growth if each.metric == self.metric)

    @cached_property
    def layers(self) -> tuple[Difference, ...]:
        return differing.sorted_largest(
            each for pair in self.found if (each := self.layer(pair)) is not None
        )

    def layer(self, pair: Pair) -> Difference | None:
        """Return what became of a step; None where it gave the same."""
        if not (_has_layers(self.now) and _has_layers(self.before)):
            return None
        if pair.now is None:
            gone = self.others[pair.before or 0]
            return Difference(label_of(gone), "removed", -self.size(gone), gone.origin)
        layer = self.mine[pair.now]
        if pair.before is None:
            return Difference(label_of(layer), "added", self.size(layer), layer.origin)
        other = self.others[pair.before]
        grown = self.size(layer) - self.size(other)
        if not grown and layer.diff_id == other.diff_id:
            return None
        was = label_of(other)
        note = f"was {was}" if was != label_of(layer) else ""
        return Difference(label_of(layer), differing.change_of(grown), grown, layer.origin, note)

    def size(self, layer: LayerSize) -> int:
        size = layer.unpacked_bytes if self.metric == "unpacked" else layer.compressed_bytes
        return size or 0

    @property
    def kind(self) -> Literal["own", "base", "both", "same", "unknown"]:
        growth = self.told
        if growth.total is None:
            return "unknown"
        if growth.base is None or growth.own is None:
            return "unknown" if growth.total or self.layers else "same"
        if growth.base and growth.own:
            return "both"
        return "base" if growth.base else "own" if growth.own else "same"

    def case(self, asked: str) -> causing.Case:
        """Return what the sentence is made of."""
        steps = []
        for pair in self.found:
            difference = self.layer(pair)
            if difference is not None:
                steps.append(causing.Step(difference, pair.now, pair.before))
        steps.sort(key=lambda step: (-abs(step.difference.bytes), step.difference.what))
        subject = self.now.subject
        return causing.Case(
            name=f"{subject.service or subject.reference} {self.now.figures.platform}",
            asked=asked,
            metric=self.metric,
            kind=self.kind,
            growth=self.told,
            steps=tuple(steps),
            sides=self.sides,
            bases=(_base(self.before), _base(self.now)),
            unread=not (_has_layers(self.now) and _has_layers(self.before)),
        )


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of one image, and what of it is the base's and its own; None where unknown."""

    metric: str
    total: int | None
    base: int | None = None
    own: int | None = None


def _growth(now: _Figure, before: _Figure) -> Growth:
    split = None not in {now.base, now.own, before.base, before.own}
    return Growth(
        now.metric,
        now.total,
        before.total,
        base=(now.base or 0) - (before.base or 0) if split else None,
        own=(now.own or 0) - (before.own or 0) if split else None,
    )


def _figures(image: ImageSizes, layers: Sequence[LayerSize]) -> tuple[_Figure, ...]:
    figures, contents = image.figures, image.contents
    origins = [layer.origin for layer in layers]
    counted = len(layers) if _has_layers(image) else None
    visible = waste = None
    if contents is not None:
        visible = [(origin_of(layers, file.layer), file.size_bytes) for file in contents.seen]
        waste = [
            # Whoever hides a file wastes its bytes, wherever those lie.
            (origin_of(layers, each.by if each.by >= 0 else each.layer), each.size_bytes)
            for each in contents.waste
            if each.kind in _HIDDEN
        ]
    return (
        _figure(
            "compressed",
            figures.compressed_bytes,
            zip(origins, [layer.compressed_bytes for layer in layers], strict=True),
        ),
        _figure(
            "unpacked",
            figures.unpacked_bytes,
            zip(origins, [layer.unpacked_bytes for layer in layers], strict=True),
        ),
        _figure("visible", figures.visible_bytes, visible),
        _on_disk(image, layers),
        _figure("waste", figures.waste_bytes, waste),
        _figure("layers", counted, [(origin, 1) for origin in origins]),
    )


def _figure(
    metric: str, total: int | None, parts: Iterable[tuple[Any, int | None]] | None
) -> _Figure:
    if total is None or parts is None:
        return _Figure(metric, total)
    sums = dict.fromkeys(_ORIGINS, 0)
    for origin, size in parts:
        if origin not in sums or size is None:
            return _Figure(metric, total)
        sums[origin] += size
    if sum(sums.values()) != total:
        # Without the layers, as a build's record has it, nothing says whose the bytes are.
        return _Figure(metric, total)
    return _Figure(metric, total, sums["base"], sums["own"])


def _on_disk(image: ImageSizes, layers: Sequence[LayerSize]) -> _Figure:
    total = image.on_disk_bytes
    origins = [layer.origin for layer in layers]
    count = origins.count("base")
    # The base lies below; only so its layers are what its own image would use.
    if total is None or None in origins or "own" in origins[:count]:
        return _Figure("on disk", total)
    base = used_bytes([layers[:count]]) if count else 0
    if base is None:
        return _Figure("on disk", total)
    return _Figure("on disk", total, base, total - base)


def _has_layers(image: ImageSizes) -> bool:
    figures = image.figures
    return bool(figures.layers) or not (figures.compressed_bytes or figures.unpacked_bytes)


def _base(image: ImageSizes) -> tuple[str, str]:
    """Return name and digest of the image that one is built on; empty where it does not say."""
    return image.figures.base_name, image.figures.base
