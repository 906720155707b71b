"""Sizes of images as text, Markdown and JSON; each figure is named, none is a bare size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.report.table import aligned, bytes_text
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.sizes import BudgetResult, ImageSizes, LayerSize, SizeReport

_SCHEMA: Final = 1
_MARKS: Final = {"ok": "✓", "warn": "!", "fail": "✗", "unknown": "?", "not applicable": "·"}
_BAR_WIDTH: Final = 24
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def text(report: SizeReport) -> str:
    """Return the report for a person: what exceeds its budget first, then a row for each image."""
    lines = [line for image in report.images for line in _headlines(image)]
    if lines:
        lines.append("")
    # A bar compares, so one image has none.
    several = len(report.images) > 1
    largest = max((image.figures.unpacked_bytes or 0 for image in report.images), default=0)
    rows = [["", "", "compressed", "unpacked", "layers"]]
    rows += [
        [
            image.subject.reference,
            image.figures.platform,
            bytes_text(image.figures.compressed_bytes),
            bytes_text(image.figures.unpacked_bytes),
            str(len(image.figures.layers)),
            _bar(image.figures.unpacked_bytes, largest) if several else "",
        ]
        for image in report.images
    ]
    lines += aligned(rows, right=(2, 3, 4)).splitlines()
    lines += _budget_lines(report)
    lines += _notes(report)
    return "\n".join(lines)


def markdown(report: SizeReport) -> str:
    """Return the report for a job summary or a pull request; layers are folded."""
    header = ("image", "platform", "compressed", "unpacked", "layers", "budgets")
    rows = [
        [
            f"`{image.subject.reference}`",
            image.figures.platform,
            bytes_text(image.figures.compressed_bytes),
            bytes_text(image.figures.unpacked_bytes),
            str(len(image.figures.layers)),
            "<br>".join(_budget(budget) for budget in image.budgets),
        ]
        for image in report.images
    ]
    blocks = ["### Image sizes", markdown_table(header, rows, right=(2, 3, 4))]
    blocks += [_folded(image) for image in report.images if image.figures.layers]
    blocks.append("\n".join(f"- {note}" for note in _notes(report) if note))
    return "\n\n".join(block for block in blocks if block)


def as_json(report: SizeReport) -> dict[str, Any]:
    """Return the report as documented values; figures that are not measured are null."""
    return {
        "schema": _SCHEMA,
        "images": [_image(image) for image in report.images],
        "missing": list(report.missing),
    }


def _image(image: ImageSizes) -> dict[str, Any]:
    return {
        "reference": image.subject.reference,
        "service": image.subject.service or None,
        "target": image.subject.target or None,
        "platform": image.figures.platform,
        "digest": image.figures.digest,
        "compressed_bytes": image.figures.compressed_bytes,
        "unpacked_bytes": image.figures.unpacked_bytes,
        "visible_bytes": None,
        "on_disk_bytes": None,
        "layers": [_layer(layer) for layer in image.figures.layers],
        "waste_bytes": None,
        "efficiency": None,
        "budgets": [_budget_json(budget) for budget in image.budgets],
        "verdict": image.verdict,
    }


def _layer(layer: LayerSize) -> dict[str, Any]:
    return {
        "digest": layer.digest,
        "diff_id": layer.diff_id,
        "compressed_bytes": layer.compressed_bytes,
        "unpacked_bytes": layer.unpacked_bytes,
        "created_by": layer.created_by or None,
        "origin": None,
    }


def _budget_json(budget: BudgetResult) -> dict[str, Any]:
    return {
        "metric": budget.metric,
        "value": budget.value,
        "soft": budget.soft,
        "hard": budget.hard,
        "own_growth": budget.own_growth,
        "verdict": budget.verdict,
        "note": budget.note or None,
    }


def _headlines(image: ImageSizes) -> list[str]:
    where = f"{image.subject.service or image.subject.reference} {image.figures.platform}"
    lines = []
    for budget in image.budgets:
        limit = {"fail": budget.hard, "warn": budget.soft}.get(budget.verdict)
        if limit is None or budget.value is None:
            continue
        kind = "hard" if budget.verdict == "fail" else "soft"
        over = _figure(budget, budget.value - limit)
        lines.append(
            f"{_MARKS[budget.verdict]} {where} is over its {kind} budget by {over}: "
            f"{budget.metric} {_figure(budget, budget.value)}, budget {_figure(budget, limit)}"
        )
    if lines and (largest := _largest_layer(image)):
        lines.append(f"  largest layer  {largest}")
    return lines


def _largest_layer(image: ImageSizes) -> str:
    known = [layer for layer in image.figures.layers if layer.unpacked_bytes]
    if not known:
        return ""
    largest = max(known, key=lambda layer: layer.unpacked_bytes or 0)
    return f"{bytes_text(largest.unpacked_bytes)} unpacked  {_step(largest)}".rstrip()


def _budget_lines(report: SizeReport) -> list[str]:
    rows = [
        [image.subject.service, image.figures.platform, _budget(budget), budget.note]
        for image in report.images
        for budget in image.budgets
    ]
    return ["", *aligned([["budgets"], *rows], gap=2).splitlines()] if rows else []


def _budget(budget: BudgetResult) -> str:
    limits = [
        f"{name} ≤ {_figure(budget, limit)}"
        for name, limit in (
            ("soft", budget.soft),
            ("hard", budget.hard),
            ("own growth", budget.own_growth),
        )
        if limit is not None
    ]
    value = "unknown" if budget.value is None else _figure(budget, budget.value)
    return f"{_MARKS[budget.verdict]} {budget.metric} {value}  {' · '.join(limits)}"


def _figure(budget: BudgetResult, value: int) -> str:
    return str(value) if budget.metric == "layers" else size_text(value)


def _notes(report: SizeReport) -> list[str]:
    unknown = dict.fromkeys(
        f"{image.subject.reference} {image.figures.platform}: {image.figures.problem}"
        for image in report.images
        if image.figures.problem
    )
    gone = [f"{name}: recorded by a build, no longer in the local store" for name in report.missing]
    return ["", *unknown, *gone] if unknown or gone else []


def _folded(image: ImageSizes) -> str:
    rows = [
        [bytes_text(layer.compressed_bytes), bytes_text(layer.unpacked_bytes), f"`{_step(layer)}`"]
        for layer in image.figures.layers
    ]
    title = f"layers of {image.subject.reference} {image.figures.platform}"
    table = markdown_table(("compressed", "unpacked", "step"), rows, right=(0, 1))
    return f"<details><summary>{title}</summary>\n\n{table}\n\n</details>"


def _step(layer: LayerSize) -> str:
    words = " ".join(layer.created_by.removesuffix("# buildkit").replace("`", "'").split())
    return words if len(words) <= 80 else f"{words[:79]}…"


def _bar(value: int | None, largest: int) -> str:
    if not value or not largest:
        return ""
    eighths = max(1, round(value / largest * _BAR_WIDTH * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
