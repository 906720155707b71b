"""A build that a person interrupts leaves nothing behind that says it was built."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Shop

pytestmark = pytest.mark.docker


def committed(root: Path) -> None:
    """Make a repository with one commit of a folder."""
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "x")):
        subprocess.run(("git", *words), cwd=root, check=True)


def test_ctrl_c_ends_the_build_and_records_nothing(shop: Shop) -> None:
    shop.service("FROM BASE\nRUN echo first\nRUN sleep 100\n")
    dockerfile = (shop.root / "api.Dockerfile").read_text(encoding="utf-8")
    (shop.root / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    (shop.root / "hullwright.toml").write_text(f'project = "{shop.project}"\n', encoding="utf-8")
    committed(shop.root)
    with subprocess.Popen(
        (sys.executable, "-m", "hullwright", "build"),
        cwd=shop.root,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        # A group of its own, as a terminal's foreground job has.
        process_group=0,
        env={**os.environ, "XDG_CACHE_HOME": str(shop.root / "cache")},
    ) as running:
        assert running.stderr is not None
        told = []
        for line in running.stderr:
            told.append(line)
            if "RUN echo first" in line:
                break
        os.killpg(running.pid, signal.SIGINT)
        told.append(running.stderr.read())
        assert running.wait(timeout=60) == 130, "".join(told)
    assert "Traceback" not in "".join(told)
    assert not (shop.root / ".hullwright" / "images.json").exists()
