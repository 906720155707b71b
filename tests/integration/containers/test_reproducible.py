"""The image of this repository comes out the same when it is built twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from matrix import Matrix
from repositories import Repository

pytestmark = pytest.mark.docker


def test_the_root_image_is_the_same_twice(
    python_image: str, snapshot: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    shutil.copytree(snapshot, root)
    matrix = Matrix(Repository.made(root, {}), "hullwright", ("hullwright",), limit_s=1200)
    matrix.repository.environ.update(matrix.environ)
    matrix.repository.write(".gitignore", ".hullwright/\n")
    matrix.commit()
    # What its steps download is trusted as on this machine.
    matrix.environ.update({k: v for k, v in os.environ.items() if k == "SSL_CERT_FILE"})
    words = ("build", "--verify-reproducible", "--service", "hullwright", "--target", "production")
    told = matrix.json(*words)
    (image,) = told["images"]
    assert image["same"], image
