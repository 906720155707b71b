"""Verdicts of budgets on figures.

`hard` and `own-growth` fail, `soft` warns. What cannot be judged is `unknown` and never held:
`invoke sizes` warns of it, and a push, which reads what its budgets need, refuses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.sizes.models import BudgetResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.config.models import Budget, Config
    from hullwright.sizes.delta import Comparison
    from hullwright.sizes.models import Figures, Limit, Verdict

# Figures that no manifest tells: the layers have to be read.
_OF_LAYERS: Final = ("unpacked", "visible")
_NO_REFERENCE: Final = "own growth needs a reference: --against REF"


def budgets_of(config: Config, service: str, target: str) -> tuple[Budget, ...]:
    """Return the budgets of a service's stage; those of any but the default one are none.

    Budgets are for what is shipped: a development stage holds tools that production does not.
    """
    configured = config.services.get(service)
    return configured.budgets if configured and target == configured.default_target else ()


def applying(budgets: Sequence[Budget], platform: str) -> tuple[Budget, ...]:
    """Return the budgets of one platform: its own ones stand in place of those of all platforms."""
    own = {budget.metric for budget in budgets if budget.platform == platform}
    return tuple(
        budget
        for budget in budgets
        if budget.platform == platform or (not budget.platform and budget.metric not in own)
    )


def judge(
    budgets: Sequence[Budget], figures: Figures, compared: Comparison | None = None
) -> tuple[BudgetResult, ...]:
    """Return what each budget says of one platform's figures, and of what they grew by."""
    kept = applying(budgets, figures.platform)
    return tuple(_judged(budget, figures, compared) for budget in kept)


def value_of(metric: str, figures: Figures) -> int | None:
    """Return the figure of a metric; None where it is unknown."""
    if metric == "layers":
        return len(figures.layers)
    values = {
        "compressed": figures.compressed_bytes,
        "unpacked": figures.unpacked_bytes,
        "visible": figures.visible_bytes,
    }
    return values[metric]


def needs_layers(budgets: Sequence[Budget], figures: Figures) -> bool:
    """Return whether a budget limits a figure that only reading the layers would tell."""
    return any(
        budget.metric in _OF_LAYERS and value_of(budget.metric, figures) is None
        for budget in applying(budgets, figures.platform)
    )


def _judged(budget: Budget, figures: Figures, compared: Comparison | None) -> BudgetResult:
    value = value_of(budget.metric, figures)
    growth, note = _growth(budget, compared)
    verdict, exceeded = _verdict(budget, value, growth)
    return BudgetResult(
        metric=budget.metric,
        value=value,
        soft=budget.soft,
        hard=budget.hard,
        own_growth=budget.own_growth,
        verdict=verdict,
        note=_unknown(budget, figures) if value is None else note,
        growth=growth,
        exceeded=exceeded,
    )


def _verdict(budget: Budget, value: int | None, growth: int | None) -> tuple[Verdict, Limit]:
    if value is None:
        return "unknown", ""
    if budget.hard is not None and value > budget.hard:
        return "fail", "hard"
    if budget.own_growth is not None and growth is not None and growth > budget.own_growth:
        return "fail", "own-growth"
    if budget.soft is not None and value > budget.soft:
        return "warn", "soft"
    judged = (budget.soft, budget.hard, None if growth is None else budget.own_growth)
    return ("not applicable" if judged == (None, None, None) else "ok"), ""


def _growth(budget: Budget, compared: Comparison | None) -> tuple[int | None, str]:
    """Return what the change adds to a figure, and what is to be said of that."""
    if budget.own_growth is None:
        return None, ""
    if compared is None:
        return None, _NO_REFERENCE
    found = next((each for each in compared.growth if each.metric == budget.metric), None)
    if found is None or found.total is None:
        return None, f"own growth is unknown: {budget.metric} of {compared.reference} is"
    if found.own is None:
        # Own growth cannot be told from the base's, and a limit that is never judged is none.
        return found.total, "nothing tells the base's layers from its own, so all growth counts"
    return found.own, ""


def _unknown(budget: Budget, figures: Figures) -> str:
    return figures.problem or f"{budget.metric} is not known; with --deep the layers are read"
