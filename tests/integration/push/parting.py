"""Runners that share a release: clones of one repository, each of which pushes a part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Yard

BOTH: Final = ("linux/amd64", "linux/arm64")
PLATFORMS: Final = f"platforms = {json.dumps(BOTH)}\n"
# What a runner of another architecture would run; here the steps of both are copies only.
DOCKERFILE: Final = "FROM scratch\nCOPY steps.sh /steps.sh\n"


def prepared(yard: Yard) -> Yard:
    """Let the images need no base, and commit that."""
    for name in yard.matrix.names:
        yard.matrix.repository.write(f"services/{name}/Dockerfile", DOCKERFILE)
    yard.matrix.commit()
    return yard


def runner(yard: Yard, folder: Path, name: str) -> Yard:
    """Return a clone, as a runner of CI has it."""
    clone = folder / name
    yard.matrix.repository.git("clone", "--quiet", str(yard.matrix.root), str(clone))
    repository = type(yard.matrix.repository)(clone, yard.matrix.environ)
    matrix = type(yard.matrix)(
        repository, yard.matrix.project, yard.matrix.names, yard.matrix.registry
    )
    return type(yard)(matrix, yard.proxy)


def told(yard: Yard, *words: str, code: int = 0, **more: str) -> Any:
    """Push, and return the machine form."""
    return yard.matrix.json("push", *words, code=code, **more)


def statuses(report: Any) -> dict[str, str]:
    """Return the status of each service's image."""
    return {target["service"]: target["status"] for target in report["build"]["targets"]}


def part(yard: Yard, platform: str, *words: str, code: int = 0) -> Any:
    """Push a part for a platform, and return the machine form."""
    return told(yard, "--part", "--platform", platform, *words, code=code)


def parts(yard: Yard) -> None:
    """Push the parts of all images for both platforms."""
    for platform in BOTH:
        part(yard, platform)


def rows(yard: Yard, *words: str) -> list[tuple[str, str]]:
    """Return service and platform of each job that is told to CI."""
    include = yard.matrix.json("ci.matrix", *words)["include"]
    return [(row["service"], row["platform"]) for row in include]
