"""Sizes as one HTML page: a treemap of each image, the trend over the history, and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.plots.page import Page
from hullwright.plots.page import html as page_html
from hullwright.plots.table import Table
from hullwright.plots.treemap import Part, Treemap, leading
from hullwright.report import sizewords as words
from hullwright.report.sizefolders import tree
from hullwright.report.sizetrend import trend
from hullwright.report.table import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.history import Record
    from hullwright.plots.markup import Figure
    from hullwright.plots.treemap import Hue
    from hullwright.report.sizefolders import Folder
    from hullwright.sizes import ImageSizes, LayerSize, SizeReport

# So many of the newest records are drawn.
RECORDS: Final = 60
# Pictures of more images than these are no longer looked at; tables have them all.
_MAPS: Final = 4
_TRENDS: Final = 6
_ROWS: Final = 100
# Types of files by their look; what is hardly needed where it runs is red.
_HUES: Final[Mapping[str, Hue]] = {
    "program": "blue",
    "library": "teal",
    "python": "yellow",
    "bytecode": "orange",
    **dict.fromkeys(("javascript", "java", "perl", "ruby", "script", "web"), "green"),
    **dict.fromkeys(("documentation", "locale", "font", "image"), "purple"),
    **dict.fromkeys(("debug", "static library", "source", "source map"), "red"),
}
_OTHER: Final[Hue] = "grey"
_LAYER_HUES: Final[Sequence[Hue]] = (
    "blue",
    "green",
    "orange",
    "purple",
    "yellow",
    "teal",
    "red",
    "grey",
)
_PALE: Final = ("pale", "paler: from the base image")


def html(report: SizeReport, records: Sequence[Record], *, title: str) -> str:
    """Return the page of sizes.

    Args:
        report: what was measured; after a deep look treemaps show files, else layers.
        records: of earlier runs, the newest first; this run's too where it left one.
        title: heading of the page.
    """
    largest = sorted(report.images, key=lambda image: -_weight(image))
    figures: list[Figure] = [_treemap(image) for image in largest[:_MAPS]]
    drawn = [trend(image, records) for image in largest[:_TRENDS]]
    figures += [each for each in drawn if each is not None]
    figures.append(_images(report))
    figures += [table for image in largest[:_MAPS] for table in _tables(image)]
    return page_html(Page(title, tuple(_facts(report, records)), tuple(figures)))


def _weight(image: ImageSizes) -> int:
    figures = image.figures
    return figures.unpacked_bytes or figures.compressed_bytes or 0


def _facts(report: SizeReport, records: Sequence[Record]) -> Iterable[tuple[str, str]]:
    yield "images", str(len(report.images))
    if report.on_disk_bytes is not None:
        yield "together on disk", size_text(report.on_disk_bytes)
    if records:
        yield "newest record", f"{records[0].at:%Y-%m-%d %H:%M} UTC"
        yield "version", records[0].version or "unknown"
    for image in report.images:
        if image.compared is not None:
            yield f"against {image.compared.asked}", image.compared.cause


def _treemap(image: ImageSizes) -> Treemap:
    return _by_layer(image) if image.contents is None else _by_folder(image)


def _by_folder(image: ImageSizes) -> Treemap:
    """Return what a container sees, by folder; the colour is a file's type."""
    contents = image.contents
    seen = contents.seen if contents else ()
    root = tree(seen)
    by_folder = _Parts(image)
    parts = by_folder.of(root)
    legend: dict[Hue, list[str]] = {}
    for kind in by_folder.types():
        legend.setdefault(_hue(kind), []).append(kind if kind in _HUES else "other")
    base = [_PALE] if any(layer.origin == "base" for layer in image.figures.layers) else []
    visible = f"{size_text(root.size_bytes)} visible in {root.files} files"
    note = f"{visible}; within a folder, areas are to scale"
    title = f"{words.name(image)} by folder"
    told = [(hue, ", ".join(dict.fromkeys(kinds))) for hue, kinds in legend.items()]
    return Treemap(title, parts, (*told, *base), note)


class _Parts:
    """Makes parts of folders; counts the types that it meets."""

    def __init__(self, image: ImageSizes) -> None:
        self._image = image
        self._bytes: dict[str, int] = {}

    def types(self) -> list[str]:
        """Return the types of files, what has most bytes first."""
        return sorted(self._bytes, key=lambda kind: -self._bytes[kind])

    def of(self, folder: Folder) -> tuple[Part, ...]:
        """Return a part for all that is in a folder, the largest first."""
        parts = [self._part(each) for each in folder.inside.values() if each.size_bytes]
        return tuple(sorted(parts, key=lambda part: (-part.weight, part.name)))

    def _part(self, folder: Folder) -> Part:
        name = folder.path.rpartition("/")[2]
        # A folder that holds nothing but one folder is one with it.
        while folder.seen is None and len(folder.inside) == 1:
            (folder,) = folder.inside.values()
            name = f"{name}/{folder.path.rpartition('/')[2]}"
        told = size_text(folder.size_bytes)
        if folder.seen is not None and not folder.inside:
            seen = folder.seen
            self._bytes[seen.type] = self._bytes.get(seen.type, 0) + seen.size_bytes
            layer = self._layer(seen.layer)
            pale = layer is not None and layer.origin == "base"
            detail = _lines(seen.type, self._package(seen.package), _place(layer, seen.layer))
            return Part(name, folder.size_bytes, told, _hue(seen.type), pale, detail=detail)
        parts = self.of(folder)
        hue, pale = leading(parts)
        return Part(name, folder.size_bytes, told, hue, pale, parts, f"{folder.files} files")

    def _layer(self, number: int) -> LayerSize | None:
        layers = self._image.figures.layers
        return layers[number] if 0 <= number < len(layers) else None

    def _package(self, number: int) -> str:
        packages = self._image.contents.packages if self._image.contents else ()
        if not 0 <= number < len(packages):
            return ""
        package = packages[number]
        return f"{package.ecosystem} {package.name} {package.version}".rstrip()


def _by_layer(image: ImageSizes) -> Treemap:
    """Return what an image's layers are, where their files were not read."""
    layers = image.figures.layers
    is_known = all(layer.unpacked_bytes is not None for layer in layers)
    name = "unpacked" if is_known else "compressed"
    parts = []
    for number, layer in enumerate(layers):
        value = (layer.unpacked_bytes if is_known else layer.compressed_bytes) or 0
        hue = _LAYER_HUES[number % len(_LAYER_HUES)]
        label = words.step(layer) or f"layer {number + 1}"
        detail = _place(layer, number)
        parts.append(Part(label, value, size_text(value), hue, layer.origin == "base", (), detail))
    shown = tuple(sorted((part for part in parts if part.weight), key=lambda part: -part.weight))
    base = (_PALE,) if any(part.pale for part in shown) else ()
    title = f"{words.name(image)} by layer, {name}"
    note = "" if image.contents else "with --deep it is drawn by folder and file"
    return Treemap(title, shown, base, note)


def _hue(kind: str) -> Hue:
    return _HUES.get(kind, _OTHER)


def _place(layer: LayerSize | None, number: int) -> str:
    if layer is None:
        return ""
    whose = f" of the {layer.origin}" if layer.origin == "base" else ""
    return f"layer {number + 1}{whose}: {words.step(layer)}"


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _images(report: SizeReport) -> Table:
    rows = [
        (
            words.reference(image),
            image.figures.platform,
            bytes_text(image.figures.compressed_bytes),
            bytes_text(image.figures.unpacked_bytes),
            _known(image.figures.visible_bytes),
            _known(image.on_disk_bytes),
            _known(image.figures.waste_bytes),
            words.share(image.figures.efficiency),
            _changed(image),
            "; ".join(words.budget(budget) for budget in image.budgets),
        )
        for image in report.images
    ]
    header = (
        *("image", "platform", "compressed", "unpacked", "visible", "on disk", "waste"),
        *("efficiency", "change", "budgets"),
    )
    return Table("Images", header, tuple(rows), tuple(range(2, 9)))


def _known(value: int | None) -> str:
    return "" if value is None else size_text(value)


def _changed(image: ImageSizes) -> str:
    compared = image.compared
    growth: Any = compared and {each.metric: each for each in compared.growth}.get(compared.metric)
    return words.change(growth.metric, growth.total) if growth else ""


def _tables(image: ImageSizes) -> list[Table]:
    """Return an image's layers, packages, waste and advice, folded."""
    name = words.name(image)
    tables = [_layers(image, name)]
    contents = image.contents
    if contents is None:
        return tables
    wastes = [
        (size_text(each.size_bytes), each.kind, str(each.layer + 1), each.note, each.path)
        for each in contents.waste[:_ROWS]
    ]
    packages = [
        (size_text(each.size_bytes), str(each.files), each.ecosystem, each.version, each.name)
        for each in contents.packages[:_ROWS]
    ]
    advice = [
        (size_text(each.saves_bytes) if each.saves_bytes else "", each.sentence)
        for each in contents.advice
    ]
    tables += [
        Table(f"Advice for {name}", ("saves", "advice"), tuple(advice), (0,)),
        Table(
            f"Waste in {name}",
            ("bytes", "kind", "layer", "why", "path"),
            tuple(wastes),
            (0, 2),
            _more(len(contents.waste)),
            folded=True,
        ),
        Table(
            f"Packages of {name}",
            ("visible", "files", "of", "version", "package"),
            tuple(packages),
            (0, 1),
            _more(len(contents.packages)),
            folded=True,
        ),
    ]
    return [table for table in tables if table.rows]


def _layers(image: ImageSizes, name: str) -> Table:
    rows = [
        (
            str(number),
            bytes_text(layer.compressed_bytes),
            bytes_text(layer.unpacked_bytes),
            layer.origin or "",
            words.step(layer),
        )
        for number, layer in enumerate(image.figures.layers, 1)
    ]
    header = ("layer", "compressed", "unpacked", "of", "step")
    return Table(f"Layers of {name}", header, tuple(rows), (0, 1, 2), folded=True)


def _more(count: int) -> str:
    return f"the {_ROWS} largest of {count}" if count > _ROWS else ""
