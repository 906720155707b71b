"""Builds are held to the lock on CI and where that is asked for; else they only tell."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hullwright import locked
from hullwright.bases import Compared, Outdated
from hullwright.build import BuildRequest
from hullwright.errors import CheckFailedError, ExitCode, UnavailableError, UsageError
from hullwright.tasks.locking import Options, hold_to_lock, run_locking
from locking import locked as locked_image
from locking import sha, shop, stand_in
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.locked import LockedImage
    from hullwright.workspace import Workspace


def session(ws: Workspace) -> Any:
    """Return as much of a session as the lock needs."""
    return SimpleNamespace(
        workspace=ws, console=ws.console, dry=False, show=lambda *_: ws.console.result("shown")
    )


def repository(folder: Path, *lock: LockedImage, **environ: str) -> Workspace:
    ws = workspace(folder, shop(folder, "FROM alpine:3\n", "FROM debian:13\n"), None, **environ)
    if lock:
        locked.save(ws, {image.name: image for image in lock})
    return ws


def told(ws: Workspace) -> str:
    assert isinstance(ws.console.err, io.StringIO)
    return ws.console.err.getvalue()


BOTH = (locked_image("alpine:3", "a"), locked_image("debian:13", "b"))


def test_a_stale_lock_ends_a_build_on_ci_with_1(tmp_path: Path) -> None:
    ws = repository(tmp_path, locked_image("alpine:3", "a"), CI="true")
    with pytest.raises(CheckFailedError) as caught:
        hold_to_lock(session(ws), BuildRequest())
    assert caught.value.exit_code is ExitCode.FAILED
    assert caught.value.lines() == [
        "images.lock does not fit what Dockerfiles name",
        "  debian:13  s1.Dockerfile:1 FROM is not locked",
        "  next       invoke images --lock",
    ]


def test_elsewhere_it_is_told_and_asked_for_it_ends_with_1(tmp_path: Path) -> None:
    ws = repository(tmp_path, locked_image("alpine:3", "a"))
    hold_to_lock(session(ws), BuildRequest())
    assert told(ws) == (
        "! images.lock: debian:13: s1.Dockerfile:1 FROM is not locked (invoke images --lock)\n"
    )
    with pytest.raises(CheckFailedError):
        hold_to_lock(session(ws), BuildRequest(locked=True))


def test_a_lock_that_fits_lets_a_build_go_on_without_a_word(tmp_path: Path) -> None:
    ws = repository(tmp_path, *BOTH, CI="true")
    hold_to_lock(session(ws), BuildRequest(locked=True))
    assert told(ws) == ""


def test_only_the_services_that_are_built_are_held_to_it(tmp_path: Path) -> None:
    ws = repository(tmp_path, locked_image("alpine:3", "a"), CI="true")
    hold_to_lock(session(ws), BuildRequest(services=("s0",)))
    assert told(ws) == ""


def test_warnings_are_told_where_the_lock_is_held_to_and_end_nothing(tmp_path: Path) -> None:
    ws = repository(tmp_path, *BOTH, locked_image("old:1", "c"))
    hold_to_lock(session(ws), BuildRequest())
    assert told(ws) == ""
    hold_to_lock(session(ws), BuildRequest(locked=True))
    assert "old:1: no Dockerfile names it any more" in told(ws)


def test_without_a_lock_nothing_is_held_unless_that_is_asked_for(tmp_path: Path) -> None:
    ws = repository(tmp_path, CI="true")
    hold_to_lock(session(ws), BuildRequest())
    with pytest.raises(UsageError) as caught:
        hold_to_lock(session(ws), BuildRequest(locked=True))
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.lines() == [
        "--locked holds a build to images.lock, and there is none",
        "  next  invoke images --lock",
    ]


def test_what_is_done_with_a_lock_is_one_thing_at_a_time(tmp_path: Path) -> None:
    options = Options(lock=True, outdated=True)
    with pytest.raises(UsageError, match="--lock and --outdated and --prepare do not go together"):
        run_locking(session(repository(tmp_path)), options, "text", others=["--prepare"])


@pytest.mark.parametrize("options", [Options(outdated=True), Options(update=("alpine",))])
def test_what_needs_a_lock_ends_with_2_without_one(tmp_path: Path, options: Options) -> None:
    with pytest.raises(UsageError, match=r"there is no images\.lock") as caught:
        run_locking(session(repository(tmp_path)), options, "text")
    assert caught.value.next_step == "invoke images --lock"


def test_an_image_that_no_dockerfile_names_cannot_be_updated(tmp_path: Path) -> None:
    ws = repository(tmp_path, *BOTH)
    with pytest.raises(UsageError) as caught:
        run_locking(session(ws), Options(update=("alpin:3",)), "text")
    assert caught.value.what == 'unknown base image "alpin:3" — did you mean "alpine:3"?'


def test_what_nobody_tells_is_shown_and_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = repository(tmp_path, *BOTH)
    said = (("docker.io", "Name or service not known"),)
    rows = (
        Compared("alpine:3", "unknown", BOTH[0], said=said),
        Compared("python:3", "current", stand_in("python:3", sha("d"))),
    )
    monkeypatch.setattr("hullwright.bases.outdated", lambda _: Outdated(rows))
    with pytest.raises(UnavailableError) as caught:
        run_locking(session(ws), Options(outdated=True), "text")
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert caught.value.lines() == [
        "nobody tells what alpine:3 is now",
        "  docker.io  Name or service not known",
    ]
    assert isinstance(ws.console.out, io.StringIO)
    assert ws.console.out.getvalue() == "shown\n"
