"""Which siblings a build stands on, in which order they go, and for which platforms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.build.linking import context_key
from hullwright.build.models import BuildPlan, PlannedTarget
from hullwright.config.models import Config, Service
from hullwright.errors import ExitCode, UsageError
from hullwright.images import Platform
from hullwright.run import Result
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

VERSION: Final = SourceVersion(
    "1.5.0-0.dev.2+g1a2b3c4", "1.5.0-0.dev.2.g1a2b3c4", arguments={"VERSION": "1.5.0"}
)
REGISTRY: Final = "registry.example.com/shop"
DIGEST: Final = f"sha256:{'a' * 64}"
STAGES: Final = "FROM scratch AS builder\nFROM scratch AS production\n"


class Siblings:
    """Services by their Dockerfiles, and the plans of them; `base` makes `team/base`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.services: dict[str, Service] = {}
        self.service("base", STAGES, targets=("production",), image="team/base")

    def service(self, name: str, dockerfile: str, **fields: object) -> Siblings:
        made = replace(Service(name, dockerfile=f"{name}.Dockerfile"), **fields)  # type: ignore[arg-type]  # each test names fields that there are
        (self.root / made.dockerfile).write_text(dockerfile, encoding="utf-8")
        self.services[name] = made
        return self

    def plan(self, *names: str, **fields: object) -> BuildPlan:
        request = replace(BuildRequest(services=names), **fields)  # type: ignore[arg-type]  # likewise
        inspect: tuple[str, ...] = ("docker", "buildx", "inspect")
        everything = "Name: default\nDriver: docker\nPlatforms: linux/amd64, linux/arm64\n"
        # Base images that no sibling makes are looked for in the local store.
        answers: dict[tuple[str, ...], Result] = {
            ("docker", "image", "inspect"): Result((), 0, "[]"),
            inspect: Result(inspect, 0, everything),
        }
        config = Config("shop", registry=REGISTRY, services=self.services)
        ws = workspace(self.root, config, Replay({}, results=answers))
        return build.plan(ws, request, lambda _: VERSION)

    def contexts(self, name: str) -> dict[str, str]:
        """Return the contexts that bake is told of a service."""
        (target,) = (t for t in self.plan(name).targets if t.asked)
        assert dict(target.links) == {
            key: value.removeprefix("target:")
            for key, value in target.bake.contexts.items()
            if value.startswith("target:")
        }
        return dict(target.bake.contexts)

    def refused(self, *names: str) -> str:
        with pytest.raises(UsageError) as raised:
            self.plan(*names)
        assert raised.value.exit_code == ExitCode.USAGE
        return str(raised.value)


@pytest.fixture
def siblings(tmp_path: Path) -> Siblings:
    """Return a repository whose only service makes `team/base`."""
    return Siblings(tmp_path)


def names(plan: BuildPlan) -> list[str]:
    return [target.name for target in plan.targets]


def target(plan: BuildPlan, service: str) -> PlannedTarget:
    (found,) = (t for t in plan.targets if t.service == service)
    return found


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("x", "x"),
        ("x:latest", "x"),
        ("docker.io/library/x", "x"),
        ("docker.io/team/x:2", "team/x:2"),
        ("library/x:1", "x:1"),
        ("localhost:5000/x:latest", "localhost:5000/x"),
        (f"x@{DIGEST}", f"x@{DIGEST}"),
        ("No Reference", "No Reference"),
    ],
)
def test_a_context_has_the_name_that_buildkit_looks_up(image: str, key: str) -> None:
    assert context_key(image) == key


@pytest.mark.parametrize(
    ("image", "key", "stage"),
    [
        ("team/base", "team/base", "production"),
        ("team/base:latest", "team/base", "production"),
        ("docker.io/team/base", "team/base", "production"),
        (f"{REGISTRY}/team/base", f"{REGISTRY}/team/base", "production"),
        ("team/base:1.4", "team/base:1.4", "production"),
        ("team/base:local-builder", "team/base:local-builder", "builder"),
        ("team/base:builder", "team/base:builder", "builder"),
        (f"{REGISTRY}/team/base:2-builder", f"{REGISTRY}/team/base:2-builder", "builder"),
    ],
)
def test_a_siblings_image_is_recognised_by_its_name_and_its_stage_by_the_tag(
    siblings: Siblings, image: str, key: str, stage: str
) -> None:
    siblings.service("web", f"FROM {image}\n")
    assert siblings.contexts("web") == {key: f"target:base-{stage}"}


@pytest.mark.parametrize(
    "image",
    [
        f"team/base@{DIGEST}",
        f"team/base:1@{DIGEST}",
        f"{REGISTRY}/team/base@{DIGEST}",
        "base",
        "team/base2",
        "other.example.com/team/base",
    ],
)
def test_what_is_pinned_or_has_another_name_is_no_sibling(siblings: Siblings, image: str) -> None:
    siblings.service("web", f"FROM {image}\n")
    plan = siblings.plan("web")
    assert names(plan) == ["web"]
    assert plan.targets[0].bake.contexts == {}


@pytest.mark.parametrize(
    "step",
    [
        "COPY --from=team/base /a /a",
        "RUN --mount=type=bind,from=team/base,target=/b true",
        "RUN --mount=type=cache,target=/c --mount=from=team/base,target=/b true",
    ],
)
def test_files_may_be_taken_from_a_sibling(siblings: Siblings, step: str) -> None:
    siblings.service("web", f"FROM scratch\n{step}\n")
    assert siblings.contexts("web") == {"team/base": "target:base-production"}


def test_own_stages_are_no_siblings(siblings: Siblings) -> None:
    siblings.service("tool", "FROM scratch\n")
    siblings.service(
        "web", "FROM scratch AS tool\nFROM Tool\nCOPY --from=tool /a /a\nCOPY --from=0 /b /b\n"
    )
    assert siblings.contexts("web") == {}


def test_only_what_a_stage_needs_counts(siblings: Siblings) -> None:
    text = "FROM team/base AS test\nFROM scratch AS production\n"
    siblings.service("web", text, targets=("test", "production"))
    assert names(siblings.plan("web")) == ["web-production"]
    assert names(siblings.plan("web", target="test")) == ["base-production", "web-test"]


@pytest.mark.parametrize(
    ("head", "built"),
    [
        ("ARG BASE=team/base\nFROM $BASE\n", True),
        ("ARG BASE=team/base\nFROM ${BASE}:latest\n", True),
        ("ARG BASE=debian\nFROM $BASE\n", False),
        ("FROM ${BASE:-team/base}\n", True),
        ("ARG BASE\nFROM $BASE\n", False),
    ],
)
def test_arguments_of_a_from_are_replaced(siblings: Siblings, head: str, *, built: bool) -> None:
    siblings.service("web", head)
    assert ("team/base" in siblings.contexts("web")) is built


def test_a_given_argument_decides_which_image_is_meant(siblings: Siblings) -> None:
    siblings.service("web", "ARG BASE=debian\nFROM $BASE\n")
    assert names(siblings.plan("web")) == ["web"]
    typed = siblings.plan("web", build_args={"BASE": "team/base"})
    assert names(typed) == ["base-production", "web"]


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("service:base", {"fundament": "target:base-production"}),
        ("docker-image://team/base:1-builder", {"fundament": "target:base-builder"}),
        ("docker-image://debian", {"fundament": "docker-image://debian"}),
        (f"docker-image://team/base@{DIGEST}", {"fundament": f"docker-image://team/base@{DIGEST}"}),
        ("folder", {"fundament": "folder"}),
    ],
)
def test_a_named_context_may_be_a_sibling(
    siblings: Siblings, value: str, links: dict[str, str]
) -> None:
    siblings.service("web", "FROM fundament\n", contexts={"fundament": value})
    assert siblings.contexts("web") == links


def test_an_own_context_stands_before_a_sibling_of_that_name(siblings: Siblings) -> None:
    siblings.service("web", "FROM team/base\n", contexts={"team/base:latest": "folder"})
    plan = siblings.plan("web")
    assert names(plan) == ["web"]
    assert plan.targets[0].bake.contexts == {"team/base": "folder"}


def test_a_context_of_a_service_that_is_not_built_is_refused(siblings: Siblings) -> None:
    siblings.service("web", "FROM x\n", contexts={"x": "service:bse"})
    assert siblings.refused("web") == (
        'services.web.contexts.x names the service "bse", which is not built here\n'
        "  services  base, web"
    )


def test_what_is_only_needed_joins_before_what_needs_it(siblings: Siblings) -> None:
    siblings.service("web", "FROM team/lib\n")
    siblings.service("lib", "FROM team/base\n", image="team/lib")
    siblings.service("job", "FROM scratch\n")
    plan = siblings.plan("job", "web")
    assert names(plan) == ["base-production", "lib", "web", "job"]
    assert [t.asked for t in plan.targets] == [False, False, True, True]
    assert "team/base" not in target(plan, "web").bake.contexts


def test_the_order_is_that_of_the_configuration_where_nothing_is_needed(
    siblings: Siblings,
) -> None:
    siblings.service("z", "FROM scratch\n").service("a", "FROM team/base\n")
    siblings.service("m", "FROM team/base:builder\n")
    expected = ["base-production", "z", "a", "base-builder", "m"]
    assert names(siblings.plan()) == expected
    assert names(siblings.plan("m", "a", "z", "base")) == expected


def test_a_sibling_is_built_for_the_platforms_of_all_that_stand_on_it(siblings: Siblings) -> None:
    amd, arm = Platform("linux", "amd64"), Platform("linux", "arm64")
    siblings.service("web", "FROM team/base\n", platforms=(arm,))
    siblings.service("job", "FROM team/base\n", platforms=(amd, arm))
    assert target(siblings.plan("web"), "base").platforms == ("linux/arm64",)
    assert target(siblings.plan("web", "job"), "base").bake.platforms == (
        *("linux/amd64", "linux/arm64"),
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("FROM --platform=$BUILDPLATFORM team/base\n", {"host"}),
        ("FROM --platform=linux/aarch64 team/base\n", {"linux/arm64"}),
        ("FROM --platform=$TARGETPLATFORM team/base\n", {"linux/s390x"}),
        (
            "FROM --platform=$BUILDPLATFORM team/base AS a\nFROM team/base\nCOPY --from=a / /\n",
            {"host", "linux/s390x"},
        ),
        (
            "FROM team/base AS a\nFROM --platform=$BUILDPLATFORM team/base\nCOPY --from=a / /\n",
            {"host", "linux/s390x"},
        ),
    ],
)
@pytest.mark.parametrize("contexts", [{}, {"team/base": "service:base"}])
def test_a_from_says_for_which_platform_it_wants_a_sibling(
    siblings: Siblings,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    wanted: set[str],
    contexts: dict[str, str],
) -> None:
    monkeypatch.setattr("hullwright.build.emulation.host", lambda: "host")
    siblings.service("web", text, platforms=(Platform("linux", "s390x"),), contexts=contexts)
    assert set(target(siblings.plan("web"), "base").platforms) == wanted


def test_beside_others_the_builders_own_platform_is_named(
    siblings: Siblings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hullwright.build.emulation.host", lambda: "linux/riscv64")
    siblings.service("web", "FROM team/base\n")
    siblings.service("job", "FROM team/base\n", platforms=(Platform("linux", "arm64"),))
    assert target(siblings.plan("web"), "base").platforms == ()
    both = siblings.plan("web", "job")
    assert target(both, "base").platforms == ("linux/arm64", "linux/riscv64")
    assert target(both, "web").platforms == ()


def test_a_cycle_is_shown_with_the_places_that_make_it(siblings: Siblings) -> None:
    siblings.service("a", "FROM scratch\nCOPY --from=b /x /x\n")
    siblings.service("b", "FROM c\n").service("c", "FROM x\n", contexts={"x": "service:a"})
    assert siblings.refused("base", "c") == (
        "services are built on each other: c -> a -> b -> c\n"
        "  c -> a  services.c.contexts.x\n"
        "  a -> b  a.Dockerfile:2\n"
        "  b -> c  b.Dockerfile:1\n"
        "  next    take one of these uses away, or pin that image by its digest"
    )


def test_what_only_leads_to_a_cycle_is_left_out_of_it(siblings: Siblings) -> None:
    siblings.service("web", "FROM a\n").service("a", "FROM b\n").service("b", "FROM a\n")
    first = siblings.refused("web").splitlines()[0]
    assert first == "services are built on each other: a -> b -> a"


def test_stages_of_two_services_may_take_turns(siblings: Siblings) -> None:
    siblings.service(
        "web", "FROM scratch AS files\nFROM tool AS production\n", targets=("files", "production")
    )
    siblings.service("tool", "FROM web:files\n")
    assert names(siblings.plan("web")) == ["web-files", "tool", "web-production"]


def test_a_context_of_oneself_is_a_cycle(siblings: Siblings) -> None:
    siblings.service("web", "FROM x\n", contexts={"x": "service:web"})
    first = siblings.refused("web").splitlines()[0]
    assert first == "services are built on each other: web -> web"


def test_a_service_that_is_made_from_its_namesake_leaves_the_name_to_it(
    siblings: Siblings,
) -> None:
    siblings.service("redis", "FROM redis:7\n").service("web", "FROM redis:7\n")
    plan = siblings.plan()
    assert names(plan) == ["base-production", "redis", "web"]
    assert [dict(t.links) for t in plan.targets] == [{}, {}, {}]


def test_a_stage_that_is_called_as_the_sibling_it_starts_from_is_refused(
    siblings: Siblings,
) -> None:
    siblings.service("tool", "FROM scratch\n")
    siblings.service("web", "FROM scratch\nFROM tool AS Tool\n")
    assert siblings.refused("web") == (
        "web.Dockerfile:2: the stage Tool has the name of the image tool, which tool makes\n"
        "  why   BuildKit would take that image in place of the whole stage\n"
        "  next  call the stage otherwise: FROM tool AS Tool-stage"
    )


def test_a_sibling_that_has_no_such_stage_is_refused_with_its_name(siblings: Siblings) -> None:
    siblings.service("lib", "FROM scratch AS other\n", targets=("release",))
    siblings.service("web", "FROM lib\n")
    assert '"release"' in siblings.refused("web")
