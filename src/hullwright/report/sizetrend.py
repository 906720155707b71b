"""How an image's figures moved over the history, with the budgets that limit them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.plots.trend import Limit, Line, Run, Trend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.history import Record
    from hullwright.plots.trend import Mark
    from hullwright.sizes import ImageSizes

_LINES: Final[Sequence[tuple[str, str, Mark]]] = (
    ("unpacked", "unpacked_bytes", "circle"),
    ("compressed", "compressed_bytes", "square"),
    ("visible", "visible_bytes", "diamond"),
)
# One point is no trend.
_LEAST: Final = 2
_VERSION_LETTERS: Final = 18


def trend(image: ImageSizes, records: Sequence[Record]) -> Trend | None:
    """Return the trend of one platform of an image; None where fewer than two runs measured it.

    Args:
        image: as it is now; its budgets are drawn.
        records: of kind `sizes`, the newest first.
    """
    found = [(record, row) for record in reversed(records) for row in _rows(record, image)]
    if len(found) < _LEAST:
        return None
    lines = _lines([row for _, row in found])
    return Trend(
        f"{image.subject.service or _repository(image.subject.reference)} "
        f"{image.figures.platform} over {len(found)} runs",
        tuple(_run(record, row) for record, row in found),
        lines,
        _text,
        tuple(_limits(image)),
    )


def _lines(rows: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    """Return the lines that say anything; two that would hide each other are one."""
    lines: dict[tuple[float | None, ...], Line] = {}
    for name, key, mark in _LINES:
        values = tuple(_figure(row, key) for row in rows)
        first = lines.get(values)
        if first is not None:
            lines[values] = replace(first, name=f"{first.name} and {name}")
        elif any(value is not None for value in values):
            lines[values] = Line(name, values, mark)
    return tuple(lines.values())


def _rows(record: Record, image: ImageSizes) -> Sequence[Mapping[str, Any]]:
    """Return what a record says of an image: of its service and stage, or of its repository."""
    rows = record.data.get("images")
    if not isinstance(rows, list):
        return []
    return [row for row in rows if isinstance(row, dict) and _is_like(row, image)][:1]


def _is_like(row: Mapping[str, Any], image: ImageSizes) -> bool:
    subject = image.subject
    if row.get("platform") != image.figures.platform:
        return False
    if subject.service:
        named = row.get("service") or "", row.get("target") or ""
        return named == (subject.service, subject.target)
    return not row.get("service") and (
        _repository(str(row.get("reference"))) == _repository(subject.reference)
    )


def _repository(reference: str) -> str:
    """Return a reference without its tag and digest; a path of a file is none, and stays."""
    name = reference.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _figure(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else None


def _run(record: Record, row: Mapping[str, Any]) -> Run:
    version = record.version.partition("+")[0]
    if len(version) > _VERSION_LETTERS:
        version = f"{version[: _VERSION_LETTERS - 1]}…"
    compared = row.get("compared")
    cause = compared.get("cause") if isinstance(compared, dict) else None
    told = [f"{record.at:%Y-%m-%d %H:%M} UTC", str(row.get("reference") or ""), str(cause or "")]
    detail = "\n".join(text for text in told if text)
    label = version or f"{record.at:%m-%d %H:%M}"
    return Run(label, detail, failed=row.get("verdict") == "fail")


def _limits(image: ImageSizes) -> list[Limit]:
    drawn = {name for name, _, _ in _LINES}
    limits = []
    for budget in image.budgets:
        if budget.metric not in drawn:
            continue
        if budget.soft is not None:
            limits.append(Limit(f"{budget.metric} soft", budget.soft, "soft"))
        if budget.hard is not None:
            limits.append(Limit(f"{budget.metric} hard", budget.hard, "hard"))
    return limits


def _text(value: float) -> str:
    return size_text(round(value))
