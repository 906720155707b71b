"""Locked images and repositories with base images, for tests of the lock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from hullwright.config.models import Build, Config, Service
from hullwright.images import Platform
from hullwright.locked import LockedImage

if TYPE_CHECKING:
    from pathlib import Path

AT: Final = datetime(2026, 11, 21, 10, 30, 5, tzinfo=UTC)
LATER: Final = datetime(2026, 12, 2, 8, 0, tzinfo=UTC)
AMD: Final = "linux/amd64"
ARM: Final = "linux/arm64"


def sha(letter: str) -> str:
    """Return a digest of one letter."""
    return f"sha256:{letter * 64}"


def locked(name: str, letter: str, *platforms: str, source: str = "") -> LockedImage:
    """Return an image of a registry whose digests are of one letter."""
    given = {platform: sha(letter) for platform in platforms or (AMD,)}
    return LockedImage(name, sha(letter), given, source or f"docker.io/library/{name}", AT)


def stand_in(name: str, recipe: str, **packages: str) -> LockedImage:
    """Return a stand-in by the recipe of that digest."""
    return LockedImage(
        name, source="deploy/base-images/x", at=AT, stand_in=recipe, packages=packages
    )


def shop(
    folder: Path, *dockerfiles: str, platforms: tuple[str, ...] = (), mirror: str = ""
) -> Config:
    """Return the configuration of a repository with the services `s0`, `s1` …, files written."""
    services = {}
    for number, text in enumerate(dockerfiles):
        name = f"s{number}"
        (folder / f"{name}.Dockerfile").write_text(text, encoding="utf-8")
        services[name] = Service(name, dockerfile=f"{name}.Dockerfile", image=f"shop/{name}")
    parsed = tuple(Platform.parse(platform) for platform in platforms)
    return Config("shop", services=services, platforms=parsed, build=Build(mirror=mirror))


def recipe(folder: Path, name: str, image: str, text: str = "FROM scratch\n") -> str:
    """Write the recipe of a stand-in and return its digest."""
    from hullwright.bases import load_recipes

    place = folder / "deploy/base-images" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "recipe.toml").write_text(f'stands-for = ["{image}"]\nsuite = "trixie"\n')
    (place / "Dockerfile").write_text(text, encoding="utf-8")
    return load_recipes(folder)[image].digest
