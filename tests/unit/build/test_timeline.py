"""When steps ran, what they waited for, and which of them the end waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from hullwright.build.timeline import RecordedRun, Timeline, timeline
from hullwright.report.timeline import html
from hullwright.tools.buildx import Vertex

ORIGIN: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
READING: Final = ("read", "[internal] load local bake definitions", 0.0, 0.1)


def at(seconds: float) -> datetime:
    return ORIGIN + timedelta(seconds=seconds)


def run(
    *steps: tuple[object, ...],
    targets: tuple[str, ...] = ("api", "web"),
    emulated: frozenset[tuple[str, str]] = frozenset(),
) -> RecordedRun:
    """Return a run of steps: digest, name, start, end, inputs, and what else a vertex has."""
    vertexes = {}
    for digest, name, start, end, *rest in steps:
        words = str(name).removeprefix("[").split()[0].rstrip("]")
        target = targets[0] if len(targets) == 1 else words if words in targets else ""
        inputs = tuple(rest[0]) if rest else ()  # type: ignore[arg-type]  # tuples of digests
        more = rest[1] if len(rest) > 1 else {}
        vertexes[target, str(digest)] = Vertex(
            digest=str(digest),
            name=str(name),
            started=None if start is None else at(float(str(start))),
            completed=None if end is None else at(float(str(end))),
            inputs=inputs,
            **more,  # type: ignore[arg-type]  # each test gives what fits
        )
    return RecordedRun(targets, vertexes, emulated)


def path(made: Timeline) -> list[str]:
    return [step.name for step in made.critical_path]


def test_nothing_that_ran_gives_an_empty_timeline() -> None:
    assert timeline([]) == Timeline((), (), 0.0)
    assert timeline([run(("a", "[api 1/1] RUN a", None, None))]) == Timeline((), (), 0.0)
    assert "<h1>empty</h1>" in html(timeline([]), title="empty")


def test_the_path_follows_the_input_that_ended_last() -> None:
    made = timeline(
        [
            run(
                READING,
                ("short", "[api tools 1/1] RUN short", 0.2, 0.5),
                ("long", "[api builder 1/1] RUN long", 0.2, 2.0),
                ("last", "[api 1/1] COPY --from=builder", 2.0, 2.1, ("short", "long")),
                ("out", "[api] exporting to image", 2.2, 3.0),
                ("web", "[web 1/1] RUN web", 0.2, 2.9),
            )
        ]
    )
    assert path(made) == [
        "load local bake definitions",
        "RUN long",
        "COPY --from=builder",
        "exporting to image",
    ]
    assert made.total_s == 3.0
    critical = [step for lane in made.lanes for step in lane.steps if step.critical]
    assert [step.name for step in critical] == path(made)


def test_what_could_have_run_and_did_not_is_told() -> None:
    made = timeline(
        [
            run(
                READING,
                ("one", "[api 1/2] RUN one", 0.1, 1.0),
                ("two", "[api 2/2] RUN two", 3.5, 4.0, ("one",)),
                ("near", "[web 2/2] RUN near", 1.005, 2.0, ("one",)),
            )
        ]
    )
    steps = {step.name: step for lane in made.lanes for step in lane.steps}
    assert steps["RUN two"].waited_s == pytest.approx(2.5)
    assert steps["RUN near"].waited_s == 0
    page = html(made, title="t")
    assert "waited 2.50 s after all that it needs was there" in page
    assert "could have run, and waited" in page


def test_a_sibling_is_waited_for_across_targets() -> None:
    made = timeline(
        [
            run(
                READING,
                ("base", "[api 1/1] RUN base", 0.2, 2.0),
                ("on", "[web 1/1] RUN on", 2.0, 3.0, ("base",)),
            )
        ]
    )
    assert path(made) == ["load local bake definitions", "RUN base", "RUN on"]


def test_runs_that_belong_together_share_one_axis_and_one_path() -> None:
    first = run(READING, ("a", "[api 1/1] RUN a", 0.1, 2.0))
    second = run(
        ("read", "[internal] load local bake definitions", 2.5, 2.6),
        ("b", "[web 1/1] RUN b", 2.7, 5.0),
    )
    made = timeline([first, second])
    assert path(made) == [
        *("load local bake definitions", "RUN a", "load local bake definitions", "RUN b")
    ]
    assert made.total_s == 5.0
    assert [lane.name for lane in made.lanes] == ["bake", "api", "web"]


@pytest.mark.parametrize(
    ("written", "lane"),
    [
        ("linux/arm64", "api linux/arm64"),
        ("linux/amd64->arm64", "api linux/arm64"),
        ("linux/amd64->arm/v7", "api linux/arm/v7"),
        ("linux/amd64->windows/amd64", "api windows/amd64"),
    ],
)
def test_a_lane_is_for_the_platform_of_the_image(written: str, lane: str) -> None:
    made = timeline(
        [
            run(
                ("d", "[api internal] load build definition from Dockerfile", 0, 0.1),
                ("a", f"[api {written} builder 1/1] RUN a", 0.1, 1),
                ("b", "[api linux/s390x builder 1/1] RUN a", 0.1, 1),
            )
        ]
    )
    assert [lane.name for lane in made.lanes] == sorted(["api", lane, "api linux/s390x"])


def test_a_target_of_one_platform_has_one_lane() -> None:
    made = timeline(
        [
            run(
                ("d", "[internal] load build definition from Dockerfile", 0, 0.1),
                ("a", "[linux/arm64 builder 1/1] RUN a", 0.1, 1),
                ("e", "exporting to image", 1, 2),
                targets=("api",),
            )
        ]
    )
    assert [lane.name for lane in made.lanes] == ["api"]
    assert [step.kind for step in made.lanes[0].steps] == ["source", "run", "export"]
    assert made.lanes[0].steps[1].platform == "linux/arm64"


def test_a_step_that_somebody_else_began_earlier_begins_with_this_run() -> None:
    made = timeline([run(READING, ("a", "[api 1/1] RUN a", -60.0, 2.0))])
    assert made.lanes[1].steps[0].start_s == 0
    assert made.total_s == 2.0


def test_cached_failed_and_cancelled_steps_are_told_apart() -> None:
    cancelled = "failed to solve: Canceled: context canceled"
    made = timeline(
        [
            run(
                READING,
                ("a", "[api 1/2] COPY a", 0.1, 0.1, (), {"cached": True}),
                ("b", "[api 2/2] RUN b", 0.1, 2.0, ("a",), {"error": "exit code: 7"}),
                ("c", "[web 1/2] RUN c", 0.1, 2.5, (), {"error": cancelled}),
                ("d", "[web 2/2] RUN d", 1.0, None),
            )
        ]
    )
    kinds = {step.name: step.kind for lane in made.lanes for step in lane.steps}
    assert kinds == {
        "load local bake definitions": "source",
        "COPY a": "cached",
        "RUN b": "failed",
        "RUN c": "cancelled",
        "RUN d": "cancelled",
    }
    # The build ended because `RUN b` failed, though others took a moment longer to stop.
    assert path(made)[-1] == "RUN b"
    assert made.total_s == 2.5
    page = html(made, title="t")
    assert "exit code: 7" in page
    assert "✗ failed" in page


def test_steps_that_ran_by_emulation_are_marked() -> None:
    made = timeline(
        [run(READING, ("a", "[api 1/1] RUN a", 0.1, 2.0), emulated=frozenset({("api", "a")}))]
    )
    assert made.lanes[1].steps[0].emulated
    page = html(made, title="t")
    assert 'class="bar foreign"' in page
    assert "ran, by emulation" in page


def test_a_circle_that_cannot_be_does_not_hang() -> None:
    made = timeline(
        [run(("a", "[api 1/2] RUN a", 0, 1, ("b",)), ("b", "[api 2/2] RUN b", 0, 1, ("a",)))]
    )
    assert sorted(path(made)) == ["RUN a", "RUN b"]


def test_flags_are_left_out_of_names_and_long_ones_are_cut() -> None:
    flags = "--network=none --mount=type=cache,target=/root/.cache     --mount=type=secret,id=a"
    name = f"[api 1/1] RUN {flags}     make " + "x" * 500
    made = timeline([run(READING, ("a", name, 0.1, 2.0))])
    assert made.lanes[1].steps[0].name.startswith("RUN make xxx")
    assert f"RUN make {'x' * 290}…" in html(made, title="t")


def test_only_the_longest_of_very_many_steps_are_listed_and_what_failed_always() -> None:
    many = [(f"s{i}", f"[api {i}/900] RUN {i}", 1.0, 1.5 + i * 0.01) for i in range(1, 900)]
    failed = ("f", "[api 900/900] RUN failed", 1.0, 1.001, (), {"error": "exit code: 1"})
    page = html(timeline([run(READING, *many, failed)]), title="t")
    assert "the 400 longest; 501 shorter ones are left out" in page
    assert page.count("<td>RUN failed</td>") >= 1
