"""Which compose services run images of ours, told without Compose and without values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Config, Service, Stack
from hullwright.config.problems import ConfigurationError
from hullwright.stack.built import built_services, files_of
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

REGISTRY: Final = "registry.example.com/team"
API: Final = Service(
    "api", "api", "api/Dockerfile", targets=("production", "development"), image="api"
)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return workspace(tmp_path, Config("shop", REGISTRY, services={"api": API}))


def built(ws: Workspace, services: str) -> dict[str, tuple[str, str]]:
    (ws.root / "compose.yaml").write_text(f"services:\n{services}", encoding="utf-8")
    return built_services(ws, Stack("default", ("compose.yaml",)))


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("{build: api}", "production"),
        ("{build: {context: api, target: development}}", "development"),
        ("{image: registry.example.com/team/api}", "production"),
        ("{image: 'registry.example.com/team/api:${TAG}'}", "production"),
        ("{image: '${REGISTRY}/api:${TAG:-latest}'}", "production"),
        ("{image: '${REGISTRY:-registry.example.com/team}/api:1'}", "production"),
    ],
)
def test_a_service_is_ours_by_its_dockerfile_or_by_its_image(
    ws: Workspace, service: str, target: str
) -> None:
    assert built(ws, f"  a: {service}\n") == {"a": ("api", target)}


@pytest.mark.parametrize(
    "service",
    ["{image: 'postgres:17'}", "{image: 'elsewhere.example.com/team/api:1'}", "{build: other}"],
)
def test_what_is_not_built_here_is_not_ours(ws: Workspace, service: str) -> None:
    assert built(ws, f"  a: {service}\n") == {}


def test_a_service_that_shares_an_image_has_the_stage_of_the_one_that_builds_it(
    ws: Workspace,
) -> None:
    services = (
        "  migrate: {image: '${IMAGE:-shop:local}'}\n"
        "  api: {image: '${IMAGE:-shop:local}', build: {context: api, target: development}}\n"
    )
    own = ("api", "development")
    assert built(ws, services) == {"migrate": own, "api": own}


def test_a_stack_is_made_of_what_it_includes_and_extends_too(ws: Workspace) -> None:
    for name, text in {
        "compose.yaml": "include: ['${WHERE:-common}/a.yaml']\n"
        "services: {x: {extends: {file: b.yaml, service: y}}}\n",
        "common/a.yaml": "services: {z: {image: z}}\n",
        "b.yaml": "services: {y: {image: y}}\n",
        "over.yaml": "services: {x: {image: w}}\n",
    }.items():
        (ws.root / name).parent.mkdir(exist_ok=True)
        (ws.root / name).write_text(text, encoding="utf-8")
    found = files_of(ws, Stack("default", ("compose.yaml", "over.yaml")))
    names = [file.relative_to(ws.root).as_posix() for file in found]
    assert names == ["compose.yaml", "common/a.yaml", "b.yaml", "over.yaml"]


def test_a_file_that_is_missing_is_a_mistake_of_the_configuration(ws: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        files_of(ws, Stack("default", ("nowhere.yaml",)))
