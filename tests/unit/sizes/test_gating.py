"""What budgets say of a staged image before its tags move, and what is read for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.config.models import Budget, Config, Service
from hullwright.errors import CheckFailedError, ExitCode, HullwrightError
from hullwright.run import cache_dir
from hullwright.sizes import Figures, ImageSizes, LayerSize, SizeReport, Subject, gating
from hullwright.sizes.budgets import judge
from hullwright.sizes.cache import Cache
from hullwright.sizes.delta import Comparison, Growth
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hullwright.workspace import Workspace

MB: Final = 10**6
DIGEST: Final = f"sha256:{'d' * 64}"
LAYERS: Final = (
    LayerSize(f"sha256:{'a' * 64}", "sha256:a", 20 * MB, 60 * MB, "COPY / /", "base"),
    LayerSize(
        f"sha256:{'b' * 64}", "sha256:b", 9 * MB, 31 * MB, "RUN …  # buildkit", "own", "RUN x"
    ),
)
FIGURES: Final = Figures("linux/amd64", DIGEST, 29 * MB, 91 * MB, LAYERS, visible_bytes=90 * MB)
UNREAD: Final = replace(
    FIGURES, unpacked_bytes=None, visible_bytes=None, problem="only the manifest was read"
)
GROWN: Final = Comparison(
    "release",
    "shop/api:1.4.0",
    "registry, tag 1.4.0",
    FIGURES,
    "api linux/amd64 grew by 31.0 MB unpacked: step RUN x",
    "own",
    growth=(Growth("unpacked", 91 * MB, 60 * MB, 0, 31 * MB),),
)


@dataclass(frozen=True)
class Image:
    service: str
    target: str = ""
    reference: str = f"127.0.0.1:5000/shop/api@{DIGEST}"
    digest: str = DIGEST


def row(
    *budgets: Budget,
    figures: Figures = FIGURES,
    compared: Comparison | None = None,
    at: str = "api",
) -> ImageSizes:
    held = judge(budgets, figures, compared)
    return ImageSizes(Subject(f"shop/{at}", at), figures, held, compared=compared)


def refusal(*rows: ImageSizes) -> str:
    with pytest.raises(CheckFailedError) as refused:
        gating.hold(SizeReport(rows))
    assert refused.value.exit_code == ExitCode.FAILED
    return str(refused.value)


def test_what_holds_says_nothing() -> None:
    assert gating.hold(SizeReport((row(Budget("unpacked", hard=91 * MB)),))) == ()


def test_a_soft_budget_warns() -> None:
    (told,) = gating.hold(SizeReport((row(Budget("unpacked", soft=90 * MB, hard=91 * MB)),)))
    assert told == "api linux/amd64 is over its soft budget by 1.0 MB unpacked"


def test_a_hard_budget_refuses_and_says_why_and_what_next() -> None:
    told = refusal(row(Budget("unpacked", soft=60 * MB, hard=80 * MB)))
    first = "api linux/amd64 is over its hard budget by 11.0 MB unpacked"
    assert told.splitlines() == [
        f"{first}, so no release tag was changed",
        "  unpacked       91.0 MB · soft ≤ 60.0 MB · hard ≤ 80.0 MB",
        "  largest layer  60.0 MB unpacked  COPY / /  (base)",
        "  tags           none was changed; the content stays, so a next push sends none of it",
        "  next           invoke sizes --deep --service api   shows what it holds",
        '                 where it is meant to grow: invoke sizes --update-budgets --reason "…"',
    ]


def test_own_growth_refuses_with_its_cause() -> None:
    told = refusal(row(Budget("unpacked", hard=100 * MB, own_growth=5 * MB), compared=GROWN))
    first = (
        "api linux/amd64 is over its budget of own growth by 26.0 MB unpacked, so no release tag"
    )
    assert told.startswith(first)
    assert told.splitlines()[1:5] == [
        "  unpacked    91.0 MB · hard ≤ 100.0 MB",
        "  own growth  31.0 MB · own growth ≤ 5.0 MB",
        "  against     shop/api:1.4.0 (registry, tag 1.4.0)",
        "  cause       grew by 31.0 MB unpacked: step RUN x",
    ]
    # Growth is limited anew only where it is known.
    assert 'invoke sizes --against release --update-budgets --reason "…"' in told


def test_several_are_told_at_once() -> None:
    told = refusal(row(Budget("layers", hard=1)), row(Budget("compressed", hard=1 * MB), at="web"))
    assert told.startswith("2 images are over their budgets, so no release tag was changed\n")
    assert "api linux/amd64 layers " in told
    assert "web linux/amd64 compressed" in told
    told = refusal(row(Budget("layers", hard=1), Budget("compressed", hard=1)))
    assert told.startswith("api linux/amd64 is over several budgets, so no")
    limits = (Budget("unpacked", own_growth=1), Budget("layers", hard=1))
    assert refusal(row(*limits, compared=GROWN)).count("  cause ") == 1


@pytest.mark.parametrize("budget", [Budget("visible", hard=1), Budget("visible", own_growth=1)])
def test_a_failing_limit_that_cannot_be_judged_refuses(budget: Budget) -> None:
    told = refusal(row(budget, figures=UNREAD))
    first = "api linux/amd64 cannot be held against its budget: visible is unknown, so no release"
    assert told.startswith(first)
    assert "only the manifest was read" in told


def test_a_soft_limit_that_cannot_be_judged_warns() -> None:
    (told,) = gating.hold(SizeReport((row(Budget("visible", soft=1), figures=UNREAD),)))
    assert told == "api linux/amd64 cannot be held against its budget: visible is unknown"


def shop(folder: Path, *budgets: Budget) -> Workspace:
    config = Config(
        "shop", services={"api": Service("api", budgets=budgets), "web": Service("web")}
    )
    return workspace(folder, config, Replay({}))


def test_figures_that_are_known_cost_no_look(tmp_path: Path) -> None:
    ws = shop(tmp_path, Budget("unpacked", hard=80 * MB, own_growth=1))
    Cache(cache_dir(ws.environ)).keep_figures(DIGEST, (FIGURES,))
    found = gating.of_staged(ws, [Image("api"), Image("web"), Image("api", "development")])
    assert [(r.subject.service, r.verdict) for r in found.images] == [("api", "fail")]


@pytest.mark.parametrize(
    ("budget", "looks"),
    [
        (Budget("compressed", hard=30 * MB), [("store", False), ("registry", False)]),
        (
            Budget("unpacked", hard=100 * MB),
            [("store", False), ("registry", False), ("registry", True)],
        ),
    ],
)
def test_layers_of_a_registry_are_read_only_where_a_budget_needs_them(
    budget: Budget, looks: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []

    def measured(
        _: Workspace, images: Sequence[Subject], *, place: str, deep: bool, skip_missing: bool
    ) -> SizeReport:
        assert skip_missing
        seen.append((place, deep))
        figures = FIGURES if deep else UNREAD
        return SizeReport(() if place == "store" else (ImageSizes(images[0], figures),))

    monkeypatch.setattr(gating, "measure", measured)
    found = gating.of_staged(shop(tmp_path, budget), [Image("api")])
    assert seen == looks
    assert [r.verdict for r in found.images] == ["ok"]


def test_an_image_that_is_nowhere_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gating, "measure", lambda *_, **__: SizeReport(()))
    with pytest.raises(HullwrightError, match="is not in its registry"):
        gating.of_staged(shop(tmp_path, Budget("layers", hard=1)), [Image("api")])
