"""Which platforms need an emulator: only those whose code a step runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright.build import emulation
from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import Result
from hullwright.tools.builders import INSPECT
from hullwright.tools.dockerfile import parse
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

FOREIGN: Final = "linux/s390x"


@pytest.fixture(autouse=True)
def amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be an amd64 one."""
    monkeypatch.setattr(emulation, "host", lambda: "linux/amd64")


@pytest.mark.parametrize(
    ("platform", "needs"),
    [
        ("", False),
        ("linux/amd64", False),
        ("linux/amd64/v2", False),
        ("linux/386", False),
        ("linux/amd64->arm64", False),
        ("linux/arm64", True),
        ("linux/arm64->amd64", True),
        (FOREIGN, True),
        ("$BUILDPLATFORM", False),
    ],
)
def test_foreign_code_is_that_of_another_processor(platform: str, *, needs: bool) -> None:
    assert emulation.foreign(platform) is needs


@pytest.mark.parametrize(
    ("text", "target", "ran"),
    [
        ("FROM alpine\nRUN a\nRUN b\n", "", [(FOREIGN, "0", 2)]),
        ("FROM alpine\nCOPY a b\nADD c d\nWORKDIR /x\n", "", []),
        (
            "FROM --platform=$BUILDPLATFORM golang AS b\nRUN make\nFROM scratch\nCOPY --from=b a b",
            "",
            [],
        ),
        ("FROM --platform=${BUILDPLATFORM} a AS b\nFROM b AS c\nRUN make\nFROM c\nRUN x", "", []),
        ("FROM a AS b\nRUN x\nFROM scratch AS c\nCOPY a b", "c", []),
        ("FROM a AS b\nRUN x\nFROM scratch AS c\nCOPY --from=b a b", "c", [(FOREIGN, "b", 2)]),
        (
            "FROM --platform=linux/arm64 a AS b\nRUN x\nFROM scratch\nCOPY --from=b a b",
            "",
            [("linux/arm64", "b", 2)],
        ),
        ("FROM --platform=$TARGETPLATFORM a\nRUN x", "", [(FOREIGN, "0", 2)]),
        ("ARG P=linux/arm/v7\nFROM --platform=$P a\nRUN x", "", [("linux/arm/v7", "0", 3)]),
    ],
)
def test_a_step_runs_on_the_platform_of_its_stage(
    text: str, target: str, ran: list[tuple[str, str, int]]
) -> None:
    assert list(emulation.run_platforms(parse(text), target, {}, FOREIGN)) == ran


def asked(root: Path, platforms: str, needs: list[tuple[str, str]]) -> Replay:
    told = f"Name: default\nDriver: docker\n{platforms}\n"
    runner = Replay({}, results={INSPECT: Result(INSPECT, 0, told, "", 0.1)})
    emulation.refuse_missing(workspace(root, runner=runner), needs)
    return runner


def test_a_missing_emulator_is_told_before_the_build_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as raised:
        asked(tmp_path, "Platforms: linux/amd64, linux/arm64", [(FOREIGN, "Dockerfile:2, stage 0")])
    assert raised.value.exit_code is ExitCode.UNAVAILABLE
    assert str(raised.value).startswith("builder default cannot run programs of linux/s390x")
    assert ("needed by", "Dockerfile:2, stage 0  (linux/s390x)") in raised.value.why
    assert "qemu-user-static" in raised.value.next_step
    assert "--platform=$BUILDPLATFORM" in raised.value.next_step


@pytest.mark.parametrize(
    ("platforms", "needed"),
    [
        ("Platforms: linux/amd64, linux/arm64", "linux/arm64"),
        ("Platforms: linux/amd64, linux/arm64", "linux/arm64/v8"),
        ("Platforms: linux/amd64, linux/arm/v7", "linux/arm"),
        ("", FOREIGN),
    ],
)
def test_what_the_builder_runs_or_does_not_say_is_not_refused(
    tmp_path: Path, platforms: str, needed: str
) -> None:
    assert len(asked(tmp_path, platforms, [(needed, "x")]).calls) == 1


def test_the_builder_is_asked_only_for_foreign_code(tmp_path: Path) -> None:
    assert asked(tmp_path, "", [("linux/amd64", "x"), ("linux/386", "y")]).calls == []
