"""Holds what a push has staged against its budgets, before any release tag moves.

Figures are read where that is cheapest: from the cache, the local store, the registry's manifests,
and its layers only where a budget limits what no manifest tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from hullwright.errors import CheckFailedError
from hullwright.images import size_text
from hullwright.run import cache_dir
from hullwright.sizes.budgets import budgets_of, judge, needs_layers
from hullwright.sizes.cache import Cache
from hullwright.sizes.choosing import missing
from hullwright.sizes.measuring import measure
from hullwright.sizes.models import ImageSizes, SizeReport, Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from hullwright.config.models import Budget
    from hullwright.sizes.choosing import Place
    from hullwright.sizes.models import BudgetResult, Figures
    from hullwright.workspace import Workspace

# Where an image is looked for, and whether layers of a registry are read; the cheapest first.
_LOOKS: Final[tuple[tuple[Place, bool], ...]] = (
    ("store", False),
    ("registry", False),
    ("registry", True),
)
_PLACES: Final[tuple[Place, ...]] = ("store", "registry")
_NAMES: Final = {
    "soft": "soft budget",
    "hard": "hard budget",
    "own-growth": "budget of own growth",
}


class Staged(Protocol):
    """What is needed of an image that its registry has and that has no release tag yet."""

    @property
    def service(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def digest(self) -> str: ...


def of_staged(
    ws: Workspace, staged: Iterable[Staged], compared: Collection[str] = ()
) -> SizeReport:
    """Return the figures of staged images, as far as budgets limit them, and what those say.

    Args:
        ws: the repository.
        staged: the images, in their registries.
        compared: digests of those that are going to be compared with an earlier image, so that
            their layers have to be told apart.

    Raises:
        HullwrightError: an image is corrupt, or is not there.
        UnavailableError: a registry or the engine cannot be reached.
    """
    rows: list[ImageSizes] = []
    for image in staged:
        budgets = budgets_of(ws.config, image.service, image.target)
        if budgets:
            subject = Subject(image.reference, image.service, image.target, image.digest)
            rows += (
                replace(row, budgets=judge(budgets, row.figures, row.compared))
                for row in _rows(ws, subject, budgets, compared=image.digest in compared)
            )
    return SizeReport(tuple(rows))


def limits_growth(results: Iterable[Budget | BudgetResult]) -> bool:
    """Return whether a budget limits what a change adds."""
    return any(result.own_growth is not None for result in results)


def hold(report: SizeReport) -> tuple[str, ...]:
    """Return what is to be warned of, where no budget forbids the release.

    Raises:
        CheckFailedError: a limit that fails is exceeded, or could not be judged.
    """
    refused = [(row, result) for row, result in _results(report) if _refuses(result)]
    if not refused:
        return tuple(
            f"{_who(row)} {_sentence(result)}"
            for row, result in _results(report)
            if result.verdict in {"warn", "unknown"}
        )
    row, result = refused[0]
    names = list(dict.fromkeys(_who(row) for row, _ in refused))
    first = f"{names[0]} {_sentence(result)}"
    raise CheckFailedError(
        f"{first if len(refused) == 1 else _several(names)}, so no release tag was changed",
        why=[
            *_all_facts(refused, named=len(names) > 1),
            ("tags", "none was changed; the content stays, so a next push sends none of it"),
        ],
        next_step=f"invoke sizes --deep --service {row.subject.service}   shows what it holds\n"
        f'where it is meant to grow: invoke sizes{_against(refused)} --update-budgets --reason "…"',
    )


def _against(refused: Sequence[tuple[ImageSizes, BudgetResult]]) -> str:
    """Return the flag without which a limit of own growth would not be written anew."""
    asked = {
        row.compared.asked
        for row, result in refused
        if row.compared is not None and result.exceeded == "own-growth"
    }
    return f" --against {min(asked)}" if asked else ""


def _several(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is over several budgets"
    return f"{len(names)} images are over their budgets"


def _results(report: SizeReport) -> Iterator[tuple[ImageSizes, BudgetResult]]:
    return ((row, result) for row in report.images for result in row.budgets)


def _refuses(result: BudgetResult) -> bool:
    # Layers were read, so what is unknown now stays so: such a limit would never be judged.
    limits = (result.hard, result.own_growth)
    return result.verdict == "fail" or (result.verdict == "unknown" and limits != (None, None))


def _who(row: ImageSizes) -> str:
    return f"{row.subject.service} {row.figures.platform}"


def _sentence(result: BudgetResult) -> str:
    if result.over is None:
        return f"cannot be held against its budget: {result.metric} is unknown"
    over = f"{_figure(result, result.over)} {result.metric}"
    if over == "1 layers":
        over = "1 layer"
    return f"is over its {_NAMES[result.exceeded]} by {over}"


def _all_facts(
    refused: Sequence[tuple[ImageSizes, BudgetResult]], *, named: bool
) -> Iterator[tuple[str, str]]:
    """Yield the facts of each image, what they all follow from last."""
    for row in dict.fromkeys(row for row, _ in refused):
        own = [result for each, result in refused if each is row]
        for result in own:
            yield from _facts(result, f"{_who(row)} " if named else "")
        if row.compared is not None:
            yield "against", f"{row.compared.reference} ({row.compared.how})"
            yield "cause", row.compared.cause.removeprefix(f"{_who(row)} ")
        elif {result.metric for result in own} != {"layers"} and (found := _largest(row.figures)):
            yield "largest layer", found


def _facts(result: BudgetResult, whose: str) -> Iterator[tuple[str, str]]:
    name = f"{whose}{result.metric}"
    if result.value is None:
        yield name, result.note
        return
    limits = ((result.soft, "soft"), (result.hard, "hard"))
    told = [f"{word} ≤ {_figure(result, limit)}" for limit, word in limits if limit is not None]
    yield name, " · ".join([_figure(result, result.value), *told])
    if result.growth is not None and result.own_growth is not None:
        limit = f"own growth ≤ {_figure(result, result.own_growth)}"
        yield "own growth", f"{_figure(result, result.growth)} · {limit}"
        if result.note:
            yield "note", result.note


def _largest(figures: Figures) -> str:
    known = [layer for layer in figures.layers if layer.unpacked_bytes]
    if not known:
        return ""
    layer = max(known, key=lambda each: each.unpacked_bytes or 0)
    step = " ".join((layer.step or layer.created_by).removesuffix("# buildkit").split())
    told = f"{size_text(layer.unpacked_bytes or 0)} unpacked  {step}".rstrip()
    return f"{told}  ({layer.origin})" if layer.origin else told


def _figure(result: BudgetResult, value: int) -> str:
    return str(value) if result.metric == "layers" else size_text(value)


def _rows(
    ws: Workspace, subject: Subject, budgets: Sequence[Budget], *, compared: bool
) -> Sequence[ImageSizes]:
    growing = {b.metric for b in budgets if b.own_growth is not None} if compared else set()
    known = Cache(cache_dir(ws.environ)).figures(subject.digest)
    # What grows is compared with an earlier image, layer by layer, so it is measured as that is.
    if known is not None and not growing and not any(needs_layers(budgets, row) for row in known):
        return [ImageSizes(subject, row) for row in known]
    rows: Sequence[ImageSizes] = ()
    # Only the files tell whose the bytes are that a container sees.
    looks = ((place, True) for place in _PLACES) if "visible" in growing else _LOOKS
    for place, deep in looks:
        found = measure(ws, [subject], place=place, deep=deep, skip_missing=True).images
        rows = found or rows
        if found and not any(needs_layers(budgets, row.figures) for row in found):
            return found
    if not rows:
        raise missing(subject, "registry")
    return rows
