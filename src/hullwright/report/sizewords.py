"""How figures of images, their limits and their changes are written, in every form of a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hullwright.images import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.sizes import BudgetResult, ImageSizes, LayerSize, SizeReport
    from hullwright.sizes.delta import Comparison, Difference, Growth

MARKS: Final[Mapping[str, str]] = {
    "ok": "✓",
    "warn": "!",
    "fail": "✗",
    "unknown": "?",
    "not applicable": "·",
}
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_DIGEST: Final = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
_STEP_LETTERS: Final = 80
_PATH_LETTERS: Final = 72
_PATH_HEAD: Final = 20
# More images than this with one reason are counted instead of named.
_NAMED: Final = 3
# What own layers or the base change is told of these, in this order.
METRICS: Final = ("compressed", "unpacked", "visible", "on disk", "waste", "layers")


def name(image: ImageSizes) -> str:
    """Return a row's reference, its digest cut, and its platform."""
    return f"{reference(image)} {image.figures.platform}"


def reference(image: ImageSizes) -> str:
    """Return a row's reference; of a digest the beginning is enough for a person."""
    return _DIGEST.sub(r"\1…", image.subject.reference)


def who(image: ImageSizes) -> str:
    """Return what a row is called: its service, or its reference, and its platform."""
    return f"{image.subject.service or reference(image)} {image.figures.platform}"


def step(layer: LayerSize) -> str:
    """Return what made a layer, in one line."""
    words = " ".join((layer.step or layer.created_by).removesuffix("# buildkit").split())
    return _short(words.replace("`", "'"))


def _short(words: str) -> str:
    return words if len(words) <= _STEP_LETTERS else f"{words[: _STEP_LETTERS - 1]}…"


def path(text: str) -> str:
    """Return a path that fits a line: of a long one the beginning and the end, which say most."""
    if len(text) <= _PATH_LETTERS:
        return text
    return f"{text[:_PATH_HEAD]}…{text[len(text) - (_PATH_LETTERS - _PATH_HEAD - 1) :]}"


def figure(metric: str, value: int) -> str:
    """Return a figure with its unit; layers are counted."""
    return str(value) if metric == "layers" else size_text(value)


def change(metric: str, value: int | None) -> str:
    """Return by how much a figure changed: `+31.4 MB`, `-12.0 kB`, `±0`."""
    if value is None:
        return "unknown"
    return f"{'+' if value > 0 else ''}{figure(metric, value)}" if value else "±0"


def share(value: float | None) -> str:
    """Return a ratio as per cent; nothing where it is not known."""
    return "" if value is None else f"{100 * value:.1f} %"


def bar(value: int | None, largest: int, width: int = 24) -> str:
    """Return a bar of at most `width` letters; what is more than 0 is seen."""
    if not value or not largest:
        return ""
    eighths = max(1, round(value / largest * width * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def budget(result: BudgetResult) -> str:
    """Return what a budget says in a line: its mark, the figure, the limits."""
    value = "unknown" if result.value is None else figure(result.metric, result.value)
    told = [f"{name} ≤ {figure(result.metric, limit)}" for name, limit in _limits(result)]
    return f"{MARKS[result.verdict]} {result.metric} {value}  {' · '.join(told)}"


def limits(result: BudgetResult) -> str:
    """Return each limit with its own mark: `own growth ≤ 5.0 MB ✗   hard ≤ 200.0 MB ✓`."""
    return "   ".join(
        f"{name} ≤ {figure(result.metric, limit)} {_held(name, limit, result)}"
        for name, limit in reversed(_limits(result))
    )


def _limits(result: BudgetResult) -> list[tuple[str, int]]:
    named = (
        ("soft", result.soft),
        ("hard", result.hard),
        ("own growth", result.own_growth),
    )
    return [(name, limit) for name, limit in named if limit is not None]


def _held(name: str, limit: int, result: BudgetResult) -> str:
    value = result.growth if name == "own growth" else result.value
    if value is None:
        return "?"
    return "✓" if value <= limit else ("!" if name == "soft" else "✗")


def growth_of(compared: Comparison) -> list[Growth]:
    """Return what is told of a comparison's figures, in one order.

    What is known of neither image, as a registry knows of no disk, is left out.
    """
    told = (each for each in compared.growth if (each.now, each.before) != (None, None))
    by_metric = {each.metric: each for each in told}
    known = [by_metric.pop(metric) for metric in METRICS if metric in by_metric]
    return [*known, *by_metric.values()]


def largest_change(image: ImageSizes) -> int:
    """Return by how much a row changed, whichever way; -1 for one that is not compared."""
    if image.compared is None:
        return -1
    totals = {each.metric: each.total for each in image.compared.growth}
    return abs(totals.get(image.compared.metric) or 0)


def difference(each: Difference) -> tuple[str, str, str]:
    """Return by how much, whose, and what: of a layer, a package or a file that differs."""
    what = path(each.what) if each.what.startswith("/") else _short(each.what)
    name = f"{what} ({each.ecosystem})" if each.ecosystem else what
    note = f"{each.change}, {each.note}" if each.note else each.change
    return change("", each.bytes), each.origin or "", f"{name}  {note}"


def notes(report: SizeReport) -> list[str]:
    """Return why figures are not known, each reason once, and which images are gone."""
    by_reason: dict[str, list[str]] = {}
    for image in report.images:
        if image.figures.problem:
            by_reason.setdefault(image.figures.problem, []).append(name(image))
    lines = [
        f"{whose}: {reason}"
        for reason, names in by_reason.items()
        for whose in _few(names, "images")
    ]
    gone = "recorded by a build, no longer in the local store"
    return [*lines, *(f"{each}: {gone}" for each in report.missing)]


def _few(names: Iterable[str], of: str) -> list[str]:
    unique = list(dict.fromkeys(names))
    return unique if len(unique) <= _NAMED else [f"{len(unique)} {of}"]
