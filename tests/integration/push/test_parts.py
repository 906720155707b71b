"""One release by several runners: each pushes a part, and one that built nothing joins them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Yard, yard_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

BOTH = ("linux/amd64", "linux/arm64")
PLATFORMS = f"platforms = {json.dumps(BOTH)}\n"
# What a runner of another architecture would run; here the steps of both are copies only.
DOCKERFILE = "FROM scratch\nCOPY steps.sh /steps.sh\n"


def prepared(yard: Yard) -> Yard:
    """Let the images need no base, and commit that."""
    for name in yard.matrix.names:
        yard.matrix.repository.write(f"services/{name}/Dockerfile", DOCKERFILE)
    yard.matrix.commit()
    return yard


@pytest.fixture
def yard(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of two services for two platforms."""
    with yard_in(tmp_path, 2, configuration=PLATFORMS) as made:
        yield prepared(made)


def runner(yard: Yard, folder: Path, name: str) -> Yard:
    """Return a clone, as a runner of CI has it."""
    clone = folder / name
    yard.matrix.repository.git("clone", "--quiet", str(yard.matrix.root), str(clone))
    repository = type(yard.matrix.repository)(clone, yard.matrix.environ)
    matrix = type(yard.matrix)(
        repository, yard.matrix.project, yard.matrix.names, yard.matrix.registry
    )
    return Yard(matrix, yard.proxy)


def told(yard: Yard, *words: str, code: int = 0, **more: str) -> Any:
    """Push, and return the machine form."""
    return yard.matrix.json("push", *words, code=code, **more)


def statuses(report: Any) -> dict[str, str]:
    """Return the status of each service's image."""
    return {target["service"]: target["status"] for target in report["build"]["targets"]}


def test_three_runners_make_one_release(yard: Yard, tmp_path: Path) -> None:
    first, second, third = (runner(yard, tmp_path, name) for name in ("one", "two", "three"))
    amd = told(first, "--part", "--platform", "linux/amd64")
    assert (amd["pushed"], amd["part"], amd["tags"]) == (False, "linux/amd64", [])
    assert statuses(amd) == {"s0": "built", "s1": "built"}
    early = third.matrix.run("push", "--join", code=1)
    assert "2 parts are not in the registry, so no tag was changed" in early.stderr
    assert "invoke push --part --platform linux/arm64 --service s0,s1" in early.stderr
    assert yard.all_tags() == {}
    told(second, "--part", "--platform", "linux/arm64")
    assert yard.all_tags() == {}
    third.matrix.remove()
    joined = told(third, "--join")
    assert joined["pushed"] is True
    assert statuses(joined) == {"s0": "joined", "s1": "joined"}
    assert third.matrix.images() == []
    for image in joined["images"]:
        assert set(image["platforms"]) == set(BOTH)
        assert set(yard.tags(image["service"]).values()) == {image["digest"]}
        document = yard.document(image["service"], "main")
        fingerprint = document["annotations"]["dev.hullwright.fingerprint"]
        assert fingerprint == image["fingerprint"]
        assert document["annotations"]["org.opencontainers.image.version"] == joined["version"]
    # What was joined is what a push from one machine would have made: it is current there.
    whole = told(first)
    assert statuses(whole) == {"s0": "current", "s1": "current"}
    assert {tag["status"] for tag in whole["tags"]} == {"unchanged"}
    again = told(third, "--join")
    assert statuses(again) == {"s0": "current", "s1": "current"}
    assert [image["digest"] for image in again["images"]] == [
        image["digest"] for image in joined["images"]
    ]
