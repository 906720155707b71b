"""What budgets say of figures: each limit, each platform, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from hullwright.config.models import Budget
from hullwright.sizes.budgets import applying, judge, needs_layers
from hullwright.sizes.delta import Comparison, Growth
from hullwright.sizes.models import Figures, ImageSizes, LayerSize, Subject

LAYER: Final = LayerSize("sha256:a", "sha256:a", 1000, 3000, "COPY a /")
FIGURES: Final = Figures("linux/amd64", "sha256:d", 1000, 3000, (LAYER, LAYER), visible_bytes=2900)
UNREAD: Final = replace(
    FIGURES,
    unpacked_bytes=None,
    visible_bytes=None,
    problem="only the manifest was read; with --deep its layers are",
)


def grown(metric: str, now: int, before: int | None, own: int | None) -> Comparison:
    """Return a comparison in which one figure grew."""
    base = None if own is None or before is None else now - before - own
    growth = (Growth("waste", 0, 0, 0, 0), Growth(metric, now, before, base, own))
    return Comparison(
        "main", "shop/api:main", "registry, tag main", FIGURES, "", "own", growth=growth
    )


@pytest.mark.parametrize(
    ("budget", "verdict", "exceeded", "over"),
    [
        (Budget("unpacked", soft=3000, hard=3000), "ok", "", None),
        (Budget("unpacked", soft=2999, hard=3000), "warn", "soft", 1),
        (Budget("unpacked", soft=2900, hard=2990), "fail", "hard", 10),
        (Budget("compressed", hard=999), "fail", "hard", 1),
        (Budget("visible", hard=2899), "fail", "hard", 1),
        (Budget("visible", hard=2900), "ok", "", None),
        (Budget("layers", hard=1), "fail", "hard", 1),
        (Budget("layers", soft=1, hard=2), "warn", "soft", 1),
        (Budget("layers", hard=0), "fail", "hard", 2),
        (Budget("compressed", hard=1, platform="linux/arm64"), "", "", None),
    ],
)
def test_a_figure_is_held_against_each_limit(
    budget: Budget, verdict: str, exceeded: str, over: int | None
) -> None:
    told = judge([budget], FIGURES)
    assert [(each.verdict, each.exceeded, each.over) for each in told] == (
        [(verdict, exceeded, over)] if verdict else []
    )


def test_a_budget_of_a_platform_replaces_that_of_all_platforms() -> None:
    general, layers = Budget("unpacked", hard=1), Budget("layers", hard=9)
    own = Budget("unpacked", hard=5000, platform="linux/amd64")
    budgets = (general, own, layers)
    assert applying(budgets, "linux/amd64") == (own, layers)
    assert applying(budgets, "linux/arm64") == (general, layers)


@pytest.mark.parametrize(
    ("metric", "now", "before", "own", "over"),
    [
        ("unpacked", 3000, 2000, 500, None),
        ("unpacked", 3000, 2000, 501, 1),
        ("unpacked", 3000, 0, -4, None),
        ("layers", 2, 1, 1, None),
        ("compressed", 1000, 100, 900, 400),
    ],
)
def test_own_growth_leaves_the_part_of_the_base_out(
    metric: str, now: int, before: int, own: int, over: int | None
) -> None:
    budget = Budget(metric, own_growth=500)  # type: ignore[arg-type]  # one of its words
    (told,) = judge([budget], FIGURES, grown(metric, now, before, own))
    assert (told.verdict, told.growth, told.over) == ("fail" if over else "ok", own, over)


def test_where_nothing_tells_the_base_all_growth_counts() -> None:
    budget = Budget("unpacked", own_growth=500)
    (told,) = judge([budget], FIGURES, grown("unpacked", 3000, 2000, None))
    assert (told.verdict, told.growth, told.over) == ("fail", 1000, 500)
    assert "all growth counts" in told.note


@pytest.mark.parametrize("hard", [None, 4000])
def test_without_a_reference_own_growth_says_so(hard: int | None) -> None:
    (told,) = judge([Budget("unpacked", hard=hard, own_growth=1)], FIGURES)
    assert told.verdict == ("ok" if hard else "not applicable")
    assert told.note == "own growth needs a reference: --against REF"


def test_growth_over_what_is_not_known_is_no_growth() -> None:
    budget = Budget("unpacked", own_growth=1)
    (told,) = judge([budget], FIGURES, grown("unpacked", 3000, None, None))
    assert (told.verdict, told.growth) == ("not applicable", None)
    assert told.note == "own growth is unknown: unpacked of shop/api:main is"


def test_what_cannot_be_judged_is_unknown_and_says_what_to_do() -> None:
    budgets = [Budget("unpacked", hard=1), Budget("compressed", hard=1000), Budget("visible")]
    told = judge(budgets, UNREAD)
    assert [each.verdict for each in told] == ["unknown", "ok", "unknown"]
    assert told[0].note == "only the manifest was read; with --deep its layers are"
    (other,) = judge([Budget("visible", hard=1)], replace(UNREAD, problem=""))
    assert other.note == "visible is not known; with --deep the layers are read"
    assert ImageSizes(Subject("a"), UNREAD, told).verdict == "warn"


def test_layers_are_read_where_a_budget_needs_them() -> None:
    assert not needs_layers([Budget("compressed", hard=1), Budget("layers", hard=1)], UNREAD)
    assert needs_layers([Budget("visible", hard=1)], UNREAD)
    assert not needs_layers([Budget("visible", hard=1)], FIGURES)
    assert not needs_layers([Budget("unpacked", hard=1, platform="linux/s390x")], UNREAD)
