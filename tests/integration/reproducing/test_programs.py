"""A Go and a Rust program come out the same when they are built twice.

The stand-ins of the compilers are taken as they are; where the store lacks them they are prepared
first, as anybody's are, which takes minutes instead of seconds.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hullwright import bases
from hullwright.config.models import Config, Service
from matrix import Matrix
from repositories import Repository, workspace
from sources import ROOT

pytestmark = pytest.mark.docker


def test_a_go_and_a_rust_program_are_the_same_twice(engine: str, tmp_path: Path) -> None:
    root = tmp_path / "programs"
    shutil.copytree(ROOT / "tests/reproducible", root)
    for language in ("golang", "rust"):
        recipe = Path("deploy/base-images") / language
        shutil.copytree(ROOT / recipe, root / recipe)
    matrix = Matrix(Repository.made(root, {}), "reproducible", ("go", "rust"), limit_s=1200)
    matrix.repository.environ.update(matrix.environ)
    matrix.repository.write(".gitignore", ".hullwright/\n")
    matrix.commit()
    services = {n: Service(n, context=n, dockerfile=f"{n}/Dockerfile") for n in matrix.names}
    ws = workspace(root, matrix.environ, Config("reproducible", services=services))
    prepared = bases.prepare(ws, stand_ins=True)
    assert {base.state for base in prepared.listing.images} == {"present"}
    told = matrix.json("build", "--verify-reproducible")
    assert [(image["service"], image["same"]) for image in told["images"]] == [
        ("go", True),
        ("rust", True),
    ], told
