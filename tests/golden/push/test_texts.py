"""The texts of pushes: plans and reports, as `NAME.txt`, `NAME.md` and `NAME.json` hold them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from goldens import goldens
from hullwright.build import BuildReport, Failure, TargetResult
from hullwright.config.models import Budget
from hullwright.push import (
    Checked,
    Content,
    Gate,
    Left,
    Move,
    MovePlan,
    MoveReport,
    PlannedImage,
    Pushed,
    PushPlan,
)
from hullwright.push.signing import Signed
from hullwright.report import build as build_report
from hullwright.report import push as report
from hullwright.sizes import Figures, ImageSizes, LayerSize, Subject
from hullwright.sizes.budgets import judge

HERE: Final = Path(__file__).parent
HOST: Final = "registry.example.com/team"
NAMES: Final = ("api", "presence-service")


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


DIGESTS: Final = dict(zip(NAMES, (digest("a"), digest("b")), strict=True))
OLD: Final = digest("0")
PLAN: Final = PushPlan(
    tuple(
        PlannedImage(name, "production", f"{HOST}/{name}", ("1.4.1", "sha-1a2b3c4"), ("1.4", "1"))
        for name in NAMES
    ),
    (("scripts/scan", "--severity", "high or worse"),),
    ("provenance",),
    {"api": ("unpacked", "layers")},
    "env:RELEASE_KEY",
)
API, PRESENCE = (f"{HOST}/{name}" for name in NAMES)
A, B = DIGESTS.values()
MOVES: Final = (
    Move(API, "1.4.1", A, "fixed"),
    Move(API, "sha-1a2b3c4", A, "fixed", A),
    Move(PRESENCE, "1.4.1", B, "fixed"),
    Move(API, "1.4", A, "moving", OLD),
    Move(API, "1", A, "moving", OLD),
    Move(PRESENCE, "1.4", B, "moving", OLD),
    Move(PRESENCE, "1", B, "moving", OLD),
)
STAGED: Final = tuple(
    Content(
        name, "production", f"{HOST}/{name}", DIGESTS[name], "f" * 64, ("linux/amd64",), "1.4.1"
    )
    for name in NAMES
)
CHECKED: Final = tuple(
    Checked(content, "an/index", {"linux/amd64": digest("c"), "linux/arm64": digest("d")})
    for content in STAGED
)
BUILT: Final = BuildReport(
    (
        TargetResult(
            *("api", "production", ("linux/amd64",), f"{HOST}/api:1.4.1", "built", DIGESTS["api"]),
            seconds=12.4,
            version="1.4.1",
        ),
        TargetResult(
            *("presence-service", "production", ("linux/amd64",), f"{HOST}/presence-service:1.4.1"),
            *("current", DIGESTS["presence-service"]),
            reason="inputs unchanged since 1.4.0",
            version="1.4.1",
        ),
    ),
    12.6,
)
STAYING: Final = dict.fromkeys(
    ("a:hullwright-1", "b:hullwright-2"),
    "this registry removes no single tags, and a digest would take the release with it",
)
DONE: Final = Pushed(
    PLAN,
    "1.4.1",
    "1a2b3c4d" * 5,
    STAGED,
    CHECKED,
    (Gate("scripts/scan --severity 'high or worse'", 3.2),),
    MoveReport(tuple(m for m in MOVES if not m.done), tuple(m for m in MOVES if m.done), 0.042),
    seconds=17.3,
)
LEFT: Final = replace(
    DONE,
    moves=MoveReport(
        unchanged=tuple(m for m in MOVES if m.done),
        window_s=0.03,
        restored=MOVES[3:5],
        deleted=MOVES[:1],
        left=(Left(MOVES[2], "the registry deletes no single tags"),),
        failure="registry.example.com does not let ci push to team/api\n  said  denied: frozen",
    ),
)
FAILED: Final = BuildReport(
    (
        replace(
            BUILT.targets[0],
            status="failed",
            digest="",
            failure=Failure("step 2 of 3: RUN make", "", "exit code: 2", ("no rule",)),
        ),
        BUILT.targets[1],
    ),
    3.0,
)
PART: Final = replace(PLAN, part="linux/arm64", gates=(), budgets={})
JOINED: Final = BuildReport(
    (
        replace(BUILT.targets[0], status="joined", reason="of linux/amd64, linux/arm64"),
        BUILT.targets[1],
    ),
    0.3,
)
SIGNED: Final = tuple(
    Signed(one.reference, "env:RELEASE_KEY", already=one.status == "current", seconds=0.84)
    for one in STAGED
)
SHOWN: Final[dict[str, report.Shown]] = {
    "part": (BUILT, {}, replace(DONE, plan=PART, gates=(), moves=None), ()),
    "joined": (JOINED, {}, DONE, ()),
    "done": (BUILT, {}, DONE, ()),
    "signed": (BUILT, {}, replace(DONE, signed=SIGNED), ()),
    "staging-left": (BUILT, {}, replace(DONE, staging_left=STAYING), ()),
    "moving-failed": (BUILT, {}, LEFT, ()),
    "interrupted": (BUILT, {}, replace(DONE, moves=MoveReport(interrupted=True)), ()),
}
LAYER: Final = LayerSize(digest("e"), digest("f"), 40_000_000, 148_000_000, "COPY a /", "own")
FIGURES: Final = Figures("linux/amd64", digest("c"), 40_000_000, 148_000_000, (LAYER,))
LIMITS: Final = (Budget("unpacked", hard=140_000_000), Budget("layers", soft=1))
LIMITED: Final = ImageSizes(
    Subject(f"{API}@{A}", "api", "production", A), FIGURES, judge(LIMITS, FIGURES)
)
REFUSED: Final[report.Shown] = (
    BUILT,
    {},
    replace(
        DONE,
        gates=(),
        moves=None,
        refusal="api linux/amd64 is over its hard budget by 8.0 MB unpacked, so no release tag was "
        "changed",
    ),
    (LIMITED,),
)
UNBUILT: Final[report.Shown] = (FAILED, {}, Pushed(PLAN, "1.4.1", staged=STAGED[1:]), ())

held = goldens(HERE)


@pytest.mark.parametrize("name", SHOWN)
def test_a_report_reads_as_it_is_kept(name: str) -> None:
    held(f"{name}.txt", report.text(SHOWN[name]))
    held(f"{name}.md", report.markdown(SHOWN[name]))


@pytest.mark.parametrize("name", ["done", "signed", "moving-failed", "part"])
def test_the_machine_form_is_as_it_is_kept(name: str) -> None:
    told = report.as_json(SHOWN[name])
    # Builds have a form of their own.
    assert told.pop("build")["schema"] == 1
    held(f"{name}.json", json.dumps(told, indent=2))


def test_the_plan_of_a_part_names_no_tags() -> None:
    held("plan-of-a-part.txt", PART.text())


def test_a_part_that_failed_is_made_again_as_a_part() -> None:
    failed = replace(UNBUILT[2], plan=PART)
    told = report.text((FAILED, {}, failed, ()))
    assert "again with: invoke push --part --platform linux/arm64" in told
    assert "no release tag was changed" in told
    assert report.reason((FAILED, {}, failed, ())).startswith("not built: api")


def test_a_refused_push_is_told_to_machines_with_what_it_was_refused_for() -> None:
    told = report.as_json(REFUSED)
    del told["build"]
    held("refused.json", json.dumps(told, indent=2))
    last = "no release tag was changed · 2 of 2 wait in the registry"
    assert report.markdown(REFUSED).endswith(f"\n\n✗ {REFUSED[2].refusal}\n\n{last}")
    assert report.text(REFUSED).endswith(f"\n\n✗ {REFUSED[2].refusal}\n\n{last}")
    assert report.reason(REFUSED) == REFUSED[2].refusal


def test_the_plan_of_a_push_reads_as_it_is_kept() -> None:
    held("plan.txt", PLAN.text())


def test_the_plan_of_moves_reads_as_it_is_kept() -> None:
    held("moves.txt", MovePlan(MOVES).text())


def test_after_a_failed_build_its_report_comes_first() -> None:
    last = "no release tag was changed · 1 of 2 wait in the registry for the others"
    built, again = (FAILED, UNBUILT[1]), "invoke push --failed"
    assert report.text(UNBUILT) == f"{build_report.text(built, again=again)}\n\n{last}"
    assert report.markdown(UNBUILT) == f"{build_report.markdown(built, again=again)}\n\n{last}"
    assert f"again with: {again}" in report.text(UNBUILT)
    told = report.as_json(UNBUILT)
    assert (told["pushed"], told["tags"], told["window_seconds"]) == (False, [], None)
    assert [image["service"] for image in told["staged"]] == ["presence-service"]


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (UNBUILT, "not built: api; no release tag was changed"),
        (
            SHOWN["moving-failed"],
            "tags were not moved: registry.example.com does not let ci push to team/api",
        ),
        (SHOWN["interrupted"], "tags were not moved: interrupted"),
    ],
)
def test_an_annotation_is_one_line(shown: report.Shown, reason: str) -> None:
    assert report.reason(shown) == reason
