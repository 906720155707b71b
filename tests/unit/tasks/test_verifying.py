"""Which builders make the two builds of a check."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hullwright.build import BuildRequest
from hullwright.config.models import Build, Builder, Config
from hullwright.tasks.verifying import _requests


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
