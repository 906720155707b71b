"""New budgets: the plan and the file, as golden files hold them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from goldens import goldens
from hullwright.config.load import load
from hullwright.errors import ExitCode, HullwrightError, UsageError
from hullwright.sizes import Figures, ImageSizes, LayerSize, SizeReport, Subject, updating
from hullwright.sizes.budgets import judge
from hullwright.sizes.delta import Comparison, Growth
from replaying import workspace

if TYPE_CHECKING:
    from hullwright.workspace import Workspace

HERE: Final = Path(__file__).parent
DAY: Final = date(2026, 11, 21)
MB: Final = 10**6
LAYER: Final = LayerSize("sha256:a", "sha256:a", None, None, "COPY a /")
FIGURES: Final = Figures(
    "linux/amd64",
    "sha256:d",
    29 * MB,
    91 * MB,
    (LAYER, LAYER),
    visible_bytes=6_280_000,
)
OTHER: Final = replace(FIGURES, platform="linux/arm64", unpacked_bytes=90_500_000)
GROWN: Final = Comparison(
    *("main", "api:main", "registry", FIGURES, "it grew", "own"),
    growth=(Growth("unpacked", 91 * MB, 60 * MB, 0, 31 * MB),),
)

held = goldens(HERE, end="")


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """Return a repository with the budgets of the golden file."""
    before = (HERE / "budgets-before.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(before, encoding="utf-8")
    return workspace(tmp_path, load(tmp_path, {}))


def report(ws: Workspace, *figures: Figures, compared: Comparison | None = None) -> SizeReport:
    """Return a row for each service and platform."""
    return SizeReport(
        tuple(
            ImageSizes(
                Subject(name, name),
                each,
                judge(service.budgets, each, compared),
                compared=compared if name == "api" else None,
            )
            for name, service in ws.config.services.items()
            for each in figures
        )
    )


def plan(ws: Workspace, measured: SizeReport, reason: str = "models") -> updating.UpdatePlan:
    return updating.plan(ws, measured, reason=reason, day=DAY)


def test_what_is_exceeded_is_written_and_nothing_else_changes(shop: Workspace) -> None:
    measured = report(shop, FIGURES, OTHER, compared=GROWN)
    made = plan(shop, measured, "the models\n are\tlarger")
    held("budgets-plan.txt", f"{made.text()}\n")
    updating.execute(shop, made)
    path = shop.root / "pyproject.toml"
    held("budgets-after.toml", path.read_text(encoding="utf-8"))
    # By the file that was written, everything that was measured is within budget.
    again = workspace(shop.root, load(shop.root, {}))
    rows = report(again, FIGURES, OTHER, compared=GROWN)
    assert {row.verdict for row in rows.images} == {"ok"}
    assert plan(again, rows).changes == ()
    assert made.as_values()["changes"][0] == {
        "service": "api",
        "metric": "unpacked",
        "platform": None,
        "limit": "soft",
        "measured": 91 * MB,
        "before": 85 * MB,
        "after": 96 * MB,
    }


def test_what_holds_is_left_alone(shop: Workspace) -> None:
    small = replace(FIGURES, compressed_bytes=1, unpacked_bytes=1, visible_bytes=1, layers=(LAYER,))
    made = plan(shop, report(shop, small))
    # Nothing was compared, so a limit of own growth is not said to hold.
    first, second = made.text().splitlines()
    assert first.startswith("every budget that could be judged holds, so nothing is written to ")
    reason = "own growth needs a reference: --against REF"
    assert second == f"  api linux/amd64 unpacked: {reason}, so its limit stays"
    same = replace(GROWN, growth=(Growth("unpacked", 1, 1, 0, 0),))
    compared = plan(shop, report(shop, small, compared=same))
    assert compared.text() == "every budget holds, so nothing is written to pyproject.toml"
    before = (shop.root / "pyproject.toml").stat().st_mtime_ns
    updating.execute(shop, made)
    assert (shop.root / "pyproject.toml").stat().st_mtime_ns == before


def test_a_soft_limit_stays_below_a_hard_one_that_holds(shop: Workspace) -> None:
    (change,) = [each for each in plan(shop, report(shop, FIGURES)).changes if each.service == "db"
                 and each.metric == "unpacked"]  # fmt: skip
    # A twentieth more would be 96 MB, above the hard limit, which holds.
    assert (change.key, change.written) == ("soft", "92MB")


def test_what_is_not_known_stays_and_is_told(shop: Workspace) -> None:
    unread = replace(FIGURES, unpacked_bytes=None, visible_bytes=None)
    made = plan(shop, report(shop, unread))
    assert "  db linux/amd64 visible is not known, so its budget stays" in made.text().splitlines()
    assert {change.service for change in made.changes} == {"web"}


@pytest.mark.parametrize(
    ("figure", "hard", "soft"),
    [
        (91 * MB, "110MB", "96MB"),
        (148_000_000, "170MB", "160MB"),
        (6_280_000, "7MB", "6.6MB"),
        (1_234, "1.4kB", "1.3kB"),
        (95, "110B", "100B"),
        (3 * 10**9, "3.3GB", "3.2GB"),
    ],
)
def test_a_limit_is_the_figure_and_some_headroom(
    shop: Workspace, figure: int, hard: str, soft: str
) -> None:
    service = shop.config.services["db"]
    budget = replace(service.budgets[1], soft=1, hard=1)
    config = replace(shop.config, services={"db": replace(service, budgets=(budget,))})
    ws = workspace(shop.root, config)
    made = plan(ws, report(ws, replace(FIGURES, unpacked_bytes=figure)))
    assert [(each.key, each.written) for each in made.changes] == [("soft", soft), ("hard", hard)]


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_is_wanted(shop: Workspace, reason: str) -> None:
    with pytest.raises(UsageError, match="--update-budgets needs a reason") as refused:
        plan(shop, report(shop, FIGURES), reason)
    assert refused.value.exit_code == ExitCode.USAGE


def test_a_file_that_was_changed_meanwhile_is_not_written(shop: Workspace) -> None:
    made = plan(shop, report(shop, FIGURES))
    path = shop.root / "pyproject.toml"
    path.write_text(f"{made.content}# mine\n", encoding="utf-8")
    with pytest.raises(HullwrightError, match="was changed while images were measured"):
        updating.execute(shop, made)
    assert path.read_text(encoding="utf-8").endswith("# mine\n")


def test_a_budget_that_does_not_stand_in_the_file_is_said(shop: Workspace) -> None:
    made = plan(shop, report(shop, FIGURES))
    with pytest.raises(HullwrightError, match="the budget unpacked of api does not stand") as said:
        updating.edited(replace(made, content='[tool.hullwright]\nproject = "shop"\n'))
    assert "services.api in [tool.hullwright]" in str(said.value)
    assert said.value.exit_code == ExitCode.FAILED


def test_a_file_of_our_own_has_the_same_tables_at_its_top(tmp_path: Path) -> None:
    file = tmp_path / "hullwright.toml"
    text = '[services.api]\nbudgets = [{ metric = "unpacked", hard = "1MB" }] # why: few\n'
    file.write_text(text, encoding="utf-8")
    ws = workspace(tmp_path, load(tmp_path, {}))
    updating.execute(ws, plan(ws, report(ws, FIGURES)))
    assert file.read_text(encoding="utf-8") == text.replace("1MB", "110MB")
