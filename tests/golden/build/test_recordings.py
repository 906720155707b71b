"""What real bakes said, played back: `NAME.jsonl` is a recording, `NAME.txt` is the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from goldens import goldens
from hullwright import build
from hullwright.build import BuildPlan, BuildReport, PlannedTarget
from hullwright.build.emulation import host as own_host
from hullwright.recorded import load
from hullwright.report import build as report
from hullwright.sizes import Figures
from hullwright.tools.buildx import BakeTarget
from replaying import Replay, workspace

HERE: Final = Path(__file__).parent
# The recordings were made on such a machine, and the explanations name it.
HOST: Final = "linux/amd64"
# Each with the targets of its bake and the platforms that were asked for.
FAILED: Final = {
    "cancelled": (("production", "broken", "slow"), ()),
    "certificate": (("certificate",), ()),
    "denied": (("denied",), ()),
    "format": (("format",), ()),
    "format-s390x": (("format",), ("linux/s390x",)),
    "full": (("full",), ()),
    "nobase": (("nobase",), ()),
    "noprog": (("noprog",), ()),
    "uncopied": (("uncopied",), ()),
}
BUILT: Final = {
    "built": (("production", "other"), ()),
    "cached": (("production", "other"), ()),
    "two-platforms": (("multi",), ("linux/amd64", "linux/arm64")),
}

held = goldens(HERE)


def planned(stage: str, platforms: tuple[str, ...]) -> PlannedTarget:
    reference = f"shop:1.2.3-{stage}"
    bake = BakeTarget(stage, ".", "Dockerfile", stage, (reference,), platforms)
    return PlannedTarget("shop", stage, reference, platforms, "1.2.3", "0" * 40, bake)


def played(
    name: str, stages: tuple[str, ...], platforms: tuple[str, ...], root: Path
) -> BuildReport:
    """Return the report of a recording."""
    metadata = HERE / "recordings" / f"{name}.metadata.json"
    said = (HERE / "recordings" / f"{name}.jsonl").read_text(encoding="utf-8")
    runner = Replay(
        {},
        lines=tuple(said.splitlines()),
        code=int(name in FAILED),
        metadata=metadata.read_text(encoding="utf-8") if metadata.exists() else "",
    )
    # What was cancelled would go again in a run that nobody recorded.
    plan = BuildPlan(tuple(planned(stage, platforms) for stage in stages), fail_fast=True)
    return replace(build.execute(workspace(root, runner=runner), plan), seconds=1.25)


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explain as on the machine of the recordings."""
    assert own_host().startswith("linux/")
    monkeypatch.setattr("hullwright.build.emulation.host", lambda: HOST)


@pytest.mark.parametrize("name", sorted(FAILED | BUILT))
def test_a_recorded_bake_is_reported(name: str, tmp_path: Path) -> None:
    made = played(name, *(FAILED | BUILT)[name], tmp_path)
    assert made.failed == (name in FAILED)
    held(f"{name}.txt", report.text((made, {})))


def test_only_what_was_built_is_recorded_though_the_run_failed(tmp_path: Path) -> None:
    made = played("cancelled", *FAILED["cancelled"], tmp_path)
    assert [target.status for target in made.targets] == ["built", "failed", "skipped"]
    recorded = load(workspace(tmp_path))
    assert set(recorded) == {("shop", "production")}
    assert recorded["shop", "production"].digest == made.targets[0].digest != ""


def test_an_image_of_several_platforms_is_recorded_by_its_index(tmp_path: Path) -> None:
    made = played("two-platforms", *BUILT["two-platforms"], tmp_path)
    metadata = json.loads(
        (HERE / "recordings" / "two-platforms.metadata.json").read_text(encoding="utf-8")
    )
    assert made.targets[0].digest == metadata["multi"]["containerimage.digest"]
    assert load(workspace(tmp_path))["shop", "multi"].platforms == ("linux/amd64", "linux/arm64")


def test_machines_and_pull_requests_get_the_same_report(tmp_path: Path) -> None:
    made = played("cancelled", *FAILED["cancelled"], tmp_path)
    built = made.targets[0].digest
    figures = {built: (Figures("linux/amd64", built, 1_083_455, 1_982_256, ()),)}
    held("cancelled.md", report.markdown((made, figures)))
    held("cancelled.json", json.dumps(report.as_json((made, figures)), indent=2))
