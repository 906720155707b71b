"""Which images a repository names, and how what the engine says becomes a listing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from python_on_whales import SystemInfo

from hullwright.bases import is_stand_in_based, listing
from hullwright.bases.observe import observe_registries
from hullwright.bases.uses import named_images
from hullwright.config.models import Build, Config, Service, Stack
from hullwright.errors import UsageError
from hullwright.images import Platform
from hullwright.run import Result
from hullwright.tools.registry import Answer
from replaying import Replay, workspace
from whaling import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.images import Reference
    from hullwright.tools.registry import Endpoint

INFO: Final = {
    "OSType": "linux",
    "Architecture": "x86_64",
    "IndexServerAddress": "https://index.example.com/v1/",
}
AMD: Final = Platform("linux", "amd64")
COMPOSE: Final = """\
services:
  db: {image: "postgres:17"}
  web: {image: "shop/web:${TAG:-local}", build: .}
  job: {image: "shop/web:local"}
"""
DOCKERFILE: Final = """\
ARG BASE
FROM --platform=$BUILDPLATFORM golang:1 AS tools
FROM python:3 AS base
FROM ${BASE} AS production
COPY --from=tools /x /x
"""


def repository(tmp_path: Path) -> Config:
    (tmp_path / "compose.yml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    return Config(
        "shop",
        platforms=(AMD, Platform("linux", "arm64")),
        services={"web": Service("web", image="shop/web")},
        stacks={"default": Stack("default", ("compose.yml",))},
    )


def image(labels: dict[str, str] | None = None) -> dict[str, Any]:
    own = {"Os": "linux", "Architecture": "amd64"}
    return {"Id": "sha256:1", "RepoTags": [], "Config": {"Labels": labels}, **own}


def engine(patch: pytest.MonkeyPatch, **images: dict[str, Any]) -> Replay:
    """Return a runner whose engine has `images`, for amd64 only."""
    has = {name.replace("_", ":"): found for name, found in images.items()}
    Engine(images=has, info=INFO).serve(patch)
    inspect = ("docker", "image", "inspect")
    platform = (*inspect, "--format", "{{.Id}}", "--platform", "linux/arm64")
    refused = Result((), 1, "", "no such platform")
    results: dict[tuple[str, ...], Result] = {platform: refused}
    results |= {(*inspect, name): Result((), 0, json.dumps([has[name]])) for name in has}
    results[inspect] = Result((), 1, "[]", "no such image")
    return Replay({}, results=results)


def test_every_image_is_listed_with_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listing(workspace(tmp_path, repository(tmp_path), engine(monkeypatch)))
    places = {image.image: [use.place for use in image.uses] for image in found.images}
    assert places == {
        "golang:1": ["Dockerfile:2 FROM"],
        "postgres:17": ["compose.yml: db"],
        "python:3": ["Dockerfile:3 FROM"],
        "shop/web:local": ["compose.yml: web", "compose.yml: job"],
    }
    assert [(use.place, use.missing) for use in found.unknown] == [("Dockerfile:4 FROM", ("BASE",))]


def test_a_last_stage_without_a_name_counts_beside_named_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = repository(tmp_path)
    text = "FROM python:3 AS a\nFROM postgres:17\nCOPY --from=golang:1 /x /x\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    web = Service("web", image="shop/web", targets=("a", ""))
    ws = workspace(tmp_path, replace(config, services={"web": web}), engine(monkeypatch))
    places = {image.image: [use.place for use in image.uses] for image in listing(ws).images}
    assert places["golang:1"] == ["Dockerfile:3 COPY --from"]
    assert places["postgres:17"][0] == "Dockerfile:2 FROM"
    assert places["python:3"] == ["Dockerfile:1 FROM"]


def test_what_a_context_gives_is_no_image_of_that_name(tmp_path: Path) -> None:
    config = repository(tmp_path)
    text = "FROM python:3 AS base\nCOPY --from=shared /x /\nCOPY --from=tools /y /\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    contexts = {"shared": "shared", "tools": "docker-image://shop/tools:4"}
    services = {"web": Service("web", image="shop/web", contexts=contexts)}
    uses, _ = named_images(workspace(tmp_path, replace(config, services=services, stacks={})))
    assert [(use.image, use.place) for use in uses] == [
        ("python:3", "Dockerfile:1 FROM"),
        ("shop/tools:4", "services.web.contexts"),
    ]


def test_what_runs_or_compiles_here_is_wanted_for_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listing(workspace(tmp_path, repository(tmp_path), engine(monkeypatch)))
    wanted = {image.image: [str(p) for p in image.wanted] for image in found.images}
    assert wanted["python:3"] == ["linux/amd64", "linux/arm64"]
    assert wanted["golang:1"] == wanted["postgres:17"] == ["linux/amd64"]


def test_what_services_build_is_never_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listing(workspace(tmp_path, repository(tmp_path), engine(monkeypatch)))
    origins = {image.image: image.origin for image in found.images}
    assert origins["shop/web:local"] == "built here"
    assert [image.image for image in found.missing] == ["golang:1", "postgres:17", "python:3"]


def test_an_image_for_another_platform_is_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = engine(monkeypatch, python_3=image(), golang_1=image(), postgres_17=image())
    found = listing(workspace(tmp_path, repository(tmp_path), runner))
    (lacking,) = found.missing
    assert (lacking.image, lacking.platforms) == ("python:3", (AMD,))
    assert [str(p) for p in lacking.lacking] == ["linux/arm64"]


def test_an_image_on_a_stand_in_is_no_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = {"dev.hullwright.stand-in": "postgres:17", "dev.hullwright.recipe": "sha256:0"}
    runner = engine(monkeypatch, postgres_17=image(stand_in), golang_1=image(stand_in))
    ws = workspace(tmp_path, repository(tmp_path), runner)
    origins = {image.image: (image.origin, image.stand_in_of) for image in listing(ws).images}
    assert origins["postgres:17"] == ("stand-in", "postgres:17")
    assert origins["golang:1"] == ("registry", "postgres:17")
    assert is_stand_in_based(ws, "golang:1")
    assert not is_stand_in_based(ws, "python:3")


def test_a_stand_in_whose_recipe_has_changed_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deploy/base-images/postgres"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (folder / "recipe.toml").write_text(
        'stands-for = ["postgres:17"]\nsuite = "trixie"\n', encoding="utf-8"
    )
    labels = {"dev.hullwright.stand-in": "postgres:17", "dev.hullwright.recipe": "sha256:0"}
    ws = workspace(tmp_path, repository(tmp_path), engine(monkeypatch, postgres_17=image(labels)))
    states = {image.image: image.state for image in listing(ws).images}
    assert states["postgres:17"] == "stale"


def test_a_registry_that_is_silent_is_asked_once_and_the_mirror_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = repository(tmp_path)
    ws = workspace(tmp_path, Config(**{**_fields(config), "build": Build(mirror="m.example.com")}))
    seen = listing(workspace(tmp_path, config, engine(monkeypatch)))
    asked: list[str] = []

    def ask(reference: Reference, endpoint: Endpoint) -> Answer:
        asked.append(f"{endpoint.host} {reference}")
        mirror = endpoint.host == "m.example.com"
        has = mirror and "python" in reference.path
        return Answer("present" if has else "absent" if mirror else "unreachable", endpoint.host)

    found = observe_registries(ws, seen, SystemInfo.model_validate(INFO), ask)
    assert asked == [
        "m.example.com m.example.com/library/golang:1",
        "index.example.com golang:1",
        "m.example.com m.example.com/library/postgres:17",
        "m.example.com m.example.com/library/python:3",
    ]
    assert [answer.verdict for answer in found.answers["postgres:17"]] == ["absent", "unreachable"]
    assert [answer.verdict for answer in found.answers["python:3"]] == ["present"]


def _fields(config: Config) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


def test_only_the_dockerfiles_of_asked_services_count(tmp_path: Path) -> None:
    config = repository(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/Dockerfile").write_text("FROM rust:1\n", encoding="utf-8")
    other = Service("other", context="other", dockerfile="other/Dockerfile", image="shop/other")
    config = replace(config, services={**config.services, "other": other})
    ws = workspace(tmp_path, config)
    everything = {use.image for use in named_images(ws)[0]}
    asked = {use.image for use in named_images(ws, ["web"])[0]}
    assert everything - asked == {"rust:1"}
    # The stack is started whole, and what another service builds stays known as built here.
    assert "postgres:17" in asked
    assert "shop/other" in named_images(ws, ["web"])[1]


def test_a_service_that_is_not_configured_is_a_usage_error(tmp_path: Path) -> None:
    ws = workspace(tmp_path, repository(tmp_path))
    with pytest.raises(UsageError) as caught:
        named_images(ws, ["wbe"])
    assert "web" in f"{caught.value}"
