"""The Nox matrix: what is registered, what runs by default, and under which names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import nox
import pytest
from nox.registry import get as registered
from nox.registry import reset

from hullwright import sessions
from hullwright.config.models import Config, Service, Stack
from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
CONFIG = Config(
    project="shop",
    platforms=(AMD, ARM),
    services={
        "api": Service("api", targets=("development", "production")),
        "worker": Service("worker", targets=(), platforms=(AMD,)),
    },
    stacks={"default": Stack("default", ("compose.yml",)), "edge": Stack("edge", ("edge.yml",))},
)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = registered()
    reset()
    monkeypatch.setattr(sessions, "_config", lambda: CONFIG)
    selected = nox.options.sessions
    yield
    nox.options.sessions = selected
    reset()
    from nox import registry

    registry._REGISTRY.update(before)


def test_the_matrix_is_no_product_where_services_differ() -> None:
    assert list(sessions.matrix(CONFIG)) == [
        ("linux/amd64", "development", "api"),
        ("linux/arm64", "development", "api"),
        ("linux/amd64", "production", "api"),
        ("linux/arm64", "production", "api"),
        ("linux/amd64", "default", "worker"),
    ]


def test_the_production_set_runs_by_default_under_full_names(registry: None) -> None:
    sessions.register()
    assert nox.options.sessions == [
        "build(platform='linux/amd64', target='production', service='api')",
        "build(platform='linux/arm64', target='production', service='api')",
        "build(platform='linux/amd64', target='default', service='worker')",
        "sizes(platform='linux/amd64', target='production', service='api')",
        "sizes(platform='linux/arm64', target='production', service='api')",
        "sizes(platform='linux/amd64', target='default', service='worker')",
        "cold_start",
    ]
    assert set(registered()) == {"build", "sizes", "cold_start"}


def test_a_stack_with_the_secrets_of_another_environment_is_there_by_name_only(
    registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks = {
        "default": Stack("default", ("compose.yml",)),
        "dev": Stack("dev", ("compose.yml",), environment="development"),
        "live": Stack("live", ("compose.yml",), environment="production"),
    }
    monkeypatch.setattr(sessions, "_config", lambda: Config(project="shop", stacks=stacks))
    sessions.register()
    assert nox.options.sessions == ["cold_start(stack='default')", "cold_start(stack='dev')"]
    parameters = vars(registered()["cold_start"])["parametrize"]
    assert [str(each) for each in parameters] == [f"stack={name!r}" for name in stacks]


def test_each_cell_has_its_parts_as_tags(registry: None) -> None:
    sessions.register()
    parameters = vars(registered()["build"])["parametrize"]
    assert parameters[0].tags == ["linux_amd64", "development", "api"]
    assert str(parameters[0]) == "platform='linux/amd64', target='development', service='api'"


def test_a_repository_without_stacks_has_no_cold_start(
    registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_config", lambda: Config(project="bare"))
    sessions.register()
    assert registered() == {}
    assert nox.options.sessions == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["-s", "build", "-k", "production"], {"build"}),
        (["-s", "build", "cold_start", "-t", "api"], {"build", "cold_start"}),
        (["-s", "build(stack='x')", "-k", "x"], {"build"}),
        (["-k", "production and api"], {"build", "sizes", "cold_start"}),
        (["-s", "build"], {"build", "sizes", "cold_start"}),
        (["-s", "build", "--", "-k", "x"], {"build", "sizes", "cold_start"}),
        (["-k"], {"build", "sizes", "cold_start"}),
    ],
)
def test_a_keyword_is_looked_for_in_the_named_sessions_only(
    registry: None, monkeypatch: pytest.MonkeyPatch, words: list[str], names: set[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["nox", *words])
    sessions.register()
    assert set(registered()) == names


def test_programs_get_the_version_of_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = SimpleNamespace(version="1.2.3", revision="abc", image_tag="1.2.3")
    monkeypatch.setattr(sessions, "_version", lambda: here)
    assert sessions.version_environment() == {
        "HULLWRIGHT_VERSION": "1.2.3",
        "HULLWRIGHT_REVISION": "abc",
        "HULLWRIGHT_IMAGE_TAG": "1.2.3",
    }
