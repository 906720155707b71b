"""Recipes: what they say, what is wrong with them, and when they are another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.bases.recipes import digest, load_recipes
from hullwright.errors import ExitCode, UsageError
from sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GOOD = 'stands-for = ["redis:8"]\nsuite = "trixie"\npackages = ["redis"]\n'


def recipe(root: Path, text: str, name: str = "redis", *, dockerfile: bool = True) -> Path:
    folder = root / "deploy/base-images" / name
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    if dockerfile:
        (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    return folder


def test_a_recipe_is_found_by_what_it_stands_for(tmp_path: Path) -> None:
    folder = recipe(tmp_path, GOOD)
    (found,) = load_recipes(tmp_path).items()
    assert found[0] == "redis:8"
    assert (found[1].name, found[1].packages) == ("redis", ("redis",))
    assert found[1].digest == digest(folder)


def test_a_repository_without_recipes_has_none(tmp_path: Path) -> None:
    assert load_recipes(tmp_path) == {}


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    recipe(tmp_path, 'stands-for = "redis"\npackage = ["x"]\n', "a", dockerfile=False)
    recipe(tmp_path, 'stands-for = ["Redis", "redis", "redis:8"]\nsuite = "trixie"\n', "b")
    recipe(tmp_path, "stands-for = [", "c")
    with pytest.raises(UsageError) as caught:
        load_recipes(tmp_path)
    assert caught.value.exit_code is ExitCode.USAGE
    place = "deploy/base-images/{}/recipe.toml"
    told = list(caught.value.why)
    assert told[:4] == [
        (place.format("a"), 'package: unknown key — did you mean "packages"?'),
        (place.format("a"), "stands-for: expected a list of texts"),
        (place.format("a"), "suite: is needed"),
        (place.format("a"), "there is no Dockerfile beside it"),
    ]
    assert told[4:6] == [
        (place.format("b"), 'stands-for: "Redis" is not an image reference'),
        (place.format("b"), 'stands-for: "redis" needs a tag, and no digest'),
    ]
    assert told[6][0] == place.format("c")


def test_two_recipes_cannot_stand_for_one_image(tmp_path: Path) -> None:
    recipe(tmp_path, GOOD, "a")
    recipe(tmp_path, GOOD, "b")
    with pytest.raises(UsageError, match="a stands for redis:8 too"):
        load_recipes(tmp_path)


def test_folders_of_the_machine_add_recipes_and_the_repositorys_own_win(tmp_path: Path) -> None:
    root, first, second = tmp_path / "shop", tmp_path / "first", tmp_path / "second"
    own = recipe(root, GOOD)
    elsewhere = recipe(first, GOOD.replace("redis", "qdrant"), "qdrant")
    recipe(second, GOOD.replace("redis", "qdrant"), "other")
    recipe(second, GOOD, "redis")
    named = [f"{place / 'deploy/base-images'}" for place in (first, second)]
    found = load_recipes(root, {"HULLWRIGHT_STAND_INS": ":".join(["", *named])})
    assert {name: one.folder for name, one in found.items()} == {
        "redis:8": own,
        "qdrant:8": elsewhere,
    }
    inside = load_recipes(tmp_path, {"HULLWRIGHT_STAND_INS": "first/deploy/base-images"})
    assert inside["qdrant:8"].folder == elsewhere


def test_a_wrong_recipe_of_another_folder_is_named_by_its_whole_path(tmp_path: Path) -> None:
    folder = recipe(tmp_path / "shared", "stands-for = []\n")
    (tmp_path / "shop").mkdir()
    with pytest.raises(UsageError) as caught:
        load_recipes(tmp_path / "shop", {"HULLWRIGHT_STAND_INS": f"{folder.parent}"})
    assert next(iter(caught.value.why))[0] == f"{folder / 'recipe.toml'}"


def test_a_folder_of_recipes_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="HULLWRIGHT_STAND_INS names what is no folder: gone") as e:
        load_recipes(tmp_path, {"HULLWRIGHT_STAND_INS": "gone"})
    assert e.value.exit_code is ExitCode.USAGE


def test_whatever_changes_in_the_folder_makes_another_recipe(tmp_path: Path) -> None:
    folder = recipe(tmp_path, GOOD)
    seen = {digest(folder)}
    (folder / "hooks").mkdir()
    hook = folder / "hooks/customize10.sh"
    for change in (
        lambda: hook.write_text("#!/bin/sh\n", encoding="utf-8"),
        lambda: hook.chmod(0o755),
        lambda: hook.rename(folder / "hooks/customize20.sh"),
        lambda: (folder / "Dockerfile").write_text("FROM scratch AS a\n", encoding="utf-8"),
    ):
        change()
        assert digest(folder) not in seen
        seen.add(digest(folder))


def test_this_repositorys_own_recipes_are_right() -> None:
    assert set(load_recipes(ROOT)) == {
        "docker/buildkit-syft-scanner:stable-1",
        "golang:1.26-trixie",
        "jaegertracing/all-in-one:1.76.0",
        "otel/opentelemetry-collector:0.155.0",
        "postgres:17-trixie",
        "prom/prometheus:v2.53.3",
        "python:3.13-slim-trixie",
        "qdrant/qdrant:v1",
        "redis:8-trixie",
        "registry:2",
        "rust:1.85-slim-trixie",
    }


def test_a_change_of_a_module_that_a_recipe_takes_is_another_recipe(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    assert digest(tmp_path) != digest(tmp_path, ["tools/elf.py"])
    assert digest(tmp_path, ["tools/elf.py", "sizes/sbom.py"]) == digest(
        tmp_path, ["sizes/sbom.py", "tools/elf.py"]
    )


@pytest.mark.parametrize("name", ["tools/nowhere.py", "../hullwright/run.py", "py.typed"])
def test_a_module_that_is_none_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "deploy/base-images/scanner"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (folder / "recipe.toml").write_text(
        f'stands-for = ["a:1"]\nsuite = "trixie"\nmodules = ["{name}"]\n', encoding="utf-8"
    )
    with pytest.raises(UsageError, match=f'there is no module "{name}" of hullwright'):
        load_recipes(tmp_path)
