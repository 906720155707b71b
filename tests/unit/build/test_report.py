"""What a person reads of a build: reasons, differences, emulation, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hullwright.build import (
    BuildPlan,
    BuildReport,
    Decision,
    EmulatedStep,
    Failure,
    PlannedTarget,
    TargetResult,
)
from hullwright.report import build as report
from hullwright.sizes import Figures
from hullwright.tools.buildx import BakeTarget

NEW: Final = f"sha256:{'a' * 64}"
OLD: Final = f"sha256:{'b' * 64}"
API: Final = TargetResult(
    *("api", "production", ("linux/amd64", "linux/arm64"), "r.example/api:1.4.1", "built"),
    digest=NEW,
    seconds=12.4,
    steps=14,
    cached_steps=9,
    version="1.4.1",
    fingerprint="f" * 64,
    changes=("src/app.py changed",),
    emulated=(EmulatedStep("step 3 of 9: RUN make", "linux/arm64", 9.81),),
    stored=True,
    before=OLD,
)
PRESENCE: Final = TargetResult(
    *("presence", "production", ("linux/amd64",), "r.example/presence:1.4.0", "current"),
    digest=OLD,
    version="1.4.0",
    reason="inputs unchanged since 1.4.0",
    stored=True,
)
WORKFLOW: Final = replace(
    API,
    service="workflow",
    status="failed",
    digest="",
    seconds=3.1,
    failure=Failure("step 8 of 14: RUN go build", "linux/amd64", "exit code: 1", ("undefined: x",)),
    emulated=(),
)
GATEWAY: Final = replace(
    API,
    service="gateway",
    status="skipped",
    digest="",
    reason="needs workflow, which failed",
    emulated=(),
    seconds=0.0,
)


def figures(digest: str, unpacked: int) -> Figures:
    return Figures("linux/amd64", digest, 3_100_000, unpacked, ())


def test_a_line_says_what_became_of_each_and_the_last_what_to_do() -> None:
    made = BuildReport((API, PRESENCE, WORKFLOW, GATEWAY), 14.9, "go build, api, 9.8 s")
    sizes = {NEW: (figures(NEW, 7_912_000),), OLD: (figures(OLD, 7_900_000),)}
    told = "9 of 14 steps cached  7.9 MB unpacked  3.1 MB compressed  +12.0 kB"
    assert report.text((made, sizes)).splitlines() == [
        "4 services × production × linux/amd64, linux/arm64  1.4.1",
        "",
        f"  ✓  api production       built    12.4 s  {told}",
        "      r.example/api:1.4.1   sha256:aaaaaaaaaaaa",
        "  ✓  presence production  current          inputs unchanged since 1.4.0",
        "  ✗  workflow production  failed    3.1 s  step 8 of 14: RUN go build   (linux/amd64)",
        "        undefined: x",
        "        exit code: 1",
        "  ·  gateway production   skipped          needs workflow, which failed",
        "",
        "emulated  api production  step 3 of 9: RUN make  linux/arm64  9.8 s",
        "",
        "2 of 4 in 14.9 s · longest step: go build, api, 9.8 s · again with: invoke build --failed",
    ]


def test_an_image_that_did_not_grow_says_so() -> None:
    sizes = {NEW: (figures(NEW, 5),), OLD: (figures(OLD, 5),)}
    assert report.text((BuildReport((API,), 1.0), sizes)).splitlines()[2].endswith("±0")
    smaller = {NEW: (figures(NEW, 5),), OLD: (figures(OLD, 2005),)}
    assert report.text((BuildReport((API,), 1.0), smaller)).splitlines()[2].endswith("-2.0 kB")


def test_sizes_of_another_platform_are_not_compared() -> None:
    other = Figures("linux/arm64", OLD, 1, 1, ())
    sizes = {NEW: (figures(NEW, 5),), OLD: (other,)}
    assert report.text((BuildReport((API,), 1.0), sizes)).splitlines()[2].endswith("compressed")


def test_where_all_is_current_nothing_was_built() -> None:
    made = BuildReport((PRESENCE, replace(PRESENCE, service="x")), 0.1)
    assert report.text((made, {})).splitlines()[-1] == "all 2 are current: nothing was built"
    alone = report.text((BuildReport((PRESENCE,), 0.1), {})).splitlines()
    assert alone[-1] == "it is current: nothing was built"
    # Of one image people want to know its name.
    assert alone[3] == "      r.example/presence:1.4.0   sha256:bbbbbbbbbbbb"


def test_where_there_was_nothing_to_do_the_reason_is_told() -> None:
    made = BuildReport((), 0.0, nothing="nothing failed when it was built last")
    told = "✓ nothing to build: nothing failed when it was built last"
    assert report.text((made, {})) == told
    assert report.markdown((made, {})) == told
    assert report.as_json((made, {}))["targets"] == []


def test_an_interrupted_build_says_so_first() -> None:
    made = BuildReport((API, replace(GATEWAY, reason="interrupted")), 3.0, interrupted=True)
    last = report.text((made, {})).splitlines()[-1]
    assert last == "interrupted · 1 of 2 in 3.0 s · again with: invoke build --failed"
    assert report.as_json((made, {}))["interrupted"]


def test_machines_get_changes_and_emulated_steps() -> None:
    (target,) = report.as_json((BuildReport((API,), 1.0), {}))["targets"]
    assert target["changes"] == ["src/app.py changed"]
    assert target["emulated"] == [
        {"step": "step 3 of 9: RUN make", "platform": "linux/arm64", "seconds": 9.81}
    ]
    keys = ["service", "target", "platforms", "reference", "digest", "status", "seconds", "steps"]
    assert list(target)[:10] == [*keys, "cached_steps", "reason"]
    summary = report.markdown((BuildReport((API,), 1.0), {}))
    assert "- emulated api production step 3 of 9: RUN make" in summary


def test_each_decision_is_explained_with_what_differs() -> None:
    def planned(name: str, decision: Decision, *, asked: bool = True) -> PlannedTarget:
        bake = BakeTarget(name, ".", "Dockerfile")
        return PlannedTarget(
            name, "", f"{name}:1", (), "1", "", bake, asked=asked, decision=decision
        )

    changed = Decision("build", "a.py changed, and 1 more", ("a.py changed", "b.py added"))
    there = Decision("current", "inputs unchanged since 1.4.0")
    plan = BuildPlan((planned("api", changed), planned("presence", there, asked=False)))
    assert report.why(plan).splitlines() == [
        "api       build    a.py changed, and 1 more",
        "    a.py changed",
        "    b.py added",
        "presence  current  inputs unchanged since 1.4.0   (another one needs it)",
    ]


def test_a_plan_says_how_many_are_built_and_what_is_there() -> None:
    bake = BakeTarget("a", ".", "Dockerfile")
    one = PlannedTarget("a", "", "a:2", (), "2", "", bake)
    there = replace(
        one,
        decision=Decision(
            "current", "inputs unchanged since 1", reference="a:1", digest="sha256:x"
        ),
    )
    assert BuildPlan((one, one)).text().startswith("build 2 in one bake run\n")
    assert (
        BuildPlan((one, one, there), jobs=1)
        .text()
        .startswith("build 2 one after another · 1 there already\n")
    )
    limited = BuildPlan((one, one, one), jobs=2, fail_fast=True, notes=("a note",))
    assert limited.text().startswith("build 3 at most 2 at once · stop at the first failure\n")
    assert limited.text().endswith("\nnote: a note")
    reading = replace(limited, ca_bundle="/ca.pem", allow=("fs.read=/ca.pem",)).text()
    assert "\nevery build may read the certificates of /ca.pem\n" in reading
    assert "\nbake is allowed fs.read=/ca.pem\n" in reading
    nothing = BuildPlan((there,), ca_bundle="/ca.pem", allow=("fs.read=/ca.pem",))
    # What no build will do is not told.
    assert nothing.text().splitlines() == [
        "build nothing: all of it is there already",
        "",
        "a:2",
        "  current    inputs unchanged since 1",
        "  image      a:1@sha256:x",
    ]


def test_a_failure_is_annotated_at_its_line() -> None:
    assert WORKFLOW.failure is not None
    there = replace(WORKFLOW.failure, place="workflow/Dockerfile:21")
    placed = replace(WORKFLOW, failure=there)
    words = "workflow production failed: step 8 of 14: RUN go build: exit code: 1"
    made = BuildReport((API, placed, WORKFLOW, GATEWAY), 1.0)
    assert list(report.annotated(made)) == [
        (words, "workflow/Dockerfile", "21"),
        (words, "", ""),
    ]
    assert "      at     workflow/Dockerfile:21" in report.text((made, {})).splitlines()
    assert report.as_json((made, {}))["targets"][1]["failure"]["place"] == "workflow/Dockerfile:21"


def test_what_several_nodes_keep_is_told_under_its_name_and_where_it_is_once() -> None:
    kept = "kept by builder farm; it comes to the local store with --load"
    parts = (("linux/amd64", NEW), ("linux/arm64", OLD))
    spread = replace(
        API, digest="", reason=kept, emulated=(), nodes=("tcp://a:1", "tcp://b:1"), parts=parts
    )
    assert report.text((BuildReport((spread,), 12.4), {})).splitlines()[3:8] == [
        "      r.example/api:1.4.1   on tcp://a:1, tcp://b:1",
        "      linux/amd64   sha256:aaaaaaaaaaaa",
        "      linux/arm64   sha256:bbbbbbbbbbbb",
        "",
        kept,
    ]
