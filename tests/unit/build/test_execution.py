"""What a run of bake becomes: results, refusals and lines of progress."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright import build
from hullwright.build import BuildPlan, PlannedTarget
from hullwright.build.causes import causes
from hullwright.build.progress import Progress
from hullwright.errors import ExitCode, LockedError, UnavailableError, UsageError
from hullwright.files import lock
from hullwright.recorded import load
from hullwright.run import Result
from hullwright.secret import Secret
from hullwright.tools.buildx import BakeTarget
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

DIGEST: Final = f"sha256:{'ab' * 32}"


def plan(*names: str, secret_keys: tuple[str, ...] = ()) -> BuildPlan:
    return BuildPlan(
        tuple(
            PlannedTarget(
                name,
                "",
                f"{name}:1",
                (),
                "1.0.0",
                "",
                BakeTarget(name, ".", "Dockerfile"),
                secret_keys,
            )
            for name in names
        ),
        allow=("fs.read=/etc/ca.pem",),
    )


def vertex(name: str, **more: object) -> str:
    times = {"started": "2026-11-21T00:00:00Z", "completed": "2026-11-21T00:00:01.5Z"}
    return json.dumps({"vertexes": [{"digest": f"sha256:{name}", "name": name, **times, **more}]})


def said(name: str, text: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    return json.dumps({"logs": [{"vertex": f"sha256:{name}", "data": data}]})


def test_one_bake_gets_the_definition_and_nothing_else_is_asked(tmp_path: Path) -> None:
    metadata = {"api": {"buildx.build.ref": "x", "containerimage.digest": DIGEST}}
    runner = Replay({}, metadata=json.dumps(metadata))
    planned = plan("api")
    report = build.execute(workspace(tmp_path, runner=runner), planned)
    (call,) = runner.calls
    assert call.argv[:3] == ("docker", "buildx", "bake")
    file = tmp_path / ".hullwright" / "bake.json"
    assert call.argv[3:5] == ("--file", str(file))
    assert call.argv[-1] == "--allow=fs.read=/etc/ca.pem"
    assert call.cwd == tmp_path
    # Standard input holds 64 KiB of it, which many services exceed.
    assert call.stdin is None
    assert file.read_text(encoding="utf-8") == planned.definition()
    assert call.env == {"BUILDX_METADATA_PROVENANCE": "disabled"}
    assert [(target.status, target.digest) for target in report.targets] == [("built", DIGEST)]
    assert load(workspace(tmp_path))["api", ""].digest == DIGEST


def test_what_is_here_gets_its_further_names(tmp_path: Path) -> None:
    metadata = {"api": {"buildx.build.ref": "x", "containerimage.digest": DIGEST}}
    tagging: tuple[str, ...] = ("docker", "image", "tag")
    results = {tagging: Result(tagging, 0, "", "", 0.1)}
    runner = Replay({}, metadata=json.dumps(metadata), results=results)
    planned = plan("api", "web")
    named = tuple(replace(each, also=(f"{each.name}:here",)) for each in planned.targets)
    report = build.execute(workspace(tmp_path, runner=runner), replace(planned, targets=named))
    assert [target.stored for target in report.targets] == [True, False]
    assert [call.argv for call in runner.calls[1:]] == [(*tagging, "api:1", "api:here")]


def test_a_build_without_an_image_is_built_and_not_recorded(tmp_path: Path) -> None:
    report = build.execute(workspace(tmp_path, runner=Replay({})), plan("api"))
    assert report.targets[0].status == "built"
    assert report.targets[0].reason == "not for the local store, so it was not recorded"
    assert load(workspace(tmp_path)) == {}


def test_an_image_that_goes_elsewhere_is_not_recorded_as_here(tmp_path: Path) -> None:
    metadata = {"api": {"buildx.build.ref": "x", "containerimage.digest": DIGEST}}
    elsewhere = replace(plan("api"), overrides=("*.output=type=oci,dest=x.tar",))
    runner = Replay({}, metadata=json.dumps(metadata))
    report = build.execute(workspace(tmp_path, runner=runner), elsewhere)
    target = report.targets[0]
    assert (target.status, target.digest, target.stored) == ("built", DIGEST, False)
    assert load(workspace(tmp_path)) == {}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (
            "ERROR: Cannot connect to the Docker daemon. Is the docker daemon running?",
            "the Docker engine cannot be reached",
        ),
        (
            "docker: unknown command: docker buildx",
            "docker buildx is missing or too old to build with",
        ),
        (
            "ERROR: invalid progress mode rawjson",
            "docker buildx is missing or too old to build with",
        ),
    ],
)
def test_a_missing_tool_is_no_failed_build(line: str, what: str, tmp_path: Path) -> None:
    runner = Replay({}, lines=(line,), code=1)
    with pytest.raises(UnavailableError, match=what) as raised:
        build.execute(workspace(tmp_path, runner=runner), plan("api"))
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    assert line in str(raised.value)
    assert "invoke setup" in str(raised.value)


def test_a_second_build_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    first = workspace(tmp_path)
    with lock(first.state_dir / "build.lock", "the build"), pytest.raises(LockedError) as raised:
        build.execute(workspace(tmp_path), plan("api"))
    assert raised.value.exit_code == ExitCode.LOCKED
    assert "the build of shop is in use by another run" in str(raised.value)
    assert "process " in str(raised.value)


def test_what_fails_before_the_first_step_is_told_in_buildkits_words(tmp_path: Path) -> None:
    lines = (
        "Dockerfile:2",
        "--------------------",
        "ERROR: target api: failed to solve: dockerfile parse error on line 2: unknown: RUNN",
    )
    planned = replace(plan("api", "web"), fail_fast=True)
    report = build.execute(workspace(tmp_path, runner=Replay({}, lines=lines, code=1)), planned)
    api, web = report.targets
    assert api.failure is not None
    assert api.failure.step == "before its first step"
    assert "unknown: RUNN" in api.failure.error
    assert api.failure.place.endswith("Dockerfile:2")
    assert (web.status, web.reason) == ("skipped", "stopped by --fail-fast")


def test_a_run_that_fails_without_a_word_is_not_called_built(tmp_path: Path) -> None:
    report = build.execute(workspace(tmp_path, runner=Replay({}, code=137)), plan("api"))
    assert report.failed
    assert report.targets[0].status == "failed"
    assert report.targets[0].failure is not None
    assert "137" in report.targets[0].failure.error


def test_a_secret_reaches_bake_by_its_environment_only(tmp_path: Path) -> None:
    runner = Replay({})
    token = Secret("hunter2hunter2")
    build.execute(
        workspace(tmp_path, runner=runner), plan("api", secret_keys=("NPM",)), {"NPM": token}
    )
    (call,) = runner.calls
    assert call.env == {"BUILDX_METADATA_PROVENANCE": "disabled", "HULLWRIGHT_SECRET_NPM": token}
    assert "hunter2" not in f"{call.argv} {call.stdin}"


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="secrets that are not there: NPM") as raised:
        build.execute(workspace(tmp_path), plan("api", secret_keys=("NPM",)))
    assert raised.value.exit_code == ExitCode.USAGE


def test_a_log_file_gets_a_timed_line_for_each_step(tmp_path: Path) -> None:
    lines = (
        vertex("[internal] load build definition from Dockerfile"),
        vertex("[build 1/2] FROM alpine", cached=True),
        vertex("[build 2/2] RUN --mount=type=cache,target=/x make  all", error="exit code: 2"),
    )
    ws = workspace(tmp_path, runner=Replay({}, lines=lines, code=1))
    build.execute(ws, plan("api"))
    assert isinstance(ws.console.err, io.StringIO)
    told = [line.split(" ", 1)[1] for line in ws.console.err.getvalue().splitlines()]
    assert told == [
        "api  build step 1 of 2: FROM alpine  cached",
        "api  build step 2 of 2: RUN make all  failed",
    ]


def test_a_log_of_ci_is_folded(tmp_path: Path) -> None:
    ws = workspace(tmp_path, None, Replay({}), GITHUB_ACTIONS="true")
    build.execute(ws, plan("api", "web"))
    assert isinstance(ws.console.err, io.StringIO)
    told = ws.console.err.getvalue().splitlines()
    assert told[:2] == ["::group::build of 2 in one bake run", "::endgroup::"]


def test_a_step_that_another_build_began_counts_from_this_runs_own_beginning() -> None:
    progress = Progress(["api"])
    for line in (
        vertex("[internal] load build definition from Dockerfile"),
        vertex("[1/1] FROM alpine", started="2026-11-20T23:50:00Z"),
    ):
        progress.feed(line)
    assert progress.seconds("api") == 1.5


def test_a_progress_bar_is_one_line_of_a_steps_output() -> None:
    progress = Progress(["api"])
    for line in (
        vertex("[1/1] RUN get"),
        said("[1/1] RUN get", "a\n10 %\r50 %\r"),
        said("[1/1] RUN get", "100 %\nlast, with"),
        said("[1/1] RUN get", "out an end"),
    ):
        progress.feed(line)
    (step,) = progress.steps("api")
    assert progress.output(step.vertex) == ("a", "100 %", "last, without an end")


@pytest.mark.parametrize(
    ("output", "summary"),
    [
        ("main.go:3:8: missing go.sum entry for module providing x", "go.mod and go.sum do not"),
        ("go: updates to go.mod needed; to update it:", "go.mod and go.sum do not"),
        ("go: updating go.sum: open /src/go.sum: permission denied", "go.mod and go.sum do not"),
        ("verifying golang.org/x/text@v0.3.0: checksum mismatch", "a Go module is not the one"),
        ("go: go.mod requires go >= 1.99 (running go 1.26.8)", "go.mod asks for a newer Go"),
        ("write /x: no space left on device", "a file system of the build is full"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "the server's certificate"),
        ("error: invalid peer certificate: UnknownIssuer", "the server's certificate"),
        ("PermissionError: [Errno 13] Permission denied: '/app'", "the step may not read"),
        ("unable to find user app: invalid argument", "USER names someone"),
        ("process did not complete: exit code: 137", "the step was killed"),
        (
            f"failed to resolve source metadata for docker.io/library/x:1@sha256:{'a' * 64}: dial",
            "a base image that is pinned by its digest",
        ),
        ("Temporary failure in name resolution", "a name could not be resolved"),
    ],
)
def test_known_words_have_a_cause(output: str, summary: str) -> None:
    (cause,) = causes([output], platform="", host="linux/amd64")
    assert cause.summary.startswith(summary)
    assert cause.next_step


def test_unknown_words_have_no_cause() -> None:
    assert causes(["1 test failed"], platform="", host="linux/amd64") == ()


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_running_steps_on_a_line_that_changes(tmp_path: Path) -> None:
    started = [vertex(f"[api s{n} 1/1] RUN {n}", completed=None) for n in range(5)]
    ended = vertex("[api s0 1/1] RUN 0")
    ws = workspace(tmp_path, runner=Replay({}, lines=(*started, ended)))
    terminal = Terminal()
    ws.console.err = terminal
    build.execute(ws, plan("api", "web"))
    shown = [line.partition(" s · ")[2] for line in terminal.getvalue().split("\r")]
    assert "api s0 step 1 of 1: RUN 0" in shown
    assert (
        shown[5]
        == (
            "api s0 step 1 of 1: RUN 0 · api s1 step 1 of 1: RUN 1 · api s2 step 1 of 1: RUN 2 · "
            "and 2 more"
        )[: len(shown[5])]
    )
    assert shown[6].startswith("api s1")
    assert "\n" not in terminal.getvalue()


def test_of_several_failures_the_marked_one_has_the_place(tmp_path: Path) -> None:
    lines = (
        vertex("[api build 1/1] RUN make  all", error="exit code: 2"),
        vertex("[web build 1/1] RUN make [some] x", error="exit code: 2"),
        "Dockerfile:7",
        "--------------------",
        "   6 |     FROM scratch AS build",
        "   7 | >>> RUN make [some] \\",
        "   8 | >>>   x",
        "--------------------",
        "ERROR: target web: failed to solve: exit code: 2",
    )
    runner = Replay({}, lines=lines, code=1)
    planned = replace(plan("api", "web"), fail_fast=True)
    api, web = build.execute(workspace(tmp_path, runner=runner), planned).targets
    assert api.failure is not None
    assert web.failure is not None
    assert api.failure.place == ""
    assert web.failure.place.endswith("Dockerfile:7")
