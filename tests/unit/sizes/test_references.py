"""What an image is compared with: the order in which it is looked for, and what is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config, Service
from hullwright.errors import ExitCode, HullwrightError, UnavailableError, UsageError
from hullwright.run import cache_dir
from hullwright.sizes import SizeReport, Subject, references
from hullwright.sizes import against as comparing_with
from hullwright.sizes.against import against
from hullwright.sizes.cache import Cache
from hullwright.sizes.choosing import Located
from hullwright.sizes.points import Point
from hullwright.sizes.references import Kept, find
from hullwright.tools import published
from hullwright.tools.engine import LocalImage
from layering import Layer, image
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hullwright.sizes.sources import Source
    from hullwright.workspace import Workspace

OLD, TIP, BASE = (letter * 40 for letter in "012")
DIGEST: Final = f"sha256:{'d' * 64}"
API: Final = Subject("reg.example.com/shop/api:2", "api", "production", DIGEST)
EARLIER: Final = f"sha256:{'e' * 64}"
CONFIG: Final = Config("shop", services={"api": Service("api", targets=("production",))})
NAME: Final = "reg.example.com/shop/api"


@dataclass
class World:
    """What Git, the registry, the store and the history have."""

    point: Point | None = None
    tag: str = "v1.0.0"
    registry: dict[str, str] = field(default_factory=dict)
    store: set[str] = field(default_factory=set)
    built: dict[str, LocalImage] = field(default_factory=dict)
    earlier: list[Kept] = field(default_factory=list)
    names_of: dict[str, list[str]] = field(default_factory=dict)
    guessed: list[str] = field(default_factory=list)
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def release(self, subject: Subject) -> str:
        return self.tag

    def names(self, subject: Subject, point: Point, commit: str) -> Sequence[str]:
        return self.names_of.get(commit, [])

    def guesses(self, subject: Subject, name: str) -> Sequence[str]:
        return self.guessed

    def kept(self, subject: Subject) -> Sequence[Kept]:
        return self.earlier


def _never() -> Source:
    raise AssertionError("nothing is read here")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()

    def read(_client: object, repository: str, tag: str) -> object:
        made.asked.append(tag)
        if made.silent:
            raise UnavailableError("the registry does not answer")
        revision = made.registry.get(tag)
        return revision and SimpleNamespace(digest=DIGEST, revision=revision)

    def locate(_ws: object, subject: Subject, place: str | None = None) -> Located | None:
        if "!" in subject.reference:
            raise UsageError("no reference")
        there = {subject.reference, subject.digest} & made.store
        return Located(subject, "store", DIGEST, _never) if there else None

    monkeypatch.setattr(published, "read", read)
    monkeypatch.setattr("hullwright.tools.registryclient.connect", lambda *_, **__: None)
    monkeypatch.setattr(references, "locate", locate)
    monkeypatch.setattr(references, "point_of", lambda *_: made.point)
    monkeypatch.setattr(comparing_with, "point_of", lambda *_: made.point)
    monkeypatch.setattr(references, "known_names", lambda _: ["main", "v1.0.0"])
    monkeypatch.setattr(references._Search, "local", property(lambda _: made.built))
    return made


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return workspace(tmp_path, CONFIG)


def on_main(*more: str) -> Point:
    return Point("main", "refs/heads/main", (TIP, *more))


def test_the_registry_is_asked_first_and_by_what_never_moves(ws: Workspace, world: World) -> None:
    world.point = on_main(BASE)
    world.names_of = {TIP: [f"{NAME}:sha-1111111", f"{NAME}:main"]}
    world.registry, world.store = {"main": TIP}, {f"{NAME}:main"}
    found = find(ws, API, "main", world)
    assert world.asked == ["sha-1111111", "main"]
    assert (found.subject.reference, found.subject.digest) == (f"{NAME}:main", DIGEST)
    assert (found.subject.service, found.subject.target) == ("api", "production")
    assert found.how == "registry, tag main"


def test_a_branch_tag_of_another_commit_says_which(ws: Workspace, world: World) -> None:
    world.point = on_main(BASE)
    world.names_of, world.registry = {TIP: [f"{NAME}:main"]}, {"main": OLD}
    assert find(ws, API, "main", world).how == "registry, tag main (0000000)"


def test_without_an_image_of_the_branch_its_base_stands_in(ws: Workspace, world: World) -> None:
    world.point = on_main(BASE, OLD)
    world.names_of = {TIP: [f"{NAME}:main"], BASE: [f"{NAME}:sha-2222222"]}
    world.registry = {"sha-2222222": BASE}
    assert find(ws, API, "main", world).how == (
        "registry, tag sha-2222222 at 2222222, where this history left it; "
        "there is none of main itself"
    )
    world.registry, world.built = {}, {OLD: LocalImage("sha256:ab", ("api:1",))}
    found = find(ws, API, "main", world)
    assert (found.subject.reference, found.place) == ("api:1", "store")
    assert found.how == (
        "local store, built of 0000000, the newest before it; there is none of main itself"
    )


def test_what_builds_recorded_is_known_by_its_digest(ws: Workspace, world: World) -> None:
    world.point = Point("v1.0.0", "refs/tags/v1.0.0", (TIP,))
    world.earlier = [Kept(TIP, "api:1", EARLIER, "history, build of 2026-11-20")]
    world.store = {EARLIER}
    found = find(ws, API, "v1.0.0", world)
    assert found.how == "local store, history, build of 2026-11-20"
    assert found.subject == Subject("api:1", "api", "production", EARLIER)


def test_what_was_just_built_is_compared_with_itself_only_for_want_of_another(
    ws: Workspace, world: World
) -> None:
    world.point = on_main(BASE)
    world.names_of = {TIP: [f"{NAME}:2", f"{NAME}:main"]}
    world.store = {f"{NAME}:2"}
    assert find(ws, API, "main", world).how == "local store, tag 2"
    world.registry = {"main": OLD}
    assert find(ws, API, "main", world).how == "registry, tag main (0000000)"
    world.registry, world.built = {}, {BASE: LocalImage("sha256:ab", ("api:1",))}
    assert find(ws, API, "main", world).subject.reference == "api:1"


def test_of_what_is_gone_the_cache_and_then_the_history_have_figures(
    ws: Workspace, world: World
) -> None:
    row = image(Layer("COPY a /", {"a": 10}))
    world.point = Point("v1.0.0", "refs/tags/v1.0.0", (TIP,))
    world.earlier = [
        Kept(TIP, "api:1", EARLIER, "history, build of 2026-11-20"),
        Kept(TIP, "api:1", "", "history, sizes of 2026-11-20", (row.figures,)),
    ]
    found = find(ws, API, "v1.0.0", world)
    assert found.how == "history, sizes of 2026-11-20; the image itself is gone"
    assert [each.figures for each in found.rows] == [row.figures]
    cache = Cache(cache_dir(ws.environ))
    cache.keep_figures(EARLIER, (row.figures,))
    assert row.contents is not None
    cache.keep_contents(row.figures.digest, row.contents)
    found = find(ws, API, "v1.0.0", world)
    assert found.how == "history, build of 2026-11-20; the image itself is gone"
    assert found.rows[0].contents is not None


def test_a_commit_without_an_image_tells_where_it_was_looked_for(
    ws: Workspace, world: World
) -> None:
    world.point = Point("main", "refs/heads/main", (TIP, BASE, OLD), cut=True)
    world.names_of = {TIP: [f"{NAME}:main"]}
    with pytest.raises(HullwrightError) as raised:
        find(ws, API, "main", world)
    assert raised.value.exit_code == ExitCode.FAILED
    advised = "build or push it there (invoke push), or name an image: --against REF"
    assert raised.value.lines() == [
        "there is no image of api production at main (1111111), nor of 2 commits before it",
        f"  {NAME}  main",
        "  local store               built of 1111111, built of 2222222, built of 0000000",
        "  history                   measured at 1111111, measured at 2222222, measured at 0000000",
        f"  next                      git fetch --unshallow, or {advised}",
    ]


def test_a_registry_that_is_silent_is_told_only_where_nothing_else_has_it(
    ws: Workspace, world: World
) -> None:
    world.point, world.silent = on_main(BASE), True
    world.names_of = {TIP: [f"{NAME}:sha-1", f"{NAME}:main"]}
    with pytest.raises(UnavailableError, match="does not answer"):
        find(ws, API, "main", world)
    # It is asked once, not for each name.
    assert world.asked == ["sha-1"]
    world.built = {TIP: LocalImage("sha256:ab")}
    assert find(ws, API, "main", world).how == "local store, built of 1111111"


def test_a_name_that_git_does_not_know_may_be_a_tag_or_an_image(
    ws: Workspace, world: World
) -> None:
    world.guessed, world.registry = [f"{NAME}:main"], {"main": TIP}
    assert find(ws, API, "main", world).how == "registry, tag main (1111111)"
    world.store = {"busybox:1"}
    found = find(ws, API, "busybox:1", world)
    assert (found.subject, found.how) == (Subject("busybox:1", digest=DIGEST), "local store")


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ("mian", ExitCode.USAGE, 'is no ref of this clone and no image — did you mean "main"?'),
        ("relaese", ExitCode.USAGE, 'did you mean "release"?'),
        ("what!", ExitCode.USAGE, '"what!" is no ref of this clone and no image'),
        ("shop/api:9", ExitCode.FAILED, "the image shop/api:9 is not in the local store"),
    ],
)  # fmt: skip
def test_what_is_neither_is_refused(
    ws: Workspace, world: World, asked: str, code: ExitCode, told: str
) -> None:
    with pytest.raises(HullwrightError) as raised:
        find(ws, API, asked, world)
    assert raised.value.exit_code == code
    assert told in raised.value.what


def test_before_the_first_release_there_is_none_to_compare_with(
    ws: Workspace, world: World
) -> None:
    world.tag = ""
    with pytest.raises(HullwrightError, match="there is no release of api production") as raised:
        find(ws, API, "release", world)
    assert raised.value.exit_code == ExitCode.FAILED


def test_an_image_of_no_service_has_none_at_a_commit(ws: Workspace, world: World) -> None:
    world.point = on_main()
    with pytest.raises(UsageError, match="busybox:1 is no service's image"):
        find(ws, Subject("busybox:1"), "main", world)


def test_one_image_is_no_reference_of_several_services(ws: Workspace, world: World) -> None:
    rows = (image(Layer("COPY a /", {"a": 1})), image(Layer("COPY b /", {"b": 1}), service="web"))
    with pytest.raises(UsageError, match="shop/api:1 is one image, and those of 2 services"):
        against(ws, SizeReport(rows), "shop/api:1", world)


def test_a_new_service_is_compared_with_nothing_and_the_others_are(
    ws: Workspace, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = image(Layer("COPY a /", {"a": 1})), image(Layer("COPY a /", {"a": 7}))
    web = image(Layer("COPY b /", {"b": 1}), service="web")
    world.point = on_main()
    world.earlier = [Kept(TIP, "api:1", "", "history, sizes of 2026-11-20", (old.figures,))]
    monkeypatch.setattr(
        world, "kept", lambda subject: world.earlier if subject.service == "api" else []
    )
    report = against(ws, SizeReport((new, web)), "main", world)
    assert [row.compared is not None for row in report.images] == [True, False]
    assert report.images[0].compared is not None
    assert report.images[0].compared.cause.startswith("api linux/amd64 grew by 6 B unpacked")
    told = ws.console.err.getvalue()  # type: ignore[attr-defined]  # a buffer
    assert "there is no image of web production at main" in told
    with pytest.raises(HullwrightError, match="there is no image of web"):
        against(ws, SizeReport((web,)), "main", world)


def test_a_platform_that_is_new_is_compared_with_nothing(ws: Workspace, world: World) -> None:
    old, new = image(Layer("COPY a /", {"a": 1})), image(Layer("COPY a /", {"a": 7}))
    arm = replace(new, figures=replace(new.figures, platform="linux/arm64"))
    world.point = on_main()
    world.earlier = [Kept(TIP, "api:1", "", "history", (old.figures,))]
    report = against(ws, SizeReport((new, arm)), "main", world)
    assert [row.compared is not None for row in report.images] == [True, False]
    assert "api:1 has no image for linux/arm64" in ws.console.err.getvalue()  # type: ignore[attr-defined]  # a buffer
