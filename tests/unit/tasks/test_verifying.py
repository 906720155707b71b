"""Which builders make the two builds of a check, and what is refused before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.build import BuildRequest
from hullwright.config.models import Build, Builder, Config
from hullwright.errors import UsageError
from hullwright.tasks.building import Options
from hullwright.tasks.verifying import _requests, run_verification
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path


def chosen(*names: str, asked: str = "", default: str = "") -> tuple[str, str]:
    config = Config(
        "shop",
        builders={name: Builder(name, "docker-container") for name in names},
        build=Build(builder=default),
    )
    session = SimpleNamespace(config=config)
    first, second = _requests(session, BuildRequest(builder=asked))  # type: ignore[arg-type]  # of a session it needs no more
    for request in (first, second):
        assert (request.reproducible, request.no_cache) == (True, True)
    assert first.outputs != second.outputs
    return first.builder, second.builder


@pytest.mark.parametrize(
    ("names", "asked", "default", "made"),
    [
        ((), "", "", ("", "")),
        (("far",), "", "", ("", "")),
        (("far",), "far", "", ("far", "far")),
        (("far", "near"), "", "", ("far", "near")),
        (("far", "near"), "near", "", ("near", "far")),
        (("far", "near"), "", "near", ("near", "far")),
        (("far", "near", "last"), "last", "near", ("last", "far")),
        (("far", "near"), "default", "", ("default", "far")),
    ],
)
def test_two_builders_are_taken_where_two_are_configured(
    names: tuple[str, ...], asked: str, default: str, made: tuple[str, str]
) -> None:
    assert chosen(*names, asked=asked, default=default) == made


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        (Options(why=True), "--why"),
        (Options(failed=True), "--failed"),
        (Options(changed_since="main"), "--changed-since"),
    ],
)
def test_what_means_nothing_for_two_builds_is_refused(options: Options, flag: str) -> None:
    session: Any = SimpleNamespace()
    with pytest.raises(UsageError, match=f"does not go together with {flag}"):
        run_verification(session, BuildRequest(), options)


def test_the_check_is_held_to_the_lock(tmp_path: Path) -> None:
    session: Any = SimpleNamespace(workspace=workspace(tmp_path, Config("shop")))
    with pytest.raises(UsageError, match=r"--locked holds a build to images\.lock"):
        run_verification(session, BuildRequest(locked=True), Options())
