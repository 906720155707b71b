"""Sizes for a person: the cause or what is over its budget, the figures, and where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.images import size_text
from hullwright.report import sizewords as words
from hullwright.report.sizefolders import by_type, largest, tree
from hullwright.report.table import aligned, bytes_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.sizes import ImageSizes, SizeReport
    from hullwright.sizes.contents import Contents, Waste
    from hullwright.sizes.delta import Comparison

# A screen holds about so many rows of each kind, of one image and of several.
_ROWS: Final = 7
_ROWS_OF_SEVERAL: Final = 3
_DIFFERENCES: Final = 5
_BAR: Final = 16
_LAYER_BAR: Final = 8
_WASTES: Final = 2
# A longer name would tear the columns apart; the last line has it whole.
_ASKED: Final = 16


def text(report: SizeReport) -> str:
    """Return the report: causes first, then a row for each image, then what they consist of."""
    compared = sorted(
        (image for image in report.images if image.compared), key=lambda i: -words.largest_change(i)
    )
    lines = [line for image in compared for line in _compared(image)]
    rest = [image for image in report.images if image.compared is None]
    lines += _over(rest)
    if rest or not compared:
        lines += _table(report, rest)
    lines += _budgets(rest)
    few = _ROWS if len(report.images) == 1 else _ROWS_OF_SEVERAL
    for image in report.images:
        if image.contents is not None and not report.brief:
            lines += _deep(image, image.contents, few)
    notes = words.notes(report)
    lines += ["", *notes] if notes else []
    return "\n".join(lines).removeprefix("\n")


def _over(images: Sequence[ImageSizes]) -> list[str]:
    lines = [line for image in images for line in _headlines(image)]
    return [*lines, ""] if lines else []


def _headlines(image: ImageSizes) -> list[str]:
    lines = []
    for budget in image.budgets:
        limit = {"fail": budget.hard, "warn": budget.soft}.get(budget.verdict)
        if limit is None or budget.value is None or budget.value <= limit:
            continue
        kind = "hard" if budget.verdict == "fail" else "soft"
        over = words.figure(budget.metric, budget.value - limit)
        lines.append(
            f"{words.MARKS[budget.verdict]} {words.who(image)} is over its {kind} budget by {over}:"
            f" {budget.metric} {words.figure(budget.metric, budget.value)},"
            f" budget {words.figure(budget.metric, limit)}"
        )
    if lines and (layer := _largest_layer(image)):
        lines.append(f"  largest layer  {layer}")
    return lines


def _largest_layer(image: ImageSizes) -> str:
    known = [layer for layer in image.figures.layers if layer.unpacked_bytes]
    if not known:
        return ""
    found = max(known, key=lambda layer: layer.unpacked_bytes or 0)
    told = f"{bytes_text(found.unpacked_bytes)} unpacked  {words.step(found)}".rstrip()
    return f"{told}  ({found.origin})" if found.origin else told


def _table(report: SizeReport, images: Sequence[ImageSizes]) -> list[str]:
    """Return a row for each image; figures that no row has are left out, but for the main ones."""
    columns = [
        ("compressed", [bytes_text(image.figures.compressed_bytes) for image in images]),
        ("unpacked", [bytes_text(image.figures.unpacked_bytes) for image in images]),
        ("visible", [_known(image.figures.visible_bytes) for image in images]),
        ("on disk", [_known(image.on_disk_bytes) for image in images]),
        ("waste", [_known(image.figures.waste_bytes) for image in images]),
        ("efficiency", [words.share(image.figures.efficiency) for image in images]),
        ("layers", [str(len(image.figures.layers)) for image in images]),
    ]
    shown = [
        (name, cells)
        for name, cells in columns
        if name in {"compressed", "unpacked", "layers"} or any(cells)
    ]
    rows = [["", "", *(name for name, _ in shown)]]
    rows += [
        [
            words.reference(image),
            image.figures.platform,
            *(cells[i] for _, cells in shown),
            # A bar compares, so one image has none.
            _bar(image, images) if len(images) > 1 else "",
        ]
        for i, image in enumerate(images)
    ]
    lines = aligned(rows, right=range(2, len(shown) + 2)).splitlines()
    if report.on_disk_bytes is not None and len(report.images) > 1:
        alone = sum(image.on_disk_bytes or 0 for image in report.images)
        told = f"together on disk {size_text(report.on_disk_bytes)}"
        if alone > report.on_disk_bytes:
            told += f": {size_text(alone - report.on_disk_bytes)} of layers are shared"
        lines += ["", told]
    return lines


def _known(value: int | None) -> str:
    return "" if value is None else size_text(value)


def _bar(image: ImageSizes, images: Sequence[ImageSizes]) -> str:
    """Return a bar of unpacked, or of compressed where nothing else is known of all."""
    if all(each.figures.unpacked_bytes is None for each in images):
        most = max(each.figures.compressed_bytes or 0 for each in images)
        return words.bar(image.figures.compressed_bytes, most, _BAR)
    most = max(each.figures.unpacked_bytes or 0 for each in images)
    return words.bar(image.figures.unpacked_bytes, most, _BAR)


def _budgets(images: Sequence[ImageSizes]) -> list[str]:
    rows = [
        [image.subject.service, image.figures.platform, words.budget(budget), budget.note]
        for image in images
        for budget in image.budgets
    ]
    return ["", *aligned([["budgets"], *rows], gap=2).splitlines()] if rows else []


def _compared(image: ImageSizes) -> list[str]:
    """Return the cause, then what changed of each figure beside what limits it."""
    compared = image.compared
    if compared is None:
        return []
    headline = f"{_mark(image)} {compared.cause}"
    if compared.kind == "same" and image.verdict == "ok":
        return [headline, ""]
    results = {budget.metric: budget for budget in image.budgets}
    asked = compared.asked if len(compared.asked) <= _ASKED else "change"
    rows = [["", "now", asked, "base", "own", "budget" if results else ""]]
    for growth in words.growth_of(compared):
        metric = growth.metric
        now = "unknown" if growth.now is None else words.figure(metric, growth.now)
        parts = [
            "" if part is None else words.change(metric, part) for part in (growth.base, growth.own)
        ]
        limited = words.limits(results[metric]) if metric in results else ""
        if metric == "waste" and not limited:
            limited = _told_waste(image.contents)
        rows.append([f"  {metric}", now, words.change(metric, growth.total), *parts, limited])
    table = aligned(rows, right=(1, 2, 3, 4)).splitlines()
    differs = _differences(compared)
    with_ = f"  against      {compared.reference}   ({compared.how})"
    return [headline, *table, *differs, with_, ""]


def _mark(image: ImageSizes) -> str:
    if image.budgets:
        return words.MARKS[image.verdict]
    return "·"


def _differences(compared: Comparison) -> list[str]:
    """Return the largest layers, packages and files that differ, one screen of them."""
    lines = []
    for name, found in (
        ("steps", compared.layers),
        ("packages", compared.packages),
        ("files", compared.files),
    ):
        shown = found[:_DIFFERENCES]
        rows = [["  " + name if i == 0 else "", *words.difference(d)] for i, d in enumerate(shown)]
        lines += [f"{row[0]:<12}  {row[1]:>9}  {row[2]:<4}  {row[3]}".rstrip() for row in rows]
        left = len(found) - len(shown)
        lines += [f"{'':<12}  and {left} more in --format json"] if left else []
    return lines


def _told_waste(contents: Contents | None) -> str:
    """Return what later layers hide, the largest by name, and what caches come to besides."""
    if contents is None:
        return ""
    hidden = [each for each in contents.waste if each.kind in {"replaced", "deleted"}]
    told = [
        f"{words.path(f'/{each.path}')} {size_text(each.size_bytes)} {each.kind}"
        f" (layer {each.layer + 1})"
        for each in hidden[:_WASTES]
    ]
    caches = sum(each.size_bytes for each in contents.waste if each.kind == "cache")
    return ", ".join([*told, *([f"besides {size_text(caches)} of caches"] if caches else [])])


def _deep(image: ImageSizes, contents: Contents, few: int) -> list[str]:
    """Return what an image consists of: what to do first, then where its bytes lie."""
    visible = image.figures.visible_bytes or 0
    lines = ["", words.name(image)]
    lines += _block(
        "advice",
        [
            [f"saves {size_text(each.saves_bytes)}" if each.saves_bytes else "", each.sentence]
            for each in contents.advice
        ],
        few,
    )
    layers = sorted(enumerate(image.figures.layers, 1), key=lambda at: -(at[1].unpacked_bytes or 0))
    most = max((each.unpacked_bytes or 0 for _, each in layers), default=0)
    lines += _block(
        "layers",
        [
            [
                bytes_text(each.unpacked_bytes),
                f"{number}",
                each.origin or "",
                words.bar(each.unpacked_bytes, most, _LAYER_BAR),
                words.step(each),
            ]
            for number, each in layers
            if each.unpacked_bytes != 0
        ],
        few,
        right=(1, 2),
    )
    lines += _block("waste", [_waste(each) for each in contents.waste], few)
    lines += _block(
        "directories",
        [
            [size_text(each.size_bytes), _part(each.size_bytes, visible), words.path(each.path)]
            for each in largest(tree(contents.seen))
        ],
        few,
        right=(1, 2),
    )
    lines += _block(
        "packages",
        [
            [size_text(each.size_bytes), each.ecosystem, f"{each.name} {each.version}".rstrip()]
            for each in contents.packages
        ],
        few,
    )
    types = by_type(contents.seen)
    return lines + _block(
        "types",
        [
            [size_text(size), _part(size, visible), kind, f"{n} file{'s' * (n > 1)}"]
            for kind, size, n in types
        ],
        few,
        right=(1, 2, 4),
    )


def _waste(each: Waste) -> list[str]:
    place = f"layer {each.layer + 1}" + (f", by layer {each.by + 1}" if each.by >= 0 else "")
    told = words.path(each.note) if each.note else place
    return [size_text(each.size_bytes), each.kind, f"{words.path(f'/{each.path}')}  ({told})"]


def _part(value: int, whole: int) -> str:
    return f"{100 * value / whole:.0f} %" if whole else ""


def _block(
    name: str, rows: Sequence[Sequence[str]], few: int, right: Sequence[int] = (1,)
) -> list[str]:
    """Return the first rows below their name, and how many there are more."""
    if not rows:
        return []
    shown = [[f"  {name:<11}" if i == 0 else "", *row] for i, row in enumerate(rows[:few])]
    left = len(rows) - len(shown)
    more = [f"{'':<13}  and {left} more in --format json"] if left > 0 else []
    return [*aligned(shown, right=right, gap=2).splitlines(), *more]
