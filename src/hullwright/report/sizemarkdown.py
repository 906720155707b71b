"""Sizes for a pull request or a job summary: by their change, one screen, the rest folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.images import size_text
from hullwright.report import sizewords as words
from hullwright.report.table import bytes_text
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.sizes import ImageSizes, SizeReport

# Rows that stand unfolded; a screen holds them with their causes.
_ROWS: Final = 12
_CAUSES: Final = 5
_DIFFERENCES: Final = 20


def markdown(report: SizeReport) -> str:
    """Return the report: causes, one table, and folded below it what it follows from."""
    images = _sorted(report.images)
    compared = [image for image in images if image.compared]
    asked = {image.compared.asked for image in compared if image.compared}
    against = f" against `{next(iter(asked))}`" if len(asked) == 1 else ""
    blocks = [f"### Image sizes{against}", _causes(compared)]
    blocks.append(_table(images[:_ROWS], with_change=bool(compared)))
    if len(images) > _ROWS:
        rest = _table(images[_ROWS:], with_change=bool(compared))
        blocks.append(_folded(f"{len(images) - _ROWS} more", rest))
    blocks += [_difference(image) for image in compared]
    blocks += [_advice(image) for image in images if not report.brief]
    blocks += [_layers(image) for image in images if image.figures.layers]
    blocks.append("\n".join(f"- {note}" for note in words.notes(report)))
    return "\n\n".join(block for block in blocks if block)


def _sorted(images: Sequence[ImageSizes]) -> list[ImageSizes]:
    """Return what is over a budget first, then by change; without any, in the order given."""
    if not any(image.compared for image in images):
        return list(images)
    return sorted(images, key=lambda i: (i.verdict != "fail", -words.largest_change(i)))


def _causes(images: Sequence[ImageSizes]) -> str:
    told = [
        f"- {words.MARKS[image.verdict] if image.budgets else '·'} {_plain(image.compared.cause)}"
        for image in images
        if image.compared and image.compared.kind != "same"
    ]
    if images and not told:
        return "No image changed its size."
    left = len(told) - _CAUSES
    return "\n".join([*told[:_CAUSES], *([f"- and {left} more"] if left > 0 else [])])


def _table(images: Sequence[ImageSizes], *, with_change: bool) -> str:
    header = ["image", "platform", "compressed", "unpacked"]
    header += ["change", "base", "own"] if with_change else []
    rows = [
        [
            _code(words.reference(image)),
            image.figures.platform,
            bytes_text(image.figures.compressed_bytes),
            bytes_text(image.figures.unpacked_bytes),
            *(_changes(image) if with_change else ()),
            str(len(image.figures.layers)),
            "<br>".join(words.budget(budget) for budget in image.budgets),
        ]
        for image in images
    ]
    header += ["layers", "budgets"]
    return markdown_table(header, rows, right=range(2, len(header) - 1))


def _changes(image: ImageSizes) -> list[str]:
    """Return what the figure of a comparison changed by: in all, of the base, of its own."""
    compared = image.compared
    if compared is None:
        return ["", "", ""]
    for growth in compared.growth:
        if growth.metric == compared.metric:
            parts = (growth.total, growth.base, growth.own)
            return [words.change(growth.metric, part) for part in parts]
    return ["unknown", "", ""]


def _difference(image: ImageSizes) -> str:
    compared = image.compared
    if compared is None:
        return ""
    found = [
        (kind, *words.difference(each))
        for kind, differences in (
            ("layer", compared.layers),
            ("package", compared.packages),
            ("file", compared.files),
        )
        for each in differences[:_DIFFERENCES]
    ]
    if not found:
        return ""
    rows = [[size, whose, kind, _code(what)] for kind, size, whose, what in found]
    table = markdown_table(("change", "of", "", "what"), rows, right=(0,))
    how = _plain(f"Compared with {compared.reference} ({compared.how}).")
    return _folded(f"what differs in {words.who(image)}", f"{how}\n\n{table}")


def _advice(image: ImageSizes) -> str:
    if image.contents is None or not image.contents.advice:
        return ""
    rows = [
        [size_text(each.saves_bytes) if each.saves_bytes else "", _plain(each.sentence)]
        for each in image.contents.advice
    ]
    table = markdown_table(("saves", "advice"), rows, right=(0,))
    return _folded(f"advice for {words.who(image)}", table)


def _layers(image: ImageSizes) -> str:
    layers = image.figures.layers
    with_origin = any(layer.origin for layer in layers)
    header = ["compressed", "unpacked", *(["of"] if with_origin else []), "step"]
    rows = [
        [
            bytes_text(layer.compressed_bytes),
            bytes_text(layer.unpacked_bytes),
            *([layer.origin or ""] if with_origin else []),
            _code(words.step(layer)),
        ]
        for layer in layers
    ]
    title = f"layers of {words.name(image)}"
    return _folded(title, markdown_table(header, rows, right=(0, 1)))


def _folded(title: str, content: str) -> str:
    summary = title.replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`" if text else ""


def _plain(text: str) -> str:
    """Return text of which Markdown makes nothing: names of files may hold its marks."""
    for mark in "\\`*_<[":
        text = text.replace(mark, f"\\{mark}")
    return text
