"""Verdicts of budgets on figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.sizes.models import BudgetResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.config.models import Budget
    from hullwright.sizes.models import Figures, Verdict


def judge(budgets: Iterable[Budget], figures: Figures) -> tuple[BudgetResult, ...]:
    """Return what each budget says of one platform's figures."""
    return tuple(_judged(budget, figures) for budget in budgets)


def _judged(budget: Budget, figures: Figures) -> BudgetResult:
    value = _value(budget, figures)
    verdict, note = _verdict(budget, value)
    return BudgetResult(
        metric=budget.metric,
        value=value,
        soft=budget.soft,
        hard=budget.hard,
        own_growth=budget.own_growth,
        verdict=verdict,
        note=note or (figures.problem if value is None else ""),
    )


def _verdict(budget: Budget, value: int | None) -> tuple[Verdict, str]:
    if value is None:
        return "unknown", ""
    if budget.hard is not None and value > budget.hard:
        return "fail", ""
    if budget.soft is not None and value > budget.soft:
        return "warn", ""
    # What a change adds can only be told against a reference, and this run compares with none.
    growth = "" if budget.own_growth is None else "own growth needs a reference to compare with"
    if budget.soft is None and budget.hard is None:
        return "not applicable", growth
    return "ok", growth


def _value(budget: Budget, figures: Figures) -> int | None:
    if budget.metric == "compressed":
        return figures.compressed_bytes
    if budget.metric == "unpacked":
        return figures.unpacked_bytes
    # `visible` needs the files by name, which are not kept yet: told as unknown, never guessed.
    return len(figures.layers) if budget.metric == "layers" else None
