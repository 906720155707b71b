"""What tags, versions and the history tell of earlier images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from hullwright.config.models import Config, Service, TagRule
from hullwright.errors import UsageError
from hullwright.history import Record
from hullwright.sizes import Subject
from hullwright.sizes.points import Point
from hullwright.sizes.references import Kept
from hullwright.tasks import sizebaseline
from hullwright.tasks.sizebaseline import Earlier
from tagging import SHA, clone, on

if TYPE_CHECKING:
    from hullwright.tasks.session import Session

API: Final = Subject("reg.example.com/api:2", "api", "production")
OLDER: Final = "e" * 40
DIGEST: Final = f"sha256:{'d' * 64}"
RULES: Final = (
    TagRule("ref", attributes={"event": "branch", "prefix": "", "suffix": ""}),
    TagRule("sha", attributes={"format": "short", "prefix": "sha-", "suffix": ""}),
)


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> Earlier:
    """Return what is known in a repository on a branch with one Git tag; nothing was run here."""
    config = Config(
        "shop",
        registry="reg.example.com",
        tags=RULES,
        services={"api": Service("api", targets=("development", "production"))},
    )
    context = on("refs/heads/feature", clone("main", "feature", "t:v1.0.0"))
    session = SimpleNamespace(config=config, ref_context=context, workspace=None)
    refs = {"refs/heads/main": SHA, "refs/tags/v1.0.0": OLDER}
    monkeypatch.setattr(Earlier, "_refs", refs)
    monkeypatch.setattr(
        "hullwright.version.describe_at",
        lambda *_, **__: SimpleNamespace(image_tag="1.0.1-0.dev.2"),
    )
    return Earlier(cast("Session", session))


def tags(names: Any) -> list[str]:
    assert all(name.startswith("reg.example.com/api:") for name in names)
    return [name.rpartition(":")[2] for name in names]


def test_a_branch_has_its_tag_last_and_older_commits_have_not(earlier: Earlier) -> None:
    main = Point("main", "refs/heads/main", (SHA, "f" * 40, OLDER))
    assert tags(earlier.names(API, main, SHA)) == ["sha-1a2b3c4", "1.0.1-0.dev.2", "main"]
    # A version takes Git some processes, so it is asked for the likeliest commits only.
    assert tags(earlier.names(API, main, OLDER)) == ["sha-eeeeeee"]


def test_another_stage_has_its_name_behind_each_tag(earlier: Earlier) -> None:
    main = Point("main", "refs/heads/main", (SHA,))
    stage = Subject("reg.example.com/api:2-development", "api", "development")
    assert tags(earlier.names(stage, main, SHA))[-1] == "main-development"


def test_a_name_that_git_does_not_know_is_a_tag_or_a_branch(earlier: Earlier) -> None:
    assert tags(earlier.guesses(API, "1.4.0"))[0] == "1.4.0"
    assert tags(earlier.guesses(API, "feature/x")) == ["feature-x"]
    assert earlier.guesses(Subject("busybox:1"), "1") == ()


def test_a_clone_that_lacks_tags_gives_no_names(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UsageError("the clone lacks tags")

    monkeypatch.setattr("hullwright.tagging.services.of_service", refuse)
    monkeypatch.setattr("hullwright.version.describe_at", refuse)
    assert earlier.names(API, Point("main", "refs/heads/main", (SHA,)), SHA) == []


def record(kind: str, data: dict[str, Any], version: str = "1.0.0") -> Record:
    return Record(
        kind=kind, project="shop", status="done", version=version, revision=SHA, data=data
    )


def row(**more: object) -> dict[str, Any]:
    return {
        "service": "api",
        "target": "production",
        "reference": "api:1",
        "digest": DIGEST,
        **more,
    }


def test_builds_and_pushes_tell_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    built = record(
        "build",
        {
            "targets": [
                row(status="current", version="1.0.0"),
                row(status="failed"),
                row(status="built", version="1.0.0+g1.dirty.2"),
                row(service="web", status="built"),
                row(status="built", digest=None),
            ]
        },
    )
    (kept,) = sizebaseline._of_record(built, API)
    assert kept == Kept(SHA, "api:1", DIGEST, f"history, build of {built.at:%Y-%m-%d}")
    pushed = record("push", {"images": [{**row(repository="r/api"), "reference": None}]})
    assert [each.reference for each in sizebaseline._of_record(pushed, API)] == [f"r/api@{DIGEST}"]


def test_measurements_tell_figures_and_layers() -> None:
    layer = {"digest": "sha256:a", "diff_id": "sha256:b", "unpacked_bytes": 7, "origin": "own"}
    figures = {"platform": "linux/amd64", "unpacked_bytes": 7, "layers": [layer]}
    (kept,) = sizebaseline._of_record(record("sizes", {"images": [row(**figures)]}), API)
    assert (kept.digest, kept.reference) == ("", "api:1")
    (found,) = kept.rows
    assert (found.platform, found.unpacked_bytes, found.compressed_bytes) == (
        "linux/amd64",
        7,
        None,
    )
    assert (found.layers[0].diff_id, found.layers[0].origin) == ("sha256:b", "own")


@pytest.mark.parametrize("data", [{}, {"images": 3}, {"images": [None]}, {"images": [row()]}])
def test_records_of_other_versions_tell_nothing(data: dict[str, Any]) -> None:
    assert sizebaseline._of_record(record("sizes", data), API) == []
