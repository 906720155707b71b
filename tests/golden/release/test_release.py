"""The release file, what is wrong with one, and what the tasks of releases show."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.errors import UsageError
from hullwright.push import Content, Left, Move, MovePlan, MoveReport, release
from hullwright.push.naming import NamePlan, Naming
from hullwright.push.promoting import Promoted, Promotion
from hullwright.push.pulling import Pulled, PulledImage, PullPlan, Wanted
from hullwright.push.release import StackPart
from hullwright.push.releasereading import from_json
from hullwright.recorded import RecordedImage
from hullwright.report import release as report
from pushing import INDEX, Memory

if TYPE_CHECKING:
    from hullwright.push.release import Release

_HERE: Final = Path(__file__).parent
HOST: Final = "registry.example.com"
NOW: Final = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def golden(name: str, text: str) -> None:
    """Hold a text against a file."""
    path = _HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == path.read_text(encoding="utf-8")


def indexed(memory: Memory, repository: str) -> str:
    """Store an image of two platforms with an attestation; returns its digest."""
    amd = memory.image(repository)
    arm = memory.image(repository, architecture="arm64", variant="v8")
    attestation = memory.image(repository, os="unknown", architecture="unknown")
    platforms = {amd: ("linux", "amd64"), arm: ("linux", "arm64"), attestation: ("unknown",) * 2}
    entries: list[dict[str, Any]] = [
        {"digest": digest, "platform": {"os": system, "architecture": architecture}}
        for digest, (system, architecture) in platforms.items()
    ]
    entries[1]["platform"]["variant"] = "v8"
    return memory.add(repository, {"mediaType": INDEX, "manifests": entries})


def made() -> Release:
    """Return the release of a shop: an api of two platforms, a web, and its development image."""
    memory = Memory()

    def content(service: str, target: str, digest: str, version: str) -> Content:
        repository = f"{HOST}/shop/{service}"
        return Content(service, target, repository, digest, "f" * 64, (), version, "a" * 40)

    contents = [
        content("api", "production", indexed(memory, "shop/api"), "1.4.1"),
        content("web", "production", memory.image("shop/web"), "1.4.0"),
        content("web", "development", memory.image("shop/web", variant="v2"), "1.4.1"),
    ]
    return release.make(
        {HOST: memory},
        contents,
        project="shop",
        version="1.4.1",
        revision="b" * 40,
        created=NOW,
        tags={
            ("api", "production"): ["1.4.1", "1.4", "latest"],
            ("web", "production"): ["1.4.1", "latest"],
            ("web", "development"): ["1.4.1-development", "latest-development"],
        },
        stacks=[
            StackPart("jobs", ("jobs.yaml",), f"sha256:{'2' * 64}", {"nightly": ("jobs", "")}),
            StackPart(
                "default",
                ("compose.yaml", "compose.production.yaml"),
                f"sha256:{'1' * 64}",
                {"web": ("web", "production"), "api": ("api", "production")},
            ),
        ],
    )


def test_the_file_and_back_again() -> None:
    made_here = made()
    text = json.dumps(made_here.as_json(), indent=2, ensure_ascii=False)
    golden("release.json", text)
    assert from_json(text, "release.json") == made_here


@pytest.mark.parametrize("name", ["broken", "empty", "newer", "not-json", "no-object"])
def test_every_mistake_is_told_at_once(name: str) -> None:
    text = (_HERE / f"{name}.release").read_text(encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        from_json(text, "release.json")
    golden(f"{name}.txt", str(raised.value))


def moves(*before: str) -> MovePlan:
    """Return the plan of promoting to `prod`, whose tags name these now."""
    names = zip(made().images, before, strict=True)
    return MovePlan(
        tuple(
            Move(image.repository, f"prod{image.suffix}", image.digest, "moving", was)
            for image, was in names
        )
    )


def promoted(kind: str) -> Promoted:
    """Return what came of a promotion."""
    old = f"sha256:{'0' * 64}"
    digests = [image.digest for image in made().images]
    plan = moves(*digests) if kind == "already" else moves(old, digests[1], "")
    promotion = Promotion(made(), "prod", plan)
    first, second, third = plan.moves
    reports = {
        "promoted": MoveReport((first, third), (second,), 0.0123),
        "already": MoveReport(unchanged=plan.moves),
        "failed": MoveReport(
            restored=(first,),
            left=(Left(third, "the registry deletes no single tags"),),
            window_s=0.2,
            failure="registry.example.com does not let ci push\n  said  403 read-only",
        ),
        "interrupted": MoveReport(
            restored=(first,), deleted=(third,), window_s=0.1, interrupted=True
        ),
    }
    return Promoted(promotion, reports[kind])


@pytest.mark.parametrize("kind", ["promoted", "already", "failed", "interrupted"])
def test_a_promotion(kind: str) -> None:
    shown = promoted(kind)
    golden(f"promote-{kind}.txt", report.text(shown))
    golden(f"promote-{kind}.md", report.markdown(shown))
    golden(f"promote-{kind}.json", json.dumps(report.as_json(shown), indent=2))


def test_the_plan_of_a_promotion() -> None:
    golden("promote-plan.txt", promoted("promoted").promotion.text())


@pytest.mark.parametrize("tag", ["prod", "1.4.1", "v1.4.1", "api-1.4.1", "1.4", "sha-1a2b3c4"])
def test_a_tag_that_tells_the_truth_needs_no_word(tag: str) -> None:
    assert Promotion(made(), tag, MovePlan(())).note == ""


@pytest.mark.parametrize("tag", ["2.0.0", "v2.0.0", "1.4.1-rc.1"])
def test_a_tag_of_another_version_is_told_of(tag: str) -> None:
    told = Promotion(made(), tag, MovePlan(())).note
    assert told == f"{tag} is a version other than that of the release, 1.4.1"


def pull_plan() -> PullPlan:
    """Return the plan of pulling two images, one of which is here."""
    api, web, _ = made().images
    wanted = [
        Wanted(i.service, i.target, f"{i.repository}:1.4.1", i.digest, tuple(i.platforms))
        for i in (api, web)
    ]
    return PullPlan("shop 1.4.1", (wanted[0], replace(wanted[1], present=True)))


def test_the_plan_of_a_pull() -> None:
    golden("pull-plan.txt", pull_plan().text())


def test_a_pull() -> None:
    api, web = pull_plan().images
    labels = ("b" * 40, "f" * 64, ("linux/amd64",))
    shown = Pulled(
        "shop 1.4.1",
        (
            PulledImage(api, "pulled", 1.234, "1.4.1", *labels),
            PulledImage(web, "present", 0.01, "1.4.0", *labels),
        ),
    )
    golden("pull.txt", report.text(shown))
    golden("pull.md", report.markdown(shown))
    golden("pull.json", json.dumps(report.as_json(shown), indent=2, ensure_ascii=False))


def test_local_tags() -> None:
    def naming(service: str, digit: str, before: str, *, done: bool = False) -> Naming:
        digest = f"sha256:{digit * 64}"
        name = f"{HOST}/shop/{service}"
        known = ("production", f"{name}:1.4.1", digest, "1.4.1", "b" * 40, ("linux/amd64",), NOW)
        image = RecordedImage(service, *known)
        return Naming(image, f"{name}@{digest}", f"{name}:demo", before, done=done)

    shown = NamePlan(
        (
            naming("api", "1", ""),
            naming("web", "2", f"sha256:{'3' * 64}"),
            naming("jobs", "4", f"sha256:{'4' * 64}", done=True),
        )
    )
    golden("tag-plan.txt", shown.text())
    golden("tag.txt", report.text(shown))
    golden("tag.md", report.markdown(shown))
    golden("tag.json", json.dumps(report.as_json(shown), indent=2))
