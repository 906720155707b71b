"""What images are built on: asked of the store, and believed only where the layers say so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from hullwright import recorded
from hullwright.config.models import Config, Service
from hullwright.images import Platform
from hullwright.recorded import RecordedImage
from hullwright.run import Result
from hullwright.sizes.choosing import Registries
from hullwright.sizes.models import Figures, LayerSize, Subject
from hullwright.sizes.standing import Base, Bases
from hullwright.tools.oci import ImageLayer, PlatformImage
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.images import Reference
    from hullwright.sizes.choosing import Place

DIGEST: Final = f"sha256:{'b' * 64}"
API: Final = Subject("api:1", "api", "production")
FORMAT: Final = "[{{json .Os}},{{json .Architecture}},{{json .RootFS.Layers}}]"


def figures(*diff_ids: str, base: str = "", base_name: str = "") -> Figures:
    layers = tuple(LayerSize(each, each, 1, 1, "RUN x") for each in diff_ids)
    return Figures("linux/amd64", "", 1, 1, layers, base=base, base_name=base_name)


def bases(root: Path, dockerfile: str = "", store: Mapping[str, list[str]] | None = None) -> Bases:
    """Return what looks into a store that holds these images, by their name there."""
    api = Service("api", targets=("development", "production"), contexts={"up": "service:web"})
    config = Config("shop", services={"api": api, "web": Service("web", image="shop/web")})
    results: dict[tuple[str, ...], Result] = {
        ("docker", "image", "inspect", "--format", FORMAT, name): Result(
            (), 0, json.dumps(["linux", "amd64", layers])
        )
        for name, layers in (store or {}).items()
    }
    results["docker", "image", "inspect"] = Result((), 1, "", "No such image")
    if dockerfile:
        (root / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    ws = workspace(root, config, Replay({}, results=results))
    return Bases(ws, Registries(ws))


def asked(found: Bases) -> list[str]:
    assert isinstance(found.ws.runner, Replay)
    return [call.argv[-1] for call in found.ws.runner.calls]


def test_a_label_names_the_base_by_its_digest(tmp_path: Path) -> None:
    found = bases(tmp_path, store={DIGEST: ["a", "b"]})
    image = figures("a", "b", "c", base=DIGEST, base_name="docker.io/library/python:3")
    assert found.of(Subject("x"), image, "store") == Base(("a", "b"))
    before = asked(found)
    assert before == [f"python@{DIGEST}", DIGEST]
    found.of(Subject("y"), image, "store")
    assert asked(found) == before


def test_without_a_label_the_dockerfile_says_it(tmp_path: Path) -> None:
    written = (
        "ARG V=3\nFROM python:${V} AS base\nRUN x\nFROM base AS development\n"
        "FROM base AS production\nCOPY --from=development /a /\n"
    )
    found = bases(tmp_path, written, {"python:3": ["a"]})
    assert found.of(API, figures("a", "b", "c"), "store") == Base(("a",))


def test_from_scratch_all_layers_are_its_own(tmp_path: Path) -> None:
    written = "FROM scratch AS development\nFROM development AS production\nCOPY a /\n"
    found = bases(tmp_path, written)
    assert found.of(API, figures("a"), "store") == Base(())
    assert asked(found) == []


def test_a_base_that_moved_since_is_not_believed(tmp_path: Path) -> None:
    found = bases(tmp_path, "FROM python:3 AS production\n", {"python:3": ["other"]})
    base = found.of(API, figures("a", "b"), "store")
    assert base.diff_ids is None
    assert base.problem.endswith("python:3 is another one now")


def test_a_base_that_is_gone_is_named(tmp_path: Path) -> None:
    found = bases(tmp_path, "FROM python:3 AS production\n")
    base = found.of(API, figures("a"), "store")
    assert base.diff_ids is None
    assert base.problem.endswith("python:3 is not in the local store")


@pytest.mark.parametrize("written", ["FROM up AS production\n", "FROM shop/web:1 AS production\n"])
def test_a_sibling_is_the_base_and_not_what_its_label_says(tmp_path: Path, written: str) -> None:
    found = bases(tmp_path, written, store={DIGEST: ["a", "b"]})
    at = datetime(2026, 11, 21, tzinfo=UTC)
    recorded.save(found.ws, [RecordedImage("web", "", "web:1", DIGEST, "1", "", (), at)])
    # The label is inherited of the sibling: it is of the image that the sibling is built on.
    image = figures("a", "b", "c", base=f"sha256:{'0' * 64}")
    assert found.of(API, image, "store") == Base(("a", "b"))


def test_a_sibling_that_was_not_built_here_is_told(tmp_path: Path) -> None:
    base = bases(tmp_path, "FROM up AS production\n").of(API, figures("a"), "store")
    assert "the image of web" in base.problem


def test_an_image_that_says_nothing_is_told_so(tmp_path: Path) -> None:
    found = bases(tmp_path)
    assert found.of(Subject("x"), figures("a"), "store") == Base(
        None, "the image does not say what it is built on"
    )
    # Its Dockerfile has a variable that only the build knows.
    found = bases(tmp_path, "ARG B\nFROM $B AS production\n")
    assert found.of(API, figures("a"), "store").diff_ids is None
    assert asked(found) == []


def test_the_store_is_asked_for_the_platform_that_was_measured(tmp_path: Path) -> None:
    found = bases(tmp_path, "FROM python:3 AS production\n", {"python:3": ["a"]})
    arm = replace(figures("a"), platform="linux/arm64")
    assert found.of(API, arm, "store").diff_ids is None
    assert isinstance(found.ws.runner, Replay)
    assert found.ws.runner.calls[-1].argv[3:5] == ("--platform", "linux/arm64")


def test_a_stage_for_developing_is_not_what_is_shipped(tmp_path: Path) -> None:
    found = bases(tmp_path, "FROM a AS development\nFROM b AS production\n")
    production = found.written(API)
    development = found.written(Subject("api:dev", "api", "development"))
    assert production is not None
    assert development is not None
    assert (production.final, production.base) == (True, "b")
    assert (development.final, development.base) == (False, "a")
    assert found.written(Subject("api:x", "api", "gone")) is None
    assert found.written(Subject("x")) is None


def test_where_the_base_is_gone_the_steps_of_the_dockerfile_tell(tmp_path: Path) -> None:
    found = bases(tmp_path, "FROM python:3 AS production\nRUN x\n", {"python:3": ["other"]})
    assert found.of(API, figures("a", "b", "c"), "store") == Base(("a", "b"))


@pytest.mark.parametrize(
    ("place", "name", "diff_ids"),
    [
        ("registry", "reg.example.com/python:3", ("a",)),
        # No other network than the one that the image came from.
        ("store", "reg.example.com/python:3", None),
        ("registry", "docker.io/library/python:3", None),
    ],
)
def test_the_registry_of_an_image_is_asked_for_its_base(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Place,
    name: str,
    diff_ids: tuple[str, ...] | None,
) -> None:
    questions: list[str] = []

    class Held:
        def images(self) -> tuple[PlatformImage, ...]:
            layer = ImageLayer("", "", 1, "a", "")
            return (PlatformImage(Platform("linux", "amd64"), "", "", (layer,)),)

    def of_registry(client: object, reference: Reference) -> tuple[str, Held]:
        assert client == "a client"
        questions.append(str(reference))
        return "", Held()

    monkeypatch.setattr("hullwright.sizes.sources.of_registry", of_registry)
    found = bases(tmp_path)
    monkeypatch.setattr(found.registries, "client", lambda _domain: "a client")
    image = figures("a", "b", base=DIGEST, base_name=name)
    base = found.of(Subject("reg.example.com/shop/api:1"), image, place)
    assert base.diff_ids == diff_ids
    assert questions == ([f"reg.example.com/python@{DIGEST}"] if diff_ids else [])
    assert bool(base.problem) is (diff_ids is None)
