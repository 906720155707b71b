"""Sizes as documented values: the schema, and what it holds after a deep look or a comparison."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from hullwright.report.sizefolders import by_type, largest, tree

if TYPE_CHECKING:
    from hullwright.sizes import BudgetResult, ImageSizes, LayerSize, SizeReport
    from hullwright.sizes.contents import Contents
    from hullwright.sizes.delta import Comparison, Difference

_SCHEMA: Final = 1
# Files of an image can be a hundred thousand: of what is listed, so many of the largest.
_FILES: Final = 200
_ROWS: Final = 500
# A record of the history is kept for ever, so it has only what tells the cause.
_RECORDED: Final = 5


def as_json(report: SizeReport) -> dict[str, Any]:
    """Return the report as documented values; figures that are not measured are null."""
    return _report(report, [_image(image, brief=report.brief) for image in report.images])


def recorded(report: SizeReport) -> dict[str, Any]:
    """Return what the history keeps: figures, layers, budgets and causes, and no files."""
    images = []
    for image in report.images:
        told = _shallow(image)
        if image.compared is not None:
            told["compared"] = _compared(image.compared, _RECORDED)
        images.append(told)
    return _report(report, images)


def _report(report: SizeReport, images: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        "images": images,
        "missing": list(report.missing),
        "on_disk_bytes": report.on_disk_bytes,
    }


def _image(image: ImageSizes, *, brief: bool) -> dict[str, Any]:
    return {
        **_shallow(image),
        **({} if image.contents is None or brief else _contents(image.contents)),
        **({} if image.compared is None else {"compared": _compared(image.compared, _ROWS)}),
    }


def _shallow(image: ImageSizes) -> dict[str, Any]:
    figures = image.figures
    return {
        "reference": image.subject.reference,
        "service": image.subject.service or None,
        "target": image.subject.target or None,
        "platform": figures.platform,
        "digest": figures.digest,
        "compressed_bytes": figures.compressed_bytes,
        "unpacked_bytes": figures.unpacked_bytes,
        "visible_bytes": figures.visible_bytes,
        "on_disk_bytes": image.on_disk_bytes,
        "layers": [_layer(layer) for layer in figures.layers],
        "waste_bytes": figures.waste_bytes,
        "efficiency": figures.efficiency,
        "budgets": [_budget(budget) for budget in image.budgets],
        "verdict": image.verdict,
        "problem": figures.problem or None,
        "created": figures.created or None,
    }


def _layer(layer: LayerSize) -> dict[str, Any]:
    return {
        "digest": layer.digest,
        "diff_id": layer.diff_id,
        "compressed_bytes": layer.compressed_bytes,
        "unpacked_bytes": layer.unpacked_bytes,
        "created_by": layer.created_by or None,
        "origin": layer.origin,
        "step": layer.step or None,
    }


def _budget(budget: BudgetResult) -> dict[str, Any]:
    return {
        "metric": budget.metric,
        "value": budget.value,
        "soft": budget.soft,
        "hard": budget.hard,
        "own_growth": budget.own_growth,
        "growth": budget.growth,
        "verdict": budget.verdict,
        "exceeded": budget.exceeded or None,
        "note": budget.note or None,
    }


def _contents(contents: Contents) -> dict[str, Any]:
    """Return what a deep look tells; of long lists the largest, and how many there are."""
    files = sorted(contents.seen, key=lambda seen: (-seen.size_bytes, seen.path))
    folders = largest(tree(contents.seen))
    return {
        "files": [
            {
                "path": each.path,
                "bytes": each.size_bytes,
                "layer": each.layer,
                "type": each.type,
                "package": _package(contents, each.package),
            }
            for each in files[:_FILES]
        ],
        "files_count": len(files),
        "directories": [
            {"path": each.path, "bytes": each.size_bytes, "files": each.files}
            for each in folders[:_ROWS]
        ],
        "types": [
            {"type": kind, "bytes": size, "files": count}
            for kind, size, count in by_type(contents.seen)
        ],
        "packages": [
            {
                "ecosystem": each.ecosystem,
                "name": each.name,
                "version": each.version,
                "bytes": each.size_bytes,
                "files": each.files,
                "layer": each.layer,
            }
            for each in contents.packages[:_ROWS]
        ],
        "packages_count": len(contents.packages),
        "waste": [
            {
                "kind": each.kind,
                "path": each.path,
                "bytes": each.size_bytes,
                "layer": each.layer,
                "by": each.by if each.by >= 0 else None,
                "note": each.note or None,
            }
            for each in contents.waste[:_ROWS]
        ],
        "waste_count": len(contents.waste),
        "advice": [
            {
                "id": each.id,
                "sentence": each.sentence,
                "saves_bytes": each.saves_bytes,
                "layer": each.layer if each.layer >= 0 else None,
            }
            for each in contents.advice
        ],
    }


def _package(contents: Contents, number: int) -> str | None:
    if not 0 <= number < len(contents.packages):
        return None
    package = contents.packages[number]
    return f"{package.ecosystem}:{package.name}"


def _compared(compared: Comparison, most: int) -> dict[str, Any]:
    return {
        "asked": compared.asked,
        "reference": compared.reference,
        "how": compared.how,
        "digest": compared.before.digest,
        "cause": compared.cause,
        "kind": compared.kind,
        "metric": compared.metric,
        "growth": [{**asdict(each), "total": each.total} for each in compared.growth],
        "layers": [_difference(each) for each in compared.layers[:most]],
        "packages": [_difference(each) for each in compared.packages[:most]],
        "files": [_difference(each) for each in compared.files[:most]],
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "what": each.what,
        "change": each.change,
        "bytes": each.bytes,
        "origin": each.origin,
        "note": each.note or None,
        "ecosystem": each.ecosystem or None,
    }
