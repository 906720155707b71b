"""Which targets go into which bake run, told by what each run was asked to build."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.build import BuildPlan, Decision, Place, PlannedTarget, scheduling
from hullwright.build.models import Share
from hullwright.build.nodes import PlaceNode
from hullwright.build.progress import Progress
from hullwright.build.results import Judge
from hullwright.build.running import Baker, Ran
from hullwright.build.scheduling import Schedule
from hullwright.run import Result
from hullwright.tools.buildx import BakeTarget, TargetMetadata
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hullwright.build import TargetResult

DIGEST: Final = f"sha256:{'ab' * 32}"
CANCELLED: Final = "process did not complete successfully: context canceled"


def planned(name: str, *on: str) -> PlannedTarget:
    """Return a target that is built on others."""
    links = {f"shop/{sibling}": sibling for sibling in on}
    contexts = {image: f"target:{sibling}" for image, sibling in links.items()}
    bake = BakeTarget(name, ".", "Dockerfile", contexts=contexts)
    return PlannedTarget(name, "", f"shop/{name}:1", (), "1.0.0", "", bake, links=links)


@dataclass
class Scripted:
    """Plays the part of bake: what fails is known, and fails again in each run.

    Attributes:
        failing: bake's names of what fails.
        exported: what of a run that fails was exported before.
        unstored: how often the export of what fails goes wrong.
        asked: what each run was told to build, and which siblings it was given.
    """

    plan: BuildPlan
    root: Path
    failing: frozenset[str] = frozenset()
    exported: frozenset[str] = frozenset()
    unstored: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[list[str], dict[str, str]]] = field(default_factory=list)
    most: int = 0
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.ws = workspace(self.root)

    def bake(self, targets: Sequence[PlannedTarget], there: Mapping[str, str]) -> Ran:
        names = [target.name for target in targets]
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
            self.asked.append((names, dict(there)))
        progress = Progress(names)
        lost = [name for name in names if self.unstored.get(name)]
        failed = lost or [name for name in names if name in self.failing]
        for name in names:
            prefix = f"{name} " if len(names) > 1 else ""
            if failed:
                self._failed(progress, name, prefix)
        metadata = {} if failed else {n: TargetMetadata(DIGEST, None, "") for n in names}
        with self._lock:
            self._running -= 1
        return Ran(tuple(targets), progress, Result((), int(bool(failed))), metadata, 0.0)

    def _failed(self, progress: Progress, name: str, prefix: str) -> None:
        if name in self.exported:
            exporting = f"[{prefix.strip()}] exporting to image"
            progress.feed(vertex(exporting, f"e-{name}"))
            status = {"vertex": f"e-{name}", "id": f"exporting manifest {DIGEST}", "completed": "x"}
            progress.feed(json.dumps({"statuses": [status]}))
            return
        if self.unstored.get(name):
            self.unstored[name] -= 1
            export = f"[{prefix.strip()}] exporting to image"
            progress.feed(vertex(export, f"e-{name}", error="snapshot does not exist"))
            return
        error = "exit code: 3" if name in self.failing else CANCELLED
        progress.feed(vertex(f"[{prefix}1/1] RUN x", f"r-{name}", error=error))


def vertex(name: str, digest: str, **more: str) -> str:
    times = {"started": "2026-11-21T00:00:00Z", "completed": "2026-11-21T00:00:01Z"}
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **times, **more}]})


def ran(baker: Scripted, **settled: TargetResult) -> dict[str, TargetResult]:
    """Return what became of each target."""
    judge = Judge(baker.ws, baker.plan)
    schedule = Schedule(baker, judge, dict(settled))  # type: ignore[arg-type]  # plays its part
    schedule.run()
    return schedule.settled


def told(results: Mapping[str, TargetResult]) -> dict[str, str]:
    return {name: f"{r.status} {r.reason}".strip() for name, r in results.items()}


def test_all_is_built_in_one_run(tmp_path: Path) -> None:
    baker = Scripted(BuildPlan((planned("a"), planned("b", "a"))), tmp_path)
    assert set(told(ran(baker)).values()) == {"built"}
    assert baker.asked == [(["a", "b"], {})]


def test_what_was_cancelled_goes_again_and_what_needs_the_failed_one_does_not(
    tmp_path: Path,
) -> None:
    targets = (planned("a"), planned("bad"), planned("c", "bad"), planned("d", "c"), planned("e"))
    baker = Scripted(BuildPlan(targets), tmp_path, frozenset({"bad"}), exported=frozenset({"a"}))
    assert told(ran(baker)) == {
        "a": "built",
        "bad": "failed step 1 of 1: RUN x",
        "c": "skipped needs bad, which failed",
        "d": "skipped needs bad, which failed",
        "e": "built",
    }
    assert [names for names, _ in baker.asked] == [["a", "bad", "c", "d", "e"], ["e"]]
    # What was exported before the failure is there, and is not built again.
    assert baker.asked[1][1] == {"a": f"docker-image://shop/a:1@{DIGEST}"}


def test_several_failures_are_found_one_after_another(tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    plan = BuildPlan(tuple(planned(name) for name in names))
    baker = Scripted(plan, tmp_path, frozenset({"b", "c"}))
    results = ran(baker)
    assert [results[name].status for name in names] == ["built", "failed", "failed", "built"]


def test_fail_fast_ends_with_the_first_run(tmp_path: Path) -> None:
    plan = BuildPlan((planned("a"), planned("bad"), planned("c", "bad")), fail_fast=True)
    baker = Scripted(plan, tmp_path, frozenset({"bad"}))
    assert told(ran(baker)) == {
        "a": "skipped stopped by --fail-fast",
        "bad": "failed step 1 of 1: RUN x",
        "c": "skipped needs bad, which failed",
    }
    assert len(baker.asked) == 1


def on_nodes(*targets: PlannedTarget) -> BuildPlan:
    """Return a plan with each target on a node of its own."""
    seen = tuple(PlaceNode(f"n-{t.name}", f"tcp://{t.name}:1") for t in targets)
    shared = (replace(t, shares=(Share(n, ()),)) for t, n in zip(targets, seen, strict=True))
    return BuildPlan(tuple(shared), place=Place("far", "remote", seen))


def test_each_node_has_a_run_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "gone", lambda *_: "")
    baker = Scripted(
        on_nodes(planned("a"), planned("bad"), planned("c")), tmp_path, frozenset({"bad"})
    )
    assert told(ran(baker)) == {"a": "built", "bad": "failed step 1 of 1: RUN x", "c": "built"}
    assert sorted(names for names, _ in baker.asked) == [["a"], ["bad"], ["c"]]


def test_a_node_that_went_away_is_why_its_targets_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "gone", lambda *_: "refused")
    baker = Scripted(on_nodes(planned("a"), planned("bad")), tmp_path, frozenset({"bad"}))
    results = ran(baker)
    assert told(results) == {
        "a": "built",
        "bad": "failed on node tcp://bad:1, which went away",
    }
    failure = results["bad"].failure
    assert failure is not None
    assert failure.causes[0].summary == "node tcp://bad:1 does not answer any more: refused"
    assert "invoke build --failed" in failure.causes[0].next_step


def test_a_base_image_that_a_node_cannot_pull_is_not_to_be_had_here(tmp_path: Path) -> None:
    plan = on_nodes(planned("a"))
    progress = Progress(["a"])
    name = "[internal] load metadata for docker.io/library/x:1"
    progress.feed(vertex(name, "m", error="docker.io/library/x:1: not found"))
    judge = Judge(workspace(tmp_path), plan)
    results = judge.of(Ran(plan.targets, progress, Result((), 1), {}, 0.0), interrupted=False)
    failure = results["a"].failure
    assert failure is not None
    assert [cause.summary for cause in failure.causes] == [
        "a node pulls base images itself, and does not see the local store"
    ]
    assert "buildkitd.toml" in failure.causes[0].next_step


def test_another_builder_is_given_no_image_of_the_local_store(tmp_path: Path) -> None:
    there = Decision("current", "x", reference="shop/a:0.9", digest=DIGEST)
    plan = BuildPlan((replace(planned("a"), decision=there), planned("b", "a")))
    baker = Scripted(plan, tmp_path)
    baker.ws = replace(baker.ws, environ={"BUILDX_BUILDER": "far"})
    current = Judge(baker.ws, plan).there(plan.targets[0])
    ran(baker, a=current)
    assert baker.asked == [(["b"], {})]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_limit_gives_each_target_a_run_in_the_plans_order(jobs: int, tmp_path: Path) -> None:
    targets = (planned("a"), planned("b", "a"), planned("c"), planned("d", "b"), planned("e"))
    baker = Scripted(BuildPlan(targets, jobs=jobs), tmp_path)
    assert set(told(ran(baker)).values()) == {"built"}
    assert all(len(names) == 1 for names, _ in baker.asked)
    order = [names[0] for names, _ in baker.asked]
    assert sorted(order) == ["a", "b", "c", "d", "e"]
    assert order.index("a") < order.index("b") < order.index("d")
    assert baker.most <= jobs
    given = dict(baker.asked[order.index("d")][1])
    assert given["b"] == f"docker-image://shop/b:1@{DIGEST}"


def test_with_a_limit_a_failure_stops_nothing_else(tmp_path: Path) -> None:
    targets = (planned("bad"), planned("b", "bad"), planned("c"))
    baker = Scripted(BuildPlan(targets, jobs=1), tmp_path, frozenset({"bad"}))
    assert told(ran(baker)) == {
        "bad": "failed step 1 of 1: RUN x",
        "b": "skipped needs bad, which failed",
        "c": "built",
    }


def test_with_a_limit_fail_fast_starts_nothing_more(tmp_path: Path) -> None:
    plan = BuildPlan((planned("bad"), planned("b"), planned("c")), jobs=1, fail_fast=True)
    baker = Scripted(plan, tmp_path, frozenset({"bad"}))
    results = ran(baker)
    assert [results[name].status for name in ("bad", "b", "c")] == ["failed", "skipped", "skipped"]
    assert results["b"].reason == "stopped by --fail-fast"


def test_what_is_current_is_given_to_what_is_built_on_it(tmp_path: Path) -> None:
    there = Decision("current", "x", reference="shop/a:0.9", digest=DIGEST)
    plan = BuildPlan((replace(planned("a"), decision=there), planned("b", "a")))
    baker = Scripted(plan, tmp_path)
    current = Judge(baker.ws, plan).there(plan.targets[0])
    assert told(ran(baker, a=current)) == {"a": "current x", "b": "built"}
    assert baker.asked == [(["b"], {"a": f"docker-image://shop/a:0.9@{DIGEST}"})]


def test_a_step_of_a_sibling_that_fails_is_the_siblings_failure(tmp_path: Path) -> None:
    plan = BuildPlan((planned("a"), planned("b", "a")))
    progress = Progress(["a", "b"])
    # BuildKit tells of the step under both, and here only the dependent has the real error.
    progress.feed(vertex("[a 1/1] RUN x", "r", error=CANCELLED))
    progress.feed(vertex("[b 1/1] RUN x", "r", error="exit code: 3"))
    made = Ran(plan.targets, progress, Result((), 1), {}, 0.0)
    results = Judge(workspace(tmp_path), plan).of(made, interrupted=False)
    assert {name: result.status for name, result in results.items()} == {
        "a": "failed",
        "b": "skipped",
    }


def test_steps_of_a_sibling_are_counted_once(tmp_path: Path) -> None:
    plan = BuildPlan((planned("a"), planned("b", "a")))
    progress = Progress(["a", "b"])
    for line in (
        vertex("[a 1/1] RUN x", "r"),
        vertex("[b 1/1] RUN x", "r"),
        vertex("[b 1/1] RUN y", "s"),
    ):
        progress.feed(line)
    made = Ran(plan.targets, progress, Result((), 0), {}, 0.0)
    results = Judge(workspace(tmp_path), plan).of(made, interrupted=False)
    assert [results[name].steps for name in ("a", "b")] == [1, 1]


def test_a_run_names_only_what_it_builds_and_takes_siblings_as_they_are(tmp_path: Path) -> None:
    from hullwright.build.telling import Teller
    from replaying import Replay

    runner = Replay({})
    ws = workspace(tmp_path, runner=runner)
    plan = BuildPlan((planned("a"), planned("b", "a"), planned("c", "b")))
    baker = Baker(ws, plan, {}, Teller(ws.console, 0.0))
    made = baker.bake(plan.targets[1:2], {})
    # The sibling is built on the way, and steps are called after both.
    assert made.progress.targets == ["b", "a"]
    assert runner.calls[-1].argv[4].endswith(".hullwright/bake.json")
    assert runner.calls[-1].argv[-1] == "b"
    made = baker.bake(plan.targets[1:2], {"a": "docker-image://shop/a:1@sha256:x"})
    assert made.progress.targets == ["b"]
    file = ws.state_dir / "bake-runs" / "b.json"
    assert runner.calls[-1].argv[4] == str(file)
    targets = json.loads(file.read_text(encoding="utf-8"))["target"]
    assert targets["b"]["contexts"] == {"shop/a": "docker-image://shop/a:1@sha256:x"}
    assert targets["c"]["contexts"] == {"shop/b": "target:b"}


def test_steps_that_run_foreign_code_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hullwright.build.emulation.host", lambda: "linux/amd64")
    progress = Progress(["a"])
    for line in (
        vertex("[linux/arm64 run 2/3] RUN make", "1"),
        vertex("[linux/amd64->arm64 cross 1/1] RUN go build", "2"),
        vertex("[linux/amd64 run 2/3] RUN make", "3"),
        vertex("[linux/arm64 run 3/3] COPY . .", "4"),
    ):
        progress.feed(line)
    target = replace(planned("a"), platforms=("linux/amd64", "linux/arm64"))
    plan = BuildPlan((target,))
    made = Ran(plan.targets, progress, Result((), 0), {}, 0.0)
    judge = Judge(workspace(tmp_path), plan)
    (step,) = judge.of(made, interrupted=False)["a"].emulated
    assert (step.step, step.platform) == ("run step 2 of 3: RUN make", "linux/arm64")
    assert judge.emulated_keys(made) == {("a", "1")}


def test_of_one_foreign_platform_the_dockerfile_says_what_runs_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hullwright.build.emulation.host", lambda: "linux/amd64")
    (tmp_path / "Dockerfile").write_text(
        "FROM --platform=$BUILDPLATFORM go AS cross\nRUN go build\nFROM base\nRUN make\n",
        encoding="utf-8",
    )
    progress = Progress(["a"])
    # BuildKit does not name the platform where there is one only.
    progress.feed(vertex("[cross 2/2] RUN go build", "1"))
    progress.feed(vertex("[stage-1 2/2] RUN make", "2"))
    plan = BuildPlan((replace(planned("a"), platforms=("linux/arm64",)),))
    made = Ran(plan.targets, progress, Result((), 0), {}, 0.0)
    (step,) = Judge(workspace(tmp_path), plan).of(made, interrupted=False)["a"].emulated
    assert (step.step, step.platform) == ("stage-1 step 2 of 2: RUN make", "linux/arm64")


def test_words_without_a_target_blame_nobody_where_a_step_is_to_blame(tmp_path: Path) -> None:
    plan = BuildPlan((planned("a"), planned("b")))
    progress = Progress(["a", "b"])
    progress.feed(vertex("[a 1/1] RUN x", "r", error="exit code: 3"))
    progress.feed("ERROR: failed to build: something")
    made = Ran(plan.targets, progress, Result((), 1), {}, 0.0)
    results = Judge(workspace(tmp_path), plan).of(made, interrupted=False)
    assert [results[name].status for name in ("a", "b")] == ["failed", "skipped"]


def test_what_could_not_be_stored_is_tried_once_more(tmp_path: Path) -> None:
    baker = Scripted(BuildPlan((planned("a"), planned("b"))), tmp_path, unstored={"a": 1})
    assert set(told(ran(baker)).values()) == {"built"}
    assert [names for names, _ in baker.asked] == [["a", "b"], ["a", "b"]]


def test_what_cannot_be_stored_twice_failed(tmp_path: Path) -> None:
    baker = Scripted(BuildPlan((planned("a"), planned("b"))), tmp_path, unstored={"a": 2})
    assert told(ran(baker)) == {"a": "failed exporting to image", "b": "built"}
