"""Many services on the real engine: what fails stops nothing else, and runs go on from each other.

Each test has one repository of eight services, of which two are built on another one.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.config.load import load as load_config
from hullwright.recorded import load
from matrix import matrix_in
from repositories import workspace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.build import BuildReport
    from hullwright.workspace import Workspace
    from matrix import Matrix

pytestmark = pytest.mark.docker

NAMES = tuple(f"s{number}" for number in range(8))


@pytest.fixture
def matrix(busybox: str, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a development version of eight services: s1 is built on s0, and s5 on s4."""
    with matrix_in(tmp_path, on={"s1": "s0", "s5": "s4"}) as made:
        made.commit()
        yield made


def here(matrix: Matrix) -> Workspace:
    """Return the workspace of a run in this process."""
    config = load_config(matrix.root, matrix.environ)
    return workspace(matrix.root, matrix.environ, config)


def executed(matrix: Matrix, request: BuildRequest) -> BuildReport:
    """Return what a build in this process gives, everything of it built."""
    ws = here(matrix)
    version = SourceVersion("1.2.3", "1.2.3", "a" * 40, "2026-01-02T03:04:05Z")
    return build.execute(ws, build.plan(ws, request, lambda _: version))


def test_one_failing_of_eight_stops_only_what_needs_it_and_failed_builds_the_rest(
    matrix: Matrix,
) -> None:
    matrix.fail("s4")
    # Cancelled by the failure, for it takes longer, and then built in a further run.
    matrix.steps("s7", "sleep 2")
    told = matrix.json("build", code=1)
    status = {target["service"]: target["status"] for target in told["targets"]}
    assert status == dict.fromkeys(NAMES, "built") | {"s4": "failed", "s5": "skipped"}
    reasons = {target["service"]: target["reason"] for target in told["targets"]}
    assert reasons["s4"].endswith("RUN sh /s4.sh > /s4.txt")
    assert reasons["s5"] == "needs s4, which failed"
    assert told["runs"] == 2
    assert {service for service, _ in load(here(matrix))} == set(NAMES) - {"s4", "s5"}
    # What was built is current; the failed one is tried again, and what needs it with it.
    assert matrix.statuses("--failed", code=1) == {"s4": "failed", "s5": "skipped"}
    matrix.steps("s4", "true")
    assert matrix.statuses("--failed") == {"s4": "built", "s5": "built"}
    nothing = matrix.run("build", "--failed")
    assert nothing.stdout == "✓ nothing to build: nothing failed when it was built last\n"
    assert matrix.json("build", "--failed")["targets"] == []
    assert set(matrix.statuses().values()) == {"current"}


def test_the_report_and_its_annotations_name_what_failed(matrix: Matrix) -> None:
    matrix.fail("s2")
    done = matrix.run("build", "--service", "s2,s3", code=1, GITHUB_ACTIONS="true")
    assert "again with: invoke build --failed" in done.stdout
    assert "broken on purpose" in done.stdout
    assert "::error::not built: s2" in done.stderr
    assert "::group::build of 2 in one bake run" in done.stderr


def test_without_a_build_nobody_knows_what_failed(matrix: Matrix) -> None:
    done = matrix.run("build", "--failed", code=2)
    assert "✗ what failed is not known: no build was recorded here" in done.stderr
    assert "invoke build" in done.stderr


@pytest.mark.parametrize("jobs", [(), ("--jobs", "1")])
def test_fail_fast_builds_nothing_after_the_first_failure(
    matrix: Matrix, jobs: tuple[str, ...]
) -> None:
    matrix.fail("s2")
    matrix.steps("s7", "sleep 2")
    told = matrix.json("build", "--fail-fast", *jobs, code=1)
    targets = {target["service"]: target for target in told["targets"]}
    assert targets["s2"]["status"] == "failed"
    assert targets["s7"]["status"] == "skipped"
    assert targets["s7"]["reason"] == "stopped by --fail-fast"
    assert told["runs"] == (3 if jobs else 1)


def test_never_more_builds_are_in_flight_than_the_limit(matrix: Matrix) -> None:
    for name in NAMES:
        matrix.steps(name, "sleep 0.3")
    report = executed(matrix, BuildRequest(jobs=2))
    assert {target.status for target in report.targets} == {"built"}
    # What only reads may be shared with builds of others, and have begun with those.
    ran = [v for r in report.records for v in r.vertexes.values() if "RUN sh" in v.name]
    moments = [
        moment
        for vertex in ran
        if vertex.started and vertex.completed
        for moment in ((vertex.started, 1), (vertex.completed, -1))
    ]
    assert (len(report.records), len(moments)) == (8, 16)
    flying, most = 0, 0
    for _, change in sorted(moments):
        flying += change
        most = max(most, flying)
    assert most == 2


def test_a_sibling_is_built_once_whatever_builds_on_it(matrix: Matrix) -> None:
    for jobs in (0, 2):
        request = BuildRequest(("s0", "s1"), jobs=jobs, no_cache=True)
        report = executed(matrix, request)
        first, second = report.targets
        assert (first.steps, first.cached_steps) == (2, 0)
        assert (second.steps, second.cached_steps) == (2, 0)
        layers = [
            json.loads(docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", each.digest))
            for each in (first, second)
        ]
        assert layers[1][: len(layers[0])] == layers[0]
        ran = [v.name for r in report.records for v in r.vertexes.values() if "/s0.sh >" in v.name]
        assert len(ran) <= 2  # BuildKit may tell of the one step under both of its targets.


def test_what_is_current_starts_no_bake_and_what_changed_is_built(matrix: Matrix) -> None:
    matrix.run("build")
    done = matrix.run("build", "--echo")
    assert "all 8 are current: nothing was built" in done.stdout
    assert "buildx bake" not in done.stderr
    matrix.change("s0")
    told = matrix.json("build", "--why")
    targets = {target["service"]: target for target in told["targets"]}
    assert [name for name in NAMES if targets[name]["status"] == "built"] == ["s0", "s1"]
    assert targets["s0"]["changes"] == ["services/s0/steps.sh changed"]
    assert targets["s3"]["reason"].startswith("inputs unchanged since 1.0.1-0.dev.1+")
    matrix.change("s3")
    explained = matrix.run("build", "--why").stderr
    assert "s3  build    services/s3/steps.sh changed" in explained
    assert "s0  current  inputs unchanged since " in explained
    assert matrix.statuses("--force", "--service", "s6") == {"s6": "built"}


def test_only_what_changed_since_a_ref_is_built(matrix: Matrix) -> None:
    matrix.run("build", "--service", "s3,s4")
    matrix.change("s4")
    matrix.commit()
    assert matrix.statuses("--changed-since", "HEAD~1") == {"s4": "built", "s5": "built"}
    nothing = matrix.run("build", "--changed-since", "HEAD")
    assert nothing.stdout == "✓ nothing to build: nothing that is built changed since HEAD\n"
    unknown = matrix.run("build", "--changed-since", "nowhere", code=2)
    assert 'unknown ref "nowhere"' in unknown.stderr


def test_checks_name_findings_and_leave_the_images_alone(matrix: Matrix) -> None:
    matrix.run("build", "--service", "s0,s1")
    images = matrix.images()
    held = matrix.run("build", "--check", "--service", "s0,s1")
    assert held.stdout.count("Check complete, no warnings found.") == 2
    dockerfile = (matrix.root / "services/s0/Dockerfile").read_text(encoding="utf-8")
    matrix.repository.write("services/s0/Dockerfile", f"{dockerfile}MAINTAINER x\n")
    found = matrix.run("build", "--check", "--service", "s0,s1", code=1)
    assert "MaintainerDeprecated" in found.stdout
    assert matrix.images() == images


def test_a_build_is_drawn_and_sizes_are_held_against_the_one_before(matrix: Matrix) -> None:
    matrix.run("build", "--service", "s0,s2")
    matrix.steps("s2", "head -c 20000 /dev/zero > /zeros")
    done = matrix.run("build", "--service", "s0,s2", "--timeline", "drawn.html")
    assert "+20.0 kB" in done.stdout or "+19.9 kB" in done.stdout
    page = (matrix.root / "drawn.html").read_text(encoding="utf-8")
    assert "RUN sh /s2.sh" in page
    assert "timeline: drawn.html" in done.stderr


def until(process: subprocess.Popen[str], *words: str) -> str:
    """Return what a run told until all of these words were in it."""
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if all(word in told for word in words):
            break
    return told


@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")])
@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_ends_all_builds_and_reports_and_keeps_what_was_built(
    matrix: Matrix, jobs: tuple[str, ...], *, whole_group: bool
) -> None:
    for name in ("s2", "s6"):
        matrix.steps(name, f"echo {name} begun >&2; sleep 600")
    words = ("build", "--service", "s0,s2,s6", "--format", "json", *jobs)
    with matrix.start(*words, HULLWRIGHT_VERBOSE="1") as process:
        told = until(process, "s2 begun", "s6 begun")
        if whole_group:
            # As a terminal does.
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, told + errors
    assert "✗ interrupted" in errors
    assert "Traceback" not in errors
    report = json.loads(out)
    status = {target["service"]: target["status"] for target in report["targets"]}
    reasons = {target["service"]: target["reason"] for target in report["targets"]}
    assert (status["s2"], status["s6"]) == ("skipped", "skipped")
    assert (reasons["s2"], reasons["s6"]) == ("interrupted", "interrupted")
    assert report["interrupted"]
    recorded = {service for service, _ in load(here(matrix))}
    assert recorded == {name for name, each in status.items() if each == "built"}
    if jobs:
        # Its turn was before the last of the two.
        assert status["s0"] == "built"
    (record,) = matrix.json("history", "--kind", "build")["records"]
    assert record["status"] == "interrupted"
    # Nothing of it runs any more: the engine's builders have no such step.
    assert f"echo {matrix.project}" not in docker("ps", "--no-trunc")
    for name in ("s2", "s6"):
        matrix.steps(name, "true")
    finished = matrix.statuses("--failed")
    assert finished["s2"] == finished["s6"] == "built"
