"""What `images --lock`, `--update` and `--outdated` show, as files."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from hullwright import locked as locked_file
from hullwright.bases import Change, Compared, Locked, LockPlan, Outdated, check
from hullwright.config.load import load
from hullwright.locked import Lock
from hullwright.report import locking as report
from locking import LATER, locked, sha, stand_in
from replaying import workspace
from sources import ROOT

_HERE: Final = Path(__file__).parent
_BEFORE: Final = locked("golang:1.26", "a")
_AFTER: Final = replace(locked("golang:1.26", "b"), at=LATER)
_OLD: Final = stand_in("python:3", sha("c"), apt="3.0.2", libc6="2.41-11", zlib1g="1")
_NEW: Final = replace(
    stand_in("python:3", sha("c"), apt="3.0.3", libc6="2.41-12", zlib1g="1"), at=LATER
)
_FRESH: Final = stand_in("rust:1", sha("d"), gcc="14")
_CHANGES: Final = (
    Change("add", "alpine:3", "Dockerfile:1 FROM", None, locked("alpine:3", "e")),
    Change("keep", "debian:13", "it is locked", locked("debian:13", "f"), locked("debian:13", "f")),
    Change("move", "golang:1.26", "it moved", _BEFORE, _AFTER),
    Change("drop", "node:20", "no Dockerfile names it any more", locked("node:20", "9")),
    Change("move", "python:3", "its packages moved", _OLD, _NEW),
    Change("add", "rust:1", "web/Dockerfile:3 FROM", None, _FRESH, reads=True),
)
PLAN: Final = LockPlan(_CHANGES, ("alpine:3 has no linux/arm64, which Dockerfile:1 FROM needs",))
LOCK: Final = Lock({c.image: c.after for c in _CHANGES if c.after is not None})
LOCKED: Final = Locked(PLAN, _CHANGES, LOCK)
KEPT: Final = Locked(LockPlan((_CHANGES[1],)), (_CHANGES[1],), Lock({"debian:13": _BEFORE}))
OUTDATED: Final = Outdated(
    (
        Compared("debian:13", "current", locked("debian:13", "f"), locked("debian:13", "f")),
        Compared(
            "golang:1.26", "moved", _BEFORE, _AFTER, created=datetime(2026, 11, 30, tzinfo=UTC)
        ),
        Compared(
            "nginx:1",
            "unknown",
            locked("nginx:1", "8"),
            said=(("docker.io", "Name or service not known"),),
        ),
        Compared("python:3", "moved", _OLD, _NEW, moved=("apt 3.0.2 → 3.0.3", "libc6 removed")),
    )
)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("lockplan", PLAN),
        ("locked", LOCKED),
        ("lockkept", KEPT),
        ("outdated", OUTDATED),
        ("current", Outdated(OUTDATED.images[:1])),
    ],
)
def test_the_lock_is_shown_as_in_the_file(name: str, result: Locked | LockPlan | Outdated) -> None:
    compared(_HERE / f"{name}.txt", report.text(result))


@pytest.mark.parametrize(("name", "result"), [("locked", LOCKED), ("outdated", OUTDATED)])
def test_a_job_summary_has_the_table(name: str, result: Locked | Outdated) -> None:
    compared(_HERE / f"{name}.md", report.markdown(result))


def test_packages_of_a_stand_in_are_not_gone_where_a_registry_has_the_image_now() -> None:
    official = replace(locked("python:3", "b"), at=LATER)
    change = Change("move", "python:3", "it moved", _OLD, official)
    shown = report.text(Locked(LockPlan((change,)), (change,), Lock({"python:3": official})))
    assert "removed" not in shown
    assert shown.rstrip().endswith(official.source)


def test_the_machine_form_has_every_image_before_and_after() -> None:
    found = report.as_json(LOCKED)
    assert found["schema"] == 1
    assert found["plan"] == str(PLAN).splitlines()
    assert found["notes"] == list(PLAN.notes)
    moved = found["changes"][2]
    assert (moved["image"], moved["action"], moved["cause"]) == ("golang:1.26", "move", "it moved")
    assert (moved["before"]["digest"], moved["after"]["digest"]) == (sha("a"), sha("b"))
    assert moved["after"]["at"] == "2026-12-02T08:00:00+00:00"
    assert moved["after"]["platforms"] == {"linux/amd64": sha("b")}
    python = found["changes"][4]["after"]
    assert (python["digest"], python["stand_in"]) == (None, sha("c"))
    assert python["packages"]["apt"] == "3.0.3"


def test_the_machine_form_says_what_moved_and_since_when() -> None:
    found = report.as_json(OUTDATED)["outdated"]
    assert [each["state"] for each in found] == ["current", "moved", "unknown", "moved"]
    assert found[1]["created"] == "2026-11-30T00:00:00+00:00"
    assert found[1]["locked"]["at"] == "2026-11-21T10:30:05+00:00"
    kept = report.as_json(
        Outdated((replace(OUTDATED.images[1], after=locked_file.LockedImage("x")),))
    )
    assert kept["outdated"][0]["now"]["at"] is None
    assert found[2]["said"] == [{"place": "docker.io", "words": "Name or service not known"}]
    assert found[3]["moved"] == ["apt 3.0.2 → 3.0.3", "libc6 removed"]


def test_the_lock_of_this_repository_fits_its_own_dockerfiles() -> None:
    ws = workspace(ROOT, load(ROOT, {}))
    found = locked_file.load(ROOT)
    assert found is not None
    assert [f"{each.subject}: {each.message}" for each in check(ws, found)] == []


def compared(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{text}\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == f"{text}\n"
