"""The task `prune`: it says what goes before it asks, and removes nothing unasked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from invoke import Config, Context
from invoke.exceptions import Exit

from hullwright.prune import Limits
from hullwright.prune.models import Observed, StagingTag
from hullwright.tasks.pruning import prune

if TYPE_CHECKING:
    from pathlib import Path

TAG = StagingTag("registry.example.com", "team/api", f"hullwright-{'0f' * 16}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Limits]:
    """Look at a world with one thing to remove, and return with which limits."""
    (tmp_path / "hullwright.toml").write_text('project = "shop"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found: list[Limits] = []

    def look(_: object, limits: Limits) -> Observed:
        found.append(limits)
        return Observed("shop", 0.0, staged=(TAG,))

    def execute(*_: object) -> None:
        raise AssertionError("nothing may be removed")

    monkeypatch.setattr("hullwright.prune.look", look)
    monkeypatch.setattr("hullwright.prune.execute", execute)
    return found


def context(*, dry: bool = False) -> Context:
    return Context(Config({"run": {"dry": dry}}))


def test_nothing_goes_where_nobody_can_be_asked(
    asked: list[Limits], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as ended:
        prune(context())
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"remove    tag {TAG.reference}" in told.err
    assert told.err.endswith(
        "✗ nothing was removed\n"
        "  why   that would go, and nobody is here to be asked\n"
        "  next  invoke prune --yes   (with the same flags)\n"
    )
    assert asked[0] == Limits(5, None, images=True, projects=True)


def test_a_dry_run_ends_with_the_plan(
    asked: list[Limits], capsys: pytest.CaptureFixture[str]
) -> None:
    prune(context(dry=True), yes=True, format="json")
    told = json.loads(capsys.readouterr().out)
    assert told["done"] is False
    assert told["operations"][0]["state"] == "remove"


@pytest.mark.parametrize(
    ("flag", "limits"),
    [
        ("images", Limits(projects=False)),
        ("projects", Limits(images=False)),
        ("cache", Limits(images=False, projects=False, cache=True)),
        ("registry", Limits(images=False, projects=False, registry=True)),
    ],
)
def test_a_flag_names_the_only_kind_that_is_looked_at(
    asked: list[Limits], flag: str, limits: Limits
) -> None:
    prune(context(dry=True), **{flag: True})
    assert asked == [limits]


@pytest.mark.parametrize(
    "flags", [{"keep": "-1"}, {"keep": "x"}, {"older_than": "old"}, {"format": "xml"}]
)
def test_limits_that_cannot_be_meant_are_refused(
    asked: list[Limits], flags: dict[str, object]
) -> None:
    with pytest.raises(Exit) as ended:
        prune(context(), **flags)
    assert ended.value.code == 2
    assert asked == []
