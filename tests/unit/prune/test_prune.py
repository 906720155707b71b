"""What goes and what stays: the rules one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.errors import UsageError
from hullwright.prune import Limits, parse_age, plan
from hullwright.prune.models import Observed, OwnImage, OwnProject, User
from hullwright.prune.plan import release_of

if TYPE_CHECKING:
    pass

NOW: Final = 1_800_000_000.0
DAY: Final = 86400.0
STAGED: Final = f"shop/api:hullwright-{'0f' * 16}"


def image(number: int, days: float, *names: str, version: str = "") -> OwnImage:
    identifier = f"sha256:{number:064x}"
    return OwnImage(
        identifier, names, (), "api", "production", version, NOW - days * DAY,
        frozenset({identifier}),
    )  # fmt: skip


def goes(observed: Observed, limits: Limits) -> list[str]:
    return [each.name for each in plan(observed, limits).operations if each.action == "remove"]


def project(**fields: object) -> OwnProject:
    base = OwnProject(
        "shop", throwaway=False, containers=(("c", "shop-api-1"),), networks=("shop_default",),
        volumes=("shop_data",), running=False, held=False, strange=False, since=NOW - 3 * DAY,
    )  # fmt: skip
    return replace(base, **fields)  # type: ignore[arg-type]  # each test gives what fits


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_ages_are_read(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "7", "d", "7 days", "12h1d", "-1d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an age"):
        parse_age(text)


@pytest.mark.parametrize("version", ["1.2.3", "1.2.3-rc.1"])
def test_a_release_is_known_by_its_version(version: str) -> None:
    assert str(release_of(version)) == version


@pytest.mark.parametrize(
    "version",
    ["", "main", "1.2.4-0.dev.3+gabc", "1.3.0-rc.1.dev.5", "1.2.3+gabc.dirty.12345678"],
)
def test_a_development_build_is_no_release(version: str) -> None:
    assert release_of(version) is None


def test_the_newest_stay_and_younger_ones_too_where_an_age_is_given() -> None:
    images = tuple(image(n, n, f"shop/api:{n}") for n in range(1, 8))
    observed = Observed("shop", NOW, images)
    assert goes(observed, Limits(keep=5)) == ["shop/api:6", "shop/api:7"]
    assert goes(observed, Limits(keep=2, older_than=timedelta(days=6, hours=1))) == ["shop/api:7"]
    assert goes(observed, Limits(keep=0, older_than=timedelta(days=30))) == []


def test_an_image_whose_name_moved_on_counts_for_nothing_and_goes() -> None:
    observed = Observed("shop", NOW, (image(1, 0.5), image(2, 1, "shop/api:a")))
    assert goes(observed, Limits(keep=1)) == [f"sha256:{1:064x}"]


def test_what_a_push_may_be_using_now_stays() -> None:
    young = Observed("shop", NOW, (image(1, 0.01, STAGED), image(2, 0.01, "shop/api:a", STAGED)))
    assert goes(young, Limits(keep=1)) == []
    old = Observed("shop", NOW, (image(1, 0.5, STAGED), image(2, 0.6, "shop/api:a", STAGED)))
    assert sorted(goes(old, Limits(keep=1))) == [STAGED, STAGED]


def test_the_highest_release_and_the_candidate_above_it_stay() -> None:
    versions = ["1.9.0", "1.10.0", "2.0.0-rc.1", "1.11.0-0.dev.1+gabc", "1.2.0-rc.9"]
    images = tuple(image(n, n, f"shop/api:{n}", version=v) for n, v in enumerate(versions))
    kept = {1, 2}
    assert goes(Observed("shop", NOW, images), Limits(keep=0)) == [
        f"shop/api:{n}" for n in range(len(versions)) if n not in kept
    ]


def test_what_a_container_uses_stays_unless_that_goes_too() -> None:
    user = User("c", "shop-api-1", f"sha256:{1:064x}", "shop/api:1", running=False)
    observed = Observed("shop", NOW, (image(1, 9, "shop/api:1"),), (user,))
    assert goes(observed, Limits(keep=0)) == []
    gone = replace(observed, projects=(project(),))
    assert goes(gone, Limits(keep=0)) == ["shop-api-1", "shop_default", "shop/api:1"]


def test_an_image_with_a_name_of_somebody_else_stays_whole() -> None:
    named = replace(image(1, 9, "shop/api:1", "theirs:1"), strange=("theirs:1",))
    made = plan(Observed("shop", NOW, (named,)), Limits(keep=0))
    assert not made
    assert "theirs:1 is no name of this project's services" in made.text()


@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({}, ["shop-api-1", "shop_default"]),
        ({"running": True}, []),
        ({"since": NOW - 3600}, []),
        ({"strange": True}, []),
        ({"throwaway": True}, ["shop-api-1", "shop_default", "shop_data"]),
        ({"throwaway": True, "since": NOW - 60}, ["shop-api-1", "shop_default", "shop_data"]),
        ({"throwaway": True, "running": True}, ["shop-api-1", "shop_default", "shop_data"]),
        ({"throwaway": True, "running": True, "since": NOW - 3600}, []),
        ({"throwaway": True, "held": True}, []),
        (
            {"throwaway": True, "containers": (), "since": 0.0},
            ["shop_default", "shop_data"],
        ),
    ],
    ids=lambda value: "-".join(value) or "stopped" if isinstance(value, dict) else "",
)
def test_which_projects_go(fields: dict[str, object], gone: list[str]) -> None:
    observed = Observed("shop", NOW, projects=(project(**fields),))
    assert goes(observed, Limits()) == gone


def test_an_age_holds_for_projects_too() -> None:
    week = Limits(older_than=timedelta(days=7))
    for throwaway in (True, False):
        observed = Observed("shop", NOW, projects=(project(throwaway=throwaway),))
        assert goes(observed, week) == []


def test_only_throwaways_are_forced() -> None:
    for throwaway in (True, False):
        made = plan(Observed("shop", NOW, projects=(project(throwaway=throwaway),)), Limits())
        assert made.operations[0].forced == throwaway
