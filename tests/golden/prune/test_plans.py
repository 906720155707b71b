"""Plans of what goes and what stays, and reports of what went, as people and machines read them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from goldens import goldens
from hullwright.prune import Limits, PruneReport, plan
from hullwright.prune.models import (
    NO_SINGLE_TAGS,
    Observed,
    OwnImage,
    OwnProject,
    StagingTag,
    User,
)
from hullwright.report import prune as report
from hullwright.tools.storage import CacheUse

HERE: Final = Path(__file__).parent
NOW: Final = 1_800_000_000.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
STAGED: Final = f"hullwright-{'0f' * 16}"

held = goldens(HERE)


def image(number: int, version: str, days: float, *names: str, **fields: object) -> OwnImage:
    identifier = f"sha256:{number:064x}"
    given: dict[str, object] = {
        "names": names,
        "strange": (),
        "service": "api",
        "target": "production",
        "own_bytes": 1_200_000 * number,
        **fields,
    }
    return OwnImage(
        id=identifier,
        version=version,
        at=NOW - days * DAY,
        digests=frozenset({identifier}),
        **given,  # type: ignore[arg-type]  # each test gives what fits
    )


IMAGES: Final = (
    image(1, "1.3.0-0.dev.4+gaaaaaaa", 0.2, "shop/api:1.3.0-0.dev.4"),
    image(2, "1.3.0-0.dev.3+gaaaaaaa", 1, "shop/api:1.3.0-0.dev.3", f"shop/api:{STAGED}"),
    image(3, "1.3.0-0.dev.2+gaaaaaaa", 2, "shop/api:1.3.0-0.dev.2"),
    image(4, "1.3.0-0.dev.1+gaaaaaaa", 9, "shop/api:1.3.0-0.dev.1", "shop/api:dev"),
    image(5, "1.2.0", 20, "shop/api:1.2.0", "shop/api:latest"),
    image(6, "1.2.0-rc.1", 25, "shop/api:1.2.0-rc.1"),
    image(7, "1.1.0", 30, "shop/api:1.1.0"),
    image(8, "1.1.0", 31),
    image(9, "1.0.0", 40, "shop/api:1.0.0", "kept/by-hand:1", strange=("kept/by-hand:1",)),
    image(10, "1.0.0", 45, "shop/api:1.0.0-0.dev.9"),
    image(11, "1.0.0", 50, f"shop/api:{'hullwright-' + 'a1' * 16}"),
    image(12, "0.9.0", 60, "shop/web:0.9.0", service="web", target=""),
    image(13, "0.9.0-0.dev.1", 61, "shop/web:0.9.0-0.dev.1", service="web", target=""),
)
USERS: Final = (
    User("c1", "shop-api-1", IMAGES[6].id, "shop/api:1.1.0", running=True),
    User("c2", "old-web-1", "sha256:gone", "shop/web:0.9.0-0.dev.1", running=False),
)
PROJECTS: Final = (
    OwnProject(
        "shop-cold-1a2b3c4d",
        throwaway=True,
        containers=(("t1", "shop-cold-1a2b3c4d-db-1"),),
        networks=("shop-cold-1a2b3c4d_default",),
        volumes=("shop-cold-1a2b3c4d_data",),
        running=False,
        held=False,
        strange=False,
        since=NOW - HOUR,
    ),
    OwnProject(
        "shop",
        throwaway=False,
        containers=(("s1", "shop-api-1"), ("s2", "shop-db-1")),
        networks=("shop_default",),
        volumes=("shop_data",),
        running=False,
        held=False,
        strange=False,
        since=NOW - 3 * DAY,
    ),
)
OBSERVED: Final = Observed("shop", NOW, IMAGES, USERS, frozenset({IMAGES[9].id}), PROJECTS)


def test_a_plan_of_images_and_projects() -> None:
    held("plan.txt", plan(OBSERVED, Limits(keep=2)).text())


def test_a_plan_of_what_is_old_only() -> None:
    old = Limits(keep=0, older_than=timedelta(days=35))
    held("plan-old.txt", plan(OBSERVED, old).text())


def test_a_plan_of_what_is_shared_says_so() -> None:
    observed = Observed(
        "shop",
        NOW,
        cache=CacheUse("default", 17_780_000_000, 5_556_000_000, 41),
        staged=(StagingTag("registry.example.com", "team/api", STAGED),),
    )
    held("plan-shared.txt", plan(observed, Limits(images=False, projects=False)).text())


@pytest.mark.parametrize("cache", [None, CacheUse("default", 1000, 0, 0)])
def test_a_plan_of_nothing(cache: CacheUse | None) -> None:
    made = plan(Observed("shop", NOW, cache=cache), Limits())
    assert not made
    assert made.text().endswith("\n  nothing goes")


def done() -> PruneReport:
    made = plan(OBSERVED, Limits(keep=2))
    goes = [operation for operation in made.operations if operation.action == "remove"]
    refusal = "Error response from daemon: conflict: image is being used by running container 12ab"
    return PruneReport(made, tuple(goes[:-1]), ((goes[-1], refusal),))


def test_reports_of_what_went() -> None:
    held("done.txt", report.text(done()))
    held("done.md", report.markdown(done()))
    held("done.json", json.dumps(report.as_json(done()), indent=2))


def test_a_plan_for_machines() -> None:
    made = report.as_json(plan(OBSERVED, Limits(keep=2)))
    assert made["done"] is False
    assert {each["state"] for each in made["operations"]} == {"remove", "keep"}
    assert report.markdown(plan(OBSERVED, Limits(keep=2))).startswith("### shop: ")


def test_a_tag_that_its_registry_cannot_remove_alone_is_no_failure() -> None:
    tags = Observed("shop", NOW, staged=(StagingTag("registry.example.com", "team/api", STAGED),))
    made = plan(tags, Limits())
    report_ = PruneReport(made, (), ((made.operations[0], NO_SINGLE_TAGS),))
    assert not report_.failed
    assert done().failed
    first, tag = report.text(report_).splitlines()
    assert first == "shop: 0 removed, 1 that the registry cannot remove"
    assert tag.startswith("  · tag registry.example.com/team/api:hullwright-")
    assert tag.endswith("stays: the registry removes no single tags, which is no failure")
